"""The units of systemd for commands that stay."""

from __future__ import annotations

_UNIT = """\
[Unit]
Description={description}
Documentation=man:pipework(1)
After=docker.socket docker.service podman.socket openvswitch-switch.service network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={python} -P -m pipework_core {command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
WatchdogSec=60
TimeoutStopSec={stop_seconds}
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
    """Return the unit of `pipework watch`; `python` is the interpreter that runs pipework."""
    description = "Network interfaces for containers that ask for them"
    return fill_unit(python, "watch", description, stop_seconds=10)


def fill_unit(python: str, command: str, description: str, *, stop_seconds: int) -> str:
    """Return the unit of a command, which gets so many seconds for what is under way when it is to end."""
    return _UNIT.format(python=python, command=command, description=description, stop_seconds=stop_seconds)
