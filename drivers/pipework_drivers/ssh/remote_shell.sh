# shellcheck shell=sh
# The far end of the ssh driver: what a shell there reads first. It reads requests from its stdin, one after the other,
# and answers on stdout and stderr; a line with $nonce, which nobody else knows, tells answers from what programs say.
# Everything that is asked for stands in a function, so that half a request, from a connection that broke, does nothing.

# When the connection breaks, what was begun is finished; then stdin ends, and with it this shell.
trap '' HUP INT PIPE
set -f
nonce=${nonce?}
export LC_ALL=C.UTF-8
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
watch=
holders=
sockets=
signs=

say() {
    printf '\n%s %s\n' "$nonce" "$1"
    printf '\n%s %s\n' "$nonce" "$1" >&2
}

# The clock of this machine, in seconds since boot.
began() {
    read -r now _ </proc/uptime
    say "began $now"
}

# ended CODE [GOOD...]: fail for a code that is none of the good ones; without any, all are.
ended() {
    code=$1
    shift
    say "ended $code"
    [ $# -gt 0 ] || return 0
    for good; do
        [ "$code" != "$good" ] || return 0
    done
    return 1
}

# where NAME...: a line for each program that is on PATH. `command -v` would name what busybox has built in.
where() {
    for name; do
        IFS=:
        for folder in $PATH; do
            if [ -f "$folder/$name" ] && [ -x "$folder/$name" ]; then
                printf '%s=%s\n' "$name" "$folder/$name"
                break
            fi
        done
        unset IFS
    done
}

# Who we are here: the effective user, the clock's ticks a second, our own namespace and that of process 1.
hello() {
    while read -r key _ value _; do
        [ "$key" != Uid: ] || printf 'uid=%s\n' "$value"
    done </proc/self/status
    printf 'pid=%s\n' "$$"
    printf 'ticks=%s\n' "$(getconf CLK_TCK 2>/dev/null || echo 100)"
    printf 'own=%s\n' "$(readlink /proc/self/ns/net)"
    printf 'first=%s\n' "$(readlink /proc/1/ns/net 2>/dev/null)"
    where "$@"
}

# pin DIGIT PATH NSENTER READLINK: hold a namespace open as descriptor DIGIT; say which it is, and whose process's.
# 4: it cannot be opened. 5: it is open, and no network namespace. 6: its process has just ended.
pin() {
    eval "command exec $1<\"\$2\"" || return 4
    "$3" --net="/proc/self/fd/$1" "$4" /proc/self/ns/net </dev/null || {
        eval "exec $1<&-"
        return 5
    }
    case $2 in
    /proc/[0-9]*/ns/net)
        process=${2%/ns/net}
        cat "$process/stat" </dev/null || {
            eval "exec $1<&-"
            return 6
        }
        ;;
    esac
}

# hold DIGIT PATH NSENTER READLINK SECONDS: pin a namespace, and let a process keep the descriptor, of which a shell has
# few; say the process. It stays outside the namespace, and its number is nobody else's until this shell waits for it.
hold() {
    pin "$1" "$2" "$3" "$4" || return
    # shellcheck disable=SC2217 # it must not hold our stdin open
    sleep "$5" </dev/null >/dev/null 2>&1 3<&- &
    holders="$holders $!"
    printf 'holder %s\n' "$!"
    eval "exec $1<&-"
}

# drop: let go of all namespaces that are held by processes.
drop() {
    # shellcheck disable=SC2086 # numbers
    [ -z "$holders" ] || kill $holders 2>/dev/null
    holders=
}

# carry DATABASE [SOCKET...]: where OVN's programs find the northbound database from now on; fail when a socket is
# missing. The files of sockets stay when the connection ends, so they are removed here.
carry() {
    export OVN_NB_DB="$1"
    shift
    sockets=$*
    for socket; do
        [ -S "$socket" ] || return
    done
}

uncarry() {
    # shellcheck disable=SC2086 # none has a space
    [ -z "$sockets" ] || rm -f $sockets 2>/dev/null
}

# take FILE SECONDS FLOCK...: wait for the lock, as descriptor 3, and watch over it for so long. Where FILE cannot be
# ours (a user namespace), the lock is our network namespace; where it cannot be made, one of the kernel's files that root
# alone can open, and to which nothing is written.
take() {
    if (umask 077 && : >>"$1") 2>/dev/null; then
        chmod 600 "$1" 2>/dev/null || : # whoever made it, nobody else is to lock it
        exec 3<>"$1"
        signs=yes
    elif (: >>/proc/sys/vm/drop_caches) 2>/dev/null; then
        exec 3>>/proc/sys/vm/drop_caches
    else
        exec 3</proc/self/ns/net
    fi
    guard "$2"
    shift 2
    "$@" 3<&3 </dev/null
}

# sign TOKEN: write down who has the lock.
sign() {
    # A file system that is full takes no word, and the other two locks take none at all.
    [ -z "$signs" ] || printf '%s' "$1" 1<>/proc/self/fd/3 || signs=
}

# taken TOKEN: say whether somebody else has had the lock since we signed it.
taken() {
    [ -n "$signs" ] || return 0
    signed=
    # No line ends in there, which makes this fail.
    read -r signed </proc/self/fd/3 || :
    [ "$signed" = "$1" ] || echo disturbed
}

# guard SECONDS: a host whose connection broke without anybody telling it must not stay locked. `finished` starts it
# anew: a run that is at work may take longer.
guard() {
    seconds=$1
    (
        trap 'kill "$asleep"; exit' TERM
        sleep "$seconds" &
        asleep=$!
        wait "$asleep"
        # Our parent is another process when the shell that we watch has ended.
        read -r _ _ _ parent _ </proc/self/stat
        [ "$parent" = "$$" ] || exit
        uncarry
        # shellcheck disable=SC2086 # numbers
        kill -s KILL "$$" $holders
    ) </dev/null >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- &
    watch=$!
}

unguard() {
    [ -z "$watch" ] || kill "$watch" 2>/dev/null
    watch=
}
trap 'unguard; drop; uncarry' EXIT

# placed FOLDER: 0 for a folder of root's alone, 1 when nothing has that name, 2 for anything else.
placed() {
    [ -e "$1" ] || [ -L "$1" ] || return 1
    # shellcheck disable=SC2046,SC2012 # words are wanted, and only those before the name; POSIX has no stat
    set -- $(ls -ldn "$1")
    case ${1-},${3-} in
    drwx------*,0) ;;
    *) return 2 ;;
    esac
}

# place FOLDER NEW [NAME TEXT]...: make a folder of root's alone with these files. It is made as NEW, so that whoever
# sees FOLDER sees all of it. Where another run is quicker, ours comes to lie in that one's, and is removed.
place() {
    folder=$1 new=$2
    shift 2
    (
        umask 077
        mkdir "$new" || exit
        while [ $# -gt 0 ]; do
            printf '%s' "$2" >"$new/$1" || exit
            shift 2
        done
        mv "$new" "$folder" && rm -rf "${folder:?}/${new##*/}"
    ) </dev/null && placed "$folder" && return
    rm -rf "$new"
    return 1
}

give_back() {
    exec 3<&-
    unguard
}

# attend PROCESS: wait for the leader of a session, until it is over or a line on stdin, or its end, says that it
# should be; only `on` says that it is over already.
attend() {
    read -r word || word=
    [ "$word" = on ] || kill -s TERM -- "-$1"
    wait "$1"
}

finished() {
    say "finished $1"
    [ -z "$watch" ] || {
        unguard
        guard "$seconds"
    }
}
