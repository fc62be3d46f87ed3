"""What can go wrong, each with one sentence and a hint that names the next step.

PipeworkError
├── UsageError           the command line or a request makes no sense (exit code 2)
├── GuestError           the guest is unknown, stopped, ambiguous, or shares the host's network
│   ├── NoGuestError      nobody knows it, or it does not run: nothing can be attached to it
│   │   └── NoNamespaceError  there is no network namespace at that path (any more)
│   └── RuntimeDownError  the runtime itself does not answer, so that it may or may not know the guest
├── HostError            the host lacks something the request needs
├── ConflictError        something else is already where the request wants to be
├── CommandError         a command of the plan failed; what had been done was undone
├── UndoError            … and undoing it failed too: what is left is named
├── PluginError          a plugin is broken, missing, or claims a name that is taken
│   └── UnknownNameError  … because what was written names none (exit code 2)
└── ReplayError          a replayed run left its recording
Interrupted              SIGINT or SIGTERM; what had been done was undone (exit code 130)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.plan import Command, Outcome


class PipeworkError(Exception):
    """Base of everything pipework raises for what a user or a host can cause."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(PipeworkError, ValueError):
    """The request itself makes no sense, whatever the host looks like."""

    exit_code = 2


class GuestError(PipeworkError):
    """The guest cannot be entered: unknown, stopped, ambiguous, or on the host's own network."""


class NoGuestError(GuestError):
    """Nobody knows a guest of that name, or it does not run: nothing can be attached to it any more."""


class NoNamespaceError(NoGuestError):
    """There is no network namespace at that path, or none any more."""


class RuntimeDownError(GuestError):
    """A container runtime does not answer; for a bare name, another may still know the guest."""


class HostError(PipeworkError):
    """The host lacks what the request needs: a program, a parent interface, permission."""


class ConflictError(PipeworkError):
    """Something else is where the request wants to be; the message names both."""


class PluginError(PipeworkError):
    """A plugin is broken or missing, or two plugins claim one name."""


class UnknownNameError(PluginError, UsageError):
    """The command line or a file names a kind, a runtime, a method or a driver that nobody provides."""


class ReplayError(PipeworkError):
    """A replayed run asked for something that its recording does not hold."""


class CommandError(PipeworkError):
    """A command failed. Carries the command as planned and the outcome it had."""

    def __init__(self, command: Command, outcome: Outcome, *, hint: str = "") -> None:
        tool = f"`{command}`"
        if command.timeout and outcome.code not in command.ok_codes:  # a sentence is worth more than a long command
            tool, said = f"cannot {command.reason}:", shorten_usage(outcome.error_text) or f"exit code {outcome.code}"
        elif command.expect == "" and outcome.code in command.ok_codes:  # what it looked for should not be there
            tool, said = f"cannot {command.reason}:", f"there is {', '.join(outcome.stdout.split())}."
            hint = hint or "nothing is left of it: choose another one"
        elif outcome.code in command.ok_codes:  # it did what it does, and answered something else than it should
            said = f"says {outcome.stdout.strip() or 'nothing'} where {command.expect} is due."
            hint = hint or command.reason
        else:
            said = f"failed: {shorten_usage(outcome.error_text) or f'exit code {outcome.code}'}"
        super().__init__(
            f"{tool} {said}", hint=hint or _find_late_advice(command, outcome) or find_advice(outcome.error_text)
        )
        self.command = command
        self.outcome = outcome


_MODULE = "this kernel cannot do that; modprobe loads the module if there is one, such as macvlan or 8021q"
#: What a kernel or a tool says, and what to do about it.
_ADVICE = (
    ("BusyBox", "install iproute2, and see that its ip comes first on PATH"),
    ("Unknown device type", _MODULE),
    ("Operation not supported", _MODULE),
    ("Protocol not supported", _MODULE),
    ("Operation not permitted", "run pipework as root"),
    ("Permission denied", "run pipework as root"),
    ("Device or resource busy", "something else uses the interface, a bridge, a bond or another kind of child"),
    ("Network is unreachable", "the gateway is not in the subnet of an address"),
    ("as duplicate address detection found", "choose another address; --probe names the MAC of who holds this one"),
    ("is held by", "choose another address, or take this one away from who has it"),
    ("obtained no lease", "is there a DHCP server on this network?"),
    ("no router advertisement came", "is there an IPv6 router, or dnsmasq --enable-ra, on this network?"),
    (
        "that an address is made of",
        "DHCPv6 may give one: -a 6 with dhclient in place of auto; or let the router send the flag",
    ),
    ("did not answer within", "all is as it was; is the gateway's address right? --confirm-within gives it more time"),
    ("has no carrier", "plug it in, or repeat without --probe"),
    ("duplicate IPv", "choose another address"),
    ("is the port of another guest", "choose another name with -i; `pipework ls` shows the other guest"),
    (
        "Private key must be configured",
        "name the files: -o key= -o cert= -o ca=, or external_ids:ovn-nb-key, -cert and -ca of Open_vSwitch",
    ),
)
#: How ovs-vsctl and ovn-nbctl end when their --timeout is over (SIGALRM), and what that means for whom they wait.
_LATE = "(Alarm clock)"
_LATE_ADVICE = (
    (
        "ovn-controller",
        "systemctl status ovn-controller there; does it reach the southbound database, and does ovn-northd run?",
    ),
    ("ovn-nbctl", "is the northbound database running, and does nothing on the way drop what is sent to it?"),
    ("ovs-vsctl", "systemctl status openvswitch-switch: is ovs-vswitchd running?"),
)


def shorten_usage(text: str) -> str:
    """Return a tool's own words without the usage that some print at length when they do not know a word."""
    if _LATE in text:
        return "it took too long"
    said, usage, _ = text.partition("Usage:")
    said = said.rstrip(" /\n")
    if "BusyBox" in text and usage:
        return "this is the ip of busybox, which cannot do that"
    return said or (f"{text[:_SAID_MAX]}…" if len(text) > _SAID_MAX else text)


#: Characters of a usage that is all that a tool says.
_SAID_MAX = 120


_NOTHING_LEFT = "nothing is left of it: what had been done was undone"


def find_advice(error_text: str, *, usual: str = _NOTHING_LEFT) -> str:
    """Return the next step for a tool's own words; that everything was undone when they say nothing more."""
    return next((hint for words, hint in _ADVICE if words in error_text), usual)


def _find_late_advice(command: Command, outcome: Outcome) -> str:
    """Return which program to look at when one was waited for in vain; empty when none was."""
    if _LATE not in outcome.stderr:
        return ""
    about = f"{command.reason} {command.argv[0]}"
    return next((hint for word, hint in _LATE_ADVICE if word in about), "")


class UndoError(PipeworkError):
    """A run failed and could not be undone in full; `failed_cleanup` names the undo commands that failed."""

    def __init__(self, cause: BaseException, left: Sequence[Command]) -> None:
        lines = "; ".join(str(command) for command in left)
        super().__init__(f"{cause} Undoing it failed too.", hint=f"run by hand what is left: {lines}")
        self.failed_cleanup = tuple(left)


class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived. Raised only where nothing is half done."""

    exit_code = 130
