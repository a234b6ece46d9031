"""Print which packages of this environment have another version than locks/*.txt."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = Path(__file__).parents[1] / "locks"


def locked() -> dict[str, str]:
    """Package -> its version on this machine and Python."""
    lines = [line for lock in LOCKS.glob("*.txt") for line in lock.read_text("utf-8").splitlines()]
    pins = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def main() -> None:
    """A line for each."""
    pins = locked()
    for found in sorted(distributions(), key=lambda found: found.name.lower()):
        before = pins.get(canonicalize_name(found.name), "not locked")
        if before != found.version and found.name != "bilderatlas":
            print(f"{found.name:<40} {before:<20} {found.version}")


if __name__ == "__main__":
    main()
