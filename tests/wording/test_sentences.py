"""The texts about states, attempts, rejections and actions, as people read them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from portal.clients import errors
from portal.clients.errors import ServiceError
from portal.models import AttemptKind, AttemptOutcome, Merchant, Order, OrderState, Store, Trigger
from portal.wording import actions, attempts, rejections, states, stops
from portal.wording.states import sentence_of

if TYPE_CHECKING:
    from types import ModuleType

NOW = datetime(2026, 11, 27, 18, tzinfo=UTC)


def order(state: OrderState, **columns: object) -> Order:
    return Order(**{"state": state, "number": "FERN-1", "state_reason": "", "fcp_order_id": "", "fcp_status": "",
                    "shipped_on": "", "carrier": "", "next_attempt_at": NOW, **columns})  # fmt: skip


SENTENCES = [
    (order(OrderState.HELD), "We check it at every sync and send it automatically once every reason is resolved."),
    (order(OrderState.READY), "We'll send it to the warehouse automatically."),
    (
        order(OrderState.READY, next_attempt_at=None),
        "We couldn't send this order for 72 hours. Make sure the warehouse can be reached, then retry the order.",
    ),
    (order(OrderState.SUBMITTING), "We're sending this order to the warehouse now."),
    (
        order(OrderState.UNCONFIRMED),
        (
            "We don't know yet whether this order reached the warehouse. "
            "We're checking with the warehouse and won't send it twice."
        ),
    ),
    (
        order(OrderState.REJECTED, state_reason="Invalid SKU: GUIDE-1"),
        (
            'The warehouse rejected this order: "Invalid SKU: GUIDE-1". '
            "Fix the SKU or ask the warehouse to add it. Then retry the order, or close it."
        ),
    ),
    (
        order(OrderState.REJECTED),
        (
            "The warehouse rejected this order without giving a reason. Ask the warehouse why. "
            "Then retry the order, or close it."
        ),
    ),
    (
        order(OrderState.SUBMITTED, fcp_order_id="5001", fcp_status="Pending"),
        "At the warehouse as 5001. Status there: Pending.",
    ),
    (order(OrderState.SUBMITTED), "At the warehouse. Status there: not known yet."),
    (
        order(OrderState.SUBMITTED, fcp_order_id="5001", fcp_status="Gift-wrapping"),
        (
            'At the warehouse as 5001. Its status there is "Gift-wrapping", '
            "which we don't recognize, so we can't tell whether it has shipped. Ask the warehouse. "
            "If it has shipped, mark the order as shipped in Big Cartel."
        ),
    ),
    (
        order(OrderState.SUBMITTED, fcp_missing_since=NOW),
        (
            "The warehouse accepted this order but can't find it anymore. Ask the warehouse about it. "
            "If they won't ship it, retry the order to send it again, or close it."
        ),
    ),
    (
        order(OrderState.SHIPPED, shipped_on="2026-11-26", carrier="USPS"),
        "Shipped on 2026-11-26 by USPS. We're updating Big Cartel.",
    ),
    (
        order(OrderState.SHIPPED, next_attempt_at=None),
        (
            "The warehouse shipped this order, but we couldn't update Big Cartel for 72 hours. "
            "Retry the order, or mark it as shipped in Big Cartel."
        ),
    ),
    (order(OrderState.COMPLETED, carrier="UPS"), "Shipped by UPS and marked as shipped in Big Cartel."),
    (order(OrderState.CLOSED, state_reason=states.GONE_FROM_BIG_CARTEL), "No longer in Big Cartel."),
    (order(OrderState.CLOSED), "Closed."),
]


@pytest.mark.parametrize(
    ("of", "sentence"), SENTENCES, ids=[f"{one.state}-{n}" for n, (one, _) in enumerate(SENTENCES)]
)
def test_every_state_says_what_happened_and_what_to_do(of: Order, sentence: str) -> None:
    assert sentence_of(of) == sentence


def test_all_states_are_covered() -> None:
    assert {of.state for of, _ in SENTENCES} == set(OrderState)
    assert states.STATE_LABELS.keys() == set(OrderState)


def test_order_of_a_stopped_merchant_names_what_stops_it() -> None:
    stopped = Merchant(credentials_refused_at=NOW)
    assert sentence_of(order(OrderState.READY), stopped) == (
        "The warehouse rejected the merchant's credentials. Check the Merchant Token and the Merchant "
        "Name. After that, we'll send the order automatically."
    )


CONNECTED, REVOKED = Store(sealed_token="t"), Store(sealed_token="t", reconnect_needed_at=NOW)
CHECKED = "We'll send this order once we have checked its SKUs in Big Cartel again."


@pytest.mark.parametrize(
    ("columns", "store", "sentence"),
    [
        ({}, CONNECTED, ""),
        ({}, REVOKED, f"{stops.RECONNECT} {CHECKED}"),
        ({}, Store(sealed_token=""), f"{stops.DISCONNECTED} {CHECKED}"),
        (
            {"next_attempt_at": NOW + timedelta(seconds=20)}, CONNECTED,
            f"We couldn't read its products in Big Cartel. {CHECKED}",
        ),
        ({"next_attempt_at": NOW + timedelta(seconds=20), "failures": 1}, CONNECTED, ""),
        ({"first_seen_at": NOW - timedelta(minutes=4)}, REVOKED, ""),
        ({"state": OrderState.SUBMITTED}, REVOKED, ""),
    ],
)  # fmt: skip
def test_order_that_waits_for_its_store_says_so(columns: dict[str, Any], store: Store, sentence: str) -> None:
    first = {"state": OrderState.READY, "first_seen_at": NOW - timedelta(minutes=6), "failures": 0}
    assert states.waits_for_store(order(**{**first, **columns}), store, NOW) == sentence


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("Unknown ShippingMethod USPS_MEDIA", "Choose a different carrier service under Shipping."),
        ("Item GUIDE-1 is discontinued", "Fix the SKU or ask the warehouse to add it."),
        ("PostalCode does not match State", "Fix the order's address in Big Cartel."),
        ("Computer says no", "Fix the problem the warehouse describes."),
    ],
)
def test_rejection_comes_with_a_remedy(words: str, remedy: str) -> None:
    assert rejections.meaning_of(words).remedy == remedy


def test_audit_trail_names_earlier_actions_as_today() -> None:
    assert actions.title_of("colleague invited") == "Teammate invited"
    assert actions.title_of("SKU set by hand") == "SKU set by hand"


def test_every_kind_outcome_and_trigger_of_an_attempt_has_a_label() -> None:
    assert attempts.KIND_LABELS.keys() == set(AttemptKind)
    assert attempts.OUTCOME_LABELS.keys() == attempts.OUTCOME_COLORS.keys() == set(AttemptOutcome)
    assert attempts.TRIGGER_LABELS.keys() == set(Trigger)


@pytest.mark.parametrize("kind", AttemptKind)
def test_every_failure_of_a_call_is_explained(kind: AttemptKind) -> None:
    """Errors that mean the same may share a sentence; none is left without one."""
    for error in failures():
        text = attempts.explain(error("", service="The warehouse"), kind)
        assert is_sentence(text), text


def failures() -> Iterator[type[ServiceError]]:
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, ServiceError) and error is not ServiceError:
            yield error


def texts(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield every text that a module of portal.wording holds, with its name."""
    for name, value in vars(module).items():
        if name.isupper() and not name.endswith(("_LABELS", "_COLORS", "_ACTIONS")):
            yield from ((name, text) for text in flat(value))


def flat(value: object) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Enum):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from flat(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from flat(one)


def is_sentence(text: str) -> bool:
    return text[0].isupper() and text.endswith(".") and "  " not in text and text == text.strip()


@pytest.mark.parametrize("module", [actions, attempts, states, stops], ids=lambda module: module.__name__)
def test_every_text_is_a_whole_sentence(module: ModuleType) -> None:
    found = list(texts(module))
    assert len(found) > 3
    assert [name for name, text in found if not is_sentence(text)] == []
