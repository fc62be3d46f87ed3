"""Bad policy files: one sentence with the place, a hint that works, and the policy that was good before stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError, PipeworkError, UsageError
from pipework_core.watch import policy_file
from pipework_core.watch.policy_file import has_key, load_policy, parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = "version: 1\ncontainers: [{match: {}, hosts: [br1]}]\n"


def rule(words: str) -> str:
    return f"version: 1\ncontainers:\n  - {{match: {{}}, {words}}}\n"


#: The text, where and what is told, and a word of the hint.
BAD = [
    ("", "1:1: the file is empty.", "version: 1"),
    ("# nothing\n", "1:1: the file is empty.", "version: 1"),
    ("- 1\n", "1:1: the file has to be keys with values", "keys with values"),
    ("containers: []\n", "1:1: the key 'version' is missing here.", "version"),
    ("version: 2\n", "1:10: 'version' cannot be 2.", "version: 1"),
    ("version: 1\nversion: 1\n", "2:1: 'version' is given twice, first in line 1.", "leave one"),
    ("version: 1\ncontainers:\n\t- {}\n", "3:1: a tab stands here", "spaces"),
    ("version: 1\ncontainers: [\n", "3:1: this is no YAML", "close the quotation or the bracket"),
    ("version: 1\ncontainers: *x\n", "2:13: *x stands for an anchor, and there is none.", "&x"),
    ("version: 1\ncontainers:\n - &a [*a]\n", "3:4: this holds itself", "leave the * out"),
    ("version: 1\n---\nversion: 1\n", "2:1: a second document begins here.", "without ---"),
    ("version: 1\ncontainers: !!python/object/apply:os.system [id]\n", "2:13: the tag", "leave out what begins with !"),
    ("version: 1\nkey: \x1b[2J\n", "2:6: a control character ('\\x1b') stands here.", "text file"),
    ("version: 1\nusers: []\n", "2:1: there is no key 'users' here.", "known are version"),
    ("version: 1\ncontainers: {}\n", "2:13: 'containers' has to be a list", "a list"),
    ("version: 1\ncontainers: [web]\n", "2:14: an item of this list has to be keys with values", "keys with values"),
    ("version: 1\ncontainers: [{hosts: [br1]}]\n", "2:14: the key 'match' is missing here.", "match"),
    ("version: 1\ncontainers: [{match: {name: 5}}]\n", "2:29: 'name' has to be text", "'5'"),
    ("version: 1\ncontainers: [{match: {name: null}}]\n", "2:29: 'name' has to be text", "write a value"),
    ("version: 1\ncontainers: [{match: {name: [a]}}]\n", "2:29: 'name' has to be text", "write text"),
    ("version: 1\ncontainers: [{match: {name: ''}}]\n", "2:29: an empty pattern is like nothing.", "write *"),
    ("version: 1\ncontainers: [{match: {label: =x}}]\n", "2:30: this names no label.", "KEY=VALUE"),
    ("version: 1\ncontainers: [{match: {colour: red}}]\n", "2:23: there is no key 'colour' here.", "known are name"),
    (rule("hosts: br1"), "3:24: 'hosts' has to be a list", "a list"),
    (rule("hosts: [5]"), "3:25: an item of this list has to be text", "'5'"),
    (rule("hosts: ['']"), "3:25: an empty pattern is like nothing.", "write *"),
    (rule("interfaces: ['eth[1-9']"), "3:30: 'eth[1-9' opens a [ that nothing closes.", "[[]"),
    (rule("interfaces: ['eth[9-1]']"), "3:30: [9-1] ends before it begins.", "[1-9]"),
    (rule("addresses: [192.168.1.5/24]"), "3:29: 192.168.1.5/24 has host bits set.", "192.168.1.0/24"),
    (rule("addresses: [dhclient]"), "3:29: 'dhclient' does not appear to be an IPv4 or IPv6 network.", "dhcp, auto"),
    (rule("gateways: [any]"), "3:28: 'any' does not appear to be an IPv4 or IPv6 address.", "router"),
    (rule("vlans: [0]"), "3:25: '0' is no VLAN.", "20-29"),
    (rule("vlans: [9-3]"), "3:25: 9-3 ends before it begins.", "20-29"),
    (rule("vlans: [010]"), "3:25: 010 begins with 0", "write 10"),
    (rule("vlans: ['1-99999999999']"), "3:25: '1-99999999999' is no VLAN.", "20-29"),
    (rule("macs: all"), "3:23: 'macs' cannot be 'all'.", "own or any"),
    (rule("create: maybe"), "3:25: 'create' cannot be 'maybe'.", "yes or no"),
    (rule("from_image: yes"), "3:17: there is no key 'from_image' here.", "from-image?"),
    (rule("max: -1"), "3:22: max cannot be -1.", "0 to 256"),
    (rule("max: 9999999999"), "3:22: max cannot be 9999999999.", "0 to 256"),
    ("version: 1\nenvironment: on\n", "2:14: 'environment' cannot be 'on'.", "yes or no"),
    ("version: 1\nkey: ''\n", "2:6: the key is empty.", "leave key out"),
    ("version: 1\nkey: file:key\n", "2:6: the file of the key has no absolute path.", "file:/etc"),
    ("version: 1\nkey: file:/nonexistent\n", "2:6: /nonexistent cannot be read: No such file", "root can read"),
    ('version: 1\nkey: "file:/a\\0b"\n', "2:6: /a\x00b cannot be read: that is no name of a file.", "root can read"),
    ("version: 1\nkey: file:/etc\n", "2:6: /etc cannot be read: Is a directory.", "root can read"),
]


@pytest.mark.parametrize(("text", "said", "hint"), BAD, ids=lambda text: ascii(text)[:50])
def test_a_bad_text_is_one_sentence_with_its_place(text: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as wrong:
        parse_policy(text, "policy.yaml")
    assert "policy.yaml:" in str(wrong.value)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert hint in wrong.value.hint


def test_what_hints_advise_is_taken() -> None:
    taken = parse_policy(
        rule("interfaces: ['eth[1-9]', 'a[[]b', '[!a]*', '[]x]'], vlans: [20-29], macs: own, create: yes, max: 256"),
        "policy.yaml",
    ).rules[0]
    assert taken.interfaces == ("eth[1-9]", "a[[]b", "[!a]*", "[]x]")
    assert (len(taken.vlans), taken.create, taken.most) == (10, True, 256)


def make_pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_binary(path: Path) -> None:
    path.write_bytes(b"version: \xff\n")


def make_huge(path: Path) -> None:
    path.write_text(GOOD + "# and more\n" * 200_000)


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_pipe, "is no file"),
        (make_folder, "Is a directory"),
        (make_binary, "is not UTF-8"),
        (make_huge, "is larger than 1 MiB"),
        (make_loop, "Too many levels of symbolic links"),
        (make_dangling, "No such file or directory"),
    ],
)
def test_what_is_no_file_of_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "policy.yaml"
    make(path)
    monkeypatch.setattr(policy_file, "DEFAULT_FILE", str(path))  # which need not be there: but something is
    path_only = str(path)
    with pytest.raises(UsageError, match=said) as wrong:
        load_policy(path_only)
    assert wrong.value.hint


def make_own(folder: Path, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True, mode=0o755)
    path = folder / "policy.yaml"
    path.write_text(GOOD)
    path.chmod(mode)
    return path


def test_who_can_change_a_folder_can_change_the_file(tmp_path: Path) -> None:
    path = make_own(tmp_path / "etc")
    assert load_policy(str(path)).is_given
    path.parent.chmod(0o777)
    with pytest.raises(HostError, match="can be changed by others than root, who may write") as wrong:
        load_policy(str(path))
    assert wrong.value.hint == f"chown -h root {path.parent}; chmod go-w {path.parent}"
    path.parent.chmod(0o1777)  # as /tmp: nobody can replace what is another's
    assert load_policy(str(path)).is_given


def test_a_link_is_as_good_as_the_folder_it_is_in(tmp_path: Path) -> None:
    path = make_own(tmp_path / "etc")
    link = tmp_path / "links" / "policy.yaml"
    link.parent.mkdir()
    link.symlink_to("../etc/policy.yaml")
    assert load_policy(str(link)).is_given
    path.parent.chmod(0o777)
    with pytest.raises(HostError, match=f"who may write {path.parent}"):
        load_policy(str(link))
    path.parent.chmod(0o755)
    link.parent.chmod(0o777)
    with pytest.raises(HostError, match=f"who may write {link.parent}"):
        load_policy(str(link))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_link_of_somebody_else_leads_nowhere(tmp_path: Path) -> None:
    path = make_own(tmp_path / "etc")
    link = tmp_path / "policy.yaml"
    link.symlink_to(path)
    os.chown(link, 12345, 0, follow_symlinks=False)
    with pytest.raises(HostError, match=f"who may write {link}"):
        load_policy(str(link))


def test_a_key_that_others_can_write_or_that_is_empty_is_none(tmp_path: Path) -> None:
    key = tmp_path / "key"
    text = f"version: 1\nkey: file:{key}\n"
    for content, mode, said in ((" \n", 0o600, "the key is empty"), ("s3cret", 0o666, "can be changed by others")):
        key.write_text(content)
        key.chmod(mode)
        with pytest.raises(PipeworkError, match=said) as wrong:
            parse_policy(text, "policy.yaml")
        assert "policy.yaml:2:6: " in str(wrong.value)
    key.chmod(0o600)
    policy = parse_policy(text, "policy.yaml")
    assert has_key(policy, "s3cret")
    assert not any(has_key(policy, given) for given in ("", "s3cre", "s3cret ", "\ud800", "x" * 100_000))
