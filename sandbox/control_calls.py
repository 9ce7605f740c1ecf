"""Low-level calls to the sandbox's control APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Side = Literal["bigcartel", "fcp"]
FCP_CALLS = frozenset({"submit", "status", "inventory"})


class SandboxError(Exception):
    """The sandbox didn't start or rejected a control call; the message says why."""


class ControlCalls:
    """Addresses of both servers and calls to their control APIs. Raises SandboxError when a call is rejected.

    ``certificate`` is the file of their own certificate, if they speak TLS.
    """

    def __init__(self, bigcartel: str, fcp: str, certificate: Path | None = None) -> None:
        self.bigcartel, self.fcp, self.certificate = bigcartel.rstrip("/"), fcp.rstrip("/"), certificate
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(certificate) if certificate else True

    # Addresses in the form the portal's settings expect

    @property
    def bigcartel_api_url(self) -> str:
        return f"{self.bigcartel}/v1"

    @property
    def authorize_url(self) -> str:
        return f"{self.bigcartel}/oauth/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.bigcartel}/oauth/token"

    @property
    def fcp_api_url(self) -> str:
        return f"{self.fcp}/xml"

    def _sides(self, on: str, side: Side | None) -> tuple[Side, ...]:
        if side is not None:
            return (side,)
        if on == "any":
            return ("bigcartel", "fcp")
        return ("fcp",) if on in FCP_CALLS else ("bigcartel",)

    def _bigcartel(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str | None
    ) -> dict[str, Any]:
        return self._call("bigcartel", method, path, body, **query)

    def _fcp(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str | None
    ) -> dict[str, Any]:
        return self._call("fcp", method, path, body, **query)

    def _call(
        self, side: Side, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str | None
    ) -> dict[str, Any]:
        base = self.bigcartel if side == "bigcartel" else self.fcp
        answer = self._session.request(
            method, f"{base}/_sandbox/{path}", json=body, params=query, timeout=(5, 60), allow_redirects=False
        )
        if answer.status_code != 200:
            raise SandboxError(f"{method} {path}: {answer.text}")
        return cast("dict[str, Any]", answer.json())

    def close(self) -> None:
        self._session.close()
