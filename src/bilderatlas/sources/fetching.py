"""Pictures by URL, with limits on time and size."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from bilderatlas.errors import ImageProblem
from bilderatlas.sources import check_size

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 20.0
WHOLE_TIMEOUT_S = 120.0  # a server that drips its bytes never runs into the others
N_RETRIES = 2
CHUNK_BYTES = 1 << 16
USER_AGENT = "bilderatlas"

_local = threading.local()  # requests' sessions are not safe to share between threads


def fetch(
    url: str,
    *,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    whole_timeout_s: float = WHOLE_TIMEOUT_S,
) -> bytes:
    """Read a picture from the web. Raises ImageProblem with the server's answer or the fault."""
    import requests
    import urllib3

    timeout = (connect_timeout_s, read_timeout_s)
    try:
        with _session().get(url, stream=True, timeout=timeout) as reply:
            if not reply.ok:
                raise ImageProblem(f"the server answered {reply.status_code} {reply.reason}")
            return _content(reply, whole_timeout_s)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise ImageProblem(f"cannot be fetched: {error}") from error


def _content(reply: requests.Response, timeout_s: float) -> bytes:
    length = reply.headers.get("Content-Length", "")
    check_size(int(length) if length.isdecimal() else 0)
    started = time.monotonic()
    content = bytearray()
    while chunk := reply.raw.read1(CHUNK_BYTES, decode_content=True):
        content += chunk
        check_size(len(content))
        if time.monotonic() - started > timeout_s:
            raise ImageProblem(f"only {len(content)} bytes came in {timeout_s:g} s")
    return bytes(content)


def _session() -> requests.Session:
    if not hasattr(_local, "session"):
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        retry = Retry(
            N_RETRIES,
            backoff_factor=0.5,
            status_forcelist=(429, 502, 503, 504),
            raise_on_status=False,
        )
        session = requests.Session()
        session.headers["User-Agent"] = USER_AGENT
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        _local.session = session
    session_of_this_thread: requests.Session = _local.session
    return session_of_this_thread
