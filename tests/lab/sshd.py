"""A machine that is reached by ssh: sshd in a private host, and another private host with a key that fits."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Self

from .host import PrivateHost, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterable

FAR = "10.99.0.2"
NEAR = "10.99.0.1"
URL = f"ssh://root@{FAR}"
#: The folder of keys and settings, in each of the two hosts.
FOLDER = "/run/lab/ssh"
#: The only folder of PATH on the far host that has programs: those that a small machine has, and no Python.
BIN = "/run/lab/bin"
#: What is in it: iproute2, util-linux, and the usual small ones; `sh` is linked to the shell in question.
PROGRAMS = (
    *("ip", "bridge", "tc", "nsenter", "flock", "setsid", "readlink", "cat", "sleep", "timeout", "getconf", "arping"),
    *("docker", "sysctl", "tee", "stat"),
)
READY_SECONDS = 10.0

_SERVER = f"""
HostKey {FOLDER}/host
AuthorizedKeysFile {FOLDER}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
"""
_CLIENT = f"""
Host *
  IdentityFile {FOLDER}/key
  UserKnownHostsFile {FOLDER}/known_hosts
"""


def make_keys(near: PrivateHost, *names: str) -> None:
    """Make these keys on a host, whose ssh uses that named `key` from now on."""
    near.run("mkdir", "-p", FOLDER)
    for name in names:
        near.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{FOLDER}/{name}")
    near.write("/etc/ssh/ssh_config.d/lab.conf", _CLIENT)


def public_key(near: PrivateHost, name: str) -> str:
    """Return the public half of a key of `make_keys`."""
    return near.run("cat", f"{FOLDER}/{name}.pub").stdout


def prepare_server(far: PrivateHost, *, host_key: str, authorized: str, settings: str = "") -> None:
    """Let root in on a host by this key alone, once `start_server` has started sshd there."""
    far.run("mkdir", "-p", "/run/sshd", FOLDER)
    far.run("cp", "/usr/sbin/sshd", f"{FOLDER}/sshd")
    far.write(f"{FOLDER}/host", host_key)
    far.run("chmod", "600", f"{FOLDER}/host")
    far.write(f"{FOLDER}/sshd_config", _SERVER + settings)
    # A locked account is let in by no key, and what the machine's own root has at home is not wanted.
    far.run("sed", "-i", "s/^root:[^:]*:/root:*:/", "/etc/shadow")
    far.run("sed", "-i", f"s|^\\(root:.*\\):[^:]*:[^:]*$|\\1:{FOLDER}:/bin/sh|", "/etc/passwd")
    far.write(f"{FOLDER}/authorized", authorized)


def start_server(far: PrivateHost, *options: str) -> None:
    """Start sshd with these options, and wait until it listens; raise RuntimeError when it does not."""
    port = options[options.index("-p") + 1] if "-p" in options else "22"
    far.popen(f"{FOLDER}/sshd", "-D", "-f", f"{FOLDER}/sshd_config", *options)
    deadline = time.monotonic() + READY_SECONDS
    while not far.run("ss", "-Hltn", f"sport = :{port}").stdout:
        if time.monotonic() > deadline:
            message = "sshd does not listen"
            raise RuntimeError(message)
        time.sleep(0.02)


class SshPair:
    """Two private hosts of root on one cable: `near`, where pipework runs, and `far`, which has no Python on PATH."""

    def __init__(self, near: PrivateHost, far: PrivateHost) -> None:
        """Choose the hosts."""
        self.near = near
        self.far = far

    def __enter__(self) -> Self:
        """Lay the cable, make the keys, and start sshd; raise RuntimeError when it does not answer."""
        ends = ("link", "add", "u0", "type", "veth", "peer", "name", "u0", "netns", f"/proc/{self.far.pid}/ns/net")
        subprocess.run(
            ("nsenter", f"--net=/proc/{self.near.pid}/ns/net", "ip", *ends), env=clean_environment(), check=True
        )
        for host, address in ((self.near, NEAR), (self.far, FAR)):
            host.run("ip", "address", "add", f"{address}/24", "dev", "u0")
            host.run("ip", "link", "set", "u0", "up")
        make_keys(self.near, "host", "key", "stranger")
        self.trust("host")
        host_key = self.near.run("cat", f"{FOLDER}/host").stdout
        settings = f"SetEnv PATH={BIN}\n"
        prepare_server(self.far, host_key=host_key, authorized=public_key(self.near, "key"), settings=settings)
        self.programs()
        self.shell("/bin/dash")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave all of it to the end of the hosts."""

    def trust(self, *names: str) -> None:
        """Let the near host know the far one by these keys, and by no others."""
        keys = (public_key(self.near, name) for name in names)
        self.near.write(f"{FOLDER}/known_hosts", "".join(f"{FAR},[{FAR}]:2222 {key}" for key in keys))

    def admit(self, *names: str) -> None:
        """Let these keys in on the far host, and no others."""
        keys = (public_key(self.near, name) for name in names)
        self.far.write(f"{FOLDER}/authorized", "".join(keys))

    def shell(self, path: str) -> None:
        """Let the far host's `sh` be this shell."""
        self.far.run("ln", "-sf", path, f"{BIN}/sh")

    def programs(self, names: Iterable[str] = PROGRAMS) -> None:
        """Put these programs on the far host's PATH, and no others but its shell."""
        self.far.run("sh", "-c", f"mkdir -p {BIN} && find {BIN} -mindepth 1 ! -name sh -delete")
        for name in names:
            path = shutil.which(name, path=clean_environment()["PATH"])
            if path is not None:
                self.far.run("ln", "-s", path, f"{BIN}/{name}")

    def hide(self, name: str) -> None:
        """Take a program off the far host's PATH, wherever the far end looks for it."""
        tools = "/run/lab/tools"  # for those who look at that host
        self.far.run("sh", "-c", f'mkdir -p {tools} && cp "$(command -v {name})" {tools}')
        self.far.env["PATH"] = f"{tools}:/usr/bin:/bin:/usr/sbin"
        self.far.run("rm", "-f", f"{BIN}/{name}")
        self.far.run("sh", "-c", f"[ ! -e /usr/sbin/{name} ] || mount --bind /dev/null /usr/sbin/{name}")

    def start(self, *options: str) -> None:
        """Start sshd with these options, and wait until it listens."""
        start_server(self.far, *options)
