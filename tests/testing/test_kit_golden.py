"""Golden cases: those that hold pass, all others fail with what differs, and are rewritten on request."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.model.errors import HostError
from pipework_core.model.plan import Plan
from pipework_core.testing import GoldenCase, case_file, golden_cases
from pipework_core.testing.golden import REWRITE

from . import toys

if TYPE_CHECKING:
    from pathlib import Path

    from pipework_core.model.context import Context

pytest_plugins = ["pytester"]

#: What there is, with a comment and a string that looks like a table.
GIVEN = """\
about = "A bridge that is there gets a port." # and is not made
request = ["br1", "web1", "10.0.0.1/24"]
host = [
  { name = "br1", ifindex = 7, kind = "bridge", up = true },
]
"""
PORT = "ip link add name veth1pl4242 mtu 1500 master br1 up group 28791 type veth"
EXPECTED = f"""\
notes = ["the bridge br1 exists and is up"]

[[steps]]
run = "{PORT} peer name eth1 mtu 1500 group 28791 netns /proc/4242/ns/net"
undo = ["ip link delete dev veth1pl4242"]

[[steps]]
run = "ip link set dev veth1pl4242 group default alias pipework:1/kind:=veth/netns:=4026532000"
"""
GOOD = f"{GIVEN}{EXPECTED}"
REFUSED = """\
about = "An option that nobody knows is refused."
request = ["br1", "web1", "0/0", "-o", "colour=blue"]

[error]
type = "UsageError"
says = "bridge has no option 'colour'."
hint = "bridge knows: accept_ra, autoconf, vlan_filtering"
"""


@pytest.fixture(autouse=True)
def _no_rewriting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REWRITE, raising=False)


def case(folder: Path, text: str) -> GoldenCase:
    path = folder / "case.toml"
    path.write_text(text)
    return GoldenCase(path)


def error_text(folder: Path, text: str) -> str:
    """Return what a case fails with."""
    with pytest.raises(pytest.fail.Exception) as caught:
        case(folder, text).check()
    said = str(caught.value)
    assert said.startswith(str(folder / "case.toml"))
    return said


@pytest.mark.parametrize("text", [GOOD, REFUSED])
def test_a_case_that_holds_passes(tmp_path: Path, text: str) -> None:
    case(tmp_path, text).check()


def test_a_case_that_does_not_hold_shows_what_differs(tmp_path: Path) -> None:
    said = error_text(tmp_path, GOOD.replace('dev veth1pl4242"', 'dev veth9"'))
    assert "does not hold: A bridge that is there gets a port.\npipework br1 web1 10.0.0.1/24\n" in said
    assert '\n-undo = ["ip link delete dev veth9"]\n+undo = ["ip link delete dev veth1pl4242"]\n' in said
    assert "PIPEWORK_REWRITE=1" in said


@pytest.mark.parametrize(
    ("good", "bad", "shown"),
    [
        ('notes = ["the bridge br1 exists and is up"]', "", '+notes = ["the bridge br1 exists and is up"]'),
        ("notes = [", 'warnings = ["beware"]\nnotes = [', '-warnings = ["beware"]'),
        ("up = true", "up = false", '+run = "ip link set dev br1 up group 28792"'),
        (EXPECTED, '[error]\ntype = "HostError"\nsays = "No."\nhint = ""\n', '-says = "No."'),
    ],
)  # fmt: skip
def test_whatever_differs_is_seen(tmp_path: Path, good: str, bad: str, shown: str) -> None:
    assert f"\n{shown}\n" in error_text(tmp_path, GOOD.replace(good, bad)) + "\n"


@pytest.mark.parametrize(
    ("good", "bad"),
    [("UsageError", "HostError"), ("no option 'colour'", "no option"), ("bridge knows: ", "it knows: ")],
)
def test_an_error_is_compared_in_all_its_parts(tmp_path: Path, good: str, bad: str) -> None:
    (line,) = (line for line in REFUSED.splitlines() if good in line)
    assert f"\n-{line.replace(good, bad)}\n+{line}\n" in error_text(tmp_path, REFUSED.replace(good, bad))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("about =", "is no TOML"),
        (GOOD.replace("host =", "hosts ="), "has hosts, which nobody reads"),
        (GOOD.replace("port.", "port"), "does not say in a sentence what it is about"),
        (
            GOOD + "\n[guest.eth1]\nmtu = 1400\n",
            "has a wrong field: make_guest() got an unexpected keyword argument 'eth1'",
        ),
        ('about = "Nothing."', "has no request"),
    ],
)
def test_a_file_that_is_no_case_is_named_in_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    assert says in error_text(tmp_path, text)


def test_a_new_case_is_completed_on_request_and_fails_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REWRITE, "1")
    assert "is rewritten; read what it expects now" in error_text(tmp_path, GIVEN)
    written = tmp_path / "case.toml"
    assert written.read_text() == f"{GIVEN}{EXPECTED}"
    GoldenCase(written).check()
    monkeypatch.delenv(REWRITE)
    GoldenCase(written).check()


def test_rewriting_leaves_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = "[answers]\n# as it looks\n\"firewall\" = '''\n[[steps]]\nnotes = []\n'''\n"
    text = f'{GIVEN}notes = [\n  "old",\n]\n\n[[steps]]\nrun = "old"\n\n{answers}\n[error]\nsays = "old"\n'
    monkeypatch.setenv(REWRITE, "1")
    with pytest.raises(KeyError, match="firewall"):  # a bridge that exists reads no firewall
        case(tmp_path, text).check()
    found = {"notes": ["new"], "steps": [{"run": "new"}]}
    assert case_file.rewrite_case(text, found) == f'{GIVEN}notes = ["new"]\n\n{answers}\n[[steps]]\nrun = "new"\n'


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
steps = st.lists(st.fixed_dictionaries({"run": words}, optional={"undo": st.lists(words, min_size=1)}), min_size=1)


@given(st.fixed_dictionaries({"steps": steps}, optional={"notes": st.lists(words, min_size=1)}))
def test_what_is_written_is_read_as_it_was(found: dict[str, object]) -> None:
    text = case_file.rewrite_case(GIVEN, found)
    assert tomllib.loads(text) == tomllib.loads(GIVEN) | found
    assert case_file.rewrite_case(text, found) == text


def test_a_folder_without_cases_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no golden cases"):
        golden_cases(tmp_path)


def test_a_third_party_has_a_test_for_each_case(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("cases")
    (folder / "good.toml").write_text(GOOD)
    (folder / "sub").mkdir()
    (folder / "sub" / "bad.toml").write_text(GOOD.replace("veth1pl4242", "veth9"))
    pytester.makepyfile(
        """
        from pathlib import Path
        from pipework_core.testing import golden_cases

        @golden_cases(Path(__file__).parent / "cases")
        def test_plan(case):
            case.check()
        """
    )
    result = pytester.runpytest_inprocess("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*test_plan?good? PASSED*", "*test_plan?sub-bad? FAILED*", "+undo = *veth1pl4242*"])
    result.stdout.no_fnmatch_line("*golden.py*")


def test_a_plugin_in_hand_takes_part(tmp_path: Path) -> None:
    text = 'about = "A pair."\nrequest = ["pair:eth9", "web1", "0/0"]\nhost = [{ name = "eth9", up = true }]\n'
    assert "there is no backend of the kind 'pair'" in error_text(tmp_path, text)
    with pytest.raises(pytest.fail.Exception, match=r"\+run = .* type veth peer name eth1"):
        case(tmp_path, text)._replace(plugins=(toys.Pair(),)).check()


class Silent(toys.Pair):
    def plan(self, context: Context) -> Plan:
        del context
        return Plan()


class Curt(toys.Pair):
    def plan(self, context: Context) -> Plan:
        raise HostError(f"{context.guest.name} cannot have a pair.")


@pytest.mark.parametrize(
    ("plugin", "says"),
    [
        (Silent(), "comes to neither commands nor a note that says why there are none"),
        (Curt(), "comes to an error without a hint for the next step: web1 cannot have a pair."),
    ],
)
def test_what_no_user_should_meet_is_no_expectation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: object, says: str
) -> None:
    monkeypatch.setenv(REWRITE, "1")  # nor is it written into a case
    text = 'about = "A pair."\nrequest = ["pair:eth9", "web1", "0/0"]\nhost = [{ name = "eth9", up = true }]\n'
    one = case(tmp_path, text)._replace(plugins=(plugin,))
    with pytest.raises(pytest.fail.Exception, match=says):
        one.check()
    assert one.path.read_text() == text
