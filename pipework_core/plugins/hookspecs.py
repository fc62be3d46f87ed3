"""The hooks: four that register typed objects, five that tell an observer what happens.

A plugin is a module (or object) with functions of these names, marked with `hookimpl`:

    from pipework_core.plugins.hookspecs import hookimpl

    @hookimpl
    def pipework_backends():
        return [VxlanBackend()]

An observer can rely on this: each request of which a plan was ready ends in exactly one of attached, detached and
failed, unless the process is killed. What belongs to no request (what `gc` takes away, what a killed run left to the
next, `pipework route`) is told by its steps alone, which have no scene. Nothing else that pipework does changes
anything, but what it leaves behind may: a DHCP client that stays, the guard of `host --confirm-within`.

They are called in the run's own thread, most of them while it holds the host's lock: an observer that takes its time
delays everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.plugins.lean_pluggy import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.context import Context
    from pipework_core.model.driver import DriverKind, DriverWrapper
    from pipework_core.model.plan import Command, Outcome, Plan, Report
    from pipework_core.plugins.api import Addressing, DhcpClientFinder, GuestResolver, HostAccessPlanner, LinkBackend

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
        """Return the link backends of this plugin, each an object as `api.LinkBackend` describes it.

        Example: `return [VxlanBackend()]` makes `pipework vxlan:42 web1 10.0.0.1/24` work.
        """

    @hookspec
    def pipework_guest_resolvers(self) -> Iterable[GuestResolver]:  # type: ignore[empty-body] # as above
        """Return the guest resolvers of this plugin, each an object as `contract.GuestResolver` describes it.

        Example: `return [Containerd()]` with `runtime = "containerd"` makes `containerd:web1` a guest.
        """

    @hookspec
    def pipework_addressing(self) -> Iterable[Addressing]:  # type: ignore[empty-body] # as above
        """Return the addressing methods of this plugin, each an object as `contract.Addressing` describes it.

        Example: the built-in `static` returns `[Static()]`.
        """

    @hookspec
    def pipework_drivers(self) -> Iterable[DriverKind | DriverWrapper]:  # type: ignore[empty-body] # as above
        """Return the kinds of drivers of this plugin, each an object as `driver.DriverKind` describes it.

        The built-in `dry-run` and `record` are `driver.DriverWrapper`s and chosen by options of their own.

        Example: `return [Serial()]` with `name = "serial"` makes `--driver serial:/dev/ttyS0` work.
        """

    @hookspec
    def pipework_host_access(self) -> Iterable[HostAccessPlanner]:  # type: ignore[empty-body] # as above
        """Return the planner of `pipework host`, an object as `api.HostAccessPlanner` describes it.

        Not for third parties: pipework has one such planner.

        Example: the built-in one returns `[HostAccessPlanner()]`.
        """

    @hookspec
    def pipework_dhcp_clients(self) -> Iterable[DhcpClientFinder]:  # type: ignore[empty-body] # as above
        """Return what finds the DHCP clients that stay, an object as `api.DhcpClientFinder` describes it.

        Not for third parties: pipework has one such finder.

        Example: the built-in one returns `[Kept()]`.
        """

    @hookspec
    def pipework_plan_ready(self, context: Context, plan: Plan) -> None:
        """Tell that `plan` was made from `context` and is about to be carried out; an empty plan is told, too.

        For an attachment, the end of one, or the host's part in a network (whose guest has the runtime `host`), with
        one command as with whole topologies. When somebody else is quicker to make what a plan wants to make, another
        plan is told for the same request. `status` carries nothing out and tells of none.

        The only one of these that is told with `--dry-run` or `--replay`, where nothing is carried out: what the others
        tell has happened.

        Example: `print(len(plan.steps), "steps for", scene.guest.name)`.
        """

    @hookspec
    def pipework_step_done(self, command: Command, outcome: Outcome, context: Context | None) -> None:
        """Tell that `command` was carried out, or failed: `outcome` has its exit code and what it said.

        `context` is what its plan was made from; None for what belongs to no request: `gc`, what a killed `detach` left
        to the next, `pipework route`, `rule` and `tc`. Commands that undo others, and announcements that nobody waits
        for, are not told. Steps of several attachments come as they are done, in any order; those that one process did
        together are told behind it.

        Example: `log.info("%s: %d", command, outcome.code)`.
        """

    @hookspec
    def pipework_attached(self, context: Context, report: Report) -> None:
        """Tell that the whole request holds now, whether or not anything had to be done for it (`report.changed`).

        `context` is what it was planned from, `report` what was done. For a guest's attachment, by `up` as well, and
        for the host's part in a network. With `up --atomic` not before all of them hold.

        Example: append `{"guest": scene.guest.name, "changed": report.changed}` to an audit log.
        """

    @hookspec
    def pipework_detached(self, context: Context, report: Report) -> None:
        """Tell that an attachment was undone, or the host takes part in a network no longer.

        `context` is what it was planned from, with the interface still there; `report.failed_cleanup` has what should
        have gone and stays, `report.changed` is false when there was nothing to do. Told by `detach`, `down`, `up
        --prune` and `host --remove`, and by `host` and `up --atomic` for what they take back first, or again.

        Example: `audit.write(f"{scene.guest.name} {scene.attachment.interface} detached")`.
        """

    @hookspec
    def pipework_failed(self, context: Context, error: BaseException) -> None:
        """Tell that a plan could not be carried out, and that what had been done of it was undone.

        `context` is what it was planned from. `error` says why: a PipeworkError (an UndoError has what could not be
        undone in `failed_cleanup`), or Interrupted after a signal; with `up --atomic` perhaps what another attachment
        failed by. What is refused before there is a plan, such as a guest that nobody knows, has changed nothing and is
        not told.

        Example: `alert(f"{scene.guest.name}: {error}")`.
        """
