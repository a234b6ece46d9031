"""Questions to a server over HTTP; its refusals are raised again as what they were."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bilderatlas import characters, errors, hosts
from bilderatlas.errors import BilderatlasError, QueryError, ServerError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

KEY = "BILDERATLAS_API_KEY"
API = "/api/v1"
DONE = (200, 202)  # answered; begun, and goes on
TIMEOUT_S = 300.0  # of a question; copies among many images take a while to find
CONNECT_TIMEOUT_S = 10.0


def is_address(path: object) -> bool:
    """Whether this is where a server is, and no folder."""
    return isinstance(path, str) and path.lower().startswith(("http://", "https://"))


class Connection:
    """A server that is asked again and again, over connections that stay open."""

    def __init__(self, address: str, api_key: str | None = None) -> None:
        """`api_key` is by default that of $BILDERATLAS_API_KEY. Raises QueryError."""
        import requests

        self.address = _checked(address)
        self._key = api_key or os.environ.get(KEY)
        self._session = requests.Session()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON that a route answers; parameters that are None are left out."""
        return self.json("GET", path, params=parameters)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON that a route answers to a JSON body."""
        return self.json("POST", path, json=dict(body))

    def json(self, method: str, path: str, **how: Any) -> Any:
        import requests

        try:
            return self.ask(method, path, **how).json()
        except requests.JSONDecodeError:
            raise self._strange() from None

    def content(self, path: str, **parameters: Any) -> bytes:
        """The bytes that a route answers."""
        content: bytes = self.ask("GET", path, params=parameters).content
        return content

    def ask(self, method: str, path: str, **how: Any) -> Response:
        """An answer that is no refusal. Raises what the server refused with, and ServerError.

        No redirect is followed: the key goes nowhere else.
        """
        import requests

        _check_texts(how.get("params") or {})
        try:
            answer = self._session.request(
                method,
                f"{self.address}{API}{path}",
                auth=self._with_key,  # else requests would send what ~/.netrc has for this host
                timeout=(CONNECT_TIMEOUT_S, TIMEOUT_S),
                allow_redirects=False,
                proxies=hosts.proxies(self.address),
                **how,
            )
        except requests.Timeout:
            raise ServerError(
                f"{self.address} did not answer within {TIMEOUT_S:g} s. Try again later."
            ) from None
        except requests.RequestException as error:
            raise ServerError(
                f"{self.address} cannot be reached ({type(error).__name__}). Is it served there? "
                "Start it with: bilderatlas serve COLLECTION"
            ) from error
        if answer.status_code not in DONE:
            raise self._refusal(answer)
        return answer

    def _with_key(self, request: PreparedRequest) -> PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def _refusal(self, answer: Response) -> BilderatlasError:
        """A problem document (RFC 9457) -> the error that it was."""
        if answer.headers.get("Content-Type", "").partition(";")[0] != "application/problem+json":
            return self._strange(answer.status_code)
        document = answer.json()
        return refusal(str(document.get("kind")), str(document.get("detail")))

    def _strange(self, status: int = 200) -> ServerError:
        return ServerError(
            f"{self.address} answered with status {status} and something that Bilderatlas never "
            "says. Is it the address that `bilderatlas serve` printed?"
        )


def refusal(kind: str, message: str) -> BilderatlasError:
    """The error of this name; ServerError for one that is not ours."""
    found: Any = getattr(errors, kind, None)
    is_ours = isinstance(found, type) and issubclass(found, BilderatlasError)
    return (found if is_ours else ServerError)(message)


def _check_texts(parameters: Mapping[str, Any]) -> None:
    """Refuse what cannot stand in an address; in a body, the server does. Raises QueryError."""
    for name, given in parameters.items():
        for each in given if isinstance(given, (list, tuple)) else [given]:
            characters.check(str(each), f"{name!r}:")


def _checked(address: str) -> str:
    """An address without what follows its path."""
    try:
        parts = urlsplit(address)
        if parts.hostname and not (parts.query or parts.fragment or parts.username):
            _ = parts.port  # ValueError where it is none
            return address.rstrip("/")
    except ValueError:
        pass
    raise QueryError(
        f"{address!r} is not the address of a server. Write it like http://127.0.0.1:8080; a key "
        f"goes into ${KEY} or api_key=."
    )
