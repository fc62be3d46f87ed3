"""Chromium without a window, steered through its own protocol over a pipe (`--remote-debugging-pipe`)."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any, Self

from .parts import require

if TYPE_CHECKING:
    from pathlib import Path

    from .host import PrivateHost

#: Nothing here is about the network beyond the host, which has none.
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
#: Chromium reads its requests from this descriptor and writes answers to the next (content/browser/devtools).
BASH = 'read=$1 write=$2; shift 2; exec "$@" 3<&"$read" 4>&"$write"'
WITHIN = 20.0
KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38}


class Browser:
    """A browser inside a private host, with one page; a context manager."""

    def __init__(self, host: PrivateHost) -> None:
        require("browser")
        self._host = host
        self._number = 0
        self._session = ""
        #: What the page wrote to its console as an error, and what its policy refused.
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(prefix="pwb", ignore_cleanup_errors=True)
        given, self._requests = os.pipe()
        self._answers, told = os.pipe()
        command = ("chromium", *OPTIONS, f"--user-data-dir={self._profile.name}", "about:blank")
        self._process = subprocess.Popen(
            self._host.argv("bash", "-c", BASH, "bash", str(given), str(told), *command),
            pass_fds=(given, told),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._host.environment() | {"HOME": self._profile.name},
        )
        os.close(given)
        os.close(told)
        self._input = open(self._answers, "rb", buffering=0)
        self._rest = b""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._requests)  # Chromium ends when its pipe does
        try:
            self._process.wait(WITHIN)
        finally:
            self._process.kill()
            self._process.wait()
            self._input.close()
            self._profile.cleanup()

    def ask(self, method: str, **words: object) -> dict[str, Any]:
        """Send a request of the protocol and return its result."""
        self._number += 1
        request = {"id": self._number, "method": method, "params": words}
        if self._session:
            request["sessionId"] = self._session
        os.write(self._requests, json.dumps(request).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "chromium ended"
            self._rest += piece
        first, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(first)
        entry = answer.get("params", {})
        if answer.get("method") == "Log.entryAdded" and entry["entry"]["level"] == "error":
            self.complaints.append(entry["entry"]["text"])
        elif answer.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(entry["exceptionDetails"]))
        return answer

    def open(self, address: str) -> None:
        """Go to a page."""
        self.ask("Page.navigate", url=address)

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever JSON can hold
        """Return the value of an expression of JavaScript on the page."""
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, script: str, *, within: float = WITHIN) -> float:
        """Wait until an expression is true; return after how many seconds it was."""
        start = time.monotonic()
        while not self.run(script):
            assert time.monotonic() < start + within, (
                f"not within {within} s: {script}\n{self.run('document.body.innerText')}"
            )
            time.sleep(0.02)
        return time.monotonic() - start

    def resize(self, width: int, height: int) -> None:
        """Make the window so wide and high, in pixels of CSS."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def use_scheme(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key: str) -> None:
        """Press and let go of a key."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **code)

    def click(self, selector: str) -> None:
        """Click with the mouse into the middle of the first element that a selector finds."""
        box = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{box}.scrollIntoView({{block: 'center'}})")
        x, y = self.run(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({box}.getBoundingClientRect())")
        self.click_at(x, y)

    def click_at(self, x: float, y: float) -> None:
        """Click with the mouse."""
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def take_screenshot(self, file: Path) -> None:
        """Write what is seen as a PNG."""
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))
