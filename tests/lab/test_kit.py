"""The kit's private host as a fixture, and runs that are really recorded in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.testing import recorded_run
from pipework_core.testing.golden import REWRITE

from .parts import require

if TYPE_CHECKING:
    from pathlib import Path

    from .host import PrivateHost

pytest_plugins = ["pytester"]

ATTACH = "br1 netns:blue 10.0.0.1/24@10.0.0.254,fd00::1/64"


def prepare(host: PrivateHost) -> None:
    host.netns("blue")


@pytest.mark.parametrize("request_line", [ATTACH, "detach netns:blue"])
def test_a_run_is_recorded_on_request_and_played_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_line: str
) -> None:
    require("userns")
    file = tmp_path / "run.json"

    def prepared(host: PrivateHost) -> None:
        prepare(host)
        if request_line != ATTACH:
            host.pipework(*ATTACH.split())

    monkeypatch.setenv(REWRITE, "1")
    with pytest.raises(pytest.fail.Exception, match=r"run.json is recorded anew; look at it, .* PIPEWORK_REWRITE$"):
        recorded_run(file, request_line, prepare=prepared)
    monkeypatch.delenv(REWRITE)
    assert len(recorded_run(file, request_line).all_steps) > 1


def test_a_run_that_failed_is_recorded_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("userns")
    monkeypatch.setenv(REWRITE, "1")
    with pytest.raises(pytest.fail.Exception, match=r"the run said: .*GuestError: netns knows no guest 'blue'"):
        recorded_run(tmp_path / "run.json", ATTACH)


def test_a_stranger_has_a_private_host_by_asking_for_the_plugin(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("userns")
    monkeypatch.delenv("PIPEWORK_LAB", raising=False)
    pytester.makeconftest('pytest_plugins = ["pipework_core.testing.plugin"]')
    pytester.makepyfile(
        """
        from pipework_core.testing.announcing import announce_missing

        def test_attach(private_host):
            guest = private_host.netns("web1")
            private_host.pipework("br1", f"netns:{guest}", "10.0.0.1/24")
            assert "br1" in [link["name"] for link in private_host.state()["host"]["links"]]

        def test_afterwards(private_host):
            assert [link["name"] for link in private_host.state()["host"]["links"]] == ["lo"]
            announce_missing("a second moon")
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*missing parts of the lab*", "a second moon - 1 tests did not run"])


def test_nobody_has_the_plugin_who_does_not_ask(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_pipework(request):
            assert not request.config.pluginmanager.has_plugin("pipework_core.testing.plugin")
            assert not any(name.startswith("pipework_") for name in sys.modules)
        """
    )
    pytester.makeini("[pytest]")  # else pytest takes the settings of pipework itself, where its folder is inside
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
