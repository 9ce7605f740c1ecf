"""Control API under /_sandbox/ that both servers share: call counts, faults, held requests and reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.faults import Fault
from sandbox.world import InvalidRequestError

if TYPE_CHECKING:
    from sandbox.bigcartel import BigCartel
    from sandbox.fcp import Fcp

JsonObject = dict[str, Any]
Action = Callable[[web.Request, JsonObject], JsonObject]


class Control:
    """Registers control actions, which take the request and its JSON object and return the answer's JSON object."""

    def __init__(self, router: web.UrlDispatcher, server: BigCartel | Fcp, calls: frozenset[str]) -> None:
        self._router = router
        self._server = server
        self._calls = calls

    def add(self, method: str, path: str, action: Action) -> None:
        async def handle(request: web.Request) -> web.Response:
            try:
                data = _object(await request.json()) if request.body_exists else {}
                answer = action(request, data)
            except (InvalidRequestError, ValueError, TypeError, KeyError, InvalidOperation) as error:
                return web.json_response({"error": str(error) or type(error).__name__}, status=400)
            if method != "GET":
                self._server.state.changed()
            return web.json_response(answer)

        self._router.add_route(method, f"/_sandbox/{path}", handle)

    def add_common(self) -> None:
        server = self._server
        self.add("POST", "reset", self._reset)
        self.add("GET", "calls", lambda request, _: {"calls": server.log.counts(request.query.get("party"))})
        self.add("DELETE", "calls", self._drop_calls)
        self.add("GET", "requests", lambda *_: {"requests": server.log.recent()})
        self.add("GET", "faults", lambda *_: {"faults": server.faults.as_dicts()})
        self.add("POST", "faults", self._add_fault)
        self.add("DELETE", "faults", self._drop_faults)
        self.add("POST", "release", lambda *_: {"released": server.faults.held.release()})
        self._router.add_get("/_sandbox/waiting", self._waiting)

    def _reset(self, _request: web.Request, _data: JsonObject) -> JsonObject:
        self._server.clear()
        self._server.log.clear()
        self._server.faults.plans.clear()
        return {"released": self._server.faults.held.release()}

    def _drop_calls(self, _request: web.Request, _data: JsonObject) -> JsonObject:
        self._server.log.clear()
        return {}

    def _add_fault(self, _request: web.Request, data: JsonObject) -> JsonObject:
        self._server.faults.plans.append(Fault.read(data, self._calls))
        return {"faults": self._server.faults.as_dicts()}

    def _drop_faults(self, _request: web.Request, _data: JsonObject) -> JsonObject:
        self._server.faults.plans.clear()
        return {"released": self._server.faults.held.release()}

    async def _waiting(self, request: web.Request) -> web.Response:
        number = int(request.query.get("at_least", "0"))
        seconds = float(request.query.get("seconds", "0"))
        return web.json_response({"waiting": await self._server.faults.held.wait_for(number, seconds)})


def set_fields(target: object, data: Mapping[str, Any], known: set[str]) -> None:
    """Set attributes of `target` from `data`. Raises InvalidRequestError for a key not in `known`."""
    unknown = set(data) - known
    if unknown:
        raise InvalidRequestError(
            f"There is no {', '.join(sorted(unknown))} here; there is: {', '.join(sorted(known))}."
        )
    for key, value in data.items():
        setattr(target, key, value)


def _object(data: object) -> JsonObject:
    if not isinstance(data, dict):
        raise InvalidRequestError("The request body must be a JSON object.")
    return data
