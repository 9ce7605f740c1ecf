"""Inject planned faults: delay, damage or replace the proper answer to a request."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from sandbox.held import HeldRequests

if TYPE_CHECKING:
    from sandbox.faults import Call, Fault

Effect = Callable[[], web.Response]

HTML = b"<!doctype html><html><head><title>Maintenance</title></head><body><p>We will be back soon.</p></body></html>"
GARBAGE = b"\x00\xff{<<not a document>>\xfe" * 8
ENTITY_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY a0 "Success">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><OrderSubmitResponse><Status>&a9;</Status></OrderSubmitResponse>"
).encode()
# Fault kind -> status, body and content type of an answer outside the API's format.
ODD: dict[str, tuple[int, bytes, str]] = {
    "status": (500, HTML, "text/html"),
    "throttle": (429, b"", "text/html"),
    "html": (200, HTML, "text/html"),
    "empty": (200, b"", "text/html"),
    "garbage": (200, GARBAGE, "application/octet-stream"),
    "entity_bomb": (200, ENTITY_BOMB, "text/xml"),
}


class Dialect(Protocol):
    """Formats the faults that are valid answers of one server's API."""

    def rejection(self, kind: str, words: str, call: Call, status: int | None) -> web.Response:
        """Return the answer for an `unauthorized`, `duplicate`, `not_found` or `refuse` fault."""

    def namespaced(self, body: bytes) -> bytes:
        """Return the body with its elements in a default XML namespace."""

    def big(self, size: int) -> web.Response:
        """Return a well-formed answer of at least `size` bytes."""


class Faults:
    """The planned faults of one server, and the requests they are holding."""

    def __init__(self, dialect: Dialect) -> None:
        self.plans: list[Fault] = []
        self.held = HeldRequests()
        self._dialect = dialect

    def as_dicts(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.plans]

    async def answer(self, request: web.Request, call: Call, effect: Effect) -> web.StreamResponse:
        """Return what `effect` returns, unless faults are due: any number of latencies plus at most one other."""
        latencies, other = self._due(call)
        for fault in latencies:
            if not fault.takes_effect:
                await self.held.hold(call, "latency", fault.seconds)
        proper = effect() if other is None or other.takes_effect else None
        for fault in latencies:
            if fault.takes_effect:
                await self.held.hold(call, "latency", fault.seconds)
        if other is not None and other.kind == "hang":
            await self.held.hold(call, "hang", None)
            other = None
        if other is None:
            return effect() if proper is None else proper
        return await self._faulty(request, call, other, proper)

    def _due(self, call: Call) -> tuple[list[Fault], Fault | None]:
        """Count this call against every matching latency and the first other matching fault; return those due."""
        latencies: list[Fault] = []
        other: Fault | None = None
        for fault in self.plans:
            if not fault.matches(call) or (other is not None and fault.kind != "latency"):
                continue
            if not fault.fire():
                continue
            if fault.kind == "latency":
                latencies.append(fault)
            else:
                other = fault
        self.plans = [fault for fault in self.plans if fault.times != 0]
        return latencies, other

    async def _faulty(
        self, request: web.Request, call: Call, fault: Fault, proper: web.Response | None
    ) -> web.StreamResponse:
        """Return the fault's answer instead of `proper`, the answer to a request that took effect."""
        if fault.kind in {"reset_before", "reset_after"}:
            _reset(request)
            return web.Response()
        if fault.kind in {"cut_after", "truncate", "namespace"} and proper is not None:
            return await self._damaged(request, fault.kind, proper)
        if fault.kind == "big":
            return self._dialect.big(fault.size)
        if fault.kind in ODD:
            return _odd(fault)
        return self._dialect.rejection(fault.kind, fault.words, call, fault.status)

    async def _damaged(self, request: web.Request, kind: str, proper: web.Response) -> web.StreamResponse:
        body = _body(proper)
        if kind == "cut_after":
            return await _cut(request, proper, body)
        damaged = body[: len(body) // 2] if kind == "truncate" else self._dialect.namespaced(body)
        return web.Response(status=proper.status, body=damaged, headers=_type_of(proper))


def _odd(fault: Fault) -> web.Response:
    status, body, content_type = ODD[fault.kind]
    headers = {"Content-Type": fault.content_type or content_type}
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    if fault.body is not None:
        body = fault.body.encode()
    return web.Response(status=fault.status or status, body=body, headers=headers)


def _body(response: web.Response) -> bytes:
    body = response.body
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _type_of(response: web.Response) -> dict[str, str]:
    return {"Content-Type": response.headers.get("Content-Type", "text/plain")}


def _reset(request: web.Request) -> None:
    """Close the connection with RST, as a crashed server or a firewall does."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _cut(request: web.Request, response: web.Response, body: bytes) -> web.StreamResponse:
    """Announce the full length, send half of the answer, and close the connection."""
    half = web.StreamResponse(status=response.status, headers=_type_of(response))
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
