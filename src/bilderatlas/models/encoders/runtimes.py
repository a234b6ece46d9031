"""What runs an ONNX file: ONNX Runtime (on the processor or CUDA), or OpenVINO. Owns both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bilderatlas.errors import EncoderNotFound
from bilderatlas.models.encoders.model_folder import is_weights_of

Arrays = Mapping[str, NDArray[Any]]
Shape = list[int | str | None]  # not a number where a dimension is free

DEVICES = ("cpu", "openvino", "cuda")
CUDA = "CUDAExecutionProvider"
DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
# How the runtimes say that memory has run out; they have no type of exception for it.
OUT_OF_MEMORY = ("failed to allocate", "out of memory", "bad_alloc", "bad allocation")
INSTALL_GPU = (
    "pip install 'bilderatlas[gpu]' && pip install --force-reinstall --no-deps onnxruntime-gpu"
)


class Session(Protocol):
    """One ONNX file, opened. May be run from several threads at once."""

    device: str  # what really runs it
    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    dtypes: dict[str, Any]  # of the inputs

    def run(self, outputs: Sequence[str], feeds: Arrays) -> list[NDArray[Any]]:
        """The named outputs. Raises MemoryError where memory runs out."""
        ...


def open_session(
    path: Path, *, device: str = "auto", n_threads: int = 0, graph: bytes | None = None
) -> Session:
    """Open a file on a device of DEVICES, or "auto"; `graph` stands for its bytes, changed.

    `n_threads`: how many one run may use; 0: one a core. Raises EncoderNotFound.
    """
    chosen = choose_device(device)
    if chosen == "openvino" and _has_linked_weights(path):
        if device == "openvino":
            raise EncoderNotFound(
                "OpenVINO does not follow links to weights, which the hub's cache is made of. Copy "
                f"the model with 'cp -rL {path.parent} FOLDER' and use FOLDER, or device 'cpu'."
            )
        chosen = "cpu"
    if chosen == "openvino":
        return OpenVinoSession(path, n_threads, graph)
    session = OnnxRuntimeSession(path, chosen, n_threads, graph)
    if device == "cuda" and session.device != "cuda":
        raise EncoderNotFound(
            "ONNX Runtime was built for CUDA but could not start it: a driver, CUDA or cuDNN is "
            "missing, or of another version. It says which on stderr. Use device 'cpu' or 'auto'."
        )
    return session


def choose_device(device: str) -> str:
    """A device of DEVICES; "auto" takes the fastest that is there. Raises EncoderNotFound."""
    present = devices()
    if device == "auto":
        # OpenVINO is no faster than ONNX Runtime where it has no bf16 to gain by.
        fastest = ("cuda", *(["openvino"] if has_amx() else []), "cpu")
        return next(name for name in fastest if name in present)
    if device in present:
        return device
    there = ", ".join(map(repr, present))
    if device not in DEVICES:
        raise EncoderNotFound(
            f"No encoder can run on device {device!r}; there is {there}. Use one of them, or "
            "'auto'."
        )
    install = {"openvino": "pip install 'bilderatlas[openvino]'", "cuda": INSTALL_GPU}[device]
    raise EncoderNotFound(
        f"Device {device!r} is not there; there is {there}. Install it with: {install}"
    )


def devices() -> list[str]:
    """What this machine's libraries can run a model on."""
    present = {
        "cpu": True,
        "openvino": find_spec("openvino") is not None,
        "cuda": CUDA in onnx_runtime().get_available_providers(),
    }
    return [name for name, is_there in present.items() if is_there]


def onnx_runtime() -> Any:
    """ONNX Runtime; builds for Windows may heed no variable and count users until told not to."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def has_amx() -> bool:
    """Whether the processor multiplies matrices in bf16 (Intel AMX); known on Linux only.

    Processors with AVX512-BF16 alone count as bf16 for OpenVINO, but it is slower there: ViT-B/32
    took 128 ms of processor time an image, fp32 90.
    """
    facts = Path("/proc/cpuinfo")
    return facts.is_file() and "amx_bf16" in facts.read_text()


class OnnxRuntimeSession:
    """A model in ONNX Runtime."""

    def __init__(self, path: Path, device: str, n_threads: int, graph: bytes | None) -> None:
        onnxruntime = onnx_runtime()
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        # Idle threads that spin would take the cores from those that read pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors: what it warns of is no use to a user
        if graph:
            options.add_session_config_entry(
                "session.model_external_initializers_file_folder_path", str(path.parent)
            )
        providers = ["CPUExecutionProvider"]
        if device == "cuda":
            onnxruntime.preload_dlls()  # CUDA and cuDNN from their wheels
            providers = [CUDA, *providers]
        try:
            self._session = onnxruntime.InferenceSession(
                graph or path, options, providers=providers
            )
        except (refusals.InvalidProtobuf, refusals.InvalidGraph, refusals.Fail) as error:
            raise EncoderNotFound(_not_a_model(path, "ONNX Runtime", error)) from error
        self.device = "cuda" if CUDA in self._session.get_providers() else "cpu"
        self.inputs = {node.name: node.shape for node in self._session.get_inputs()}
        self.outputs = {node.name: node.shape for node in self._session.get_outputs()}
        self.dtypes = {node.name: DTYPES[node.type] for node in self._session.get_inputs()}

    def run(self, outputs: Sequence[str], feeds: Arrays) -> list[NDArray[Any]]:
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals

        try:
            made: list[NDArray[Any]] = self._session.run(list(outputs), dict(feeds))
        except (refusals.RuntimeException, refusals.Fail) as error:
            _raise_if_out_of_memory(error)
            raise
        return made


class OpenVinoSession:
    """A model in OpenVINO, in bf16 where the processor is made for it."""

    def __init__(self, path: Path, n_threads: int, graph: bytes | None) -> None:
        import openvino

        core = openvino.Core()
        precision = "bf16" if has_amx() else "f32"
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        if n_threads:
            settings["INFERENCE_NUM_THREADS"] = n_threads
        try:
            model = core.read_model(model=graph or path)
            self._model = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise EncoderNotFound(_not_a_model(path, "OpenVINO", error)) from error
        self.device = f"openvino ({precision})"
        self.inputs = {port.any_name: _shape(port) for port in self._model.inputs}
        self.outputs = {port.any_name: _shape(port) for port in self._model.outputs}
        self.dtypes = {port.any_name: port.element_type.to_dtype() for port in self._model.inputs}

    def run(self, outputs: Sequence[str], feeds: Arrays) -> list[NDArray[Any]]:
        request = self._model.create_infer_request()  # its own: other threads may be running
        try:
            request.infer(dict(feeds))
        except RuntimeError as error:
            _raise_if_out_of_memory(error)
            raise
        return [request.get_tensor(name).data.copy() for name in outputs]


def _has_linked_weights(path: Path) -> bool:
    """Whether large weights beside the graph lie behind a link."""
    return any(is_weights_of(p.name, path.name) and p.is_symlink() for p in path.parent.iterdir())


def _raise_if_out_of_memory(error: Exception) -> None:
    if any(words in str(error).lower() for words in OUT_OF_MEMORY):
        raise MemoryError(str(error)) from error


def _shape(port: Any) -> Shape:
    return [None if size.is_dynamic else size.get_length() for size in port.partial_shape]


def _not_a_model(path: Path, runtime: str, error: Exception) -> str:
    reason = " ".join(str(error).split())
    return (
        f"{path} is not a model that {runtime} can open ({reason}). Download it again; "
        "a file of some hundred bytes is a Git LFS pointer, not the weights."
    )
