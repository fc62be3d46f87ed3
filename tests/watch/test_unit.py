"""The unit for systemd: the file in the package, started by whatever runs this pipework."""

from __future__ import annotations

import pytest

from pipework_core.watch import unit


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/usr/bin/pipework",), "/usr/bin/pipework"),
        (("/opt/p/bin/python3", "-P", "-m", "pipework_core"), "/opt/p/bin/python3 -P -m pipework_core"),
        (("/usr/bin/python3", "/srv/my tools/pipework.pyz"), '/usr/bin/python3 "/srv/my tools/pipework.pyz"'),
        (("/srv/100%/$x/python3",), '"/srv/100%%/$$x/python3"'),
        (('/a"b\\c/python3',), '"/a\\"b\\\\c/python3"'),
    ],
)
def test_the_unit_is_the_file_with_another_command(command: tuple[str, ...], words: str) -> None:
    before, after = unit.FILE.read_text().splitlines(), unit.make_unit(command).splitlines()
    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert f"ExecStart={words} watch" in after
    assert differing in ([], [("ExecStart=/usr/bin/pipework watch", f"ExecStart={words} watch")])
