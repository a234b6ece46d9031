"""Pictures by URL, with limits on time and size."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bilderatlas.errors import ImageProblem
from bilderatlas.sources import check_size

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5, 20
N_RETRIES = 2
CHUNK_BYTES = 1 << 16
USER_AGENT = "bilderatlas"

_local = threading.local()  # requests' sessions are not safe to share between threads


def fetch(url: str) -> bytes:
    """Read a picture from the web. Raises ImageProblem with the server's answer or the fault."""
    import requests

    try:
        with _session().get(url, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as reply:
            if not reply.ok:
                raise ImageProblem(f"the server answered {reply.status_code} {reply.reason}")
            return _content(reply)
    except requests.RequestException as error:
        raise ImageProblem(f"cannot be fetched: {error}") from error


def _content(reply: requests.Response) -> bytes:
    content = bytearray()
    for chunk in reply.iter_content(CHUNK_BYTES):
        content += chunk
        check_size(len(content))
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
