"""A caller may have closed stdin, stdout or stderr, as daemons and `>&-` do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .host import PrivateHost


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_an_attachment_works_with_streams_closed(user_host: PrivateHost, closed: str) -> None:
    guest = user_host.netns("web1")
    attach = ("-m", "pipework_core", "br1", guest, "192.168.1.1/24")
    user_host.run("sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-P", *attach)
    assert "192.168.1.1/24" in user_host.run("ip", "-n", guest, "-br", "address", "show", "dev", "eth1").stdout


def test_a_tool_in_the_guest_is_run_with_stdout_closed(user_host: PrivateHost) -> None:
    guest = user_host.netns("web1")
    route = ("-m", "pipework_core", "route", guest, "show", "table", "all")
    done = user_host.run("sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-P", *route)
    assert done.stderr == ""


def test_a_watcher_ends_when_nobody_reads_it(user_host: PrivateHost) -> None:
    watch = f"{sys.executable} -P -m pipework_core watch -f /run/lab/file.yaml --for 60"
    user_host.write("/run/lab/file.yaml", f"version: 1\nlinks:\n  - br1 {user_host.netns('web1')} 192.168.1.1/24\n")
    done = user_host.run("sh", "-c", f"{watch} | true; echo ended", timeout=30)
    assert (done.stdout, done.stderr) == ("ended\n", "")
