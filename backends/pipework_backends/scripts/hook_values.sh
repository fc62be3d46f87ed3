# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # used by hook.sh; set by the client
# What a server sent, in the words of each client, as words of ours. Part of hook.sh; nothing is done here.
#
# Whatever has characters that have no place in it is left out, as if it had not been sent. No word that comes out
# begins with a dash.

# Set $addresses (`IP/N ...`), $broadcast, $routes (`DESTINATION,GATEWAY ...`), $router, $mtu, $dns, $domains, $seconds
# and $server, each of them empty when it was not sent.
values() {
    case ${PIPEWORK_CLIENT:-udhcpc}$family in
    udhcpc4)
        common "${serverid-}" "${dns-}" "${search:-${domain-}}" "${lease-}"
        ipv4 "${ip-}" "${mask:-${subnet-}}" "${broadcast-}" "${router-}" "${staticroutes-}" "${mtu-}"
        ;;
    udhcpc6)
        common '' "${dns-}" "${search-}" "${lease-}"
        ipv6 "${ipv6-}"
        ;;
    dhclient6)
        common '' "${new_dhcp6_name_servers-}" "${new_dhcp6_domain_search-}" "${new_max_life-}"
        ipv6 "${new_ip6_address-}"
        ;;
    dhcpcd6)
        common '' "${new_dhcp6_name_servers-}" "${new_dhcp6_domain_search-}" "${new_dhcp6_ia_na1_ia_addr1_vltime-}"
        ipv6 "${new_dhcp6_ia_na1_ia_addr1-} ${new_dhcp6_ia_na1_ia_addr2-} ${new_dhcp6_ia_na1_ia_addr3-}"
        ;;
    *)
        common "${new_dhcp_server_identifier-}" "${new_domain_name_servers-}" \
            "${new_domain_search:-${new_domain_name-}}" "${new_dhcp_lease_time-}"
        ipv4 "${new_ip_address-}" "${new_subnet_mask-}" "${new_broadcast_address-}" "${new_routers-}" \
            "${new_rfc3442_classless_static_routes:-${new_classless_static_routes-}}" "${new_interface_mtu-}"
        ;;
    esac
}

common() {
    server=$(only address "$1")
    dns=$(only address "$2")
    domains=$(only name "$3")
    seconds=$(only number "$4")
    server=${server%% *}
    [ "$seconds" != 4294967295 ] || seconds=forever
}

# Of an address, a mask or a prefix length, a broadcast address, routers, classless routes and an MTU.
ipv4() {
    addresses='' routes=''
    set -- "$(only ipv4 "$1")" "$2" "$(only ipv4 "$3")" "$(only ipv4 "$4")" "$5" "$(only number "$6")"
    broadcast=$3 router=${4%% *} mtu=$6
    length "$2"
    # An address of "this" network, or of this host, or of many (RFC 6890).
    case $1 in '' | *' '* | 0.* | 127.* | 22[4-9].* | 23[0-9].* | 24[0-9].* | 25[0-9].*) ;; *) addresses=$1/$prefix ;; esac
    case $5 in
    '') [ -z "$router" ] || routes=default,$router ;;
    */*) pairs "$5" ;;
    *) octets "$5" ;;
    esac
    # With classless routes the router option is to be ignored (RFC 3442).
    case " $routes" in
    *' default,'*) router=${routes##*default,} router=${router%% *} ;;
    *) router='' ;;
    esac
}

ipv6() {
    addresses='' broadcast='' routes='' router='' mtu=''
    for item in $(only address "$1"); do
        case $item in
        ::* | [fF][fF]* | *.*) ;;
        *:*) addresses="$addresses${addresses:+ }$item/128" ;;
        esac
    done
}

# $prefix: the length of a dotted mask, or the number that it is already; 32 for neither, and for one that is shorter
# than any network's: the address would bring a route to half of the world.
length() {
    measure "$1"
    [ "$prefix" -ge 8 ] || prefix=32
}

measure() {
    prefix=32
    case $1 in
    '' | *[!0-9.]*) return ;;
    *.*) ;;
    ? | ??)
        [ "$1" -gt 32 ] || prefix=$1
        return
        ;;
    *) return ;;
    esac
    sum=0
    rest=$1.
    while [ -n "$rest" ]; do
        case ${rest%%.*} in
        255) sum=$((sum + 8)) ;;
        254) sum=$((sum + 7)) ;;
        252) sum=$((sum + 6)) ;;
        248) sum=$((sum + 5)) ;;
        240) sum=$((sum + 4)) ;;
        224) sum=$((sum + 3)) ;;
        192) sum=$((sum + 2)) ;;
        128) sum=$((sum + 1)) ;;
        0) ;;
        *) return ;;
        esac
        rest=${rest#*.}
    done
    prefix=$sum
}

# $routes: of `10.1.2.0/24 10.99.0.1 ...`
pairs() {
    # shellcheck disable=SC2086
    set -- $1
    while [ $# -ge 2 ]; do
        pair "${1%/*}" "${1#*/}" "$2"
        shift 2
    done
}

# $routes: of `24 10 1 2 10 99 0 1 ...`, the bytes of option 121, of whose destinations only the significant ones stand.
octets() {
    # shellcheck disable=SC2086
    set -- $1
    while [ $# -ge 5 ]; do
        bits=$1
        shift
        case $bits in '' | *[!0-9]* | ???*) return ;; esac
        destination='' missing=4 left=$(((bits + 7) / 8))
        while [ $left -gt 0 ]; do
            [ $# -gt 0 ] || return
            destination=$destination.$1
            shift
            left=$((left - 1)) missing=$((missing - 1))
        done
        while [ $missing -gt 0 ]; do
            destination=$destination.0
            missing=$((missing - 1))
        done
        [ $# -ge 4 ] || return
        pair "${destination#.}" "$bits" "$1.$2.$3.$4"
        shift 4
    done
}

# Add one route, unless it is none; at most 100.
pair() {
    set -- "$(only ipv4 "$1")" "$2" "$(only ipv4 "$3")"
    case $1,$3 in ,* | *, | *' '*) return ;; esac
    case $2 in '' | *[!0-9]* | ???*) return ;; esac
    [ "$2" -le 32 ] && [ ${#routes} -lt 4000 ] || return
    [ "$2" != 0 ] || set -- default 0 "$3"
    [ "$1" = default ] || set -- "$1/$2" "$2" "$3"
    routes="$routes${routes:+ }$1,$3"
}

# Print those words of a list that are what they should be: address, ipv4, name, number.
only() {
    found=''
    for item in $2; do
        case $item in -* | ????????????????????????????????????????????????????????????????*) continue ;; esac
        case $1:$item in
        ipv4:*[!0-9.]* | ipv4:*.*.*.*.* | ipv4:*..*) ;;
        ipv4:[0-9]*.*.*.*[0-9]) found="$found $item" ;;
        address:*[!0-9a-fA-F:.]*) ;;
        address:*[.:]*) found="$found $item" ;;
        name:*[!A-Za-z0-9.-]*) ;;
        name:*) found="$found $item" ;;
        number:*[!0-9]* | number:???????????*) ;;
        number:*) found="$found $item" ;;
        esac
    done
    printf '%s' "${found# }"
}
