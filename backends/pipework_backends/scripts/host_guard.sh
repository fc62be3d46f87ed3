#!/bin/sh
# Give the host its addresses and routes back unless it is said in time that they may stay where they moved to:
#
#   host_guard.sh SECONDS INTERFACE GROUP <COMMANDS
#
# INTERFACE is what they move to. As long as its group is GROUP nobody has said so. The one who would may be killed
# meanwhile, or lose the connection that he gave the order through: so the guard has a session of its own, and ignores
# what would end it. COMMANDS are lines for sh, the first of which deletes INTERFACE; whoever would still say that all
# is well then finds it gone. Ends as soon as INTERFACE has left the group, has gone, or is another one.
set -fu

commands=$(cat)
command -v setsid >/dev/null || {
    echo "setsid is not installed here (package util-linux in Debian)" >&2
    exit 1
}

# shellcheck disable=SC2016 # the inner shell expands this
watch='
set -fu
trap "" HUP INT TERM
seconds=$1 interface=$2 group=$3 commands=$4

# $seen: the ifindex of the interface while it is in the group, else nothing
look() {
    seen=
    line=$(ip -oneline link show dev "$interface" 2>/dev/null)
    case $line in
    *" group $group "*) seen=${line%%:*} ;;
    esac
}

# $now: whole seconds since boot
clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

look
mine=$seen
clock
end=$((now + seconds))
while [ "$now" -lt "$end" ]; do
    sleep 0.2 2>/dev/null || sleep 1 # POSIX has whole seconds only
    look
    [ -n "$seen" ] && [ "$seen" = "$mine" ] || exit 0
    clock
done
eval "$commands"
'
setsid sh -c "$watch" host_guard "$1" "$2" "$3" "$commands" </dev/null >/dev/null 2>&1 &
