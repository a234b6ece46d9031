"""Run a program and all that it starts under strace: what it connects to, forks and writes.

The kernel's calls are recorded, so native code (Rust, C++) hides nothing; strace is for Linux.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

CALLS = (
    "connect,sendto,sendmsg,sendmmsg,io_uring_setup,fork,vfork,clone,clone3,execve,openat,open,creat,"
    "mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate"
)
ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')
CHILD = re.compile(r"^(?:v?fork|clone3?)\((?!.*CLONE_THREAD).*= (\d+)$")
OPENED = re.compile(r"^(?:open(?:at)?|creat)\(.*(?:O_WRONLY|O_RDWR|O_CREAT|^creat).*= \d+<(.+)>$")
MADE = re.compile(r"^(?:mkdir|rename|link|symlink|truncate)\w*\(.*= 0$")
LOOKED_UP = re.compile(r'"(/etc/resolv\.conf|/etc/hosts)"')
DNS = 53


@dataclass(frozen=True, slots=True)
class Record:
    """What the processes of one command did."""

    connections: tuple[tuple[str, int], ...]  # (address, port), whether or not anybody answered
    lookups: tuple[str, ...]  # of names: questions to a name server, files that name them
    forks: tuple[str, ...]  # processes that went on without starting another program
    written: tuple[Path, ...]  # files and folders opened for writing, made or renamed

    @property
    def leaving(self) -> list[tuple[str, int]]:
        """Connections to other machines."""
        return [(host, port) for host, port in self.connections if not ip_address(host).is_loopback]


def strace() -> str:
    """Where strace is; skips the test where it is not. Under CI that is a failure."""
    if found := shutil.which("strace"):
        return found
    reason = "no strace on this machine; on Debian: apt install strace"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def started(
    command: Sequence[str | Path], record: Path, *, cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[str]:
    """The command under strace, in a process group of its own; `read` reads what it did."""
    record.mkdir()
    options = ["-ff", "-qq", "-y", "-s", "200", "--seccomp-bpf", "-e", "signal=none"]
    options += ["-e", "inject=io_uring_setup:error=ENOSYS"]  # its calls would not be recorded
    return subprocess.Popen(
        [strace(), *options, "-e", f"trace={CALLS}", "-o", record / "calls", "--", *command],
        cwd=cwd,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read(record: Path, cwd: Path) -> Record:
    """What strace wrote, one file a thread."""
    calls = {path.suffix[1:]: path.read_text("utf-8", "replace") for path in record.iterdir()}
    lines = [line for text in calls.values() for line in text.splitlines()]
    connections = [address for line in lines for address in _addresses(line)]
    return Record(
        connections=tuple(connections),
        lookups=(
            *(line for line in lines if line.startswith("open") and LOOKED_UP.search(line)),
            *(f"{host}:{port}" for host, port in connections if port == DNS),
        ),
        forks=tuple(
            line for line in lines if (made := CHILD.match(line)) and _stays(calls, made[1])
        ),
        written=tuple(sorted({path for line in lines for path in _written(line, cwd)})),
    )


def _addresses(line: str) -> Iterator[tuple[str, int]]:
    if line.startswith(("connect(", "sendto(", "sendmsg(", "sendmmsg(")):
        for port, host in ADDRESS.findall(line):
            yield host, int(port)


def _stays(calls: Mapping[str, str], process: str) -> bool:
    """Whether a new process never became another program."""
    return not re.search(r"^execve\(.* = 0$", calls.get(process, ""), re.MULTILINE)


def _written(line: str, cwd: Path) -> Iterator[Path]:
    if opened := OPENED.match(line):
        yield Path(opened[1].removesuffix("(deleted)"))
    elif MADE.match(line):
        *_, target = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
        yield Path(os.path.normpath(cwd / target))
