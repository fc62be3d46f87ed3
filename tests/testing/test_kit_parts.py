"""The kit's data and its fake driver: what is not said is as usual, and its import costs nobody anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pipework_core
from pipework_core import testing
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import ConflictError, NoNamespaceError
from pipework_core.model.link import Link, Route
from pipework_core.model.plan import HOST, Command, Netns, Outcome
from pipework_core.testing import FakeDriver, make_context, make_facts, make_guest, make_link, make_route
from pipework_core.testing.contexts import UNANSWERED
from pipework_core.testing.facts import LinkFields

CORE = Path(pipework_core.__file__).parent
ROOT = Path(__file__).parents[2]


def test_every_public_name_can_be_had() -> None:
    assert [name for name in testing.__all__ if not getattr(testing, name)] == []
    assert sorted(testing._PLACES) == sorted(testing.__all__)
    with pytest.raises(AttributeError, match="'FakDriver'"):
        testing.FakDriver  # noqa: B018 - the look is the test


def test_nothing_that_runs_at_a_users_imports_the_kit() -> None:
    files = [path for path in CORE.rglob("*.py") if CORE / "testing" not in path.parents]
    files += [*ROOT.glob("backends/**/*.py"), *ROOT.glob("drivers/**/*.py")]
    imports = re.compile(
        r"((import|from|import_module\(.) *pipework_core\.testing|from pipework_core import\b.*\btesting\b)"
    )
    assert len(files) > 80
    assert [str(path) for path in files if imports.search(path.read_text())] == []


def test_links_are_as_the_kernel_has_them_unless_said() -> None:
    facts = make_facts(
        host=["eth0", make_link("br1", kind="bridge", ifindex=9)], guest_state=[make_link("eth1", up=True)]
    )
    assert facts.host.links == {
        "eth0": Link(name="eth0", ifindex=1),
        "br1": Link(name="br1", ifindex=9, kind="bridge"),
    }
    assert facts.guest_state.links == {"eth1": Link(name="eth1", ifindex=1, up=True)}
    assert facts.host.listed == {}
    assert make_facts(bridges=["sw0"]).host.listed == {"ovs": {"sw0"}}
    assert make_link("eth1", addresses=["10.0.0.1/24"]).addresses == ("10.0.0.1/24",)


def test_the_words_for_a_link_are_those_a_link_has() -> None:
    assert {"name", *LinkFields.__annotations__} == set(Link._fields)
    with pytest.raises(TypeError, match="colour"):
        make_link("eth1", colour="blue")


@pytest.mark.parametrize(
    ("made", "is_like"),
    [
        (make_route(via="10.0.0.254", dev="eth0"),
         Route("default", 4, "eth0", "10.0.0.254", words=("via", "10.0.0.254", "dev", "eth0"))),
        (make_route(via="fe80::1", dev="eth0"),
         Route("default", 6, "eth0", "fe80::1", 1024, words=("via", "fe80::1", "dev", "eth0", "metric", "1024"))),
        (make_route("fd00::/64", dev="eth0", metric=256, kernel=True, words=()),
         Route("fd00::/64", 6, "eth0", metric=256, kernel=True)),
    ],
)  # fmt: skip
def test_what_a_route_is_follows_from_its_addresses(made: Route, is_like: Route) -> None:
    assert made == is_like


def test_a_guests_namespace_is_that_of_its_process_unless_it_has_a_name() -> None:
    assert make_guest(pid=7).netns == Netns(path="/proc/7/ns/net")
    assert make_guest("web1", netns="/run/netns/web1").netns.path == "/run/netns/web1"


def test_a_context_is_completed_as_by_the_engine() -> None:
    context = make_context("br1 web1 10.0.0.1/24", facts=make_facts(host=[make_link("br1", kind="bridge")]))
    assert (context.attachment.kind, context.attachment.interface, context.existing) == ("bridge", "eth1", None)
    assert set(context.answers.values()) <= {UNANSWERED}


def test_an_interface_of_the_same_request_is_completed_and_another_is_in_the_way() -> None:
    eth1 = make_link("eth1", kind="veth", alias="pipework:1/kind:=bridge/on:=br1/req:=REQ")
    found = make_context(["br1", "web1", "10.0.0.1/24"], facts=make_facts(guest_state=[eth1])).existing
    assert found is not None
    assert re.fullmatch(r"pipework:1/kind:=bridge/on:=br1/req:=[0-9a-f]{8}", found.alias)
    with pytest.raises(ConflictError):
        make_context("br1 web1 0/0", facts=make_facts(guest_state=["eth1"]))


def test_an_answer_to_what_is_not_read_is_a_mistake() -> None:
    with pytest.raises(KeyError, match=r"answers to \['colour'\], and dummy reads nothing"):
        make_context("dummy0 web1 0/0", answers={"colour": "blue"})
    with pytest.raises(ValueError, match="'ls' attaches nothing"):
        make_context("ls")


def test_the_fake_driver_answers_by_a_function_and_remembers() -> None:
    one, two = (Command(argv=("do", word)) for word in ("one", "two"))
    driver = FakeDriver(lambda command: Outcome(code=int(command is two)))
    assert driver.read([two, one]) == [Outcome(code=1), Outcome(code=0)]
    assert driver.apply_list([one, two, one], stop=lambda: False) == [Outcome(code=0), Outcome(code=1)]
    assert driver.apply_list([one], stop=lambda: True) == []
    driver.start([two])
    with driver.lock():
        driver.finish(())
    assert (driver.reads, driver.acts, driver.started) == ([two, one], [one, two], [two])
    assert driver.calls == ["lock", "finish"]


def test_the_fake_driver_has_the_namespaces_and_programs_it_is_given() -> None:
    driver = FakeDriver(pins={"/run/netns/web1": PinnedNetns(inode=7)}, programs={"arping"})
    assert driver.pin(Netns(path="/run/netns/web1")).inode == 7
    assert driver.pin(HOST).inode != 7
    assert (driver.has_program("arping"), driver.has_program("docker"), FakeDriver().has_program("docker")) == (
        True,
        False,
        True,
    )
    with pytest.raises(NoNamespaceError):
        driver.pin(Netns(path="/run/netns/web2"))
