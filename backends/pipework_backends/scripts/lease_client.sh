# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # others use them; the variables are set by lease.sh
# What is particular to each DHCP client: its files, its words, how it gives a lease back. Part of lease.sh.
#
# No client reads the host's configuration, and each identifies itself by the MAC alone (client identifier 01:MAC, or
# DUID-LL), so that another client on the same MAC gets the same lease. An interface that shares its MAC has
# `clientid=`, which stands in for the MAC, or is the whole DUID.
#
# Names below /run are those that Debian's AppArmor profile of dhclient lets it open.
FOLDER=/run/pipework
HOOK=$FOLDER/hook
LOG=/run/dhclient.lease.log
CONFIG=/run/dhclient.lease.conf

# Cover one file by the hook, so that it is what a client runs whatever words it was given.
# shellcheck disable=SC2317 # called by prepare
cover() {
    [ ! -f "$1" ] || mount -n --bind "$HOOK" "$1"
}

# Write the configuration.
prepare() {
    case $client in
    dhclient)
        dhclient_config >"$CONFIG"
        [ -z "$clientid" ] || [ "$family" = 4 ] || dhclient_duid >/run/dhclient.leases
        cover /sbin/dhclient-script
        ;;
    udhcpc) cover /etc/udhcpc/default.script ;;
    dhcpcd)
        dhcpcd_config >"$CONFIG"
        cover /usr/lib/dhcpcd/dhcpcd-run-hooks
        cover /usr/libexec/dhcpcd-run-hooks
        ;;
    esac
}

# Become the client; what the user gave comes last, since the last word wins.
run() {
    case $client$family in
    dhclient*) run_dhclient "$@" ;;
    udhcpc4) run_udhcpc "$@" ;;
    udhcpc6) run_udhcpc6 "$@" ;;
    dhcpcd*) run_dhcpcd "$@" ;;
    esac
}

# Have the client ($1: its PID) give its lease back and end.
give_back() {
    case $client in
    dhclient)
        # It writes its lease down after the hook, whose word brought us here, and -r gives back what is written.
        until grep -q '^}' /run/dhclient.leases || ! kill -0 "$1"; do
            sleep 0.1 || sleep 1 # POSIX has whole seconds only
        done
        dhclient "-$family" -r -cf "$CONFIG" -lf /run/dhclient.leases -pf /run/dhclient.pid "$interface"
        ;;
    udhcpc) kill "$1" ;; # and -R does it; of SIGUSR2 and SIGTERM at once it would see the last one alone
    dhcpcd) # "release", as `dhcpcd -k` would send it; it has to hear of the address that the hook has just set
        [ -z "$release" ] || sleep 1
        kill -ALRM "$1"
        ;;
    esac >/dev/null 2>&1 </dev/null
}

dhclient_config() {
    # The limit is ours to keep.
    cat <<END
timeout $((timeout + 60));
retry 5;
initial-interval 2;
backoff-cutoff 5;
select-timeout 0;
option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, broadcast-address, routers, interface-mtu, rfc3442-classless-static-routes,
    domain-name, domain-name-servers, domain-search, dhcp6.name-servers, dhcp6.domain-search;
END
    [ -z "$broadcast" ] || echo 'bootp-broadcast-always;'
    if [ "$family" = 6 ]; then
        [ -z "$hostname" ] || printf 'send fqdn.fqdn "%s";\nsend fqdn.encoded on;\nsend fqdn.server-update on;\n' "$hostname"
        return
    fi
    echo "send dhcp-client-identifier ${clientid:-= hardware};"
    [ -z "$hostname" ] || printf 'send host-name "%s";\n' "$hostname"
}

# dhclient takes a DUID from its lease file, with each byte in octal.
dhclient_duid() {
    printf 'default-duid "'
    rest=$clientid:
    while [ -n "$rest" ]; do
        printf '\\%03o' "0x${rest%%:*}"
        rest=${rest#*:}
    done
    echo '";'
}

run_dhclient() {
    [ -e /sbin/dhclient-script ] && script=/sbin/dhclient-script || script=$HOOK
    [ -n "$keep" ] || set -- -1 "$@"
    [ "$family" = 4 ] || set -- -D LL "$@"
    exec dhclient "-$family" -d -cf "$CONFIG" -lf /run/dhclient.leases -pf /run/dhclient.pid -sf "$script" "$@" "$interface"
}

# Whether words for busybox' clients hold a name for the server; it would send the first of two, which is ours.
names_host() {
    option=''
    for word; do
        case $option$word in
        -xhostname:* | -x12:* | -x0x0[cC]:* | -x0x[cC]:* | -x39:* | -x0x27:* | -F*) return 0 ;;
        esac
        [ "$word" = -x ] && option=-x || option=''
    done
    return 1
}

run_udhcpc() {
    [ -z "$clientid" ] || set -- -C -x "0x3d:$(printf %s "$clientid" | tr -d :)" "$@"
    [ -z "$broadcast" ] || set -- -B "$@"
    [ -z "$hostname" ] || names_host "$@" || set -- -x "hostname:$hostname" "$@"
    if [ -n "$keep$release" ]; then set -- -R "$@"; else set -- -q "$@"; fi
    exec udhcpc -f -i "$interface" -s "$HOOK" -T 2 -t 5 -A 1 -O staticroutes -O mtu -O search "$@"
}

# The option FQDN in hexadecimal (RFC 4704, 4): flags, and a name of which the client knows no domain. udhcpc6 itself
# would leave out the flags.
fqdn() {
    printf '00'
    rest=$hostname.
    while [ -n "$rest" ]; do
        part=${rest%%.*} rest=${rest#*.}
        printf %02x ${#part}
        while [ -n "$part" ]; do
            printf %02x "'$part"
            part=${part#?}
        done
    done
}

run_udhcpc6() {
    if names_host "$@"; then
        echo "invalid words: udhcpc6 tells no server a name; dhclient and dhcpcd do"
        exit 1
    fi
    [ -z "$clientid" ] || set -- -x "1:$(printf %s "$clientid" | tr -d :)" "$@"
    [ -z "$hostname" ] || set -- -x "0x27:$(fqdn)" "$@"
    if [ -n "$keep$release" ]; then set -- -R "$@"; else set -- -q "$@"; fi
    exec udhcpc6 -f -i "$interface" -s "$HOOK" -T 2 -t 5 -A 1 -O dns -O search "$@"
}

dhcpcd_config() {
    cat <<END
script $HOOK
noipv4ll
require dhcp_server_identifier
option interface_mtu, classless_static_routes, domain_name_servers, domain_name, domain_search
END
    [ -z "$broadcast" ] || echo broadcast
    [ -z "$nodad" ] || echo noarp
    [ -z "$hostname" ] || printf 'hostname %s\nfqdn both\n' "$hostname"
    if [ "$family" = 6 ]; then
        # Without asking for router advertisements first, which are the kernel's business.
        printf 'ipv6only\nnoipv6rs\nduid %s\ninterface %s\nia_na\n' "${clientid:-ll}" "$interface"
    else
        printf 'ipv4only\nclientid %s\n' "$clientid"
    fi
}

run_dhcpcd() {
    exec dhcpcd -B -f "$CONFIG" -c "$HOOK" --noconfigure -t 0 "$@" "$interface"
}
