#!/bin/sh
# Tell the neighbours who has addresses now, three times within a second (RFC 5227, 2.3; RFC 4861, 7.2.6):
#
#   announce.sh [guest=PATH inode=N] INTERFACE ADDRESS...  these IPv4 addresses, by arping
#   announce.sh [guest=PATH inode=N] INTERFACE             all addresses of the interface for which the kernel was told
#                                                          to (arp_notify for IPv4, ndisc_notify for IPv6)
#
# Nobody waits for this script, and nobody hears what goes wrong. It enters the network namespace at PATH to send, and is
# out of it between: while anybody is in there, a guest that ended keeps its MAC, its NIC and its end on the host. It
# ends when PATH leads elsewhere than to the namespace with the number N. Without PATH it runs in the namespace.
#
# `arping -q -U -c 1 -I INTERFACE ADDRESS` means the same to iputils (tried: 20221126), busybox (1.35) and Habets (2.23),
# but for one thing: the last takes the first address of the interface for the sender, unless it is told another. What
# they take for repeating, and how fast, differs altogether. Most of them wait a second after their packet for an
# answer, so they run side by side, and are ended when they have had the time to send; one group of addresses comes after
# the other, however many addresses there are.
#
# The kernel announces addresses when an interface goes up (inetdev_event in net/ipv4/devinet.c, ndisc_netdev_event in
# net/ipv6/ndisc.c). On a bridge or switch that is a moment too early: the port at the other end learns a little later
# that it has a carrier, and drops what comes before. The kernel does it again when the interface is given a MAC, and
# that can be the one it has.
set -f

GROUP=16
guest='' inode=''
while :; do
    case ${1-} in
    guest=*) guest=${1#guest=} ;;
    inode=*) inode=${1#inode=} ;;
    *) break ;;
    esac
    shift
done
interface=$1
shift

# Run a command where the interface is.
inside() {
    if [ -n "$guest" ]; then exec nsenter --net="$guest" "$@"; else exec "$@"; fi
}

lives() {
    [ -n "$guest" ] || return 0
    [ -e "$guest" ] || return 1
    found=$(stat -Lc %i "$guest" 2>/dev/null) || return 0 # without stat, that the path leads somewhere has to do
    [ "$found" = "$inode" ]
}

by_arping() {
    senders=
    for address in $group; do
        # shellcheck disable=SC2086 # an option, or nothing
        inside arping -q -U -c 1 ${sender:+$sender $address} -I "$interface" "$address" </dev/null >/dev/null 2>&1 &
        senders="$senders $!"
    done
    pause 0.4
    # shellcheck disable=SC2086 # numbers
    kill $senders 2>/dev/null
    return 0
}

by_kernel() {
    # 2: eth1@if3: <...> mtu 1500 ... link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    link=$(inside ip -oneline link show dev "$interface")
    mac=${link#* link/ether }
    [ "$mac" = "$link" ] || (inside ip link set dev "$interface" address "${mac%% *}")
    pause 0.4
}

# Wait $1 seconds.
pause() {
    sleep "$1" 2>/dev/null || sleep 1 # POSIX has whole seconds only
}

three_times() {
    lives && "$1" && pause 0.1 && lives && "$1" && pause 0.1 && lives && "$1"
}

if [ $# -eq 0 ]; then
    three_times by_kernel
    exit
fi
case $(arping --help 2>&1 </dev/null) in
*Habets*) sender=-S ;;
*) sender= ;;
esac
while [ $# -gt 0 ]; do
    group=
    count=0
    while [ $# -gt 0 ] && [ "$count" -lt "$GROUP" ]; do
        group="$group $1"
        count=$((count + 1))
        shift
    done
    three_times by_arping || exit
done
