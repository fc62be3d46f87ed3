"""`BackendContract`: a class to inherit that holds a backend against every promise of pipework's."""

from __future__ import annotations

from pipework_core.testing.contract_live import LivePromises
from pipework_core.testing.contract_plans import PlanPromises
from pipework_core.testing.contract_tags import TagPromises
from pipework_core.testing.contract_words import WordPromises


class BackendContract(PlanPromises, TagPromises, WordPromises, LivePromises):
    """All checks for a backend, with a few declarations by its author.

        class TestTap(BackendContract):
            kind = "tap"
            plugin = pipework_tap
            requests = ("tap:x netns:web1 10.0.0.1/24 -o queues=2",)
            refused = ("tap:x netns:web1 0/0 -o queues=none",)

    `contract_base.Declared` has the declarations for planning, `contract_bench.Prepared` those for the private host
    in which each of `requests` is attached, broken after every step, and detached.
    """
