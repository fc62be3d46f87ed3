"""The hooks: seven that register objects, five that tell an observer what happens.

A plugin is a module, or an object, with functions of these names that are marked with `hookimpl`:

    from pipework_core.api import hookimpl

    @hookimpl
    def pipework_backends():
        return [VxlanBackend()]

Each request of which a plan was ready ends in exactly one of attached, detached and failed, unless the process is
killed. What belongs to no request (what `gc` removes, what a killed run left to the next, `pipework route`) is told by
its steps alone, which have no context. Nothing else that pipework does changes anything. What it starts may: a DHCP
client that stays, the guard of `host --confirm-within`, a program that `pipework exec` becomes.

The hooks are called in the thread of the run, most of them while it holds the host's lock: a slow observer delays
everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.plugins.lean_pluggy import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.context import Context
    from pipework_core.model.driver import DriverKind, DriverWrapper
    from pipework_core.model.plan import Command, Outcome, Plan, Report
    from pipework_core.plugins.api import (
        Addressing,
        Check,
        DhcpClientFinder,
        GuestResolver,
        HostAccessPlanner,
        LinkBackend,
    )

PROJECT = "pipework"
#: How the names of all hooks begin.
PREFIX = "pipework_"
#: The attribute of a function that `hookimpl` marked.
MARK = f"{PROJECT}_impl"

hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a plugin's function as the hook that it is called like.
hookimpl = pluggy.HookimplMarker(PROJECT)


class Specs:
    """Every hook. pluggy checks names and arguments of an implementation against these."""

    @hookspec
    def pipework_backends(self) -> Iterable[LinkBackend]:  # type: ignore[empty-body] # a specification has no body
        """Return the link backends of this plugin, objects of classes that inherit from `LinkBackend`.

        Example: `return [VxlanBackend()]` makes `pipework vxlan:42 web1 10.0.0.1/24` work.
        """

    @hookspec
    def pipework_guest_resolvers(self) -> Iterable[GuestResolver]:  # type: ignore[empty-body] # as above
        """Return the guest resolvers of this plugin, each an object as `GuestResolver` describes it.

        Example: `return [Containerd()]` with `runtime = "containerd"` makes `containerd:web1` a guest.
        """

    @hookspec
    def pipework_addressing(self) -> Iterable[Addressing]:  # type: ignore[empty-body] # as above
        """Return the addressing methods of this plugin, each an object as `Addressing` describes it.

        Example: the built-in `static` returns `[Static()]`.
        """

    @hookspec
    def pipework_drivers(self) -> Iterable[DriverKind | DriverWrapper]:  # type: ignore[empty-body] # as above
        """Return the kinds of drivers of this plugin, each an object as `DriverKind` describes it.

        The built-in `dry-run` and `record` are `DriverWrapper`s; options of their own choose them.

        Example: `return [Serial()]` with `name = "serial"` makes `--driver serial:/dev/ttyS0` work.
        """

    @hookspec
    def pipework_host_access(self) -> Iterable[HostAccessPlanner]:  # type: ignore[empty-body] # as above
        """Return the planner of `pipework host`. Only the built-in one is called.

        Example: the built-in one returns `[HostAccessPlanner()]`.
        """

    @hookspec
    def pipework_dhcp_clients(self) -> Iterable[DhcpClientFinder]:  # type: ignore[empty-body] # as above
        """Return what finds the DHCP clients that stay with their guests. Only the built-in one is called.

        Example: the built-in one returns `[Kept()]`.
        """

    @hookspec
    def pipework_checks(self) -> Iterable[Check]:  # type: ignore[empty-body] # as above
        """Return what this plugin looks for when `pipework doctor` examines a host: objects as `Check` describes them.

        Example: `return [VxlanPort()]` with `name = "vxlan-port"` warns of a firewall that drops UDP port 4789.
        """

    @hookspec
    def pipework_plan_ready(self, context: Context, plan: Plan) -> None:
        """Tell that `plan` was made from `context` and is about to be carried out. An empty plan is told, too.

        The plan is one for an attachment, for detaching one, or for the host's part in a network (whose guest has the
        runtime `host`). When another run creates first what a plan wants to create, a second plan is told for the same
        request. `status` carries nothing out and tells of none.

        It is the only notification of a dry run or a replay, which carry nothing out: the others tell what happened.

        Example: `print(len(plan.steps), "steps for", context.guest.name)`.
        """

    @hookspec
    def pipework_step_done(self, command: Command, outcome: Outcome, context: Context | None) -> None:
        """Tell that `command` ran, or failed: `outcome` has its exit code and its output.

        `context` is what its plan was made from. It is None for what belongs to no request: `gc`, what a killed
        `detach` left to the next run, `pipework route`, `rule` and `tc`. Commands that undo others are not told, nor
        are announcements that nobody waits for. Steps of several attachments come in any order.

        Example: `log.info("%s: %d", command, outcome.code)`.
        """

    @hookspec
    def pipework_attached(self, context: Context, report: Report) -> None:
        """Tell that the whole request holds now, whether or not anything had to be done for it (`report.changed`).

        `context` is what it was planned from, `report` what was done. It is told for each attachment of `up` and for
        the host's part in a network as well; with `up --atomic` not before all of them hold.

        Example: append `{"guest": context.guest.name, "changed": report.changed}` to an audit log.
        """

    @hookspec
    def pipework_detached(self, context: Context, report: Report) -> None:
        """Tell that an attachment was undone, or that the host no longer takes part in a network.

        `context` is what it was planned from, with the interface still there. `report.failed_cleanup` has the commands
        that should have removed the rest and failed; `report.changed` is false when there was nothing to do. `detach`,
        `down`, `up --prune` and `host --remove` tell it, and `host` and `up --atomic` for what they take back.

        Example: `audit.write(f"{context.guest.name} {context.attachment.interface} detached")`.
        """

    @hookspec
    def pipework_failed(self, context: Context, error: BaseException) -> None:
        """Tell that a plan could not be carried out, and that what had been done of it was undone.

        `context` is what it was planned from. `error` says why: a PipeworkError (an UndoError has in `failed_cleanup`
        what could not be undone), or Interrupted after a signal; with `up --atomic` perhaps the error of another
        attachment. What is refused before there is a plan has changed nothing and is not told.

        Example: `alert(f"{context.guest.name}: {error}")`.
        """
