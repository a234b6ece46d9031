"""`import bilderatlas` keeps libraries from counting their users, whatever was set before.

tests/test_nothing_leaves.py records what they do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.pictures import put

OPTED_IN = {"HF_HUB_DISABLE_TELEMETRY": "0", "ANONYMIZED_TELEMETRY": "True"}


def said(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | OPTED_IN | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_hub_is_told_by_nobody_what_library_asks() -> None:
    program = "import bilderatlas; from huggingface_hub import constants as c; "
    assert said(program + "print(c.HF_HUB_DISABLE_TELEMETRY)") == "True"


def test_onnx_runtime_keeps_no_id_of_the_machine(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "CI": ""}
    said(
        "import bilderatlas; from bilderatlas.models.encoders import runtimes; runtimes.devices()",
        **home,
    )
    assert list(tmp_path.iterdir()) == []


def test_what_openvino_would_send_by_cannot_be_imported(tmp_path: Path) -> None:
    put(tmp_path / "openvino_telemetry.py", b"")
    program = "import bilderatlas\ntry: import openvino_telemetry\nexcept ImportError: print('no')"
    assert said(program, PYTHONPATH=str(tmp_path)) == "no"


@pytest.mark.skipif(not find_spec("chromadb"), reason="pip install 'bilderatlas[chroma]'")
def test_chroma_counts_no_calls() -> None:
    program = "import bilderatlas; from chromadb.config import Settings; "
    assert said(program + "print(Settings().anonymized_telemetry)") == "False"


def test_programs_that_are_started_inherit_it() -> None:
    inner = "import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    program = (
        f"import bilderatlas, subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    )
    assert said(program) == "1"
