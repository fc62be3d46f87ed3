"""What a survey says that nobody needs any more, for the `remains` of backends (`contract.Collector`). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.state import namespaces
from pipework_core.toolkit.shared import has_use

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipework_core.model.link import GuestFacts, Link
    from pipework_core.model.snapshot import Survey


def serves_nobody(survey: Survey, link: Link, *, without: Collection[str] = ()) -> bool:
    """Whether nothing that stays uses a link of the host: pairs that serve nobody do not count, nor those of `without`.

    What guests that cannot be seen have on top of it nobody knows: then everything serves somebody.
    """
    used = namespaces.parents_used(survey.inside, survey.host.links.values())
    going = {*pairs(survey), *without}
    return not survey.unsure and link.name not in used and not has_use(survey.host, link, without=going)


def pairs(survey: Survey) -> dict[str, str]:
    """Return the host's ends of veth pairs that serve nobody, by name, with what is wrong with them."""
    ends = (link for link in survey.host.links.values() if link.kind == "veth")
    return {link.name: wrong for link in ends if (wrong := _wrong(survey, link))}


def _wrong(survey: Survey, link: Link) -> str:
    """Say why nobody needs a pair; empty for one that is somebody's, or not ours."""
    if ownership.newborn(link):
        return "which a killed run left"
    mark = ownership.read(link)
    if mark is None or mark.kind != "veth" or not mark.netns:
        return ""
    inode = int(mark.netns) if mark.netns.isdecimal() else 0
    if inode in survey.spaces:
        inside = survey.inside.get(inode)
        far = _far_end(survey, inside, link) if inside else None
        return "which a killed run left" if far is not None and not far.alias and ownership.newborn(far) else ""
    # An end that its guest has moved on is somewhere, and whoever cannot see all guests knows of none that it is gone.
    moved = any(_far_end(survey, inside, link) for inside in survey.inside.values())
    return "" if moved or survey.unsure else "whose guest is gone"


def _far_end(survey: Survey, inside: GuestFacts, end: Link) -> Link | None:
    return next((link for link in inside.links.values() if survey.host_end(link) is end), None)
