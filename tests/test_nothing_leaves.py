"""What README promises: nothing leaves the machine, nothing is written where nobody asked for it.

Every verb, the server and its jobs run with the extras and with proxies named, as on a processor
with AMX, where `--device auto` takes OpenVINO; strace records what they and all they start do.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from bilderatlas import cli
from bilderatlas.server.jobs.tasks import VERBS
from bilderatlas.web.app import PAGES
from tests import recording
from tests.assets import assets
from tests.pictures import put
from tests.recording import Record

SOON_S = 120.0
EXTRAS = ("rapidocr", "chromadb", "umap", "fast_hdbscan", "evoc")
OPENVINO = Path(sys.prefix) / "openvino"  # where `make test` puts it, for this test alone
HAS_TORCH = bool(find_spec("torch") and find_spec("sentence_transformers"))
AMX = """
from bilderatlas.models.encoders import runtimes
runtimes.has_amx = lambda: True
"""

# What is typed for each verb, one after another, in a folder with pictures/.
COMMANDS = {
    "index": ["index atlas pictures --find objects,text"],
    "reindex": [
        "reindex atlas",
        *["reindex atlas --text-column text --encoder st:texts"] * HAS_TORCH,
    ],
    "search": ["search atlas 'a cat' --png found.png", "search atlas --image pictures/a/00.jpg"],
    "similar": ["similar atlas pictures/a/00.jpg"],
    "cluster": [
        "cluster atlas --advise --figure advice.png",
        "cluster atlas --method evoc --min-cluster-size 2",
        "cluster atlas --method fast-hdbscan --min-cluster-size 2",
        "cluster atlas --min-cluster-size 2",
        "cluster atlas --method kmeans -k 2",
    ],
    "project": ["project atlas", "project atlas --method umap"],
    "name": ["name atlas"],
    "decide": ["decide atlas merge 0 1"],
    "decisions": ["decisions atlas"],
    "label": ["label atlas pictures/a/00.jpg --set cat", "label atlas --export labels.csv"],
    "classify": ["classify atlas --prompts 'cat, dog'"],
    "duplicates": ["duplicates atlas --sheet copies.png"],
    "evaluate": ["evaluate atlas --labels folders -o report.html --heat-map heat.png"],
    "export": [
        "export atlas -o images.parquet",
        "export atlas --map map.html",
        "export atlas --figure map.pdf",
        "export atlas --contact-sheets sheets",
        "export atlas --to chroma -o chroma",
    ],
    "problems": ["problems atlas"],
    "info": ["info atlas"],
    "doctor": ["doctor"],
    "encoders": ["encoders"],
    "serve": ["serve atlas"],
    "keys": ["keys keys.txt --add Ada"],
}
OUTPUTS = {
    "atlas.atlas", "found.png", "advice.png", "labels.csv", "copies.png", "report.html", "heat.png",
    "images.parquet", "map.html", "map.pdf", "sheets", "chroma", "keys.txt",
}  # fmt: skip
CACHES = (".cache/matplotlib", ".config/matplotlib")  # below the home folder: docs/privacy.md
JOBS: dict[str, dict[str, Any]] = {"cluster": {"method": "kmeans", "k": 2}}


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to type commands in, and what they find in their environment."""

    folder: Path
    proxy_port: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def environment(self) -> dict[str, str]:
        """As a person's: none of what keeps libraries quiet in CI."""
        kept = {name: os.environ[name] for name in os.environ if name.startswith("OPENBLAS")}
        proxies = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://127.0.0.1:{self.proxy_port}"
        )
        lower = {name.lower(): proxy for name, proxy in proxies.items()}
        return (kept | proxies | lower) | {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": os.pathsep.join(
                [str(self.folder / "amx"), *filter(None, sys.path), str(OPENVINO)]
            ),
        }

    def start(self, command: str, record: Path) -> subprocess.Popen[str]:
        program = [sys.executable, "-m", "bilderatlas", *shlex.split(command)]
        return recording.started(program, record, cwd=self.folder, env=self.environment())

    def is_asked_for(self, path: Path) -> bool:
        """Whether it may be written: outputs, documented caches, what is gone afterwards."""
        if path.is_relative_to("/dev") or "__pycache__" in path.parts:
            return True
        if path.is_relative_to(self.home):
            caches = [self.home / cache for cache in CACHES]
            return any(path.is_relative_to(one) or one.is_relative_to(path) for one in caches)
        if not path.is_relative_to(self.folder):
            return False
        # A new collection and a file of keys are made beside their place, and renamed.
        name = path.relative_to(self.folder).parts[0]
        made = re.sub(r"^\.(atlas\.atlas)\.\d+$|\.[0-9a-f]{8}(\.new)?$", r"\1", name)
        return made in OUTPUTS or path.is_relative_to(self.temporary)


Records = dict[str, list[Record]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("typed")
    photographs = sorted((assets() / "data" / "coco" / "images").glob("*.jpg"))[:20]
    for number, path in enumerate(photographs):
        put(folder / "pictures" / "ab"[number % 2] / f"{number // 2:02}.jpg", path.read_bytes())
    put(folder / "amx" / "sitecustomize.py", AMX.encode())
    for name in ("home", "tmp", "records"):
        (folder / name).mkdir()
    if HAS_TORCH:
        _make_sentence_encoder(folder)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield Place(folder, nobody.getsockname()[1])


def _make_sentence_encoder(folder: Path) -> None:
    import sentence_transformers
    from sentence_transformers.sentence_transformer import modules

    from tests.models.encoders import reference_models

    reference_models.minilm(folder / "minilm")
    words = modules.Transformer(str(folder / "minilm"), max_seq_length=32)
    encoder = sentence_transformers.SentenceTransformer(
        modules=[words, modules.Pooling(32, "mean")]
    )
    encoder.save(str(folder / "texts"))


@pytest.fixture(scope="module")
def records(place: Place) -> Records:
    """What each verb did."""
    absent = [name for name in EXTRAS if not find_spec(name)]
    absent += ["openvino"] * (not OPENVINO.is_dir())
    if absent and not os.environ.get("CI"):
        pytest.skip(f"not installed: {', '.join(absent)}")
    assert not absent
    return {
        verb: [_record(place, verb, number, line) for number, line in enumerate(lines)]
        for verb, lines in COMMANDS.items()
    }


def _record(place: Place, verb: str, number: int, line: str) -> Record:
    record = place.folder / "records" / f"{verb}-{number}"
    if verb == "serve":
        _serve(place, line, record)
    else:
        process = place.start(line, record)
        said, _ = process.communicate()
        assert process.returncode == 0, f"{line}: {said}"
        assert verb != "index" or "on openvino" in said
        assert "fork-safe" not in said
    return recording.read(record, place.folder)


def _serve(place: Place, line: str, record: Path) -> None:
    """Ask the server for its pages, for all that needs no argument, and for every job."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = place.start(f"{line} --port {port}", record)
    try:
        _until(lambda: _ask(f"{address}/api/v1/ready")[0] == 200)
        routes = _ask(f"{address}/api/openapi.json")[1]["paths"]
        asked = [*PAGES, *(path for path, methods in routes.items() if "get" in methods)]
        for path in asked:
            if not {"{", "("} & set(path) and not path.endswith("/events"):
                assert _ask(address + path)[0] < 500, path
        assert _ask(f"{address}/api/v1/search", {"query": "a cat"})[0] == 200
        begun = {verb: _ask(f"{address}/api/v1/jobs", _job(verb)) for verb in VERBS}
        jobs = [job["job"] for status, job in begun.values() if status == 202]
        assert len(jobs) >= 5
        for job in jobs:
            _until(lambda job=job: _ask(f"{address}/api/v1/jobs/{job}")[1]["state"] == "done")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=SOON_S)
        assert "fork-safe" not in said


def _job(verb: str) -> dict[str, Any]:
    return {"verb": verb, "options": JOBS.get(verb, {})}


def _until(claim: Any) -> None:
    ends_at = time.monotonic() + SOON_S
    while not claim():
        assert time.monotonic() < ends_at
        time.sleep(0.2)


def _ask(address: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Status and JSON of an answer, past the proxies of this machine; (0, None) without one."""
    asked = urllib.request.Request(
        address,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(asked, timeout=SOON_S) as answer:
            content, kind = answer.read(), answer.headers.get_content_type()
            return answer.status, json.loads(content) if kind == "application/json" else None
    except urllib.error.HTTPError as refused:
        return refused.code, None
    except OSError:
        return 0, None


def test_every_verb_is_recorded() -> None:
    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    assert COMMANDS.keys() == group.commands.keys()


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("verb", COMMANDS)
def test_a_verb_connects_to_nothing_looks_up_no_name_and_forks_nothing(
    verb: str, records: Records, place: Place
) -> None:
    for record in records[verb]:
        assert record.leaving == []
        assert [port for _, port in record.connections if port == place.proxy_port] == []
        assert record.lookups == ()
        assert record.forks == ()


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("verb", COMMANDS)
def test_a_verb_writes_the_collection_its_outputs_and_documented_caches(
    verb: str, records: Records, place: Place
) -> None:
    written = {path for record in records[verb] for path in record.written}
    assert [path for path in written if not place.is_asked_for(path)] == []


@pytest.mark.slow
@pytest.mark.model
def test_nothing_stays_in_the_folder_for_temporary_files(records: Records, place: Place) -> None:
    left = [path for path in place.temporary.rglob("*") if path.is_file()]
    assert left == []  # torch leaves an empty folder


def test_the_record_has_connections_names_forks_and_files(tmp_path: Path) -> None:
    program = """
import os, socket
with socket.socket() as one:
    one.connect_ex(("127.0.0.1", 9))
socket.getaddrinfo("localhost", 80)
if not (child := os.fork()):
    open("by-a-fork", "w").close()
    os._exit(0)
os.waitpid(child, 0)
os.spawnlp(os.P_WAIT, "mkdir", "mkdir", "by-another-program")
os.rename("by-a-fork", "renamed")
"""
    done = recording.started(
        [sys.executable, "-c", program],
        tmp_path / "record",
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.communicate(timeout=SOON_S)[0] == ""
    record = recording.read(tmp_path / "record", tmp_path)
    assert ("127.0.0.1", 9) in record.connections
    assert record.lookups
    assert len(record.forks) == 1
    names = {path.name for path in record.written if path.parent == tmp_path}
    assert names >= {"by-a-fork", "by-another-program", "renamed"}
