# shellcheck shell=sh
# shellcheck disable=SC2154,SC3013 # dash, ash and bash know -ef; the variables are set by lease.sh or here
# Find the clients that stay or are still asking, and end one. Part of lease.sh, leases.sh and end_stale.sh.

# Seconds for a client to give its lease back and be gone, in tenths.
PATIENCE=60

# Call $1 with the PID of each watcher of ours, with $id, $client, ... as it was given.
each_lease() {
    each_of_ours /lease.sh each_watcher "$1"
}

# Call $2 with the PID of each process of ours whose command line has $1 in it, and $3. A process of a guest can have
# any command line: only what has our own root directory and belongs to us counts.
each_of_ours() {
    set +f
    candidates=$(grep -lsF "$1" /proc/[0-9]*/cmdline)
    set -f
    for file in $candidates; do
        folder=${file%/cmdline}
        if [ -O "$folder" ] && [ "$folder/root" -ef / ]; then
            "$2" "${folder#/proc/}" "${3-}"
        fi
    done
}

# A watcher is in a PID namespace of its own.
each_watcher() {
    if ! [ "/proc/$1/ns/pid" -ef /proc/self/ns/pid ] && recognise "/proc/$1/cmdline"; then "$2" "$1"; fi
}

# `sh .../lease.sh watch id=... client=... family=... interface=... ...`, in the order of lease.sh.
recognise() {
    words=$(tr '\0' '\n' <"$1" 2>/dev/null) || return
    watch="/lease.sh
watch
"
    case $words in
    sh"
/"*"$watch"*) ;;
    *) return 1 ;;
    esac
    {
        read -r id && read -r client && read -r family && read -r interface
    } <<END
${words#*"$watch"}
END
    case $id$client$family$interface in
    id=?*client=?*family=?interface=?*) ;;
    *) return 1 ;;
    esac
    guest=${words#*"
guest="}
    guest=${guest%%"
"*}
    id=${id#id=} client=${client#client=} family=${family#family=} interface=${interface#interface=}
}

list() {
    each_lease show
}

# shellcheck disable=SC2317 # called by each_lease
show() {
    echo "$id $client $family $interface $1"
}

# One line for each that keeps a lease in force: ID CLIENT FAMILY ADDRESS/LENGTH.
kept() {
    each_lease show_kept
}

# shellcheck disable=SC2317 # called by each_lease
show_kept() {
    look_at "$1"
    [ -z "$kept" ] || echo "$id $client $family $kept"
}

# $kept: the address that the watcher $1 keeps; empty while its client asks, and when it has ended or is about to.
look_at() {
    kept=''
    folder=/proc/$1/root/run/pipework
    [ -e "$folder/hook" ] && [ ! -e "$folder/events" ] && works "$1" || return 0
    while read -r word rest; do
        [ "$word" != address ] || kept=$rest
    done <"$folder/applied"
} 2>/dev/null

# Whether the client of the watcher $1 is there, and nobody has just killed the watcher (SIGKILL; proc(5), status). A
# process that has ended and that nobody has taken note of yet has no file that it runs.
works() {
    ! grep -q '^S[a-z]*Pnd:.*[13579bdf]..$' "/proc/$1/status" || return
    [ -r "/proc/$1/task/$1/children" ] || return 0 # a kernel without CONFIG_PROC_CHILDREN
    read -r children <"/proc/$1/task/$1/children"
    for child in $children; do
        read -r name <"/proc/$child/comm" || continue
        case $name in
        "$client" | "${client}6") [ ! -e "/proc/$child/exe" ] || return 0 ;;
        esac
    done
    return 1
}

stop() {
    wanted=$1
    each_lease end
}

# Signal the watcher until it is gone: until it is ready for the signal, as process 1 it is deaf to it. One that has
# ended and that nobody has taken note of yet has no file that it runs.
# shellcheck disable=SC2317
end() {
    [ "$id" = "$wanted" ] || return 0
    tries=0
    while [ -e "/proc/$1/exe" ]; do
        kill "$1"
        tries=$((tries + 1))
        [ $tries -lt $PATIENCE ] || kill -KILL "$1" # which ends the watcher and all below it
        sleep 0.1 || sleep 1 # POSIX has whole seconds only
    done 2>/dev/null
}
