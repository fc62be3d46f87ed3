"""What can die below pipework on OVN, and how it comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ovn import OvnFleet


@dataclass(frozen=True, slots=True)
class Death:
    """How something of `host1` or of the desk ends and begins again, what pipework's error names.

    `traffic` says whether guests of one machine still reach each other.
    """

    end: Callable[[OvnFleet], None]
    back: Callable[[OvnFleet], None]
    named: str
    traffic: bool = True


DEATHS = {
    "ovn-controller killed": Death(
        end=lambda ovn: ovn["host1"].controller.kill(),
        back=lambda ovn: ovn["host1"].controller.start(),
        named="ovn-controller",
    ),
    "ovn-controller stopped": Death(
        end=lambda ovn: ovn["host1"].controller.leave(),
        back=lambda ovn: ovn["host1"].controller.start(),
        named="ovn-controller",
    ),
    "switch killed": Death(
        end=lambda ovn: ovn["host1"].switch_daemon.kill(),
        back=lambda ovn: ovn["host1"].restart_switch(),
        named="vswitchd",
        traffic=False,
    ),
    "southbound database killed": Death(
        end=lambda ovn: ovn.southbound.kill(),
        back=lambda ovn: ovn.southbound.start(),
        named="ovn-controller",
    ),
    "northd killed": Death(
        end=lambda ovn: ovn.northd.kill(),
        back=lambda ovn: ovn.northd.start(),
        named="ovn-northd",
    ),
    "northbound database killed": Death(
        end=lambda ovn: ovn.northbound.kill(),
        back=lambda ovn: ovn.northbound.start(),
        named="northbound",
    ),
    "northbound database hangs": Death(
        end=lambda ovn: ovn.northbound.signal("STOP"),
        back=lambda ovn: ovn.northbound.signal("CONT"),
        named="northbound",
    ),
}
