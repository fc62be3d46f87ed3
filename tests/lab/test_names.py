"""The kernel agrees with `names.interface_name`: what we accept it accepts, what we say it refuses it refuses."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipework_core.model.errors import UsageError
from pipework_core.model.names import interface_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PrivateHost

#: Parts of the reasons for which we refuse names that the kernel may take.
OURS = ("which every tool would read as an option", "cannot be printed")


class Kernel:
    """A kernel that is asked for interfaces of any name, each once."""

    def __init__(self, host: PrivateHost) -> None:
        program = (sys.executable, "-I", "-S", str(Path(__file__).with_name("link_maker.py")))
        self.process = host.popen(*program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answers: dict[str, int] = {}

    def makes(self, name: str) -> int:
        """Return 0 when the kernel made an interface of that name, else an errno, or -1 for one of another name."""
        if name not in self.answers:
            assert self.process.stdin
            assert self.process.stdout
            self.process.stdin.write(os.fsencode(name).hex() + "\n")
            self.process.stdin.flush()
            self.answers[name] = int(self.process.stdout.readline())
        return self.answers[name]


@pytest.fixture
def kernel(user_host: PrivateHost) -> Iterator[Kernel]:
    asked = Kernel(user_host)
    yield asked
    asked.process.kill()


def check(kernel: Kernel, name: str) -> None:
    """Compare our judgement of a name with the kernel's."""
    said = ""
    try:
        interface_name(name)
    except UsageError as error:
        said = str(error)
    if not said:
        assert kernel.makes(name) == 0
    elif not any(reason in said for reason in OURS):
        assert kernel.makes(name) not in {0, errno.EPERM, errno.EEXIST}, said


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("eth1", {0}),
        ("name15bytes.lng", {0}),
        ("42", {0}),
        ("=x", {0}),
        ("...", {0}),
        ("ü1", {0}),
        ("-eth1", {0}),
        ("a\x1b", {0}),
        ("a\u2003b", {0}),
        ("", {-1, errno.EINVAL}),
        ("sixteen-bytes-xx", {errno.ERANGE, errno.EINVAL}),
        ("üüüüüüüü", {errno.ERANGE, errno.EINVAL}),
        (".", {errno.EINVAL}),
        ("..", {errno.EINVAL}),
        ("all", {errno.EINVAL}),
        ("default", {errno.EINVAL}),
        ("a/b", {errno.EINVAL}),
        ("a:b", {errno.EINVAL}),
        ("a b", {errno.EINVAL}),
        ("a\tb", {errno.EINVAL}),
        ("a\vb", {errno.EINVAL}),
        ("à", {errno.EINVAL}),
        ("eth%d", {-1}),
        ("eth%s", {errno.EINVAL}),
    ],
)
def test_the_kernel_says_so(kernel: Kernel, name: str, answers: set[int]) -> None:
    assert kernel.makes(name) in answers
    check(kernel, name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    name=st.one_of(
        st.text("abcxyz019.-_@#=+~^!?*()[]{}<>|&;'\"$`\\,üàß中 /:%d\t\n", max_size=17),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=17),
    )
)
def test_the_kernel_agrees_about_any_name(kernel: Kernel, name: str) -> None:
    if name != "lo":
        check(kernel, name)


def test_every_byte_of_a_name(kernel: Kernel) -> None:
    for number in range(1, 256):
        check(kernel, f"a{os.fsdecode(bytes([number]))}")


def test_every_character_of_two_bytes(kernel: Kernel) -> None:
    """0xa0, which the kernel takes for white space, is the second byte of some letters."""
    for number in range(0x80, 0x180):
        check(kernel, chr(number))
