"""A receiver that doesn't answer costs one time-out a run, and keeps no other one waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm import Session

from portal.actions import webhooks as actions
from portal.clients import webhook
from portal.messages.delivery import _in_turns
from portal.messages.webhooks import queue_test
from portal.models import Merchant, WebhookEndpoint, WebhookFormat
from tests.messages.receiver import receiving
from tests.messages.test_webhooks import save

if TYPE_CHECKING:
    from tests.messages.conftest import Outbox

OTHER = 817


@pytest.fixture(autouse=True)
def short_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "DEADLINE", 0.3)


def save_others(outbox: Outbox, url: str) -> None:
    with Session(outbox.engine) as session:
        session.add(
            Merchant(id=OTHER, name="Moss", sealed_token="", rules_changed_at=outbox.now, created_at=outbox.now)
        )
        session.commit()
        actions.save(
            session, OTHER, url=url, webhook_format=WebhookFormat.SLACK, settings=outbox.settings, actor="test",
            reason="", now=outbox.now,
        )  # fmt: skip


def queue(outbox: Outbox, merchant_id: int, count: int) -> None:
    with Session(outbox.engine) as session:
        for _ in range(count):
            queue_test(session, outbox.settings, session.get_one(WebhookEndpoint, merchant_id), outbox.now)
        session.commit()


def test_one_that_stalls_is_tried_once_and_the_others_get_theirs(outbox: Outbox) -> None:
    with receiving(200) as slow, receiving(200) as quick:
        slow.is_stalled.set()
        save(outbox, slow.url)
        save_others(outbox, quick.url)
        queue(outbox, 816, 20)
        queue(outbox, OTHER, 3)
        assert outbox.send() == 3
        assert (len(slow.got), len(quick.got)) == (1, 3)
        assert outbox.send() == 0
        slow.is_stalled.clear()
        outbox.later(minutes=5)
        assert outbox.send() == 20
    assert all(one.sent_at is not None for one in outbox.messages())


def test_one_that_asks_for_a_pause_gets_nothing_else_in_it(outbox: Outbox) -> None:
    with receiving(429, 200, Retry_After="1800") as receiver:
        save(outbox, receiver.url)
        queue(outbox, 816, 3)
        outbox.send()
        outbox.later(minutes=29)
        assert outbox.send() == 0
        assert len(receiver.got) == 1
        outbox.later(minutes=1)
        assert outbox.send() == 3


def test_message_that_is_never_taken_does_not_keep_later_ones_from_the_receiver(outbox: Outbox) -> None:
    with receiving(400, 200, 400) as receiver:
        save(outbox, receiver.url)
        queue(outbox, 816, 2)
        outbox.send()
        outbox.later(minutes=1)
        outbox.send()
    refused, taken = outbox.messages()
    assert (refused.tries, refused.sent_at) == (2, None)
    assert taken.sent_at is not None


def test_receivers_take_turns() -> None:
    assert _in_turns([(816, 1), (816, 2), (816, 3), (817, 4), (None, 5), (817, 6)]) == [1, 4, 5, 2, 6, 3]
