"""Where the pictures and weights that do not ship with the repository are found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared"


def assets() -> Path:
    """The folder of test assets (`data/`, `models/`); skips the test where there is none.

    `$BILDERATLAS_TEST_ASSETS` names it, else `shared` beside the repository. Under CI a missing
    folder is a failure: a check that silently stops running is worse than a red one.
    """
    folder = Path(os.environ.get("BILDERATLAS_TEST_ASSETS") or BESIDE_REPOSITORY)
    if folder.is_dir():
        return folder
    reason = f"no test assets at {folder}; set BILDERATLAS_TEST_ASSETS to a folder that has them"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
