"""Batches against the real parser of `ip -batch`: words go in and come out of the kernel unchanged."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core.model.plan import Command
from pipework_drivers import batch
from pipework_drivers.local.driver import LiveDriver

if TYPE_CHECKING:
    from .host import PrivateHost

#: Everything that any parser could take for something else; a word of an alias each.
WORDS = (
    *"abc/:=-;$*~|&<>(){}[]!%^?@,.+_`",
    *("#", "a#b", "'", "a'b", '"', 'a"b', "\\", "a\\", "\\n", "a\\ b", " ", "a b", " a", "a ", "\t", "a\tb"),
    *(
        "\n",
        "a\nb",
        "\r",
        "a\rb",
        "\v",
        "\f",
        "a\x1cb",
        "a\x85b",
        "a\u00a0b",
        "é",
        "\u2028",
        "-4",
        "--",
        "help",
        "$(id)",
    ),
    "x" * 255,
    os.fsdecode(b"caf\xe9"),
)


def main() -> None:
    """Give an interface each alias by way of the driver, and print what the kernel has, in between two good lines."""
    driver = LiveDriver()
    driver.apply_list([Command(argv=("ip", "link", "add", "name", "a0", "type", "bridge"))], stop=lambda: False)
    for number, word in enumerate(WORDS):
        lines = [
            ("ip", "link", "set", "dev", "a0", "mtu", str(1000 + number)),
            ("ip", "link", "set", "dev", "a0", "alias", word),
            ("ip", "link", "set", "dev", "a0", "group", str(2000 + number)),
        ]
        commands = [Command(argv=argv) for argv in lines]
        outcomes = driver.apply_list(commands, stop=lambda: False)
        link = Path("/sys/class/net/a0")
        kept = os.fsdecode((link / "ifalias").read_bytes())
        numbers = [int((link / name).read_text(), 0) for name in ("mtu", "netdev_group")]
        codes = [outcome.code for outcome in outcomes]
        print(
            json.dumps(
                {
                    "word": word,
                    "kept": kept,
                    "numbers": numbers,
                    "codes": codes,
                    "processes": len(batch.group_commands(commands)),
                }
            )
        )


def seen(host: PrivateHost) -> list[dict[str, object]]:
    done = host.run(sys.executable, __file__)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_alias_comes_back_from_the_kernel_as_it_was_given(user_host: PrivateHost) -> None:
    rows = seen(user_host)
    assert [row["word"] for row in rows] == list(WORDS)
    for number, row in enumerate(rows):
        assert row["codes"] == [0, 0, 0], row
        assert row["kept"] == f"{row['word']}\n", row
        assert row["numbers"] == [1000 + number, 2000 + number], row
    # Both ways were taken: most words stand in a batch, and those that cannot have a process of their own.
    assert {row["processes"] for row in rows} == {1, 3}


def test_the_line_that_fails_is_the_command_that_is_named(user_host: PrivateHost) -> None:
    script = (
        "import json\nfrom pipework_core.model.plan import Command\n"
        "from pipework_drivers.local.driver import LiveDriver\n"
        "lines = ['link add name a0 type bridge', 'link set dev a0 alias x']\n"
        "lines += ['link set dev nowhere up', 'link set dev a0 up']\n"
        "commands = [Command(argv=('ip', *line.split())) for line in lines]\n"
        "outcomes = LiveDriver().apply_list(commands, stop=lambda: False)\n"
        "print(json.dumps([[outcome.code, outcome.error_text] for outcome in outcomes]))"
    )
    outcomes = json.loads(user_host.run(sys.executable, "-c", script).stdout)
    assert outcomes == [[0, ""], [0, ""], [1, 'Cannot find device "nowhere"']]
    assert '"UP"' not in user_host.run("ip", "-json", "link", "show", "dev", "a0").stdout


if __name__ == "__main__":
    main()
