"""Requests and answers of the ssh driver, byte by byte."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_drivers.ssh.protocol import Answers, Job, command_line, make_request

NONCE = "ab" * 16
WORDS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


def frame(words: str) -> bytes:
    return f"\n{NONCE} {words}\n".encode()


def answer(number: int, *jobs: tuple[bytes, int]) -> bytes:
    said = b"".join(frame("began 12.34") + body + frame(f"ended {code}") for body, code in jobs)
    return said + frame(f"finished {number}")


@given(st.lists(WORDS, min_size=1))
def test_every_word_comes_out_as_it_went_in(words: list[str]) -> None:
    line = command_line(words, held=[9], closed=[3])
    assert shlex.split(line) == [*words, "</dev/null", "9<&9", "3<&-"]


def test_a_request_runs_only_when_all_of_it_has_come() -> None:
    text = make_request(7, [Job("one"), Job("two", good=frozenset({1, 0}))]).decode()
    assert text.startswith("request() {\n")
    assert text.endswith("\n:\n}\nrequest; finished 7\n")
    assert 'ended "$?" || return 0\n' in text
    assert 'ended "$?" 0 1 || return 0\n' in text


@pytest.mark.parametrize("body", [b"", b"x", b"\n", b"a\n\n", b"\0\xff\n", f"\n{'cd' * 16} ended 1\n".encode()])
@pytest.mark.parametrize("code", [0, 1, 255])
def test_what_programs_say_is_taken_as_it_is(body: bytes, code: int) -> None:
    answers = Answers(NONCE)
    answers.add_bytes(answer(1, (body, code), (b"second", 0)), answer(1, (b"", code), (body, 0)))
    found = answers.find_answer(1)
    assert found is not None
    assert [(o.code, o.stdout.encode(errors="surrogateescape"), o.asked) for o in found] == [
        (code, body, 12.34),
        (0, b"second", 12.34),
    ]
    assert found[1].stderr.encode(errors="surrogateescape") == body


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 255)), max_size=4), st.data())
def test_it_does_not_matter_in_what_pieces_it_comes(jobs: list[tuple[bytes, int]], data: st.DataObject) -> None:
    whole = answer(1, *jobs)
    cut = data.draw(st.integers(0, len(whole)))
    answers = Answers(NONCE)
    answers.add_bytes(whole[:cut], whole)
    if cut < len(whole):
        assert answers.find_answer(1) is None
    answers.add_bytes(whole[cut:], b"")
    found = answers.find_answer(1)
    assert found is not None
    assert [outcome.stdout.encode(errors="surrogateescape") for outcome in found] == [body for body, _ in jobs]


def test_noise_before_and_between_is_left_out() -> None:
    answers = Answers(NONCE)
    answers.add_bytes(b"Welcome!\n" + answer(1, (b"a", 0)) + b"noise" + answer(2, (b"b", 0)), answer(1, (b"", 0)))
    first = answers.find_answer(1)
    assert first is not None
    assert first[0].stdout == "a"
    assert answers.find_answer(2) is None
    assert "noise" in answers.rest[0]
    answers.add_bytes(b"", answer(2, (b"", 0)))
    second = answers.find_answer(2)
    assert second is not None
    assert second[0].stdout == "b"


@pytest.mark.parametrize(("said", "code"), [(128, 128), (129, -1), (137, -9), (143, -15), (192, -64), (193, 193)])
def test_what_a_signal_ended_has_a_negative_code(said: int, code: int) -> None:
    answers = Answers(NONCE)
    answers.add_bytes(answer(1, (b"", said)), answer(1, (b"", said)))
    found = answers.find_answer(1)
    assert found is not None
    assert found[0].code == code


@pytest.mark.parametrize(
    "out",
    [frame("began 1") + frame("finished 1"), frame("ended 0") + frame("began 1") + frame("finished 1"), answer(1)],
)
def test_streams_that_do_not_fit_are_refused(out: bytes) -> None:
    answers = Answers(NONCE)
    answers.add_bytes(out, answer(1, (b"", 0)))
    with pytest.raises(ValueError, match=r"order|shorter|longer"):
        answers.find_answer(1)
