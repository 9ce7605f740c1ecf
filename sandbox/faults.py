"""Faults as they are planned: which kind, for which calls, whose and how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The value says whether the request takes effect when the fault does not say so itself.
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
FIXED = frozenset({"reset_before", "reset_after", "cut_after", "truncate", "namespace"})


class Call(NamedTuple):
    """What a request is about, as far as a fault may ask for it: `party` is the account or the merchant."""

    name: str
    party: str = ""
    orders: tuple[str, ...] = ()


@dataclass(slots=True)
class Fault:
    """One planned fault. `times` None means until it is taken away; the first `skip` matching calls pass."""

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
    words: str = "Refused by the sandbox"
    size: int = 8 * 1024 * 1024
    body: str | None = None
    content_type: str | None = None
    fired: int = 0

    @classmethod
    def read(cls, data: Mapping[str, Any], calls: Iterable[str]) -> Fault:
        """Read the control API's JSON. Raises ValueError with a sentence."""
        kind, takes_effect = str(data.get("kind", "")), data.get("takes_effect")
        if kind not in KINDS:
            for suffix, effect in (("_after", True), ("_before", False)):
                if kind.endswith(suffix) and kind.removesuffix(suffix) in KINDS:
                    kind, takes_effect = kind.removesuffix(suffix), effect
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}; there are: {', '.join(KINDS)}.")
        if takes_effect is None:
            takes_effect = KINDS[kind]
        elif kind in FIXED and takes_effect != KINDS[kind]:
            raise ValueError(f"{kind} always {'takes' if KINDS[kind] else 'comes before'} effect.")
        on = str(data.get("on", "any"))
        if on != "any" and on not in calls:
            raise ValueError(f"This server has no call {on!r}; it has: {', '.join(sorted(calls))}.")
        party = next((data[key] for key in ("party", "merchant", "account") if data.get(key)), None)
        plain = {
            key: data[key]
            for key in ("times", "skip", "seconds", "status", "words", "size", "body", "content_type")
            if key in data
        }
        unknown = set(data) - set(cls.__slots__) - {"merchant", "account"}
        if unknown:
            raise ValueError(f"A fault has no {', '.join(sorted(unknown))}.")
        return cls(
            on=on,
            kind=kind,
            takes_effect=bool(takes_effect),
            order=None if data.get("order") is None else str(data["order"]),
            party=None if party is None else str(party),
            retry_after=None if data.get("retry_after") is None else str(data["retry_after"]),
            **plain,
        )

    def concerns(self, call: Call) -> bool:
        return (
            self.times != 0
            and self.on in {"any", call.name}
            and (self.party is None or self.party == call.party)
            and (self.order is None or self.order in call.orders)
        )

    def fire(self) -> bool:
        """Count this call; False when it is one of those to let pass."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.fired += 1
        if self.times is not None:
            self.times -= 1
        return True
