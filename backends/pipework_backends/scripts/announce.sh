#!/bin/sh
# Tell the neighbours who has IPv4 addresses now: announce.sh INTERFACE ADDRESS...
#
# Each address is announced three times within a second, by gratuitous ARP requests (RFC 5227, 2.3). Nobody waits for
# this script, and nobody hears what goes wrong.
#
# `arping -q -U -c 1 -I INTERFACE ADDRESS` means the same to all three programs of that name (tried: iputils 20221126,
# Habets 2.23, busybox 1.35); what they take for repeating, and how fast, differs. Most of them wait a second behind
# their packet for an answer, so they run side by side, one group of addresses behind the other: never more than 48 at
# once, however many addresses there are.
set -f

GROUP=16
interface=$1
shift

announce() {
    for address in $group; do
        arping -q -U -c 1 -I "$interface" "$address" </dev/null >/dev/null 2>&1 &
    done
}

pause() {
    sleep 0.5 2>/dev/null || sleep 1 # POSIX has whole seconds only
}

while [ $# -gt 0 ]; do
    group=
    count=0
    while [ $# -gt 0 ] && [ "$count" -lt "$GROUP" ]; do
        group="$group $1"
        count=$((count + 1))
        shift
    done
    announce
    pause
    announce
    pause
    announce
done
