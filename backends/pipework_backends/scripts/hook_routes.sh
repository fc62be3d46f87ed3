# shellcheck shell=sh
# shellcheck disable=SC2154 # the variables are set by hook.sh and hook_values.sh
# The routes of a lease. Part of hook.sh.
#
# Whatever a server sends, the guest's other routes stay what they are: a route of a lease is added and never replaces
# one, it is left out where it would draw traffic away from another interface, and a default route stands after those
# that are there. Routes carry the protocol "dhcp" (RTPROT_DHCP, linux/rtnetlink.h), by which only they are taken away.
PROTO=16

# $line: how the route to $1 through $2 is remembered, but for its metric
route_line() {
    line="route $1${2:+ via $2} dev $interface"
    [ "$2" != 0.0.0.0 ] || line="route $1 dev $interface"
}

# Keep those that were added before, with the metric that they had; $new: the others of $routes.
keep_routes() {
    new=''
    for pair in $routes; do
        route_line "${pair%,*}" "${pair#*,}"
        if [ -z "$moved" ] && find_before; then
            note "$line"
            tell_of "${pair%,*}"
            route_line "${pair#*,}/32" 0.0.0.0
            ! find_before || note "$line"
        else
            new="$new $pair"
        fi
    done
}

# Whether $line was remembered, with or without a metric; $line: as it was
find_before() {
    had "$line" && return
    rest=${before#*"
$line metric "}
    [ "$rest" != "$before" ] || return
    line="$line metric ${rest%%[!0-9]*}"
}

# Take one away, if it is there. $place: the metric that a default route of ours had, which the next one takes over.
forget_route() {
    # shellcheck disable=SC2086 # written by ourselves, of words that hold no blanks
    ip -4 route delete $1 proto $PROTO || return 0
    case $1 in
    default*' metric '*) place=${1##* metric } ;;
    default*) place=0 ;;
    esac
}

add_routes() {
    [ -n "$new" ] || return 0
    verb=add
    if ! [ -e "$folder/routed" ]; then
        # What a client that was killed has left. (busybox' `ip route flush` does not look at the protocol.)
        for pair in $new; do
            route_line "${pair%,*}" "${pair#*,}"
            forget_route "${line#route }" 2>/dev/null
        done
        [ "${PIPEWORK_METRIC-}" != 0 ] || verb=replace
        : >"$folder/routed"
    fi
    metric=${PIPEWORK_METRIC:-${place-}}
    [ -n "$metric" ] || choose_metric
    for pair in $new; do add_route "${pair%,*}" "${pair#*,}"; done
}

# $metric: 0 where there is no default route, else a number after those of all, whatever their type.
choose_metric() {
    metric=0
    while read -r line; do
        case "$line " in
        "default "* | *" default "*) ;;
        *) continue ;;
        esac
        after=${line#* metric }
        if [ "$after" = "$line" ]; then after=1; else after=$((${after%% *} + 1)); fi
        [ "$metric" -ge 100 ] || metric=100
        [ "$metric" -ge "$after" ] || metric=$after
    done <<END
$(ip -4 route show)
END
    [ "$metric" -le 4294967295 ] || metric=4294967295
}

# Add the route to $1 through $2. A gateway outside the subnet is first made reachable through the interface.
add_route() {
    how=add
    [ "$1" != default ] || how=$verb
    route_line "$1" "$2"
    [ "$metric" = 0 ] || line="$line metric $metric"
    # shellcheck disable=SC2310 # a failure is not the end
    if ! draws_away "$1" && { set_route || { reach "$2" && set_route; }; }; then
        note "$line"
        tell_of "$1"
    else
        left_out="$left_out${left_out:+, }$1"
    fi
}

set_route() {
    # shellcheck disable=SC2086 # words of ours, which hold no blanks
    said=$(ip -4 route $how ${line#route } proto $PROTO 2>&1)
}

reach() {
    case $1:$said in 0.0.0.0:* | *'File exists'*) return 1 ;; esac
    ! draws_away "$1/32" || return
    ip -4 route add "$1/32" dev "$interface" proto $PROTO 2>/dev/null || return
    note "route $1/32 dev $interface"
}

# Whether a route to $1 would take from another interface what reaches the guest, or the guest's hosts, by it: a part
# of a network that the guest is connected to, or of the default route without being one (shorter than any network, 8).
draws_away() {
    case ${1#*/} in
    default) return 1 ;;
    [1-7])
        [ "${PIPEWORK_METRIC-}" != 0 ]
        return
        ;;
    esac
    while read -r line_of_guest; do
        case "$line_of_guest " in
        default* | *' via '* | *" dev $interface "*) ;;
        *' dev '*) return 0 ;;
        esac
    done <<END
$(ip -4 route show match "$1")
END
    return 1
}

# $reached: the destinations beside the default route, for the report
tell_of() {
    [ "$1" = default ] || reached="$reached${reached:+,}$1"
}
