"""The unit of systemd for `pipework watch`."""

from __future__ import annotations

_UNIT = """\
[Unit]
Description=Network interfaces for containers that ask for them
Documentation=man:pipework(1)
After=docker.socket docker.service podman.socket openvswitch-switch.service network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={command} watch
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
WatchdogSec=60
TimeoutStopSec=10
# What it started for guests, such as DHCP clients that renew a lease, is theirs and lives on.
KillMode=process

CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_CHOWN
NoNewPrivileges=yes
ProtectHome=yes
ProtectSystem=strict
ReadWritePaths=/run
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_PACKET AF_INET AF_INET6

[Install]
WantedBy=multi-user.target
"""


def make_unit(python: str) -> str:
    """Return the unit; `python` is the interpreter that runs pipework."""
    return _UNIT.format(command=f"{python} -P -m pipework_core")
