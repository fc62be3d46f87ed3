#!/bin/sh
# Install the Debian packages that the lab (tests/lab) needs and this machine lacks.
#
# Starts no service: the lab starts its own, each in a private host. Without root it only says what
# is missing; the tests that need it say so too.
set -eu

PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
POLICY=/usr/sbin/policy-rc.d

# A package and what shows that its part is there already, whoever installed it: a program or a file.
WANTED='
iproute2                    ip
iptables                    iptables
procps                      sysctl
kmod                        modprobe
docker.io                   dockerd
openvswitch-switch          ovs-vswitchd
lxc                         lxc-start
lxc-templates               /usr/share/lxc/templates/lxc-busybox
podman                      podman
runc                        runc
user-mode-linux             linux.uml
dnsmasq-base                dnsmasq
iputils-arping              arping
isc-dhcp-client             dhclient
udhcpc                      udhcpc
dhcpcd-base                 dhcpcd
iw                          iw
tcpdump                     tcpdump
uidmap                      newuidmap
shellcheck                  shellcheck
containernetworking-plugins /usr/lib/cni/bridge
'

say() {
    echo "install-lab: $*" >&2
}

# Container images and the private hosts need a busybox without libraries; its package takes the
# place of the one with libraries, if that is installed.
has_static_busybox() {
    [ -x /bin/busybox ] && ! grep -q /ld-linux /bin/busybox
}

# The tests make virtual environments.
has_venv() {
    python3 -c 'import ensurepip' 2>/dev/null
}

missing() {
    echo "$WANTED" | while read -r package sign; do
        [ -z "$package" ] || command -v "$sign" >/dev/null || [ -e "$sign" ] || echo "$package"
    done
    has_static_busybox || echo busybox-static
    has_venv || echo python3-venv
}

# invoke-rc.d(8) asks this program whether it may start a service; 101 means no.
forbid_services() {
    [ -e "$POLICY" ] && return
    trap 'rm -f "$POLICY"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update || say 'apt-get update failed; trying with the package lists that are there'
    known=''
    for package in "$@"; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            known="$known $package"
        else
            say "this distribution has no package $package"
        fi
    done
    # The list is meant to be split.
    # shellcheck disable=SC2086
    [ -z "$known" ] || apt-get -q -y --no-install-recommends install $known
}

packages=$(missing | tr '\n' ' ')
if [ -z "$packages" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "missing parts of the lab, which only root can install, with apt-get: $packages"
    exit 0
fi
say "installing $packages"
forbid_services
# shellcheck disable=SC2086
install_packages $packages
