"""How long `import bilderatlas` and `bilderatlas --help` take: the best and median of 15 starts.

python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import machine

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import bilderatlas": [sys.executable, "-c", "import bilderatlas"],
    "bilderatlas --help": [str(Path(sys.executable).with_name("bilderatlas")), "--help"],
}


def main() -> None:
    print(machine.describe())
    print("| what | best, s | median, s |")
    print("|---|---|---|")
    for what, command in COMMANDS.items():
        took = []
        for _ in range(15):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            took.append(time.perf_counter() - started)
        print(f"| {what} | {min(took):.2f} | {statistics.median(took):.2f} |")


if __name__ == "__main__":
    main()
