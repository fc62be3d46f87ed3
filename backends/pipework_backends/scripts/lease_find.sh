# shellcheck shell=sh
# shellcheck disable=SC2154,SC3013 # dash, ash and bash know -ef; the variables are set by lease.sh
# Find the clients that stay or are still asking, and end one. Part of lease.sh.

# Seconds for a client to give its lease back and be gone, in tenths.
PATIENCE=60

# Call $1 with the PID of each `unshare` of ours, the parent of one watcher, with $id, $client, ... as it was given.
# Only what is in our own PID namespace and belongs to us counts: a process of a guest can have any command line.
each_lease() {
    set +f
    candidates=$(grep -lsF /lease.sh /proc/[0-9]*/cmdline)
    set -f
    for file in $candidates; do
        folder=${file%/cmdline}
        if [ -O "$folder" ] && [ "$folder/ns/pid" -ef /proc/self/ns/pid ] && recognise "$file"; then
            "$1" "${folder#/proc/}"
        fi
    done
}

# `unshare ... -- sh .../lease.sh watch id=... client=... family=... interface=... ...`, in the order of lease.sh.
recognise() {
    words=$(tr '\0' '\n' <"$1" 2>/dev/null) || return
    case $words in
    unshare"
"* | setsid"
unshare
"*) ;;
    *) return 1 ;;
    esac
    watch="
watch
"
    [ "$words" != "${words#*"$watch"}" ] || return
    {
        read -r id && read -r client && read -r family && read -r interface
    } <<END
${words#*"$watch"}
END
    case $id$client$family$interface in
    id=?*client=?*family=?interface=?*) ;;
    *) return 1 ;;
    esac
    id=${id#id=} client=${client#client=} family=${family#family=} interface=${interface#interface=}
}

list() {
    each_lease show
}

# shellcheck disable=SC2317 # called by each_lease
show() {
    echo "$id $client $family $interface $1"
}

stop() {
    parse "$@"
    wanted=$id
    each_lease end
}

# Signal the watcher until it is gone: until it is ready for the signal, as process 1 it is deaf to it.
# shellcheck disable=SC2317
end() {
    [ "$id" = "$wanted" ] || return 0
    tries=0
    while [ -d "/proc/$1" ]; do
        watcher=''
        read -r watcher _ <"/proc/$1/task/$1/children"
        [ -z "$watcher" ] || kill "$watcher"
        tries=$((tries + 1))
        [ $tries -lt $PATIENCE ] || kill -KILL "$1" # which ends the watcher and all below it
        sleep 0.1 || sleep 1 # POSIX has whole seconds only
    done 2>/dev/null
}
