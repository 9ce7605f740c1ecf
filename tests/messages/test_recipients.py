"""Who gets which mail, and what an unsubscribe link turns off."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.messages import unsubscribe
from portal.messages.recipients import merchant_people, operators, support_people
from portal.models import Alerts, Merchant, MessageKind, Role, User
from tests.messages.conftest import OWNER, START, TEAMMATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.messages.conftest import Outbox

SUPPORT = "support@portal.example"
NOTE, MORNING, REJECTED = MessageKind.NOTE, MessageKind.MORNING_NOTE, "orders_rejected"


@pytest.fixture
def session(outbox: Outbox) -> Iterator[Session]:
    with Session(outbox.engine) as made:
        made.add(Merchant(id=817, name="Moss", sealed_token="", rules_changed_at=START, created_at=START))
        made.flush()
        given = {"password_hash": "", "created_at": START}
        made.add(User(id=3, email=SUPPORT, session_key="3", role=Role.SUPPORT, **given))
        made.add(User(id=4, email="owner@moss.example", session_key="4", role=Role.MERCHANT, merchant_id=817, **given))
        made.commit()
        yield made


@pytest.mark.parametrize(
    ("alerts", "kinds"),
    [
        (Alerts.ALL, {NOTE, MORNING}), (Alerts.STOPS, {NOTE}), (Alerts.DAILY, {NOTE, MORNING}), (Alerts.NONE, set()),
    ],
)  # fmt: skip
def test_the_choice_of_mails_says_who_gets_notes(session: Session, alerts: Alerts, kinds: set[MessageKind]) -> None:
    session.execute(update(User).where(User.email == OWNER).values(alerts=alerts))
    for kind in (NOTE, MORNING):
        emails = [person.email for person in merchant_people(session, 816, kind)]
        assert emails == ([OWNER, TEAMMATE] if kind in kinds else [TEAMMATE])


def test_support_gets_mail_at_its_address_or_its_people_do(session: Session, outbox: Outbox) -> None:
    assert [(one.email, one.user_id) for one in support_people(session, outbox.settings, NOTE)] == [(SUPPORT, 3)]
    settings = replace(outbox.settings, support_email="help@warehouse.example")
    assert [(one.email, one.user_id) for one in support_people(session, settings, NOTE)] == [
        ("help@warehouse.example", None)
    ]


def test_there_may_be_no_operator_or_several(outbox: Outbox) -> None:
    assert operators(replace(outbox.settings, operator_email="")) == []
    both = operators(replace(outbox.settings, operator_email="a@portal.example, b@portal.example"))
    assert [one.email for one in both] == ["a@portal.example", "b@portal.example"]


def test_each_kind_is_turned_off_and_on_by_itself(session: Session) -> None:
    for kind in (NOTE, REJECTED, NOTE):
        unsubscribe.mute(session, 1, kind)
    assert session.get_one(User, 1).muted == [NOTE, REJECTED]
    assert unsubscribe.is_muted(session, 1, REJECTED)
    assert not unsubscribe.is_muted(session, 1, MORNING)
    assert [one.email for one in merchant_people(session, 816, NOTE)] == [TEAMMATE]
    unsubscribe.unmute(session, 1, NOTE)
    assert session.get_one(User, 1).muted == [REJECTED]
    assert unsubscribe.is_muted(session, 999, NOTE), "nobody is there to get it"


@pytest.mark.parametrize(("years", "found"), [(0, (1, NOTE)), (4, (1, NOTE)), (6, None)])
def test_a_link_in_an_old_mail_still_works(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, years: int, found: tuple[int, str] | None
) -> None:
    token = unsubscribe.unsubscribe_url(outbox.settings, 1, NOTE).rpartition("/")[2]
    later = int(time.time()) + years * 365 * 86_400
    monkeypatch.setattr("itsdangerous.TimestampSigner.get_timestamp", lambda _: later)
    assert unsubscribe.read(token, outbox.settings) == found
