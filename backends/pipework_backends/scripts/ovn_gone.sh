#!/bin/sh
# Wait until an interface is gone: the kernel takes it apart some time after the last process of its guest has ended.
#
#   ovn_gone.sh SECONDS INTERFACE PORT
#
# Exit 1 with a sentence when the time is up: PORT, the logical port that it is, belongs to a guest that is alive.
set -f
turns=$(($1 * 10))
while ip link show dev "$2" >/dev/null 2>&1; do
    if [ "$turns" -le 0 ]; then
        echo "$3 is the port of another guest, by $2" >&2
        exit 1
    fi
    turns=$((turns - 1))
    sleep 0.1 2>/dev/null || { sleep 1 && turns=$((turns - 9)); } # POSIX has whole seconds only
done
