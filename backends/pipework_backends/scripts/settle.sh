#!/bin/sh
# Wait until IPv6 addresses can be used. It runs in the network namespace of their interface.
#
#   settle.sh SECONDS INTERFACE given ADDRESS=DIGITS...  until duplicate address detection (RFC 4862, 5.4) is through
#                                                        with these; DIGITS are the 32 of /proc/net/if_inet6
#   settle.sh SECONDS INTERFACE advertised               until there are addresses from a router advertisement, too;
#                                                        prints `lease address=... router=... seconds=...` for each
#
# Exit 1 with a sentence for an address that somebody else holds, and when the time is up. Detection does not begin on
# an interface without carrier: that is said on a line `warning ...`, and is no failure.
set -f

# Flags of /proc/net/if_inet6, which is of the namespace of whoever reads it (linux/if_addr.h).
DADFAILED=0x08
TENTATIVE=0x40

seconds=$1
interface=$2
mode=$3
shift 3

fail() {
    echo "$1" >&2
    exit 1
}

# $now: whole seconds since boot
clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

# $flags: those of the address with these digits; empty when the interface does not have it
look() {
    flags=
    while read -r digits _ _ _ found name; do
        if [ "$digits" = "$1" ] && [ "$name" = "$interface" ]; then
            flags=0x$found
        fi
    done </proc/net/if_inet6
}

# $waiting: which of the addresses are being asked for still
given() {
    waiting=
    for pair; do
        address=${pair%=*}
        look "${pair#*=}"
        [ -n "$flags" ] || fail "$interface has lost the address $address"
        if [ $((flags & DADFAILED)) -ne 0 ]; then
            fail "$address is held by another interface on the link, as duplicate address detection found"
        elif [ $((flags & TENTATIVE)) -ne 0 ]; then
            waiting="$waiting $address"
        fi
    done
    [ -z "$waiting" ] && exit 0
    case $(ip link show dev "$interface") in
    *[,\<]LOWER_UP[,\>]*) ;;
    *)
        echo "warning $interface has no carrier, so nobody could be asked about$waiting."
        exit 0
        ;;
    esac
}

# One line for each address that an advertisement brought; "mngtmpaddr" is what the kernel gives to these alone.
from_advertisement() {
    ip -6 -oneline address show dev "$interface" scope global mngtmpaddr "$@"
}

advertised() {
    [ -z "$(from_advertisement tentative -dadfailed)" ] || return
    found=$(from_advertisement -tentative)
    [ -n "$found" ] || return
    # default via fe80::1 dev eth1 proto ra metric 1024 expires 1795sec ...
    route=$(ip -6 -oneline route show default dev "$interface" proto ra)
    case $route in
    *" via "*) router=${route#* via } router=${router%% *} ;;
    *) router= ;;
    esac
    # 2: eth1    inet6 fd00::1/64 scope global dynamic mngtmpaddr \       valid_lft 120sec preferred_lft 120sec
    printf '%s\n' "$found" | while read -r line; do
        address=${line#* inet6 }
        valid=${line#* valid_lft }
        valid=${valid%% *}
        echo "lease address=${address%% *}${router:+ router=$router} seconds=${valid%sec}"
    done
    exit 0
}

# Whether the interface heard any: ICMPv6 messages of type 134 (RFC 4861, 4.2).
heard() {
    while read -r key count; do
        [ "$key" != Icmp6InType134 ] || [ "$count" = 0 ] || return 0
    done 2>/dev/null <"/proc/net/dev_snmp6/$interface"
    return 1
}

clock
end=$((now + seconds))
while
    case $mode in
    given) given "$@" ;;
    *) advertised ;;
    esac
    clock
    [ "$now" -lt "$end" ]
do
    sleep 0.1 2>/dev/null || sleep 1 # POSIX has whole seconds only
done
case $mode in
given) fail "duplicate address detection was not through after $seconds seconds with$waiting" ;;
*)
    ! heard || fail "advertisements came, and none within $seconds seconds that an address is made of (a prefix of 64 bits, flag A)"
    fail "no router advertisement came within $seconds seconds"
    ;;
esac
