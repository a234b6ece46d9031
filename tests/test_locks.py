"""locks/*.txt hold what pyproject.toml asks for: else a person installs something else than CI.

Read from the two alone, so that it needs no network. `make lock` makes them agree.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
# torch has another build for each kind of machine; uv only makes the locks.
NOT_LOCKED = {"extras": {"gpu", "torch"}, "groups": {"torch", "lock"}}


def asked() -> list[Requirement]:
    """All that pyproject.toml asks for and the locks have to hold."""
    lists = [
        PROJECT["build-system"]["requires"],
        PROJECT["project"]["dependencies"],
        *(lines for name, lines in EXTRAS.items() if name not in NOT_LOCKED["extras"]),
        *(lines for name, lines in GROUPS.items() if name not in NOT_LOCKED["groups"]),
    ]
    return [Requirement(line) for lines in lists for line in lines]


def locked() -> dict[str, set[str]]:
    """Package -> its versions, one or one for each Python."""
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text("utf-8"), re.M):
            versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


def asked_by_the_project(lock: Path) -> set[str]:
    """The packages of which a lock says that pyproject.toml itself asks for them."""
    blocks = re.findall(r"^(\S+)==((?:.*\n(?=[ ]))*.*\n)", lock.read_text("utf-8"), re.M)
    return {canonicalize_name(name) for name, about in blocks if "(pyproject.toml" in about}


@pytest.mark.parametrize("requirement", asked(), ids=str)
def test_each_requirement_is_locked_to_versions_that_it_allows(requirement: Requirement) -> None:
    versions = locked().get(canonicalize_name(requirement.name), set())
    assert versions, f"{requirement.name} is in no lock. Run: make lock"
    refused = {v for v in versions if not requirement.specifier.contains(v, prereleases=True)}
    assert not refused, f"{requirement} allows no {', '.join(refused)}. Run: make lock"


def test_nothing_is_locked_for_a_requirement_that_is_gone() -> None:
    names = {canonicalize_name(requirement.name) for requirement in asked()}
    kept = {name for lock in LOCKS for name in asked_by_the_project(lock)}
    assert kept, "no lock says who asked for what"
    assert not kept - names, "Run: make lock"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_each_package_by_hashes_and_names_no_server(lock: Path) -> None:
    text = lock.read_text("utf-8")
    pinned = re.findall(r"^\S+==.*\\\n {4}--hash=sha256:[0-9a-f]{64}", text, re.M)
    assert pinned
    assert len(pinned) == len(re.findall(r"^[^\s#]", text, re.M))
    assert "//" not in text
    assert "-index" not in text


def test_no_lock_holds_torch() -> None:
    packages = locked().keys()
    assert not [name for name in packages if name.startswith(("torch", "nvidia", "triton"))]
