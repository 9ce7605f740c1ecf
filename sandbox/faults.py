"""Planned faults: their kind, the calls they match, and how often they occur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Fault kind -> whether the request takes effect, unless the fault sets `takes_effect`.
KINDS: Mapping[str, bool] = {
    "latency": True,
    "hang": True,
    "reset_before": False,
    "reset_after": True,
    "cut_after": True,
    "truncate": True,
    "namespace": True,
    "status": False,
    "throttle": False,
    "garbage": False,
    "html": False,
    "empty": False,
    "big": False,
    "entity_bomb": False,
    "not_found": False,
    "unauthorized": False,
    "duplicate": False,
    "refuse": False,
}
# Kinds that don't allow `takes_effect` to be changed.
FIXED_EFFECT = frozenset({"reset_before", "reset_after", "cut_after", "truncate", "namespace"})


class Call(NamedTuple):
    """The properties of a request that a fault can match. `party` is an account ID or a merchant ID."""

    name: str
    party: str = ""
    orders: tuple[str, ...] = ()


@dataclass(slots=True)
class Fault:
    """One planned fault: skips the first `skip` matching calls, then applies to `times` (None: until cleared)."""

    on: str
    kind: str
    takes_effect: bool
    times: int | None = 1
    skip: int = 0
    order: str | None = None
    party: str | None = None
    seconds: float = 1.0
    status: int | None = None
    retry_after: str | None = None
    words: str = "Rejected by the sandbox"
    size: int = 8 * 1024 * 1024
    body: str | None = None
    content_type: str | None = None
    fired: int = 0

    @classmethod
    def read(cls, data: Mapping[str, Any], calls: Iterable[str]) -> Fault:
        """Parse the control API's JSON. Raises ValueError with a message for people."""
        kind, takes_effect = str(data.get("kind", "")), data.get("takes_effect")
        if kind not in KINDS:
            for suffix, effect in (("_after", True), ("_before", False)):
                if kind.endswith(suffix) and kind.removesuffix(suffix) in KINDS:
                    kind, takes_effect = kind.removesuffix(suffix), effect
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}. Kinds: {', '.join(KINDS)}.")
        if takes_effect is None:
            takes_effect = KINDS[kind]
        elif kind in FIXED_EFFECT and takes_effect != KINDS[kind]:
            raise ValueError(f"A request hit by {kind} {'always' if KINDS[kind] else 'never'} takes effect.")
        on = str(data.get("on", "any"))
        if on != "any" and on not in calls:
            raise ValueError(f"This server has no call {on!r}. Calls: {', '.join(sorted(calls))}.")
        party = next((data[key] for key in ("party", "merchant", "account") if data.get(key)), None)
        plain = {
            key: data[key]
            for key in ("times", "skip", "seconds", "status", "words", "size", "body", "content_type")
            if key in data
        }
        unknown = set(data) - set(cls.__slots__) - {"merchant", "account"}
        if unknown:
            raise ValueError(f"Unknown fault fields: {', '.join(sorted(unknown))}.")
        return cls(
            on=on,
            kind=kind,
            takes_effect=bool(takes_effect),
            order=None if data.get("order") is None else str(data["order"]),
            party=None if party is None else str(party),
            retry_after=None if data.get("retry_after") is None else str(data["retry_after"]),
            **plain,
        )

    def matches(self, call: Call) -> bool:
        return (
            self.times != 0
            and self.on in {"any", call.name}
            and (self.party is None or self.party == call.party)
            and (self.order is None or self.order in call.orders)
        )

    def fire(self) -> bool:
        """Count this call and return whether the fault applies to it; False while calls are skipped."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.fired += 1
        if self.times is not None:
            self.times -= 1
        return True
