"""Coalescing: what is batched comes out as it went in, and line N is command N."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipework_core.model.plan import Command, Netns, Outcome
from pipework_drivers import batch

BLUE = Netns(path="/run/netns/blue")
NAMESPACES = st.sampled_from([None, BLUE, Netns(path="/run/netns/red")])
#: Words with what the batch syntax treats specially far more often than chance would have it.
WORDS = st.text(
    st.sampled_from("ab/:=-#'\"\\ \t\n\r\v\f\x1c\x85\u00a0é\udcff;$*") | st.characters(codec="utf-8"), max_size=8
)
WORDS = WORDS.filter(lambda word: "\0" not in word)


def ip(*words: str, netns: Netns | None = None) -> Command:
    return Command(argv=("ip", *words), netns=netns)


def vsctl(*words: str) -> Command:
    return Command(argv=("ovs-vsctl", *words))


commands = st.builds(
    lambda program, options, words, netns: Command(argv=(program, *options, *words), netns=netns),
    st.sampled_from(["ip", "ip", "ip", "ovs-vsctl", "ovs-vsctl", "bridge"]),
    st.sampled_from([(), (), ("-4",), ("-6",), ("--timeout=5",), ("-family", "inet"), ("--", "--may-exist")]),
    st.lists(WORDS, max_size=5),
    NAMESPACES,
)


def as_the_tool_reads(group: batch.Group) -> list[tuple[str, ...]]:
    """Take a group apart as the tool does: a batch by lines and blanks, a transaction at `--`."""
    if len(group.commands) == 1:
        return [group.argv]
    if group.argv[0] == "ip":
        assert group.stdin is not None
        assert group.argv[-2:] == ("-batch", "-")
        lines = group.stdin.split("\n")
        assert lines.pop() == ""
        return [("ip", *group.argv[1:-2], *shlex.split(line)) for line in lines]
    raise AssertionError(group)


@given(st.lists(commands, max_size=8))
def test_order_and_count_are_kept(given_commands: list[Command]) -> None:
    groups = batch.group_commands(given_commands)
    assert [command for group in groups for command in group.commands] == given_commands
    assert all(group.netns == command.netns for group in groups for command in group.commands)
    assert all(group.argv[0] == command.argv[0] for group in groups for command in group.commands)


@given(st.lists(st.builds(lambda words: ip("x", *words), st.lists(WORDS, max_size=5)), min_size=2, max_size=6))
def test_every_word_of_a_batch_comes_back_as_it_was(given_commands: list[Command]) -> None:
    for group in batch.group_commands(given_commands):
        assert as_the_tool_reads(group) == [command.argv for command in group.commands]


UNSAFE = st.sampled_from(["", *" \t\n\r\v\f\x1c\x85\u00a0#'\"\\"])


@given(WORDS, UNSAFE, WORDS)
def test_unsafe_words_are_never_batched(before: str, unsafe: str, behind: str) -> None:
    word = f"{before}{unsafe}{behind}" if unsafe else ""
    groups = batch.group_commands(
        [ip("link", "show"), ip("link", "set", "dev", "x", "alias", word), ip("link", "show")]
    )
    assert [len(group.commands) for group in groups] == [1, 1, 1]
    assert groups[1].argv[-1] == word


def test_neighbours_become_one_process() -> None:
    (group,) = batch.group_commands([ip("link", "add", "a"), ip("link", "set", "a", "up")])
    assert group.argv == ("ip", "-batch", "-")
    assert group.stdin == "link add a\nlink set a up\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ip("link"), ip("link", netns=BLUE)),
        (ip("link"), ip("-6", "route")),
        (ip("-family", "inet", "route", "show"), ip("-family", "inet", "rule", "show")),
        (ip("-force", "link"), ip("-force", "link")),
        (ip(), ip()),
        (ip("link", *"x" * 100), ip("link", *"x" * 100)),
        (ip("link"), vsctl("list-br")),
        (vsctl("--timeout=1", "list-br"), vsctl("--timeout=2", "list-br")),
        (vsctl("--timeout=1"), vsctl("--timeout=1")),
        (Command(argv=("bridge", "vlan")), Command(argv=("bridge", "vlan"))),
        (Command(argv=("ip", "link"), stdin="x"), Command(argv=("ip", "link"), stdin="x")),
        (Command(argv=("ip", "link"), expect=""), Command(argv=("ip", "link"), expect="")),
        (Command(argv=("ip", "link"), ok_codes=frozenset({0, 2})), ip("link")),
        (Command(argv=("ip", "link"), guard=ip("link")), ip("link")),
    ],
    ids=str,
)
def test_what_does_not_belong_together_runs_alone(first: Command, second: Command) -> None:
    groups = batch.group_commands([first, second])
    assert [group.argv for group in groups] == [first.argv, second.argv]
    assert [group.stdin for group in groups] == [first.stdin, second.stdin]


def test_a_transaction_keeps_what_belongs_to_each_command() -> None:
    (group,) = batch.group_commands(
        [
            vsctl("--timeout=5", "--", "--may-exist", "add-br", "b -- r"),
            vsctl("--timeout=5", "--if-exists", "del-port", "p"),
            vsctl("--timeout=5", "add-port", "b", "p", "--", "set", "port", "p", "tag=3"),
        ]
    )
    assert group.argv == (
        *("ovs-vsctl", "--timeout=5"),
        *("--", "--may-exist", "add-br", "b -- r"),
        *("--", "--if-exists", "del-port", "p"),
        *("--", "add-port", "b", "p", "--", "set", "port", "p", "tag=3"),
    )


@given(st.integers(1, 9), st.integers(1, 9), st.text(max_size=20))
def test_line_n_is_command_n(count: int, line: int, said: str) -> None:
    assume(line <= count)
    assume("Command failed" not in said)
    (group,) = batch.group_commands([ip("link", "show", f"eth{n}") for n in range(count)])
    report = f"{said}\nCommand failed -:{line}\n" if count > 1 else said
    found = batch.split_outcome(group, Outcome(code=1, stderr=report))
    assert [outcome.code for outcome in found] == [0] * (line - 1) + [1] if count > 1 else [1]
    assert found[-1].stderr == (said.strip() if count > 1 else said)


def two() -> batch.Group:
    (group,) = batch.group_commands([ip("link"), ip("rule")])
    return group


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [
        (Outcome(code=0), [0, 0]),
        (Outcome(code=1, stderr="nsenter: cannot open /proc/self/fd/9"), [1]),
        (Outcome(code=1, stderr="Command failed -:1\nCommand failed -:2\n"), [0, 1]),
        (Outcome(code=1, stderr="Command failed -:7\n"), [0, 1]),
        (Outcome(code=124), [0, 124]),
        (Outcome(code=-9), [0, -9]),
    ],
)
def test_a_batch_that_ends_oddly(outcome: Outcome, codes: list[int]) -> None:
    """One that never started did nothing; one that was cut short may have done all; else the last line named counts."""
    assert [each.code for each in batch.split_outcome(two(), outcome)] == codes


def question(name: str) -> Command:
    return Command(argv=("ovs-vsctl", "--timeout=5", "get", "interface", name, "error"), expect="[]")


def test_questions_to_the_switch_share_a_process_and_each_gets_its_line() -> None:
    asked = [question("a"), question("b")]
    (group,) = batch.group_commands(asked)
    said = Outcome(code=0, stdout="[]\n[]\n")
    assert [outcome.stdout.strip() for outcome in batch.split_outcome(group, said)] == ["[]", "[]"]


def test_the_first_answer_that_is_not_as_expected_is_the_last() -> None:
    (group,) = batch.group_commands([question(name) for name in "abc"])
    said = Outcome(code=0, stdout='[]\n"could not open"\n[]\n')
    assert [outcome.stdout for outcome in batch.split_outcome(group, said)] == ["[]\n", '"could not open"\n']


def test_answers_that_cannot_be_told_apart_are_no_answers() -> None:
    (group,) = batch.group_commands([question(name) for name in "abc"])
    (outcome,) = batch.split_outcome(group, Outcome(code=0, stdout="[]\n[]\n"))
    assert outcome.stdout != "[]\n"


def test_questions_and_changes_are_two_processes() -> None:
    assert len(batch.group_commands([vsctl("--timeout=5", "add-port", "br", "a"), question("a")])) == 2


def test_a_transaction_of_many_commands_has_more_time() -> None:
    (few,) = batch.group_commands([vsctl("--timeout=5", "add-port", "br", str(number)) for number in range(3)])
    (many,) = batch.group_commands([vsctl("--timeout=5", "add-port", "br", str(number)) for number in range(300)])
    assert (few.argv[1], many.argv[1]) == ("--timeout=5", "--timeout=20")


def nbctl(*words: str, db: str = "tcp:h:6641", **more: object) -> Command:
    return Command(argv=("ovn-nbctl", f"--db={db}", "--timeout=5", *words), **more)  # type: ignore[arg-type] # any field of a command


def test_ports_of_one_northbound_database_are_one_transaction() -> None:
    adds = [nbctl("--", "--may-exist", "lsp-add", "blue", name) for name in "ab"]
    (group,) = batch.group_commands(adds)
    words = [("--", "--may-exist", "lsp-add", "blue", name) for name in "ab"]
    assert group.argv == ("ovn-nbctl", "--db=tcp:h:6641", "--timeout=5", *words[0], *words[1])
    assert len(batch.group_commands([adds[0], nbctl("--", "lsp-del", "b", db="tcp:other:6641")])) == 2
    keys = ("--private-key=/k", "--certificate=/c", "--ca-cert=/a")
    (secret,) = batch.group_commands([nbctl(*keys, "--", "lsp-del", name) for name in "ab"])
    assert secret.argv.count("--private-key=/k") == 1
    assert batch.has_failed_whole(group, Outcome(code=1, stderr="ovn-nbctl: b: duplicate IPv4 address"))


def test_a_transaction_of_many_ports_has_more_time() -> None:
    (group,) = batch.group_commands([nbctl("--", "lsp-del", str(number)) for number in range(60)])
    assert "--timeout=8" in group.argv


def test_what_is_made_unless_it_is_there_is_made_once() -> None:
    make = Command(argv=("ovsdb-client", "transact", "tcp:h:1", "[]"))
    other = Command(argv=("ovsdb-client", "transact", "tcp:h:1", "[1]"))
    groups = batch.group_commands([make, make, make, other])
    assert [(group.argv, len(group.commands)) for group in groups] == [(make.argv, 3), (other.argv, 1)]
    assert batch.split_outcome(groups[0], Outcome(0, "[{}]")) == [Outcome(0)] * 3
    assert batch.has_failed_whole(groups[0], Outcome(1, "", "no connection"))
    asked = make._replace(expect="[]")
    assert [len(group.commands) for group in batch.group_commands([asked, asked])] == [1, 1]


def test_who_finds_what_nobody_should_is_asked_again() -> None:
    questions = [nbctl("--bare", "--", "find", "Logical_Switch_Port", f"name={name}", expect="") for name in "ab"]
    (group,) = batch.group_commands(questions)
    assert group.argv.count("--bare") == 1
    assert not batch.has_failed_whole(group, Outcome(code=0))
    assert [outcome.stdout for outcome in batch.split_outcome(group, Outcome(code=0, stdout="\n"))] == ["", ""]
    assert batch.has_failed_whole(group, Outcome(code=0, stdout="h/x/eth1\n"))
    asks = nbctl("--", "get", "Logical_Switch_Port", "a", "up", expect="true")
    assert len(batch.group_commands([*questions, asks])) == 2
