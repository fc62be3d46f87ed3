"""The hooks: four that register typed objects, three that tell an observer what happens.

A plugin is a module (or object) with functions of these names, marked with `hookimpl`:

    from pipework_core.hookspecs import hookimpl

    @hookimpl
    def pipework_backends():
        return [VxlanBackend()]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.contract import Addressing, Backend, GuestResolver, Scene
    from pipework_core.driver import DriverKind
    from pipework_core.plan import Command, Outcome, Plan, Report

PROJECT = "pipework"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Specs:
    """Every hook. pluggy checks names and arguments of an implementation against these."""

    @hookspec
    def pipework_backends(self) -> Iterable[Backend]:  # type: ignore[empty-body] # a specification has no body
        """Return the link backends of this plugin, each an object as `contract.Backend` describes it.

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
    def pipework_drivers(self) -> Iterable[DriverKind]:  # type: ignore[empty-body] # as above
        """Return the kinds of drivers of this plugin, each an object as `driver.DriverKind` describes it.

        Example: `return [Serial()]` with `name = "serial"` makes `--driver serial:/dev/ttyS0` work.
        """

    @hookspec
    def pipework_plan_ready(self, scene: Scene, plan: Plan) -> None:
        """Tell that `plan` was made from `scene` and is about to be carried out; an empty plan is told, too.

        The only one of these that is told with `--dry-run`, where nothing is carried out: what the others tell has
        happened.

        Example: `print(len(plan.steps), "steps for", scene.guest.name)`.
        """

    @hookspec
    def pipework_step_done(self, command: Command, outcome: Outcome) -> None:
        """Tell that one command of a plan was carried out, or failed.

        Example: `log.info("%s: %d", command, outcome.code)`.
        """

    @hookspec
    def pipework_detached(self, scene: Scene, report: Report) -> None:
        """Learn that an attachment was undone; `scene` is what it was planned from, with the interface still there.

        Example: `audit.write(f"{scene.guest.name} {scene.attachment.interface} detached")`.
        """

    @hookspec
    def pipework_attached(self, scene: Scene, report: Report) -> None:
        """Tell that the whole request holds now, whether or not anything had to be done for it.

        Example: append `{"guest": scene.guest.name, "changed": report.changed}` to an audit log.
        """
