"""Time whole processes inside a private host on request, so that runs in several hosts can take turns.

`Stopwatch` stands outside and writes requests, lines of JSON, to this module, which runs inside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from lab.host import PrivateHost


class Taken(NamedTuple):
    """What a process took: seconds, and seconds of a processor, those of its ended children included.

    Other work on the machine disturbs the second figure less. Work of a daemon is not in it.
    """

    seconds: float
    cpu: float = 0.0


class Stopwatch:
    """Runs commands in a private host and tells how long each took; it ends with its host."""

    def __init__(self, host: PrivateHost) -> None:
        """Start the process inside."""
        # -I -S: this process needs no packages. What it starts gets the environment of the host.
        argv = (sys.executable, "-I", "-S", __file__)
        self._process = host.popen(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def time_command(self, *argv: str, env: dict[str, str] | None = None) -> Taken:
        """Run a whole process and return what it took; raise SystemExit with its output when it fails."""
        answer = self._request(argv, env or {})
        return Taken(answer["seconds"], answer["cpu"])

    def run_command(self, *argv: str, env: dict[str, str] | None = None) -> str:
        """Run a whole process and return its output; raise SystemExit with it when it fails."""
        return self._request(argv, env or {})["output"]

    def run_script(self, script: str) -> str:
        """Run lines of shell, until the first that fails."""
        return self.run_command("sh", "-ec", script)

    def _request(self, argv: tuple[str, ...], env: dict[str, str]) -> dict[str, Any]:
        if not self._process.stdin or not self._process.stdout:
            raise SystemExit("the stopwatch has no pipes")
        self._process.stdin.write(json.dumps({"argv": argv, "env": env}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the private host ended during {argv}")
        answer: dict[str, Any] = json.loads(line)
        if answer["code"]:
            raise SystemExit(f"{argv} ended with {answer['code']}:\n{answer['output'][-2000:]}")
        return answer


def answer_request(argv: list[str], env: dict[str, str]) -> dict[str, Any]:
    """Run a command and describe its end."""
    # A file, not a pipe: an announcement that outlives the command would keep a pipe open.
    with TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | env)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "code": process.returncode, "output": said}


def serve_requests(requests: TextIO, answers: TextIO) -> None:
    """Answer each request until there are no more."""
    for line in requests:
        json.dump(answer_request(**json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


if __name__ == "__main__":
    serve_requests(sys.stdin, sys.stdout)
