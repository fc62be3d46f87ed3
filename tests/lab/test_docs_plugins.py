"""docs/plugins.md: every block of it is run, section by section, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pipework_core.plugins import validation

from .host import PrivateHost, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
TEXT = PAGE.read_text("utf-8")
#: A block that begins so is a file of that name.
FILE = re.compile(r"# ([\w/.-]+\.(?:py|toml))\n")


class Block(NamedTuple):
    """A block: the `##` section it is in, the number of its first line, its language and its text."""

    section: str
    line: int
    language: str
    text: str


def blocks() -> Iterator[Block]:
    section, opened, language = "", 0, ""
    found: list[str] = []
    for number, line in enumerate(TEXT.splitlines(keepends=True), 1):
        if not opened and line.startswith("## "):
            section = line.removeprefix("## ").strip()
        if line.startswith("```"):
            if opened:
                yield Block(section, opened + 1, language, "".join(found))
            opened, language, found = (0 if opened else number), line.strip("`\n"), []
        elif opened:
            found.append(line)


BLOCKS = list(blocks())
SECTIONS = list(dict.fromkeys(block.section for block in BLOCKS))


class Reader:
    """Somebody who does what a section says, in a folder of his own and, as root, on a private host."""

    def __init__(self, folder: Path, host: PrivateHost) -> None:
        self.folder, self.host = folder, host
        site = folder / "site"
        path = os.pathsep.join((str(Path(sys.executable).parent), host.environment()["PATH"]))
        # pip without a network, and into a folder: what a reader's own virtual environment is for.
        pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_TARGET": str(site), "PIP_NO_BUILD_ISOLATION": "0"}
        self.env = {"PYTHONPATH": str(site), "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "COLUMNS": "80", **pip}
        self.host.env |= {"PYTHONPATH": str(site), "PATH": path}
        self.names: dict[str, object] = {"__name__": "reader"}

    def do(self, block: Block) -> None:
        file = FILE.match(block.text)
        if file and block.language in {"python", "toml"}:
            path = self.folder / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif block.language == "python":
            # The page's own line numbers, so that a failure leads to the line.
            code = compile("\n" * (block.line - 1) + block.text, str(PAGE), "exec", dont_inherit=True)
            exec(code, self.names)  # noqa: S102 - our own page
        elif block.language == "console":
            for command, said in dialogue(block.text):
                self.type(command, said, block)
        else:
            pytest.fail(f"line {block.line}: nobody runs a block of {block.language or 'no language'}")

    def type(self, command: str, expected: str, block: Block) -> None:
        """Run a command and hold what it says, on both streams, against the page."""
        prompt, _, words = command.partition(" ")
        if prompt == "#":
            done = self.host.run("sh", "-c", f"cd '{self.folder}'; exec 2>&1; {words}", check=False)
        else:
            env = clean_environment() | self.env
            done = subprocess.run(  # noqa: S602 - a shell is what a reader has
                f"exec 2>&1; {words}", shell=True, cwd=self.folder, env=env, capture_output=True, text=True, check=False
            )
        assert (done.returncode == 0) is ("error:" not in expected), f"line {block.line}: {command}\n{done.stdout}"
        assert re.fullmatch(pattern(expected), done.stdout), f"line {block.line}: {command}\n{done.stdout}"


def dialogue(text: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with its prompt and with what is printed behind it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(("$ ", "# ")):
            found.append((line.strip(), ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def pattern(expected: str) -> str:
    """Return what matches an output in which `...` stands for anything, and alone on a line for any lines or none."""
    lines = (r"(?:.*\n)*?" if line == "...\n" else re.escape(line) for line in expected.splitlines(keepends=True))
    return "".join(lines).replace(re.escape("..."), ".*")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_can_be_followed(section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with PrivateHost(user=True) as host:
        reader = Reader(tmp_path, host)
        for block in BLOCKS:
            if block.section == section:
                reader.do(block)


def test_every_hook_has_a_row_with_its_arguments() -> None:
    rows = "\n".join(re.findall(r"^\| (`pipework_\w+\([^|]*) \|", TEXT, re.MULTILINE))
    hooks = {name: tuple(filter(None, words.split(", "))) for name, words in re.findall(r"`(\w+)\((.*?)\)`", rows)}
    assert hooks == validation.list_hooks()


def test_the_page_is_short_and_imports_public_names_alone() -> None:
    assert len(TEXT.splitlines()) <= 500
    code = "\n".join(block.text for block in BLOCKS if block.language == "python")
    assert set(re.findall(r"^from (pipework_\w+[.\w]*) import", code, re.MULTILINE)) == {
        "pipework_core.api",
        "pipework_core.testing",
    }


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", TEXT))))
def test_no_link_leads_nowhere(link: str) -> None:
    assert (PAGE.parent / link).exists()
