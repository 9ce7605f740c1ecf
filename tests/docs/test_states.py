"""The pages use the portal's own words for states, transitions, and hold reasons."""

from __future__ import annotations

import re

from portal.models import OrderState
from portal.models.states import TRANSITIONS
from portal.rules.hold_reasons import HoldReason
from portal.wording.states import STATE_LABELS
from tests.docs.markdown import page

CODE = re.compile(r"`(\w+)`")


def test_every_state_is_listed_with_its_label_and_transitions() -> None:
    listed = {
        OrderState(code.strip("`")): (label, frozenset(map(OrderState, CODE.findall(moves))))
        for code, label, _, _, moves in page("docs/architecture.md").rows("States")
    }
    assert listed == {state: (STATE_LABELS[state], TRANSITIONS[state]) for state in OrderState}


def test_every_hold_reason_is_explained() -> None:
    seen = " ".join(row[0] for row in page("docs/troubleshooting.md").rows("One order"))
    assert [reason.value for reason in HoldReason if reason.row.label not in seen] == []
