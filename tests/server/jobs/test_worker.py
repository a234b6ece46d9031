"""The process of a job, by what it reads and says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bilderatlas

PROCESS = """
import errno, os
from bilderatlas.server.jobs import tasks, worker

def noisy(collection, options, tell):
    os.system("echo noise of a library in C")
    print("noise of one in Python")
    return {"run": collection.name}

def full(collection, options, tell):
    raise OSError(errno.ENOSPC, "No space left on device", "/elsewhere/cache")

tasks.VERBS["noisy"], tasks.VERBS["full"] = noisy, full
worker.main()
"""


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    return bilderatlas.create(tmp_path / "pile").path


def lines_of(pile: Path, verb: str) -> list[dict[str, object]]:
    """What a job's process says of it."""
    told = json.dumps({"path": str(pile), "verb": verb, "options": {}})
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{told}\n")
        process.stdin.flush()
        return [json.loads(line) for line in process.stdout]


def test_what_a_library_prints_is_no_line_of_the_job(pile: Path) -> None:
    assert lines_of(pile, "noisy") == [{"result": {"run": "pile"}}]


def test_a_disk_elsewhere_that_is_full_is_told(pile: Path) -> None:
    why = "The disk of /elsewhere/cache is full. Make room and try again."
    assert lines_of(pile, "full") == [{"error": {"kind": "DiskFull", "message": why}}]


def test_a_collection_that_is_gone_is_told(pile: Path) -> None:
    pile.rename(pile.with_name("away.atlas"))
    (said,) = lines_of(pile, "noisy")
    error = said["error"]
    assert isinstance(error, dict)
    assert error["kind"] == "CollectionNotFound"
