"""Time commands in turn, inside a private host: `inside.py RUNS JSON`; prints medians in milliseconds as JSON."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time


def timed(argv: list[str]) -> float:
    """Return how long a command took, in milliseconds; raise CalledProcessError when it failed."""
    start = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def main(runs: int, commands: dict[str, list[str]]) -> None:
    """Run every command once for warmth, then `runs` times in turn."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, argv in commands.items():
            taken = timed([word.format(n=number, m=number + 1) for word in argv])
            if number:
                times[name].append(taken)
    json.dump({name: statistics.median(taken) for name, taken in times.items()}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
