"""Methods for addresses that third parties provide: found by their word on the command line and in files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pipework_core import topology
from pipework_core.cli import app, parser
from pipework_core.model.attachment import Dhcp
from pipework_core.model.errors import PluginError, UsageError
from pipework_core.model.ownership import Tag
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing import make_attachment, make_context, make_facts, make_link
from plugins.strangers import METHOD, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ATTACH = ("br1", "web1")


class Module:
    """What an entry point would lead to."""

    def __init__(self) -> None:
        exec(compile(METHOD, "lab", "exec"), self.__dict__)  # noqa: S102 - the code is ours


LAB = Module()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a method `lab`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "lab", METHOD, addressing="lab = strange_lab")
    yield
    sys.modules.pop("strange_lab", None)


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("text", "client", "addresses"),
    [
        ("lab", Dhcp("lab"), []),
        ("lab:7", Dhcp("lab", words=("7",)), []),
        ("lab:'a b' c,d", Dhcp("lab", words=("a b", "c,d")), []),
        ("10.0.0.1/24,lab:7", Dhcp("lab", words=("7",)), ["10.0.0.1/24"]),
        ("lab,10.0.0.1/24", Dhcp("lab"), ["10.0.0.1/24"]),
    ],
)
def test_the_word_chooses_it(text: str, client: Dhcp, addresses: list[str]) -> None:
    asked = make_attachment([*ATTACH, text])
    assert asked.dhcp == client
    assert [str(address) for address in asked.addresses] == addresses


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lab@10.0.0.254", "'lab' is not an address"),
        ("lab-f", "'lab-f' is not an address"),
        ("lab:", "'lab:' has no words after its colon"),
        ("lab:'", "cannot be split into words"),
        ("lab,dhclient", "names two methods"),
        ("laboratory", "'laboratory' is not an address"),
        ("lab6", "'lab6' is not an address"),
        ("Lab:7", "'Lab:7' is not an address"),
        ("lab.7", "'lab.7' is not an address"),
        ("lab/24", "'lab/24' is not an address"),
    ],
)
def test_what_is_nearly_one_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        make_attachment([*ATTACH, text])
    assert said in str(raised.value)
    assert raised.value.hint


def test_one_that_is_not_installed_is_no_address() -> None:
    with pytest.raises(UsageError, match="'lab:7' is not an address") as raised:
        make_attachment([*ATTACH, "lab:7"])
    assert "`pipework plugins` lists the methods of installed packages" in raised.value.hint


@pytest.mark.usefixtures("lab")
def test_a_file_may_name_it() -> None:
    text = "version: 1\nlinks:\n  - br1 web1 lab:7\n  - {host: br1, guest: web2, address: ['lab:8', 10.0.0.1/24]}\n"
    found = [link.attachment for link in topology.parse_topology(text, "x.yaml").links]
    assert [attachment.dhcp for attachment in found] == [Dhcp("lab", words=(number,)) for number in ("7", "8")]


def test_the_kit_makes_scenes_for_it() -> None:
    plugins = PluginManager(warn=pytest.fail, third_parties=False, extra=[LAB])
    context = make_context("br1 web1 lab:7", LAB)
    steps = plugins.find_addressing("lab").plan(context, Tag(kind="bridge")).steps
    assert [str(step) for step in steps] == ["nsenter --net=/proc/4242/ns/net ip address add 10.77.0.7/24 dev eth1"]
    there = make_facts(
        guest_state=[make_link("eth1", alias="pipework:1/kind:=bridge/req:=REQ", addresses=["10.77.0.7/24"])]
    )
    again = plugins.find_addressing("lab").plan(make_context("br1 web1 lab:7", LAB, facts=there), Tag(kind="bridge"))
    assert (again.steps, again.notes) == ((), ("eth1 has 10.77.0.7/24",))


def test_one_that_has_the_name_of_a_built_in_is_refused_where_it_is_written() -> None:
    class Twin:
        def __init__(self) -> None:
            exec(compile(METHOD.replace('"lab"', '"dhclient"'), "twin", "exec"), self.__dict__)  # noqa: S102 - ours

    plugins = PluginManager(warn=pytest.fail, third_parties=False, extra=[Twin()])
    with pytest.raises(PluginError, match="pipework itself and Twin both provide 'dhclient'"):
        plugins.find_addressing("dhclient", explicit=True)
    assert plugins.find_addressing("dhclient").options  # what an interface remembers was the built-in's doing


@pytest.mark.usefixtures("lab")
def test_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["--help"]) == 0
    assert "METHOD[:WORDS] another way to get one, from a package: lab" in " ".join(capsys.readouterr().out.split())


def test_no_package_is_looked_for_behind_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pipework_core.plugins.entry_points", None)  # importing it would now fail
    for text in ("10.0.0.1/24@10.0.0.254", "fd00::1/64", "dhclient", "dhcp:-f", "auto", "0/0", "abc::1/64,10.0.0.1/8"):
        assert parser.parse([*ATTACH, text]).request
