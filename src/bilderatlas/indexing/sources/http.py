"""Pictures by URL, with limits on time and size."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing.sources import Headers, check_size

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 20.0
WHOLE_TIMEOUT_S = 120.0  # for everything: who drips, sends on and on, or asks to wait
PAUSES_S = (0.0, 1.0)  # before a server that failed is asked again, and once more
MAX_RETRY_AFTER_S = 30.0
FAILED_FOR_NOW = (429, 502, 503, 504)
CHUNK_BYTES = 1 << 16
USER_AGENT = "bilderatlas"
USER_AGENT_VARIABLE = "BILDERATLAS_USER_AGENT"

_local = threading.local()  # requests' sessions are not safe to share between threads


def fetch(
    url: str,
    *,
    headers: Headers | None = None,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    whole_timeout_s: float = WHOLE_TIMEOUT_S,
) -> bytes:
    """Read a picture from the web. Raises ImageProblem with the server's answer or the fault."""
    import requests
    import urllib3

    asked = {"User-Agent": os.environ.get(USER_AGENT_VARIABLE) or USER_AGENT} | dict(headers or {})
    timeouts = connect_timeout_s, read_timeout_s
    with _Deadline(whole_timeout_s) as deadline:
        try:
            content = _asked_again(url, asked, timeouts, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            deadline.check()
            raise ImageProblem(f"cannot be fetched: {error}") from error
        deadline.check()  # a connection that is shut may look like the end of an answer
        return content


def _asked_again(
    url: str, headers: Headers, timeouts: tuple[float, float], deadline: _Deadline
) -> bytes:
    """Ask up to three times, where a server fails for the moment."""
    import requests

    for pause_s in PAUSES_S:
        try:
            with _ask(url, headers, timeouts) as reply:
                if reply.status_code not in FAILED_FOR_NOW:
                    return _content(reply)
                pause_s = _retry_after_s(reply) or pause_s
        except (requests.ConnectionError, requests.Timeout):
            deadline.check()
        deadline.pause(pause_s)
    with _ask(url, headers, timeouts) as reply:
        return _content(reply)


def _ask(url: str, headers: Headers, timeouts: tuple[float, float]) -> requests.Response:
    session = _session()
    session.given = [name for name in headers if name.lower() != "user-agent"]
    reply: requests.Response = session.get(url, stream=True, timeout=timeouts, headers=headers)
    return reply


def _content(reply: requests.Response) -> bytes:
    if not reply.ok:
        raise ImageProblem(f"the server answered {reply.status_code} {reply.reason}")
    length = reply.headers.get("Content-Length", "")
    check_size(int(length) if length.isdecimal() else 0)
    content = io.BytesIO()
    while chunk := reply.raw.read1(CHUNK_BYTES, decode_content=True):
        content.write(chunk)
        check_size(content.tell())
    return content.getvalue()


def _retry_after_s(reply: requests.Response) -> float | None:
    """How long a server asks to wait. Raises ImageProblem where that is too long."""
    from urllib3.util import Retry

    seconds = Retry().get_retry_after(reply.raw)
    if seconds and seconds > MAX_RETRY_AFTER_S:
        raise ImageProblem(
            f"the server answered {reply.status_code} {reply.reason} and asks to wait "
            f"{seconds:,.0f} s; up to {MAX_RETRY_AFTER_S:g} s is the longest wait. Index again "
            "later"
        )
    return seconds


class _Deadline:
    """Shuts what this thread is connected to when the time is up, whatever is being read."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._is_over = self._is_done = False
        if not hasattr(_local, "sockets"):
            _local.sockets = weakref.WeakSet()  # also those that are kept for the next question
        self._sockets: weakref.WeakSet[socket.socket] = _local.sockets

    def __enter__(self) -> Self:
        _local.deadline = self
        self._alarm = threading.Timer(self._seconds, self._ring)
        self._alarm.daemon = True
        self._alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        with self._lock:
            self._is_done = True

    def watch(self, connected: socket.socket) -> None:
        """Shut this one as well when the time is up, or at once."""
        with self._lock:
            self._sockets.add(connected)
            if self._is_over:
                _shut(connected)

    def check(self) -> None:
        """Raises ImageProblem when the time is up."""
        if self._is_over:
            raise ImageProblem(f"did not come within {self._seconds:g} s")

    def pause(self, seconds: float) -> None:
        """Wait, if there is time for that. Raises ImageProblem where there is not."""
        if time.monotonic() + seconds >= self._ends_at:
            raise ImageProblem(f"did not come within {self._seconds:g} s")
        time.sleep(seconds)

    def _ring(self) -> None:
        with self._lock:
            if not self._is_done:
                self._is_over = True
                for connected in self._sockets:
                    _shut(connected)


def _shut(connected: socket.socket) -> None:
    with suppress(OSError):  # it is shut already
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # TLS would say goodbye first


def _session() -> Any:
    if not hasattr(_local, "session"):
        _local.session = _new_session()
    return _local.session


def _new_session() -> requests.Session:
    """A session whose connections are watched by the deadline of their thread."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Watched(HTTPConnection):
        def connect(self) -> None:
            with ExitStack() as self.connecting:
                super().connect()
            _local.deadline.watch(self.sock)

        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            handle = connected.dup()  # it stays this connection when TLS takes the socket over
            _local.deadline.watch(self.connecting.enter_context(handle))
            return connected

    class WatchedTls(Watched, HTTPSConnection): ...

    class Plain(HTTPConnectionPool):
        ConnectionCls = Watched

    class Tls(HTTPSConnectionPool):
        ConnectionCls = WatchedTls

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *given: Any, **named: Any) -> None:
            super().init_poolmanager(*given, **named)
            self.poolmanager.pool_classes_by_scheme = {"http": Plain, "https": Tls}

        def proxy_manager_for(self, *given: Any, **named: Any) -> Any:
            manager = super().proxy_manager_for(*given, **named)
            manager.pool_classes_by_scheme = {"http": Plain, "https": Tls}
            return manager

    class Session(requests.Session):
        given: Sequence[str] = ()  # names of headers for the server that is asked

        def rebuild_auth(self, prepared_request: Any, response: requests.Response) -> None:
            """What was given for one server is not for another that it sends us to."""
            super().rebuild_auth(prepared_request, response)
            before = str(response.request.url)
            if self.should_strip_auth(before, prepared_request.url):
                for name in self.given:
                    prepared_request.headers.pop(name, None)

    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session
