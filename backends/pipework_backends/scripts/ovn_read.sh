#!/bin/sh
# Read what Open vSwitch and OVN's northbound database have: where the database is, only Open vSwitch knows.
#
#   ovn_read.sh [DB KEY CERTIFICATE CA]
#
# DB is the address of the database, the others the files for TLS; `-` or nothing is none. Prints four JSON documents
# of Open vSwitch (as ovsdb.py has them), a line `underlay` with the link that has the address of the tunnels, and for
# each database a line `nb DB KEY CERTIFICATE CA`, its three JSON documents or what ovn-nbctl says, and a line `code N`.
# The databases are DB alone, else the usual one and those that interfaces remember. Exit: that of ovs-vsctl, which is
# needed where no DB is named.
set -f
NEWLINE='
'
SWITCH=name,ports,other_config,external_ids
PORT=_uuid,name,type,addresses,dynamic_addresses,port_security,enabled,up,options,external_ids,dhcpv4_options,dhcpv6_options
DHCP=_uuid,cidr,options,external_ids

tables=
if [ "${1:--}" = - ] || command -v ovs-vsctl >/dev/null; then
    tables=$(ovs-vsctl --timeout=5 --format=json \
        -- --columns=name,ports,datapath_type,external_ids list Bridge \
        -- --columns=_uuid,name,tag,fake_bridge list Port \
        -- --columns=name,external_ids,error,ofport list Interface \
        -- --columns=external_ids list Open_vSwitch) || { code=$? tables= && [ "${1:--}" != - ]; } || exit "$code"
    [ -z "$tables" ] || printf '%s\n' "$tables"
fi

# told KEY: the values of a key of external_ids that stdin has, one a line; one with a quote in it is no address or file.
told() {
    grep -o "\[\"$1\",\"[^\"\\\\]*\"\]" | sed 's/^[^,]*,"//; s/"\]$//'
}

own() {
    printf '%s\n' "$tables" | tail -n 1 | told "$1"
}

# ask DB [KEY [CERTIFICATE [CA]]]: what is not given, or `-`, is the usual one.
ask() {
    db=$1 key=$usual_key certificate=$usual_certificate ca=$usual_ca
    [ "$db" != - ] || db=$usual
    [ "${2:--}" = - ] || key=$2
    [ "${3:--}" = - ] || certificate=$3
    [ "${4:--}" = - ] || ca=$4
    printf 'nb %s %s %s %s\n' "$db" "${key:--}" "${certificate:--}" "${ca:--}"
    ovn-nbctl --db="$db" ${key:+"--private-key=$key"} ${certificate:+"--certificate=$certificate"} \
        ${ca:+"--ca-cert=$ca"} --timeout=5 --format=json \
        -- "--columns=$SWITCH" list Logical_Switch \
        -- "--columns=$PORT" list Logical_Switch_Port \
        -- "--columns=$DHCP" list DHCP_Options 2>&1
    printf 'code %s\n' "$?"
}

encap=$(own ovn-encap-ip)
encap=${encap%%,*}
printf 'underlay %s\n' "$([ -z "$encap" ] || ip -json address show to "$encap" | tr -d '\n')"

usual_key=$(own ovn-nb-key)
usual_certificate=$(own ovn-nb-cert)
usual_ca=$(own ovn-nb-ca)
usual=${OVN_NB_DB:-$(own ovn-nb)}
usual=${usual:-unix:/var/run/ovn/ovnnb_db.sock}
if [ $# -gt 0 ]; then
    ask "$@"
    exit 0
fi
ask "$usual"
IFS=$NEWLINE
for words in $(printf '%s\n' "$tables" | sed -n 3p | told pipework.nb | sort -u); do
    IFS=' '
    # shellcheck disable=SC2086 # a word for each
    ask $words
done
