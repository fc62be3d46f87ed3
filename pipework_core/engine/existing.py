"""What to do about an interface that is there already: complete it, replace it, or refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import detach
from pipework_core.model import ownership
from pipework_core.model.attachment import describe
from pipework_core.model.context import Clearing
from pipework_core.model.errors import ConflictError
from pipework_core.model.plan import Plan

if TYPE_CHECKING:
    from pipework_core.model.context import Scene
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Mark
    from pipework_core.plugins.api import Backend
    from pipework_core.plugins.manager import Plugins


def settle(scene: Scene, backend: Backend, digest: str, plugins: Plugins) -> Clearing:
    """Return the scene to plan from, and what clears the way before and behind; raise ConflictError.

    An interface that carries the digest of this very request, or that a run of it was killed over, is completed.
    Another one of ours is replaced when that was asked for. What is not ours is never touched.
    """
    link = scene.inside.links.get(scene.attachment.interface)
    if link is None:
        return Clearing(scene=scene)
    mark = ownership.read(link)
    newborn = ownership.newborn(link)
    if mark is None and not newborn:
        raise ConflictError(
            f"{scene.guest.name} has an interface {_summary(link)} that is not pipework's; "
            f"asked for {describe(scene.attachment)}.",
            hint="choose another name with -i",
        )
    if (mark is not None and mark.req == digest) or (newborn and backend.fits(scene, link)):
        return Clearing(scene=scene._replace(existing=link))
    if not scene.attachment.replace:
        raise ConflictError(
            f"{scene.guest.name} has {_summary(link, mark)} already; asked for {describe(scene.attachment)}.",
            hint="repeat with --replace to give up what is there, or choose another name with -i",
        )
    old = mark or ownership.Mark(kind=backend.kind)
    clearing = plugins.backend(old.kind).clear(scene, link, old)
    return clearing._replace(before=_released(scene, link, old, plugins) + clearing.before)


def _released(scene: Scene, link: Link, mark: Mark, plugins: Plugins) -> Plan:
    """Return what gives the lease of a link that is replaced back, and ends its client, while it still works."""
    method = plugins.released_by(mark.dhcp)
    if method is None:
        return Plan()
    then = scene._replace(attachment=detach.request(link, mark, scene.guest), existing=link)
    return method.release(then, mark)


def mark_of(scene: Scene) -> Mark | None:
    """Return the mark of the interface that is being completed."""
    return ownership.read(scene.existing) if scene.existing else None


def _summary(link: Link, mark: Mark | None = None) -> str:
    """Say what an interface is, in the words of a request."""
    words = [link.name]
    if mark is not None:
        words.append(f"on {mark.kind}:{mark.on}" + (f" @{mark.vlan}" if mark.vlan else ""))
    elif link.kind:
        words.append(f"({link.kind})")
    words += [f"with {','.join(_global(link))}"] if _global(link) else ["without an address"]
    return " ".join(words)


def _global(link: Link) -> list[str]:
    return [address for address in link.addresses if not address.lower().startswith("fe80:")]
