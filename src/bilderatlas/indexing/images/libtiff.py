"""What libtiff says of a file while it decodes it.

Left alone it writes to the terminal, where nobody can tell which of a million files is meant.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_MAX_BYTES = 300  # of a message
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


class _Listener(threading.local):
    messages: list[str] | None = None


_listener = _Listener()


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what libtiff says in this thread. Others of the process hear it as before."""
    _install()
    messages: list[str] = []
    _listener.messages = messages
    try:
        yield messages
    finally:
        _listener.messages = None


@cache
def _install() -> object:
    """Have libtiff call us; what is returned must live as long as it may do so.

    Where it is linked into Pillow, without names, its messages go where they went.
    """
    from PIL import _imaging

    try:
        libtiff, libc = ctypes.CDLL(_imaging.__file__), ctypes.CDLL(None)
        set_handler, vsnprintf = libtiff.TIFFSetErrorHandler, libc.vsnprintf
    except (OSError, TypeError, AttributeError):
        return None
    vsnprintf.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p]

    def hear(module: bytes | None, format: bytes, arguments: int) -> None:
        if _listener.messages is not None:
            buffer = ctypes.create_string_buffer(_MAX_BYTES)
            vsnprintf(buffer, _MAX_BYTES, format, arguments)
            _listener.messages.append(_said(module, buffer.value))
        elif before:
            before(module, format, arguments)

    set_handler.argtypes, set_handler.restype = [_Handler], _Handler
    ours = _Handler(hear)
    before = set_handler(ours)
    return ours


def _said(module: bytes | None, message: bytes) -> str:
    """A message, after the function that has it; Pillow's name for every file is none."""
    named = [module] if module and module != b"tempfile.tif" else []
    return b": ".join([*named, message]).decode("utf-8", "replace").rstrip(".")
