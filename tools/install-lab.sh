#!/bin/sh
# Install the Debian packages that the lab (tests/lab) needs and this machine lacks.
#
# Starts no service: the lab starts its own, each in a private host. Without root it only says what
# is missing; the tests that need it say so too.
set -eu

PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
POLICY=/usr/sbin/policy-rc.d
# A busybox beside the machine's own, for the lab alone.
OWN=/usr/local/lib/pipework-lab
# Habets' arping beside the one of iputils, whose package it would replace.
ARPING=/usr/local/lib/pipework-lab-arping
# The first suite of Debian whose busybox-static has DHCPv6's client, and the keys of all suites.
SUITE=trixie
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

# A package and what shows that its part is there already, whoever installed it: a program or a file.
WANTED='
iproute2                    ip
iptables                    iptables
procps                      sysctl
curl                        curl
kmod                        modprobe
docker.io                   dockerd
openvswitch-switch          ovs-vswitchd
ovn-central                 ovn-northd
ovn-host                    ovn-controller
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
openssh-server              sshd
ethtool                     ethtool
uidmap                      newuidmap
shellcheck                  shellcheck
chromium                    chromium
fonts-dejavu-core           /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
zsh                         zsh
fish                        fish
man-db                      man
containernetworking-plugins /usr/lib/cni/bridge
debhelper                   dh
dh-python                   dh_python3
lintian                     lintian
python3-pluggy              /usr/lib/python3/dist-packages/pluggy
docker-compose              docker-compose
systemd                     systemd-analyze
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

# The DHCPv6 client of busybox, which Debian leaves out before $SUITE.
has_udhcpc6() {
    [ -x "$OWN/bin/udhcpc6" ] || ! command -v dpkg >/dev/null
}

has_habets() {
    [ -x "$ARPING/arping" ] || ! command -v dpkg >/dev/null
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

# apt-get with nothing of the machine's: its lists and downloads lie in a folder that goes away again.
apt_apart() {
    apart=$1
    shift
    apt-get -q -o Dir::Etc::SourceList="$apart/sources.list" -o Dir::Etc::SourceParts="$apart/none" \
        -o Dir::State::Lists="$apart/lists" -o Dir::Cache="$apart/cache" -o APT::Sandbox::User=root "$@"
}

# Take one file out of the busybox-static of a newer Debian: that program needs no library, and so runs here. It comes
# from the mirror that this machine uses, its signature is checked, no package is installed, and the sources of apt are
# left as they are. Ten megabytes of package lists make this a matter of seconds.
install_udhcpc6() (
    # shellcheck disable=SC2016 # apt-get fills this in
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    if [ -z "$mirror" ] || [ ! -e "$KEYS" ]; then
        say 'this is not Debian: no busybox with udhcpc6'
        return 1
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/none"
    echo "deb [signed-by=$KEYS] $mirror $SUITE main" >"$work/sources.list"
    cd "$work" || return
    # The link comes last: a half finished installation is begun again.
    apt_apart "$work" update &&
        apt_apart "$work" download busybox-static &&
        dpkg-deb --fsys-tarfile busybox-static_*.deb | tar -x ./usr/bin/busybox &&
        mkdir -p "$OWN/bin" &&
        mv usr/bin/busybox "$OWN/busybox" &&
        ln -sf ../busybox "$OWN/bin/udhcpc6"
)

# The package with what it needs beside what the packages above bring, taken apart into a folder and run from there.
install_habets() (
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
    cd "$work" || return
    chmod 755 .
    # shellcheck disable=SC2046 # the names of packages
    apt-get -q -o APT::Sandbox::User=root download \
        arping $(apt-cache depends arping | sed -n 's/.*Depends: \(lib\(net\|pcap\|seccomp\)[0-9].*\)/\1/p') || return
    for package in *.deb; do
        dpkg-deb -x "$package" root || return
    done
    # shellcheck disable=SC2016 # for the shell that runs it
    printf '#!/bin/sh\nLD_LIBRARY_PATH=$(echo %s/root/usr/lib/*-linux-*) exec %s/root/usr/sbin/arping "$@"\n' \
        "$ARPING" "$ARPING" >arping
    chmod 755 arping
    # The program comes last: a half finished installation is begun again.
    mkdir -p "$ARPING" && rm -rf "$ARPING/root" && mv root "$ARPING/" && mv arping "$ARPING/"
)

packages=$(missing | tr '\n' ' ')
has_habets || packages="${packages}arping-of-Habets "
has_udhcpc6 || packages="${packages}busybox-with-udhcpc6"
if [ -z "$packages" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "missing parts of the lab, which only root can install, with apt-get: $packages"
    exit 0
fi
say "installing $packages"
packages=$(missing | tr '\n' ' ')
if [ -n "$packages" ]; then
    forbid_services
    # shellcheck disable=SC2086
    install_packages $packages
fi
has_udhcpc6 || install_udhcpc6 || say 'no busybox with udhcpc6 could be had; the tests that need it say so'
has_habets || install_habets || say "Habets' arping could not be had; the tests that need it say so"
