#!/bin/sh
# End what pipework left running for guests that are gone: as long as it runs, their network namespaces stay, with MACs,
# NICs and ends on the host that the next start of the guest needs. It runs on the host.
#
# One line is printed for each: `client INTERFACE` of a DHCP client, `container NAME` of one in a container. Those end by
# themselves, too, but it takes them seconds to notice. `announcer` is one that is about to end by itself, at once.
#
# Of no guest that lives anything is ended: where it is found is looked at as whoever runs for it sees it, and as we do.
# shellcheck disable=SC1091,SC2154,SC2317,SC3013 # functions are called by name; dash, ash and bash know -ef
set -fu
. "${0%/*}/lease_find.sh"

# gone PID PATH NETNS: whether PATH leads to the namespace of NETNS no more, for the process PID. A watcher of DHCP has
# the folder of a named namespace as its current one, when it has covered /run.
gone() {
    [ -e "$3" ] || return
    for place in "$2" "/proc/$1/root$2" "/proc/$1/cwd/${2##*/}"; do
        if [ "$place" -ef "$3" ]; then return 1; fi
    done
}

# PID: a watcher and all below it; nothing of the guest is there any more that would have to be put back.
end_watcher() {
    gone "$1" "$guest" "/proc/$1/ns/net" && kill -KILL "$1" && echo "client $interface"
}

# PID: `sh .../lease_container.sh watch runtime=... name=... guest=... pid=...`; its stdin is the namespace, and the
# engine removes a container that has ended.
end_container() {
    read_words "$1" watch || return
    gone "$1" "$guest" "/proc/$1/fd/0" || return
    if [ "/proc/$pid/ns/net" -ef "/proc/$1/fd/0" ]; then kill -KILL "$pid"; fi
    kill -KILL "$1" && echo "container $name"
}

# PID: `sh .../announce.sh guest=... inode=... ...`
find_announcer() {
    read_words "$1" || return
    [ "$(stat -Lc %i "$guest" 2>/dev/null)" = "$inode" ] || echo announcer
}

# read_words PID [VERB]: `sh SCRIPT [VERB] KEY=VALUE...` in variables; the first word with another key ends it.
read_words() {
    guest='' inode='' name='' pid=''
    words=$(tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null) || return
    case $words in
    sh"
/"*) ;;
    *) return 1 ;;
    esac
    {
        read -r _ && read -r _ && { [ -z "${2-}" ] || { read -r verb && [ "$verb" = "$2" ]; }; } || return
        while read -r word; do
            case $word in
            guest=/*) guest=${word#guest=} ;;
            inode=*) inode=${word#inode=} ;;
            name=*) name=${word#name=} ;;
            pid=*[!0-9]*) return 1 ;;
            pid=*) pid=${word#pid=} ;;
            runtime=*) ;;
            *) break ;;
            esac
        done
    } <<END
$words
END
    [ -n "$guest" ]
}

each_lease end_watcher
each_of_ours /lease_container.sh end_container
each_of_ours /announce.sh find_announcer
exit 0
