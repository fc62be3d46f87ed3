#!/bin/sh
# Obtain, keep and give back DHCP leases with busybox' udhcpc in a container that shares the guest's network, and no more
# of the guest. It runs on the host, in the network of the host.
#
#   lease_container.sh get NETNS runtime=docker|podman container=ID image=IMAGE name=NAME id=ID guest=PATH family=4|6
#            interface=IF [keep=1] [dns=PID] [further words of lease.sh get] -- [WORD...]
#       prints `lease address=... ...` for each address and exits 0; else a sentence and the last words, 1.
#       With keep=1 the container stays, until its guest ends, its interface goes, or `stop`.
#   lease_container.sh release NETNS ...the same...   asks for the lease again, and gives it back
#   lease_container.sh stop NETNS runtime=... name=NAME id=ID [dns=PID interface=IF]
#                                                     ends the client that stays; it gives its lease back
#   lease_container.sh list runtime=...               one line for each: ID CLIENT FAMILY INTERFACE PID
#
# NETNS leads to the guest's namespace whatever happens; PATH (/proc/4242/ns/net) is where it is found while the guest
# lives.
#
# In the container runs lease.sh's own watcher. The scripts go in through stdin, so neither SELinux, nor an umask, nor
# where the engine sees its files can keep them out. There is no state on disk: the engine knows its containers.
# shellcheck disable=SC3013 # dash, ash and bash all have -ef
set -fu
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin:/usr/bin:/bin
export PATH LC_ALL=C.UTF-8

# Seconds between looks at the guest of a kept lease; that it has ended must be noticed within five.
PAUSE=2
# Seconds for a client to give its lease back before its container is killed.
PARTING=5
MARKER=END-OF-A-FILE-OF-PIPEWORK

here=${0%/*}
verb=${1-}
[ $# -eq 0 ] || shift

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Turn KEY=VALUE... into variables, up to `--`; those that are lease.sh's as well stay what they are.
parse() {
    runtime='' container='' image='' name='' id='' guest='' family=4 interface='' keep='' dns='' release='' pid='' timeout=30
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        case $1 in
        runtime=* | container=* | image=* | name=* | id=* | guest=* | family=* | interface=* | keep=* | dns=* | release=* | \
            pid=* | timeout=*)
            eval "${1%%=*}=\${1#*=}" # the name is one of these, and the value is not looked at
            ;;
        esac
        shift
    done
    case $runtime in docker | podman) ;; *) fail "lease_container.sh knows no runtime '$runtime'" ;; esac
}

# What the shell in the container reads: our files, then what to do with them.
bundle() {
    program=udhcpc
    [ "$family" = 4 ] || program=udhcpc6
    echo "command -v $program >/dev/null || { echo '! there is no $program in the image'; exit 1; }"
    echo 'mkdir -p /run/pipework/scripts && cd /run/pipework/scripts || exit'
    for file in lease.sh lease_client.sh hook.sh hook_routes.sh hook_values.sh; do
        enclosed "$file" "$here/$file"
    done
    enclosed lease_watch.sh "$here/lease_watch.sh" "$here/lease_inside.sh"
    # shellcheck disable=SC2016 # the shell in the container expands it
    echo 'exec sh /run/pipework/scripts/lease.sh "$@" </dev/null'
}

# Have the file $1 written in the container, from those that follow.
enclosed() {
    echo "cat >$1 <<'$MARKER'"
    shift
    cat "$@"
    echo "$MARKER"
}

# Run the container; all that is said there comes out here, after a line with the PID of the runtime's program.
#
# Docker joins by the container; Podman by the namespace, since it removes no container that another was joined to.
# NET_BIND_SERVICE: a lease is renewed from port 68, or 546. The root file system belongs to nobody here.
run() {
    if [ "$runtime" = podman ]; then
        set -- --network "ns:$guest" --read-only-tmpfs=false "$image" -s -- "$@"
    else
        set -- --network "container:$container" "$image" -s -- "$@"
    fi
    # shellcheck disable=SC2016 # expanded there
    bundle | sh -c 'echo "cli $$"; exec "$@"' sh \
        "$runtime" run --rm --interactive --pull never --name "$name" --log-driver none --no-healthcheck \
        --label "pipework-client.id=$id" --label "pipework-client.family=$family" --label "pipework-client.interface=$interface" \
        --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW --cap-add NET_BIND_SERVICE \
        --security-opt no-new-privileges --read-only --tmpfs /run:rw,exec,nosuid,nodev,size=4m,mode=755 \
        --user 0:0 --workdir / --entrypoint sh "$@" 2>&1
}

# $leases and $words: what came out of it. A client that stays is left alone as soon as it says that it is done: the
# program that waits for it is ended in a way that leaves it no time to end the container.
listen() {
    cli='' leases='' words='' finished=''
    while read -r line; do
        case $line in
        'cli '*) [ -n "$cli" ] || cli=${line#cli } ;;
        'lease '*[!A-Za-z0-9.:/=,\ _-]* | 'warning '*[!A-Za-z0-9.:/=,\ _-]*) ;; # an image may say anything
        'lease '* | 'warning '*) leases="$leases$line
" ;;
        done)
            finished=1
            [ -z "$keep" ] || [ -n "$release" ] || kill -KILL "$cli"
            ;;
        *) words="$words${line#! }
" ;;
        esac
    done
    printf '%s\n' "$finished" "$leases$words"
}

# Remove our container, and wait until it is gone; somebody else's of that name stays.
remove() {
    tries=0
    while [ $tries -lt 20 ] && [ "$(label)" = "$id" ]; do
        "$runtime" rm --force "$name" >/dev/null 2>&1
        tries=$((tries + 1))
        [ "$(label)" != "$id" ] || sleep 0.2 2>/dev/null || sleep 1 # POSIX has whole seconds only
    done
}

label() {
    "$runtime" container inspect --format '{{index .Config.Labels "pipework-client.id"}}' "$name" 2>/dev/null
}

get() {
    netns=$1
    shift
    parse "$@"
    [ "$guest" -ef "$netns" ] || fail "$guest is not the network namespace of the guest any more"
    # A client of a guest that is gone would still answer for the address that the same MAC gets now.
    [ -z "$keep" ] || sh "$here/end_stale.sh" >/dev/null 2>&1 </dev/null
    [ -z "$keep" ] || await_other
    trap 'interrupted=1' HUP INT TERM
    interrupted=''
    attempt "$@"
    case $words in
    *'is already in use'*)
        # One of ours, of a run at the same time or of one that was killed.
        [ "$(label)" != "$id" ] || {
            [ -z "$keep" ] || await_other
            remove
            attempt "$@"
        }
        ;;
    esac
    [ -z "$interrupted" ] || give_up 'it was interrupted'
    [ -n "$finished" ] || explain
    [ -n "$release" ] && exit 0
    [ -n "$keep" ] || limit
    [ -z "$dns" ] || name_servers
    [ -z "$interrupted" ] || give_up 'it was interrupted'
    [ -z "$keep" ] || watch_over
    [ "$family" = 6 ] || announce
    printf '%s' "$leases"
    [ -n "$keep" ] || tell_of_the_end
}

tell_of_the_end() {
    seconds=${leases#* seconds=}
    case ${seconds%%[!0-9]*} in
    *[0-9]) echo "warning $interface has its address for ${seconds%%[!0-9]*} seconds; dhcp:-f renews it" ;;
    esac
}

# Wait for a client that is there for the same interface, of a run at the same time or of one that was killed: what it
# obtains is what was asked for. Return when it ends; one whose address the interface has lost is removed.
await_other() {
    tries=0
    while [ "$(label)" = "$id" ]; do
        found=$("$runtime" container inspect --format '{{.State.Pid}} {{.State.Status}}' "$name" 2>/dev/null)
        pid=${found%% *}
        folder=/proc/$pid/root/run/pipework
        case $found in
        *' running') ;;
        *' created') [ $tries -lt 25 ] || return 0 ;; # or a run was killed between the two
        *) return 0 ;;
        esac
        if [ -e "$folder/applied" ] && [ ! -e "$folder/events" ]; then
            address=$(sed -n 's/^address //p' "$folder/applied" | tail -n 1)
            case $(inside ip -oneline address show dev "$interface") in
            *" $address "*)
                watch_over
                echo "lease address=$address"
                exit
                ;;
            esac
            remove
            return
        fi
        tries=$((tries + 1))
        [ $tries -lt $((timeout * 5)) ] || fail "the client that asks for $interface already obtained no lease"
        sleep 0.2 2>/dev/null || sleep 1 # POSIX has whole seconds only
    done
}

# Tell the neighbours, from the host's side and without a descriptor of the guest's namespace; nobody waits for it. Without arping the kernel does it (arp_notify).
announce() {
    address=${leases#lease address=}
    set -- "${address%%/*}"
    command -v arping >/dev/null || set --
    set -- "guest=$guest" "inode=$(stat -Lc %i "$guest" 2>/dev/null)" "$interface" "$@"
    setsid sh "$here/announce.sh" "$@" </dev/null >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- &
}

# The guest's namespace is always there, seen from the container. Its PID namespace is its own.
attempt() {
    reset=$#
    while [ "$reset" -gt 0 ]; do
        word=$1
        shift
        reset=$((reset - 1))
        case $word in
        --)
            set -- "$@" client=udhcpc guest=/proc/self/ns/net starter=1 --
            while [ "$reset" -gt 0 ]; do
                set -- "$@" "$1"
                shift
                reset=$((reset - 1))
            done
            ;;
        runtime=* | container=* | image=* | name=* | guest=* | dns=* | client=*) ;;
        *) set -- "$@" "$word" ;;
        esac
    done
    # The shell would remark on the program that is killed in there.
    said=$(exec 2>/dev/null && run watch "$@" | listen)
    finished=${said%%
*}
    said=${said#"$finished"}
    said=${said#
}
    leases='' words=''
    case $said in
    'lease '*) leases="$said
" ;;
    *) words=$said ;;
    esac
}

give_up() {
    remove
    fail "$1"
}

explain() {
    case $words in
    *'No such image'* | *'Unable to find image'* | *'image not known'* | *'no such image'*)
        give_up "there is no image $image on this host: $runtime pull $image gets it"
        ;;
    *) give_up "${words:-the container of the DHCP client ended without a word}" ;;
    esac
}

inside() {
    nsenter --net="$netns" -- "$@"
}

resolv() {
    inside python3 -I -S "$here/resolv.py" "$1" --pid "$dns" --interface "$interface"
}

# The address of a client that does not stay ends with its lease. busybox' ip knows no lifetimes.
limit() {
    printf '%s' "$leases" | while read -r _ address rest; do
        seconds=${rest#*seconds=}
        [ "$seconds" != "$rest" ] || continue
        seconds=${seconds%% *}
        inside ip address change "${address#address=}" dev "$interface" valid_lft "$seconds" preferred_lft "$seconds"
    done
}

# From the host's side: the container's files are read-only, and the guest's are to be given back as they were.
name_servers() {
    case $leases in *' dns='*) ;; *) return ;; esac
    said=$(
        printf '%s' "$leases" | while read -r line; do
            servers=${line#* dns=}
            [ "$servers" != "$line" ] || continue
            printf 'nameserver %s\n' "${servers%% *}" | sed 's/,/\
nameserver /g'
            domain=${line#* domain=}
            [ "$domain" = "$line" ] || printf 'search %s\n' "${domain%% *}"
            break
        done | resolv set 2>&1
    ) || give_up "$said"
}

# Leave a watcher that ends the container with the guest.
watch_over() {
    found=$("$runtime" container inspect --format '{{.State.Pid}} {{.Id}}' "$name" 2>/dev/null)
    pid=${found%% *}
    case $pid in '' | 0 | *[!0-9]*) give_up "the container of the DHCP client ended at once" ;; esac
    setsid --fork sh "$0" watch "runtime=$runtime" "name=${found#* }" "guest=$guest" "pid=$pid" \
        <"$netns" >/dev/null 2>&1
}

# Standard input is the guest's namespace. The container looks after itself while the guest lives, and ends when its
# interface goes; then its process is in that namespace no more, and there is nothing left to do.
watch() {
    parse "$@"
    cd / || exit
    while [ "/proc/$pid/ns/net" -ef /proc/self/fd/0 ]; do
        if ! [ "$guest" -ef /proc/self/fd/0 ]; then
            "$runtime" rm --force "$name" </dev/null
            # Where the engine does not answer, its container ends all the same.
            [ "/proc/$pid/ns/net" -ef /proc/self/fd/0 ] && kill -KILL "$pid"
            exit
        fi
        sleep $PAUSE
    done
}

stop() {
    netns=$1
    shift
    parse "$@"
    [ -z "$dns" ] || resolv restore
    [ "$(label)" = "$id" ] || return 0
    "$runtime" stop --time $PARTING "$name" >/dev/null 2>&1
    remove
}

list() {
    parse "$@"
    ids=$("$runtime" ps --quiet --no-trunc --filter label=pipework-client.id 2>&1) || fail "$ids"
    # shellcheck disable=SC2086 # identifiers hold no blanks
    [ -z "$ids" ] || "$runtime" container inspect --format '{{index .Config.Labels "pipework-client.id"}} dhcp {{index .Config.Labels "pipework-client.family"}} {{index .Config.Labels "pipework-client.interface"}} {{.State.Pid}}' $ids
}

case $verb in
get) get "$@" ;;
release)
    netns=$1
    shift
    get "$netns" release=1 "$@"
    ;;
watch) watch "$@" ;;
stop | list) "$verb" "$@" ;;
*) fail 'lease_container.sh is given get, release, stop or list' ;;
esac
