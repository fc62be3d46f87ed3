# shellcheck shell=sh
# shellcheck disable=SC2153,SC2154,SC3013 # dash, ash and bash know -ef; the variables are set by lease.sh and lease_client.sh
# Process 1 above a DHCP client: start it, tell what it obtained or why not, then watch the guest. Part of lease.sh.
#
# Until there is a lease, things happen by messages in a FIFO: `lease ...`, `done` and `refused ...` of the hook,
# `client PID` and `ended CODE` of the client, `tick` each second. Stdout is the pipe to whoever waits; to it go
# `lease ...` and `done`, or lines that begin with "! ".

# Seconds between looks at a guest whose lease is kept; that it has ended must be noticed within five.
PAUSE=2
# Seconds that a client has for giving its lease back: dhclient alone takes one, and more on a busy machine.
PARTING=5

watch() {
    stopping='' pid='' ticker=''
    trap 'stopping=1' TERM
    trap '' HUP INT PIPE
    enclose || lose "the surroundings of $client could not be made"
    clock
    end=$((now + timeout))
    start "$@"
    await
    [ -z "$release" ] || part
    printf '%s\ndone\n' "${leases%?}" 2>/dev/null || lose 'nobody is waiting any more'
    [ -n "$keep" ] || exit 0
    keep
}

# $now: whole seconds since boot
clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

# Leave nothing of the host's within reach that a client writes, whatever its words: not /run with its sockets (of
# resolvconf, systemd-resolved, the journal), not /etc, not the places for leases. Without -n, mount itself would
# make a folder in the host's /run.
enclose() {
    # /run is about to be covered. The folder of a named namespace is kept as the current one, and ours may be there, too.
    exec 5<"$here"
    case $guest in
    /proc/*) cd / ;;
    *) cd "${guest%/*}" && guest=./${guest##*/} ;;
    esac || return
    mount -n -t tmpfs -o size=4m,mode=755 tmpfs /run &&
        mount -n --bind -o ro /etc /etc || return
    for folder in /var/lib/dhcp /var/lib/dhcpcd; do
        [ ! -d $folder ] || mount -n -t tmpfs -o size=1m,mode=755 tmpfs $folder || return
    done
    # Copies: pipework may be removed or replaced while the client stays, for years.
    mkdir -p "$FOLDER/scripts" && mkfifo "$FOLDER/events" || return
    (cd /proc/self/fd/5 && cp hook.sh hook_routes.sh hook_values.sh announce.sh resolv.py "$FOLDER/scripts") || return
    exec 5<&-
    exec 4<>"$FOLDER/events"
    : >"$LOG"
    write_hook && prepare
}

# An interpreter line and settings in front of hook.sh: two of the clients hand down no environment of ours.
write_hook() {
    cat >"$HOOK" <<END
#!/bin/sh
PIPEWORK_CLIENT=$client PIPEWORK_FAMILY=$family PIPEWORK_METRIC=$metric PIPEWORK_MTU=$mtu PIPEWORK_DNS=$dns
PIPEWORK_NODAD=$nodad PIPEWORK_PASSING=$release PIPEWORK_ANNOUNCE=$keep PIPEWORK_FOLDER=$FOLDER PIPEWORK_SCRIPTS=$FOLDER/scripts
. $FOLDER/scripts/hook.sh
END
    chmod 755 "$HOOK"
}

start() {
    {
        [ "$family" = 4 ] || await_link_local
        # A client of its own group and without our pipes, which tell us of nobody's end but ours.
        (run "$@" >>"$LOG" 2>&1 4>&-) &
        echo "client $!" >&4
        wait $!
        echo "ended $?" >&4
    } </dev/null >/dev/null 2>&1 &
    waiter=$!
    while sleep 1; do echo tick >&4; done </dev/null >/dev/null 2>&1 &
    ticker=$!
}

# DHCPv6 speaks from the interface's link-local address, which can be used when duplicate address detection is through.
await_link_local() {
    while :; do
        while read -r _ _ _ scope flags name; do
            [ "$scope$name" != "20$interface" ] || [ $((0x$flags & 0x40)) -ne 0 ] || return 0
        done </proc/net/if_inet6
        sleep 0.1 || sleep 1 # POSIX has whole seconds only
    done
}

# Wait for the hook; return with $leases, a line each.
await() {
    leases='' index=''
    while :; do
        # A signal ends the reading without a message.
        read -r word rest <&4 || word=''
        [ -z "$stopping" ] || lose "$program was stopped"
        case $word in
        lease | warning) leases="$leases$word $rest
" ;;
        done) break ;;
        refused) lose "what the DHCP server sent to $interface cannot be used: $rest" ;;
        client) pid=$rest ;;
        ended) lose "$program obtained no lease for $interface, and ended with code $rest" ;;
        tick) look ;;
        esac
    done
    rm "$FOLDER/events" # so that the hook has nobody to write to from now on
    kill "$ticker"
}

look() {
    alive || lose "the guest of $interface ended while $program asked for a lease"
    [ -d "/proc/$starter" ] || lose 'nobody is waiting any more'
    clock
    [ "$now" -lt "$end" ] && return
    case $(cat "$LOG") in
    *DHCPNAK* | *NAK*) lose "the DHCP server refused what $program asked for (NAK), for $timeout seconds" ;;
    esac
    [ "$family$pid" != 6 ] || lose "$interface got no link-local address that DHCPv6 could use within $timeout seconds"
    lose "$program obtained no lease for $interface within $timeout seconds"
}

# Whether the guest lives and the interface is there, and the same one as at first.
alive() {
    [ "$guest" -ef /proc/self/ns/net ] || return
    found=''
    while read -r name _; do
        [ "$name" != "$interface:" ] && case $name in "$interface:"*) ;; *) continue ;; esac
        found=1
    done </proc/net/dev
    [ -n "$found" ] || return
    # Multicast addresses of what is up: the one file that has interface numbers of this namespace.
    while read -r number name _; do
        [ "$name" = "$interface" ] || continue
        [ "${index:=$number}" = "$number" ] || return
    done </proc/net/dev_mcast
}

# Say why not, with the client's last words, take away what was applied, and end with everything.
lose() {
    {
        printf '! %s\n' "$1"
        last_words | sed 's/^/! /'
    } 2>/dev/null
    [ ! -e "$FOLDER/applied" ] || drop
    exit 1
}

# A usage error stands in front of a page of usage, anything else at the end.
last_words() {
    grep -iE 'unrecogni[sz]ed|unknown|invalid|illegal|usage|requires|bad ' "$LOG" | head -n 2
    grep -vE '^[[:space:]]*$|^exiting|^All rights reserved|^Copyright|^For info' "$LOG" | tail -n 4
}

# Undo what the hook did, as if the client had called it.
drop() {
    exec 4>&-
    interface=$interface reason=STOP sh "$HOOK" deconfig </dev/null >/dev/null 2>&1
}

# Have the client give its lease back, for a few seconds at most, and end.
part() {
    give_back "$pid" &
    giver=$!
    clock
    end=$((now + PARTING))
    while kill -0 "$pid" || kill -0 $giver; do
        [ "$now" -lt "$end" ] || break
        sleep 0.1 || sleep 1 # POSIX has whole seconds only
        clock
    done 2>/dev/null
    [ ! -e "$FOLDER/applied" ] || drop
    echo 'done'
    exit 0
}

# Stay for as long as guest, interface and client do. What is not in use is let go: this may be for years.
keep() {
    exec >/dev/null 2>&1
    kill -KILL "$waiter"
    while alive && kill -0 "$pid"; do
        [ -z "$stopping" ] || part
        [ ! -s "$LOG" ] || : >"$LOG"
        sleep $PAUSE 4>&- &
        wait $!
    done
    [ ! -e "$FOLDER/applied" ] || drop
    exit 0
}
