"""Time one more attachment by an engine that stays, as `pipework watch` has it, beside ten others and beside 1,000.

The guests are named namespaces, the others stand on bridges of their own. Needs root, and works in a private host.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

from fleet import FILE, PIPEWORK, ip, namespace_guests
from lab.host import PrivateHost

from pipework_core.engine.opener import EngineOpener
from pipework_core.engine.signals import Signals
from pipework_core.plugins.manager import PluginManager
from pipework_core.spec import classic
from pipework_core.spec.options import scan_words

if TYPE_CHECKING:
    from pipework_core.model.attachment import Attachment

RUNS = 30
#: The kernel works for seconds on what a thousand new links bring with them, so the best of some rounds counts.
ROUNDS = 5
FEW, MANY = 10, 1000


def count_processes() -> int:
    """Return how many processes of the private host run."""
    states = subprocess.run(["ps", "-e", "-o", "stat="], check=True, capture_output=True, text=True).stdout.split()
    return sum(not state.startswith("Z") for state in states)


def attach_others(count: int, *, since: int = 0) -> None:
    """Attach so many guests, as a user does."""
    before = count_processes()
    namespace_guests(count, since=since)
    subprocess.run([PIPEWORK, "up", "-f", FILE], check=True, stdout=subprocess.DEVNULL)
    while count_processes() > before:  # those that announce the new addresses
        time.sleep(0.5)


def parse_line(number: int) -> Attachment:
    """Return the request of one guest."""
    return classic.parse_attachment(
        scan_words(["br-one", f"netns:one{number}", f"192.168.{number // 250}.{number % 250 + 1}/16"])
    )


def measure(opener: EngineOpener) -> float:
    """Return the median time of an attachment, in milliseconds; everything is gone again."""
    taken = []
    for number in range(RUNS + 1):
        ip(f"netns add one{number}")
        start = time.perf_counter()
        with opener.open(Signals()) as engine:
            engine.attach(parse_line(number))
        taken.append((time.perf_counter() - start) * 1000)
        ip(f"netns delete one{number}")
        while list(Path("/sys/class/net/br-one/brif").glob("*")):
            time.sleep(0.01)  # the kernel takes the namespace apart
    return statistics.median(taken[1:])


def main() -> None:
    """Print both medians and their ratio."""
    plugins = PluginManager(warn=print)
    plugins.load_all()
    opener = EngineOpener(plugins)
    attach_others(FEW)
    few = min(measure(opener) for _ in range(ROUNDS))
    attach_others(MANY, since=FEW)
    many = min(measure(opener) for _ in range(ROUNDS))
    print(f"beside {FEW}: {few:.1f} ms; beside {MANY:,}: {many:.1f} ms; ratio {many / few:.2f} (at most 1.5)")


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        main()
    else:
        with PrivateHost() as private:
            print(private.run(sys.executable, "-P", __file__, "inside", timeout=900).stdout, end="")
