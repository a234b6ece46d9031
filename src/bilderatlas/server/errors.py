"""Errors -> problem documents (RFC 9457), with the error's own message."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bilderatlas.errors import (
    BilderatlasError,
    CollectionBusy,
    CollectionNotFound,
    DecisionError,
    DiskFull,
    EncoderMismatch,
    ImageNotFound,
    ImageProblem,
    JobError,
    JobNotFound,
    KeyNeeded,
    LabelsError,
    NotAllowed,
    QueryError,
    RunNotFound,
    SelectionNotFound,
    ServerBusy,
    SourceError,
    StoreError,
    TooManyRequests,
    UploadError,
    UploadNotFound,
    UploadTooLarge,
)
from bilderatlas.storage.disk import full_elsewhere, is_full

logger = logging.getLogger(__name__)

STATUS = {
    ImageNotFound: 404,
    RunNotFound: 404,
    SelectionNotFound: 404,
    QueryError: 400,
    DecisionError: 400,
    LabelsError: 400,
    SourceError: 400,
    ImageProblem: 400,
    KeyNeeded: 401,
    NotAllowed: 403,
    TooManyRequests: 429,
    ServerBusy: 503,
    JobNotFound: 404,
    JobError: 409,
    UploadNotFound: 404,
    UploadTooLarge: 413,
    UploadError: 400,
    CollectionBusy: 409,
    EncoderMismatch: 409,
    CollectionNotFound: 503,  # the one that is served
    StoreError: 503,
    DiskFull: 507,
}


def answer_errors(app: FastAPI) -> None:
    """Let every error of this app leave it as a problem document."""
    app.add_exception_handler(BilderatlasError, refused)
    app.add_exception_handler(OSError, refused_by_disk)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, refused_by_http)
    app.add_exception_handler(Exception, failed)


async def refused(request: Request, error: Exception) -> JSONResponse:
    """A refusal of ours: its message is for the person who asked."""
    return of_refusal(error)


def of_refusal(error: Exception) -> JSONResponse:
    """The problem document of one of our errors."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    answer = document(status, str(error), kind=type(error).__name__)
    if isinstance(error, KeyNeeded):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ServerBusy):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


async def refused_by_disk(request: Request, error: Exception) -> JSONResponse:
    """There is no room for what waits on a disk until it is read, or sent."""
    assert isinstance(error, OSError), "Starlette hands over what was registered"
    if (full := full_elsewhere(error)) is None:
        raise error
    return of_refusal(full)


async def malformed(request: Request, error: Exception) -> JSONResponse:
    """A question that does not fit the API's description."""
    assert isinstance(error, RequestValidationError), "FastAPI hands over what was registered"
    faults = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
    return document(422, f"{'; '.join(faults)}. See /api/docs.", kind="QueryError")


async def refused_by_http(request: Request, error: Exception) -> JSONResponse:
    """No such address, or not by this method; or a refusal of ours in the guise of HTTP's."""
    assert isinstance(error, HTTPException), "FastAPI hands over what was registered"
    if isinstance(error.__cause__, BilderatlasError):
        return of_refusal(error.__cause__)
    if isinstance(error.__cause__, OSError) and is_full(error.__cause__):  # where a form waits
        return await refused_by_disk(request, error.__cause__)
    detail = f"{request.method} {request.url.path}: {error.detail}. See /api/docs."
    answer = document(error.status_code, detail, kind="HTTPException")
    answer.headers.update(error.headers or {})
    return answer


async def failed(request: Request, error: Exception) -> JSONResponse:
    """A mistake of ours: the log has the traceback, the answer does not."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = "Something went wrong on the server; its log says what. Please report it."
    return document(500, detail, kind="InternalError")


def document(status: int, detail: str, *, kind: str) -> JSONResponse:
    """One problem document."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "kind": kind,
    }
    return JSONResponse(content, status, media_type="application/problem+json")
