"""Keep the libraries that count their users from doing so, whichever of them is loaded later.

`import bilderatlas` begins with this; the processes that a server starts inherit it.
"""

from __future__ import annotations

import os
import sys

os.environ |= {
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "FASTAPI_OTEL_AUTO_CONFIGURE": "false",  # else what other servers here are told would do
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, hf_xet and what is built on them
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime; see models/encoders/runtimes.py for Windows
    "RAY_USAGE_STATS_ENABLED": "0",
}

# OpenVINO has no such switch but a file in the person's home folder. Where it finds no module
# that sends, it takes a stub of its own.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
