"""What an author declares for the live part of the contract, and the host in which it is carried out."""

from __future__ import annotations

import shlex
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, ClassVar

import pytest

from pipework_core.model.errors import HostError
from pipework_core.testing import announcing
from pipework_core.testing.contract_base import Declared, fail_check
from pipework_core.testing.contract_runs import Bench
from pipework_core.testing.private import PrivateHost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipework_core.testing.contract_runs import State

#: What a kernel says that cannot make a kind of link.
_UNKNOWN = ("Unknown device type", "Operation not supported")


def last_line(said: str) -> str:
    """Return the last line of what a run said, which is its error."""
    return (said.strip().splitlines() or ["nothing"])[-1]


class Prepared(Declared):
    """Provides prepared hosts. `prepare` makes what the requests need."""

    #: Commands that make of a fresh host the one that the requests are for, such as `ip link add eth9 type bridge`.
    prepare: ClassVar[Sequence[str]] = ()
    #: Commands that a fresh host must be able to run; where one fails, nothing is run live, and that is announced.
    needs: ClassVar[Sequence[str]] = ()
    #: Where it is run live instead; without this, a failing `needs` is a missing part of the lab.
    elsewhere: ClassVar[str] = ""
    #: Whether the host lies in a user namespace, which takes no root; None: only where the tests are not root's.
    user: ClassVar[bool | None] = True

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        """Provide a prepared host with the guests of all requests."""
        with self.opened() as bench:
            yield bench

    @contextmanager
    def opened(self) -> Iterator[Bench]:
        """Open such a host."""
        guests = tuple(dict.fromkeys(self.guest(line) for line in self.requests))
        try:
            host = PrivateHost(user=self.user)
            host.__enter__()
        except HostError as error:
            announcing.missing_for(error)
        with closing(host):
            self.refuse_kernels(host)
            for guest in guests:
                host.netns(guest)
                host.run("ip", "-n", guest, "link", "set", "lo", "up")
            self.prepare_host(host)
            yield Bench(host, self.plugins(), guests, self.state)

    def prepare_host(self, host: PrivateHost) -> None:
        """Run `prepare`; override it for more than that."""
        for command in self.prepare:
            host.run(*shlex.split(command))

    def state(self, host: PrivateHost, guests: Sequence[str]) -> State:
        """Return what host and guests look like; override it for a switch that the kernel knows nothing of."""
        return host.state(guests)

    def attach(self, line: str, bench: Bench) -> list[str]:
        """Attach, and return the commands; where that fails, leave it to the check that says why."""
        done = bench.run(*shlex.split(line))
        if done.code != 0:
            self.refuse_unknown(done.said)
            pytest.skip(f"{line} does not work ({last_line(done.said)}), as another check says")
        return list(done.value)

    def guest(self, line: str) -> str:
        """Return the name of the guest's namespace."""
        runtime, colon, name = self.attachment(line).guest.partition(":")
        if runtime != "netns" or not colon:
            fail_check(f"{line}: the guest of a declared request is a network namespace; write netns:web1.")
        return name

    def interface(self, line: str) -> str:
        """Return the name of the interface that a request makes."""
        return self.attachment(line).interface or self.backend().interface

    def detach(self, line: str) -> tuple[str, ...]:
        """Return the command line that detaches it."""
        return ("detach", f"netns:{self.guest(line)}", "-i", self.interface(line))

    def refuse_kernels(self, host: PrivateHost) -> None:
        """End the test, and say so aloud, where the kernel has not got what the backend is about."""
        for command in self.needs:
            done = host.run(*shlex.split(command), check=False)
            if done.returncode != 0:
                what = f"{self.kind}: `{command}` says {last_line(done.stderr)}"
                if self.elsewhere:
                    announcing.announce_elsewhere(f"{what}; {self.elsewhere}")
                announcing.announce_missing(what)

    def refuse_unknown(self, said: str) -> None:
        """End the test aloud where this kernel cannot make such a link."""
        if any(words in said for words in _UNKNOWN):
            announcing.announce_missing(f"{self.kind}: {last_line(said)}")
