#!/bin/sh
# Obtain, keep and give back DHCP leases with the clients of the host, in the network namespace this runs in.
#
#   lease.sh get id=ID guest=PATH client=dhclient|udhcpc|dhcpcd family=4|6 interface=IF hostname=NAME timeout=SECONDS
#            [keep=1] [metric=N] [mtu=1] [dns=PID] [broadcast=1] [clientid=HH:HH:...] [nodad=1] -- [WORD...]
#       prints `lease address=... ...` for each address and exits 0; else a sentence and the client's last words, 1.
#       With keep=1 the client stays, until its guest ends, its interface goes, or `stop`. One that is there already
#       is waited for.
#   lease.sh release ...the same...  asks for the lease again, and gives it back
#
# What stays or is still asking is listed and ended by leases.sh.
#
# PATH is where the guest's namespace is found (/proc/4242/ns/net, /run/netns/blue) and must lead to the one that this
# runs in; for as long as it does, the guest lives. ID must be one word, the same for a guest's interface every time.
# WORDs go to the client. There is no state on disk: leases.sh finds the processes by their command line.
# shellcheck disable=SC3013 # dash, ash and bash know -ef
set -fu
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin:/usr/bin:/bin
export PATH LC_ALL=C.UTF-8

here=${0%/*}
case $here in
/*) ;;
"$0") here=$PWD ;;
*) here=$PWD/$here ;;
esac
verb=${1-}
[ $# -eq 0 ] || shift

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Turn KEY=VALUE... into variables, up to `--`; $parsed tells how many words these were.
parse() {
    id='' guest='' client='' family=4 interface='' hostname='' timeout=30 keep='' metric='' mtu='' dns=''
    broadcast='' clientid='' nodad='' starter='' release='' parsed=0
    while [ $# -gt 0 ]; do
        parsed=$((parsed + 1))
        case $1 in
        --) return ;;
        id=* | guest=* | client=* | family=* | interface=* | hostname=* | timeout=* | keep=* | metric=* | mtu=* | dns=* | \
            broadcast=* | clientid=* | nodad=* | starter=* | release=*)
            eval "${1%%=*}=\${1#*=}" # the name is one of these, and the value is not looked at
            ;;
        *) fail "lease.sh knows no word $1" ;;
        esac
        shift
    done
}

# Refuse what does not look like what it should be: most of these become words of a configuration or a command.
check() {
    case $client in
    dhclient | udhcpc | dhcpcd) ;;
    *) fail "lease.sh knows no client '$client'" ;;
    esac
    case $family in 4 | 6) ;; *) fail "lease.sh: family=$family is not 4 or 6" ;; esac
    case $interface in '' | -* | *[!!-~]*) fail "'$interface' cannot be the name of an interface here" ;; esac
    case $timeout in '' | *[!0-9]*) fail "lease.sh: timeout=$timeout is no number of seconds" ;; esac
    case $metric$mtu$dns$keep$broadcast$nodad$release$starter in *[!0-9]*) fail "lease.sh: a number is not one" ;; esac
    case $clientid in *[!0-9a-fA-F:]*) fail "lease.sh: clientid=$clientid is not in hexadecimal" ;; esac
    case $hostname in
    # One label: a server takes what follows a dot for a domain, and web.1 and web.2 would both be web to it.
    *[!A-Za-z0-9-]*) hostname=$(printf %s "$hostname" | LC_ALL=C tr -c 'A-Za-z0-9-' '[-*]') ;;
    esac
    # A label has 63 characters (RFC 1035, 2.3.4); longer names still differ where they did.
    if [ ${#hostname} -gt 63 ]; then
        sum=$(printf %s "$hostname" | cksum)
        hostname=$(printf %.52s "$hostname")-${sum%% *}
    fi
    while :; do
        case $hostname in
        -*) hostname=${hostname#?} ;;
        *- | ????????????????????????????????????????????????????????????????*) hostname=${hostname%?} ;;
        *) break ;;
        esac
    done
}

# $program: what the client is called
program() {
    program=$client
    [ "$client$family" != udhcpc6 ] || program=udhcpc6
    command -v "$program" >/dev/null || fail "$program is not installed on this host"
}

# The client runs beneath a process 1 of its own, so that its end is the end of all that the client ever started; in a
# mount namespace of its own, so that nothing it writes is the host's; /proc stays the host's, so that the guest can be
# watched. Nothing of it is in the guest's PID namespace, where the guest's root could reach it.
get() {
    parse "$@"
    check
    [ "$guest" -ef /proc/self/ns/net ] || fail "$guest is not the network namespace of this process"
    program
    [ -z "$dns" ] || command -v python3 >/dev/null || fail "python3 is not installed on this host, and --dns takes it"
    # A client of a guest that is gone would still answer for the address that the same MAC gets now.
    [ -z "$keep" ] || sh "$here/end_stale.sh" >/dev/null 2>&1 </dev/null
    [ -z "$keep" ] || await_other
    # The first four stand where leases.sh reads them.
    set -- "id=$id" "client=$client" "family=$family" "interface=$interface" "starter=$$" "$@"
    {
        # unshare(1) makes the namespace for children alone, and a child that is left alone has nobody waiting for it,
        # which would take a third of the memory that a client costs.
        # shellcheck disable=SC2016 # expanded by that shell
        setsid unshare --mount --propagation slave --uts --pid -- \
            sh -c '"$@" &' sh sh "$here/lease.sh" watch "$@" </dev/null 2>&1 &
    } | hear
}

# Wait for a client that is there for the same interface, of a run at the same time or of one that was killed: what it
# obtains is what was asked for. Return when it ends, or when it keeps an address that the interface has lost.
await_other() {
    . "$here/lease_find.sh"
    wanted=$id
    tries=0
    while other=$(each_lease find_other) && [ -n "$other" ]; do
        case $other in
        *keeps*)
            address=${other##*keeps }
            case $(ip -oneline address show dev "$interface") in
            *" $address "*)
                echo "lease address=$address"
                exit
                ;;
            esac
            (stop "$wanted")
            ;;
        esac
        tries=$((tries + 1))
        [ $tries -lt $((timeout * 5)) ] || fail "$client, which asks for $interface already, obtained no lease within $timeout seconds"
        sleep 0.2 2>/dev/null || sleep 1 # POSIX has whole seconds only
    done
    grep -q "^ *$interface:" /proc/net/dev || fail "$interface has gone, and whoever made it obtained no lease"
}

# While it asks, a watcher has children with its command line.
# shellcheck disable=SC2317 # called by each_lease
find_other() {
    [ "$id" = "$wanted" ] || return 0
    look_at "$1"
    echo "${kept:+keeps }${kept:-asks}"
}

# Pass on what the watcher says; the pipe ends when all of it has ended. Only a client that stays is not waited for.
hear() {
    success='' leases='' said=''
    while read -r line; do
        case $line in
        done)
            success=1
            [ -z "$keep" ] || break
            ;;
        'lease '* | 'warning '*)
            leases="$leases$line
"
            ;;
        *)
            said="$said${said:+
}${line#! }"
            ;;
        esac
    done
    [ -n "$success" ] || fail "${said:-$program was ended from outside}"
    [ -n "$release" ] || printf %s "$leases"
    [ -n "$keep$release" ] || {
        announce
        tell_of_the_end
    }
}

tell_of_the_end() {
    seconds=${leases#* seconds=}
    case ${seconds%%[!0-9]*} in
    *[0-9]) echo "warning $interface has its address for ${seconds%%[!0-9]*} seconds; $client-f renews it" ;;
    esac
}

# Tell the neighbours; a client that stays does this by itself. Nobody waits for it. Without arping the kernel does it,
# which was told to before the interface went up (arp_notify). Whoever started us is in the host's network, where the
# announcer belongs between two announcements, without a descriptor of the guest's namespace.
announce() {
    [ "$family" = 4 ] || return 0
    address=${leases#lease address=}
    set -- "${address%%/*}"
    command -v arping >/dev/null || set --
    set -- "guest=$guest" "inode=$(stat -Lc %i "$guest" 2>/dev/null)" "$interface" "$@"
    # shellcheck disable=SC2016 # expanded there
    nsenter --net="/proc/$PPID/ns/net" sh -c 'setsid sh "$@" &' sh "$here/announce.sh" "$@" \
        </dev/null >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- || : # whoever started us is gone
}

case $verb in
get) get "$@" ;;
release) get release=1 "$@" ;;
watch)
    parse "$@"
    shift "$parsed"
    check
    program
    . "$here/lease_client.sh"
    . "$here/lease_watch.sh"
    watch "$@"
    ;;
*) fail "lease.sh is given get or release" ;;
esac
