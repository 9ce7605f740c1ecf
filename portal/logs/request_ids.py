"""Give every request an id, which the log, the answer's X-Request-ID and the error page show."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from portal.logs.work import working_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

HEADER = "X-Request-ID"
ENVIRON = "portal.request_id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RequestIds:
    """WSGI middleware. Put it behind TrustedProxies, which removes the header unless a trusted proxy sent it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        environ[ENVIRON] = request_id

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
        ) -> Callable[..., object]:
            return start_response(status, [*headers, (HEADER, request_id)], exc_info)

        with working_on(request=request_id):
            body = self._app(environ, start)
        return _Body(request_id, body)


class _Body:
    """An answer's body. What is logged while it is made or closed has the request's id, too."""

    def __init__(self, request_id: str, body: Iterable[bytes]) -> None:
        self._request_id = request_id
        self._body = body
        self._parts = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with working_on(request=self._request_id):
            return next(self._parts)

    def close(self) -> None:
        close: Callable[[], object] | None = getattr(self._body, "close", None)
        if close is not None:
            with working_on(request=self._request_id):
                close()
