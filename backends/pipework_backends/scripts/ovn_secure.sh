#!/bin/sh
# Wait until OVN has chosen the address of a logical port, and let the port send from that one alone.
#
#   ovn_secure.sh PORT OTHER NBCTL...   OTHER is a further entry of port_security, or empty; NBCTL is ovn-nbctl with the
#                                       words that lead to the database, and say how long it may take
#
# Exit 1 with a sentence when the time is up.
set -f

port=$1
other=$2
shift 2

chosen=$("$@" wait-until Logical_Switch_Port "$port" 'dynamic_addresses!=[]' \
    -- get Logical_Switch_Port "$port" dynamic_addresses 2>&1)
case $? in
0) ;;
142) # SIGALRM, by which --timeout ends it
    echo "OVN has chosen no address for $port" >&2
    exit 1
    ;;
*)
    echo "$chosen" >&2
    exit 1
    ;;
esac
case $chosen in
*.*) ;;
*) # a MAC alone
    echo "the subnet of its logical switch has no free address for $port" >&2
    exit 1
    ;;
esac
# It is printed as a string of JSON; a MAC and addresses hold neither quotes nor backslashes.
chosen=${chosen#\"}
exec "$@" lsp-set-port-security "$port" "${chosen%\"}" ${other:+"$other"}
