#!/bin/sh
# Tell which DHCP clients of the host there are, whoever started them, and end one. It runs on the host.
#
#   leases.sh list     one line for each that stays or is still asking: ID CLIENT FAMILY INTERFACE PID
#   leases.sh kept     one line for each that keeps a lease in force: ID CLIENT FAMILY ADDRESS/LENGTH
#   leases.sh stop ID  ends one; it gives its lease back
#
# There is no state on disk: they are found by their command line (lease.sh).
# shellcheck disable=SC1091 # beside this file
set -fu
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin:/usr/bin:/bin
export PATH LC_ALL=C.UTF-8
. "${0%/*}/lease_find.sh"

case ${1-} in
list | kept | stop) "$@" ;;
*)
    echo 'leases.sh is given list, kept or stop' >&2
    exit 1
    ;;
esac
