"""What a webhook's receiver gets, and what becomes of a message that it doesn't take."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from portal.actions import webhooks as actions
from portal.messages import events
from portal.messages.webhooks import queue_test
from portal.models import WebhookEndpoint, WebhookFormat
from tests.messages.conftest import START
from tests.messages.receiver import receiving

if TYPE_CHECKING:
    import pytest

    from portal.models import Message
    from tests.messages.conftest import Outbox


def save(outbox: Outbox, url: str, webhook_format: WebhookFormat = WebhookFormat.STANDARD) -> str:
    outbox.settings = replace(outbox.settings, webhook_private_addresses="allow")
    with Session(outbox.engine) as session:
        return actions.save(
            session, 816, url=url, webhook_format=webhook_format, settings=outbox.settings, actor="test", reason="",
            now=outbox.now,
        )  # fmt: skip


def send_test(outbox: Outbox) -> Message:
    with Session(outbox.engine) as session:
        queue_test(session, outbox.settings, session.get_one(WebhookEndpoint, 816), outbox.now)
        session.commit()
    outbox.send()
    return outbox.messages()[-1]


def off_since(outbox: Outbox) -> datetime | None:
    with Session(outbox.engine) as session:
        return session.get_one(WebhookEndpoint, 816).disabled_at


def test_a_receiver_can_verify_the_signature(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standardwebhooks.webhooks.Webhook._Webhook__verify_timestamp", lambda _, text: at(text))
    with receiving(500, 200) as receiver:
        secret = save(outbox, receiver.url)
        failed = send_test(outbox)
        assert (failed.sent_at, failed.http_status, failed.tries) == (None, 500, 1)
        outbox.later(minutes=2)
        outbox.send()
    sent = outbox.messages()[-1]
    assert (sent.http_status, sent.tries, sent.error) == (200, 2, "")
    assert sent.sent_at is not None
    assert "secret" not in sent.recipient
    ids = set()
    for headers, body in receiver.got:
        event = Webhook(secret).verify(body, headers)
        assert (event["type"], event["data"]["merchant_id"]) == ("test", 816)
        ids.add({name.lower(): value for name, value in headers.items()}["webhook-id"])
    assert len(ids) == 1


def at(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def test_slack_gets_one_text_with_a_link(outbox: Outbox) -> None:
    with receiving(200) as receiver:
        assert save(outbox, receiver.url, WebhookFormat.SLACK) == ""
        assert send_test(outbox).sent_at is not None
    (headers, body), *others = receiver.got
    assert not others
    assert "webhook-signature" not in {name.lower() for name in headers}
    assert set(json.loads(body)) == {"text"}
    assert json.loads(body)["text"].endswith("<https://portal.example/m/816/settings/webhook|Open in the portal>")


def test_a_webhook_that_is_gone_is_turned_off(outbox: Outbox) -> None:
    with receiving(410) as receiver:
        save(outbox, receiver.url)
        message = send_test(outbox)
        assert (message.next_attempt_at, message.http_status) == (None, 410)
        assert "turned the webhook off" in message.error
        assert off_since(outbox) == outbox.now
        assert "turned off" in send_test(outbox).error
    assert len(receiver.got) == 1


def test_a_redirect_is_not_followed(outbox: Outbox) -> None:
    with receiving(200) as inside, receiving(302, Location=inside.url) as receiver:
        save(outbox, receiver.url)
        message = send_test(outbox)
    assert "redirected" in message.error
    assert message.next_attempt_at is not None
    assert inside.got == []


def test_a_receiver_that_asks_for_a_pause_gets_it(outbox: Outbox) -> None:
    with receiving(429, Retry_After="3600") as receiver:
        save(outbox, receiver.url)
        message = send_test(outbox)
    assert message.next_attempt_at == outbox.now + timedelta(hours=1)


def test_a_webhook_that_fails_for_three_days_is_turned_off(outbox: Outbox) -> None:
    save(outbox, "http://127.0.0.1:1/")
    assert send_test(outbox).next_attempt_at is not None
    outbox.later(days=3, hours=1)
    outbox.send()
    assert off_since(outbox) == outbox.now
    assert outbox.messages()[-1].next_attempt_at is None


def test_a_private_address_gets_nothing_unless_it_is_allowed(outbox: Outbox) -> None:
    with receiving(200) as receiver:
        save(outbox, receiver.url)
        outbox.settings = replace(outbox.settings, webhook_private_addresses="block")
        message = send_test(outbox)
    assert message.next_attempt_at is None
    assert receiver.got == []


@given(st.text(), st.text())
def test_no_text_becomes_markup_in_slack(subject: str, text: str) -> None:
    event = events.of_test(merchant_id=816, title="", text=text, url="https://portal.example/?a=b&c=<|>", now=START)
    words, _, link = json.loads(events.as_slack(event, subject))["text"].rpartition("\n")
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", words)
    assert link == "<https://portal.example/?a=b&amp;c=&lt;%7C&gt;|Open in the portal>"
