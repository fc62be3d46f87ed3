"""What is read of OVN: where it is not installed, what is no answer, and words that name no database."""

from __future__ import annotations

import pytest

from pipework_backends.links import ovn_nb
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import HostError, UsageError

TABLES = """\
{"data":[],"headings":["name","ports","datapath_type","external_ids"]}
{"data":[],"headings":["_uuid","name","tag","fake_bridge"]}
{"data":[],"headings":["name","external_ids","error","ofport"]}
{"data":[[["map",[]]]],"headings":["external_ids"]}
"""


def ask(key: str, text: str) -> tuple[str, ...]:
    """Return the words after the script."""
    return ovn_nb.make_query(Attachment(guest="web1", kind="ovn", host="blue", options=((key, text),))).argv[2:]


@pytest.mark.parametrize(
    "text",
    ["tcp:h:6641", "ssl:[2001:db8::1]:6641", "unix:/run/ovn/nb.sock", "tcp:a:6641,tcp:b:6641,tcp:c:6641"],
)
def test_a_database_is_named_as_its_own_tools_do(text: str) -> None:
    assert ask("nb", text) == (text, "-", "-", "-")


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "h:6641", "ptcp:6641", "tcp:", "tcp:h 1", "tcp:h,", "tcp:h,--db=x"),
        *("tcp:$(id)", "tcp:h;id", "tcp:h\n", 'ssl:"h"', "tcp:ü"),
    ],
)  # fmt: skip
def test_what_names_no_database(text: str) -> None:
    with pytest.raises(UsageError, match="is no address of a database") as caught:
        ask("nb", text)
    assert "nb=tcp:HOST:6641" in caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "-", "key.pem", "--key", "/a b", "/a\n", "/", "~/key", "/a'b", "/$HOME/x"])
def test_what_is_no_path_of_a_file(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no path of a file") as caught:
        ask("key", text)
    assert "whole path" in caught.value.hint


def test_a_host_without_open_vswitch() -> None:
    with pytest.raises(HostError, match="not installed") as caught:
        ovn_nb.read_outcome(127, "", "ovs-vsctl: not found")
    assert "apt install ovn-host" in caught.value.hint


def test_a_switch_that_does_not_answer() -> None:
    said = "ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n"
    with pytest.raises(HostError, match="database connection failed") as caught:
        ovn_nb.read_outcome(1, "", said)
    assert "systemctl status openvswitch-switch" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", TABLES, TABLES + "underlay {\n", TABLES + "underlay \nnb tcp:h:1 - - -\n{}\n{}\n{}\ncode 0\n"],
)
def test_what_is_no_answer_is_said(text: str) -> None:
    with pytest.raises(HostError, match="gave an answer of another shape"):
        ovn_nb.parse_reading(text)


def test_what_the_database_says_beside_its_answer_is_no_part_of_it() -> None:
    empty = '{"data":[],"headings":["name"]}\n'
    text = f"{TABLES}underlay \nnb tcp:h:1 - - -\novn-nbctl: a warning\n{empty * 3}code 0\n"
    (database,) = ovn_nb.parse_reading(text).databases
    assert not database.error
    assert database.remote.db == "tcp:h:1"
    assert database.remote.words == ()


def test_what_ports_have_is_compared_by_what_it_means() -> None:
    addresses = ("02:00:00:00:00:AA 10.1.0.5 fd00:0:0::0005", "unknown", "dynamic")
    port = ovn_nb.LogicalPort(
        name="a", switch="blue", addresses=addresses, dynamic="02:00:00:00:00:AA fd00:11:22:33::55"
    )
    assert port.taken == {"02:00:00:00:00:aa", "10.1.0.5", "fd00::5", "fd00:11:22:33::55"}
