"""Long columns of numbers as JSON, fast and short."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Response
from numpy.typing import NDArray


def exact(values: NDArray[Any]) -> list[float]:
    """The shortest decimals that are read back as the same float32 numbers (N,)."""
    return [float(text) for text in values.astype("U16").tolist()]


def compact(content: Mapping[str, Any], made_ready: Response) -> Response:
    """A JSON answer without a check of every number; `made_ready` has the headers of the route."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    headers = dict(made_ready.headers)
    return Response(body.encode("utf-8"), headers=headers, media_type="application/json")
