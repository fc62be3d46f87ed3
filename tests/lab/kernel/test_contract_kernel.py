"""The live part of the contract for the built-in backends that the machine's own kernel may not be able to make."""

from __future__ import annotations

from pipework_core.testing.contract_live import LivePromises


class Quicker(LivePromises):
    """Leaves out what takes long in this kernel, and what `test_kernel_promises.py` shows of the same kinds."""

    test_a_failure_after_any_step_is_undone = None  # pytest passes it over
    test_an_interruption_after_any_step_is_undone = None  # as above
    test_a_killed_run_is_completed_by_the_next = None  # as above


class TestDummy(Quicker):
    kind = "dummy"
    requests = ("dummy:x netns:web1 0/0",)
    user = None


class TestIpvlanOnVlan(Quicker):
    kind = "ipvlan"
    requests = ("ipvlan:nic0 netns:web1 0/0 @10 -o mode=l3",)
    user = None
    prepare = ("ip link add nic0 type dummy", "ip link set nic0 up")
