#!/bin/sh
# What a DHCP client calls at every change: apply to the interface what the server gave, and nothing else.
#
# Called by dhclient and dhcpcd (event in $reason, values in $new_...) and by udhcpc and udhcpc6 (event in $1), of the
# host or in a container (busybox only). All that the server sends is hostile until its characters were looked at.
#
# Settings, in the environment or set before this file is read with `.`:
#   PIPEWORK_CLIENT    dhclient, udhcpc or dhcpcd; udhcpc if empty
#   PIPEWORK_FAMILY    4 (if empty) or 6
#   PIPEWORK_METRIC    of the routes; if empty, one that passes no default route; 0 replaces the guest's, the first time
#   PIPEWORK_MTU       not empty: take the MTU that is offered, if it is less
#   PIPEWORK_DNS       PID of the guest that gets the name servers; `file`: /etc/resolv.conf of where this runs
#   PIPEWORK_PASSING   not empty: the lease is only asked for to be given back, and changes no route
#   PIPEWORK_NODAD     not empty: do not wait for duplicate address detection (IPv6)
#   PIPEWORK_ANNOUNCE  not empty: tell the neighbours
#   PIPEWORK_FOLDER    where `applied` remembers what is in force; to the FIFO `events` there, if there is one, goes what
#                      else goes to stdout: `lease address=...` lines and `done`, or `refused SENTENCE`
#   PIPEWORK_SCRIPTS   the folder of this file
# shellcheck disable=SC2154 # the client sets $interface
set -fu
PATH=/usr/sbin:/usr/bin:/sbin:/bin:${PATH:-}
export PATH LC_ALL=C
folder=${PIPEWORK_FOLDER:-/run/pipework}
scripts=${PIPEWORK_SCRIPTS:-${0%/*}}
family=${PIPEWORK_FAMILY:-4}
applied=$folder/applied

tell() {
    if [ -p "$folder/events" ]; then
        printf '%s\n' "$1" >"$folder/events"
    else
        printf '%s\n' "$1"
    fi
}

refuse() {
    tell "refused $1"
    exit 1
}

. "$scripts/hook_values.sh"

# Give the interface one address, for as long as the lease runs; busybox's ip knows no such limit. A client that stays
# takes it away itself, and counts no less than 16 or 20 seconds: a shorter limit would end what it is about to renew.
give() {
    lasting=$seconds
    case ${PIPEWORK_ANNOUNCE:+$seconds} in ? | [1-5]?) lasting=60 ;; esac
    set -- address replace "$1" ${broadcast:+broadcast "$broadcast"} dev "$interface"
    [ "$family" = 4 ] || [ -z "${PIPEWORK_NODAD-}" ] || set -- "$@" nodad
    said=$(ip "-$family" "$@" ${lasting:+valid_lft "$lasting" preferred_lft "$lasting"} 2>&1) ||
        said=$(ip "-$family" "$@" 2>&1) || refuse "$interface did not take the address: $said"
}

. "$scripts/hook_routes.sh"

# Take an MTU that is offered only downwards, and only one that the protocols in use can do with (RFC 8200, 5).
lower_mtu() {
    least=576
    [ "$(cat "/proc/sys/net/ipv6/conf/$interface/disable_ipv6" 2>/dev/null)" != 0 ] || least=1280
    now=$(ip link show dev "$interface")
    now=${now#* mtu }
    [ "$mtu" -lt "$least" ] || [ "$mtu" -ge "${now%% *}" ] || ip link set dev "$interface" mtu "$mtu"
}

# Remember that something is in force; had: whether it was before.
note() {
    in_lines "$remember" "$1" || remember="$remember
$1"
}

had() {
    in_lines "$before" "$1"
}

in_lines() {
    case "
$1
" in *"
$2
"*) return 0 ;; esac
    return 1
}

# Take away what was in force and is not any more.
forget() {
    [ -f "$applied" ] || return 0
    while read -r kind words; do
        in_lines "$remember" "$kind $words" && continue
        # shellcheck disable=SC2086 # written by ourselves, of words that hold no blanks
        case $kind in
        address) ip "-$family" address delete $words dev "$interface" ;;
        route) forget_route "$words" ;;
        esac
    done <"$applied" 2>/dev/null
}

# An IPv6 address can be used, or is known to be held by another, when detection is through (RFC 4862, 5.4).
settle() {
    [ -z "${PIPEWORK_NODAD-}" ] || return 0
    tries=0
    while [ $tries -lt 50 ]; do
        shown=$(ip -6 address show dev "$interface" scope global)
        case $shown in
        *dadfailed*) refuse "another interface on the link holds one of $addresses" ;;
        *tentative*) sleep 0.1 || sleep 1 ;;
        *) return ;;
        esac
        tries=$((tries + 1))
    done 2>/dev/null
}

announce() {
    [ -n "${PIPEWORK_ANNOUNCE-}" ] && [ "$family" = 4 ] && [ -r "$scripts/announce.sh" ] || return
    set -- "${addresses%/*}"
    command -v arping >/dev/null || set -- # the kernel was told to (arp_notify)
    sh "$scripts/announce.sh" "$interface" "$@" </dev/null >/dev/null 2>&1 &
}

name_servers() {
    for server in $dns; do echo "nameserver $server"; done
    [ -z "$domains" ] || echo "search $domains"
}

resolv() {
    case ${PIPEWORK_DNS-} in
    '') return ;;
    file)
        [ "$1" = restore ] || [ -z "$dns" ] || name_servers >/etc/resolv.conf
        return
        ;;
    esac
    [ "$1" = restore ] || [ -n "$dns" ] || return 0
    said=$(name_servers | python3 -I -S "$scripts/resolv.py" "$1" --pid "$PIPEWORK_DNS" --interface "$interface" 2>&1) ||
        [ "$1" = restore ] || refuse "$said"
}

is_there() {
    case $(ip -4 address show dev "$interface") in *" inet $address "*) ;; *) return 1 ;; esac
}

# A renewal that brings nothing new changes nothing but lifetimes: what the guest's owner changed since then stays.
apply() {
    values
    [ -n "$addresses" ] || refuse "it holds no address that $interface could have"
    before='' remember=''
    [ ! -f "$applied" ] || before=$(cat "$applied")
    # Of several servers or associations, dhclient tells one address a time.
    [ "$family${PIPEWORK_CLIENT-}" != 6dhclient ] || remember=$before
    moved=''
    for address in $addresses; do
        [ -z "$before" ] || [ "$family" = 6 ] || is_there || moved=1
        give "$address"
        note "address $address"
    done
    [ -z "$mtu" ] || [ -z "${PIPEWORK_MTU-}" ] || {
        had "mtu $mtu" || lower_mtu
        note "mtu $mtu"
    }
    [ -z "${PIPEWORK_PASSING-}" ] || routes=''
    keep_routes
    forget
    # With its last address, or the first of a network, an interface loses all its routes.
    [ -z "$moved" ] || give "$address"
    add_routes
    [ "$family" = 4 ] || settle
    had "dns $dns $domains" || resolv set
    note "dns $dns $domains"
    printf '%s\n' "$remember" >"$applied"
    had "address $addresses" || announce
    report
}

# udhcpc6 writes all 32 digits; the kernel writes as everybody does.
shorten() {
    shown=$(ip -6 address show dev "$interface" to "$address")
    shown=${shown#* inet6 }
    address=${shown%% *}
}

report() {
    lines=''
    commas=$(echo "$dns" | tr ' ' ,)
    for address in $addresses; do
        [ "$family" = 4 ] || shorten
        lines="${lines}lease address=$address${server:+ server=$server}${router:+ router=$router}${seconds:+ seconds=$seconds}${commas:+ dns=$commas}${domains:+ domain=${domains%% *}}${reached:+ routes=$reached}
"
    done
    [ -z "$left_out" ] || lines="${lines}warning left out of the lease of $interface, since other routes of the guest would suffer: $left_out
"
    tell "${lines}done"
}

# The message that gives a lease back waits in the kernel while the server's MAC is asked for, and is lost with the address.
await_departure() {
    tries=0
    while [ $tries -lt 20 ] && [ -n "$(ip neighbour show dev "$interface" nud incomplete)" ]; do
        sleep 0.1 || sleep 1 # POSIX has whole seconds only
        tries=$((tries + 1))
    done 2>/dev/null
}

drop() {
    [ ! -f "$applied" ] || await_departure
    values
    [ "$family${PIPEWORK_CLIENT-}" != 6dhclient ] || [ "${reason-}" = STOP ] || {
        # Only the one address that it is called for.
        remember=$(grep -vxF "address ${old_ip6_address-}/128" "$applied" 2>/dev/null)
    }
    forget
    resolv restore
    if [ -n "${remember-}" ]; then printf '%s\n' "$remember" >"$applied"; else rm -f "$applied"; fi
}

remember='' reached='' left_out=''
case ${1-}:${reason-} in
bound:* | renew:* | *:BOUND* | *:RENEW* | *:REBIND* | *:REBOOT*) apply ;;
*:TIMEOUT*) exit 1 ;; # dhclient would use an old lease
deconfig:* | nak:* | *:EXPIRE* | *:NAK | *:FAIL* | *:STOP* | *:RELEASE*) drop ;;
esac
exit 0
