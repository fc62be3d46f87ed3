#!/bin/sh
# Ask gateways whether they are there: host_ask.sh SECONDS INTERFACE GATEWAY...
#
# The kernel asks (ARP, or neighbour discovery) when somebody wants to use a neighbour, and calls it REACHABLE when it
# has answered just now (ip-neighbour(8)); so it takes neither arping nor ping, and is the same for both families.
# An IPv6 request needs a link-local address, which a new interface has after a second or two: it is asked again.
# Exit 1 with a sentence when one has not answered in time.
set -fu

seconds=$1
interface=$2
shift 2

# $now: whole seconds since boot
clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

answered() {
    case $(ip neighbour show to "$1" dev "$interface" 2>/dev/null) in
    *REACHABLE*) return 0 ;;
    esac
    ip neighbour replace "$1" dev "$interface" use 2>/dev/null
    return 1
}

clock
end=$((now + seconds))
for gateway; do
    until answered "$gateway"; do
        clock
        if [ "$now" -ge "$end" ]; then
            echo "the gateway $gateway did not answer within $seconds seconds" >&2
            exit 1
        fi
        sleep 0.1 2>/dev/null || sleep 1 # POSIX has whole seconds only
    done
done
