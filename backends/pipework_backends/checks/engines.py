"""Container engines that do not answer, or that are others than those of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import ANY
from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

_SOCKET = "/run/docker.sock"
_ROOTLESS = "name=rootless"
_HERE = ("unix://", "npipe://")


class EngineCheck(Check):
    """Docker: where its commands go, and whether anybody answers there."""

    name = "engines"
    programs = ("docker",)

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask for variable, context, engine and sockets."""
        find = ("find", _SOCKET, "/run/user", "-maxdepth", "2", "-name", "docker.sock")
        asked = {"sockets": Command(argv=find, ok_codes=ANY, reason="look for sockets of Docker")}
        if "docker" in examination.programs:
            context = ("docker", "context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}")
            asked |= {
                "variable": Command(argv=("printenv", "DOCKER_HOST"), ok_codes=ANY, reason="see where docker is sent"),
                "context": Command(argv=context, ok_codes=ANY, reason="see where docker goes"),
                "engine": Command(
                    argv=("docker", "info", "--format", "{{json .SecurityOptions}}"),
                    ok_codes=ANY,
                    reason="see whether Docker's engine answers",
                ),
            }
        return asked

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding where Docker is elsewhere, silent or rootless, and one about engines of other users."""
        del examination
        sockets = answers["sockets"].stdout.split() if "sockets" in answers else []
        if "engine" not in answers:
            return
        variable = answers["variable"].stdout.strip()
        context, _, address = answers["context"].stdout.strip().partition(" ")
        elsewhere = next((to for to in (variable, address) if to and not to.startswith(_HERE)), "")
        if elsewhere:
            yield _explain_elsewhere(elsewhere, "" if variable else context)
        elif answers["engine"].code != 0:
            yield from _explain_silence(answers["engine"], variable or address, sockets)
        elif _ROOTLESS in answers["engine"].stdout:
            yield Finding(
                WARNING,
                "docker speaks to a rootless engine.",
                "Its containers have networks of a user's: bridges of this host can be joined by root alone, and what "
                "the user starts pipework for is refused.",
                ("DOCKER_HOST=unix:///run/user/UID/docker.sock pipework ls",),
                "Run pipework as root, and send it to the user's engine so.",
            )
        users = [path for path in sockets if path != _SOCKET and path not in variable + address]
        if users:
            what = f"There is a rootless engine: {', '.join(sorted(users))}."
            why = "Its containers are no guests by their names, since docker asks another engine."
            cure = f"DOCKER_HOST=unix://{min(users)} pipework ls"
            yield Finding(INFO, what, why, (cure,), "Commands sent there know its containers.")


def _explain_elsewhere(address: str, context: str) -> Finding:
    by = f"the context {context!r}" if context else "DOCKER_HOST"
    return Finding(
        ERROR,
        f"{by} sends docker to {address}.",
        "Containers there are of another machine; their process numbers mean others here, so that none is found.",
        ("docker context use default" if context else "unset DOCKER_HOST",),
        "Or run pipework there: --driver ssh://root@HOST.",
    )


def _explain_silence(outcome: Outcome, address: str, sockets: list[str]) -> Iterator[Finding]:
    """Say that the engine does not answer; one that is installed and was never started is no fault."""
    path = (address or f"unix://{_SOCKET}").removeprefix("unix://")
    if outcome.code == TIMED_OUT:
        what, cure = "Docker's engine takes its time and gives no answer.", "systemctl restart docker"
    else:
        what, cure = "Docker's engine does not answer.", "systemctl start docker"
    meant = outcome.code == TIMED_OUT or any(known in path or path.endswith(known) for known in sockets)
    why = f"Its containers cannot be found, nor be listed ({outcome.error_text[:200] or 'it says nothing'})."
    yield Finding(WARNING if meant else INFO, what, why, (cure,))


@hookimpl
def pipework_checks() -> list[EngineCheck]:
    """Register it."""
    return [EngineCheck()]
