"""The page of a merchant's webhook: set it, turn it off, test it, and see what became of each message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from portal.clock import utc_now
from portal.extensions import db
from portal.models import Channel, Message, MessageKind, WebhookEndpoint, WebhookFormat
from portal.queue import Call, JobName
from tests.views.conftest import World, get, post, read
from tests.views.page import section, text, text_in
from tests.views.settings_world import HOME, trail

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

PAGE = f"{HOME}/webhook"
URL = "https://hooks.example.com/services/path-that-is-secret"


def save(client: FlaskClient, webhook_format: WebhookFormat = WebhookFormat.STANDARD, **more: str) -> str:
    """Save the webhook and return the page that follows."""
    return post(client, PAGE, url=URL, webhook_format=webhook_format.value, **more).get_data(as_text=True)


def secret_on(page: str) -> str | None:
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", page)
    return found[0] if found else None


def put_message(app: Flask, *, merchant_id: int = 816, is_sent: bool = False, is_due: bool = False) -> int:
    now = utc_now()
    with app.app_context():
        message = Message(
            key=f"{merchant_id}-{is_sent}-{is_due}", channel=Channel.WEBHOOK, kind=MessageKind.INCIDENT_OPENED,
            merchant_id=merchant_id, recipient="https://hooks.example.com", subject="12 orders rejected", text="{}",
            created_at=now, sent_at=now if is_sent else None, next_attempt_at=now if is_due else None, tries=9,
            error="" if is_sent or is_due else "hooks.example.com returned an error.",
        )  # fmt: skip
        db.session.add(message)
        db.session.commit()
        return message.id


def message(app: Flask, message_id: int) -> Message:
    with app.app_context():
        return db.session.get_one(Message, message_id)


def test_the_secret_is_shown_once_and_the_path_never(app: Flask, owner: FlaskClient) -> None:
    shown = save(owner)
    secret = secret_on(shown)
    assert secret
    later = owner.get(PAGE).get_data(as_text=True)
    assert secret_on(later) is None
    assert "https://hooks.example.com/•••" in later
    again = save(owner)
    assert secret_on(again) is None
    replaced = read(post(owner, f"{PAGE}/secret"))
    assert secret_on(str(replaced)) not in {None, secret}
    assert secret_on(owner.get(PAGE).get_data(as_text=True)) is None
    for page in (shown, later, again, str(replaced), owner.get(f"{HOME}/audit-trail").get_data(as_text=True)):
        assert "path-that-is-secret" not in page
    with app.app_context():
        stored = str(db.session.execute(select(WebhookEndpoint.sealed_url, WebhookEndpoint.sealed_secret)).all())
    assert "hooks.example.com" not in stored
    assert "whsec_" not in stored
    assert [(action, subject) for _, action, subject, _ in trail(app)] == [
        ("webhook secret replaced", "hooks.example.com"),
        ("webhook set", "hooks.example.com (standard)"),
        ("webhook set", "hooks.example.com (standard)"),
    ]


def test_slack_needs_no_secret(owner: FlaskClient) -> None:
    assert secret_on(save(owner, WebhookFormat.SLACK)) is None
    assert "Only a webhook with signed JSON has a secret." in text_in(read(post(owner, f"{PAGE}/secret")), "body")


def test_a_refused_url_is_explained_and_not_repeated(app: Flask, owner: FlaskClient) -> None:
    page = read(post(owner, PAGE, url="https://10.0.0.1/hook", webhook_format="slack"), 422)
    assert "This isn't a public address" in text_in(page)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(WebhookEndpoint)) == 0


def test_off_posts_nothing_until_it_is_on_again(app: Flask, owner: FlaskClient) -> None:
    save(owner)
    page = read(post(owner, f"{PAGE}/off"))
    assert "Off since" in text(section(page, "state"))
    assert "Turn it on first." in text_in(read(post(owner, f"{PAGE}/test")), "body")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Message)) == 0
    assert "On We post there" in text(section(read(post(owner, f"{PAGE}/on")), "state"))
    post(owner, f"{PAGE}/on")
    assert [action for _, action, *_ in trail(app)] == ["webhook turned on", "webhook turned off", "webhook set"]


def test_a_test_is_queued_and_in_the_log(app: Flask, owner: FlaskClient, woken: list[Call]) -> None:
    save(owner)
    page = read(post(owner, f"{PAGE}/test"))
    assert "Test message" in text(section(page, "log"))
    assert "Waiting" in text(section(page, "log"))
    assert Call(JobName.MESSAGES) in woken
    assert trail(app)[0][1:3] == ("webhook tested", "hooks.example.com")


@pytest.mark.parametrize(
    ("is_sent", "is_due", "is_again"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_only_what_was_given_up_is_sent_again(
    app: Flask, owner: FlaskClient, woken: list[Call], is_sent: bool, is_due: bool, is_again: bool
) -> None:
    save(owner)
    message_id = put_message(app, is_sent=is_sent, is_due=is_due)
    assert ("Send again" in text(section(get(owner, PAGE), "log"))) is is_again
    before = message(app, message_id).next_attempt_at
    post(owner, f"{PAGE}/messages/{message_id}/send-again")
    after = message(app, message_id)
    assert (after.next_attempt_at != before, after.tries) == (is_again, 0 if is_again else 9)
    assert (Call(JobName.MESSAGES) in woken) is is_again
    assert (trail(app)[0][1] == "webhook message sent again") is is_again


def test_others_webhooks_and_messages_are_not_found(
    app: Flask, owner: FlaskClient, world: World, client_of: Callable[[str | None], FlaskClient]
) -> None:
    save(owner)
    theirs = put_message(app, merchant_id=900)
    stranger = client_of(world.stranger)
    for address in ("", "/secret", "/off", "/on", "/test"):
        assert stranger.get(f"{PAGE}{address}").status_code == 404, address
        assert post(stranger, f"{PAGE}{address}", url=URL, webhook_format="slack").status_code == 404, address
    assert post(owner, f"{PAGE}/messages/{theirs}/send-again").status_code == 404
    assert message(app, theirs).next_attempt_at is None


def test_a_mail_is_not_sent_again_as_a_webhooks_message(app: Flask, owner: FlaskClient) -> None:
    message_id = put_message(app)
    with app.app_context():
        db.session.execute(update(Message).values(channel=Channel.EMAIL))
        db.session.commit()
    assert post(owner, f"{PAGE}/messages/{message_id}/send-again").status_code == 404


def test_support_gives_a_reason_for_each_change(
    app: Flask, world: World, owner: FlaskClient, client_of: Callable[[str | None], FlaskClient], woken: list[Call]
) -> None:
    support = client_of(world.support)
    save(support)
    with app.app_context():
        assert db.session.get(WebhookEndpoint, 816) is None
    save(owner)
    message_id = put_message(app)
    before = len(trail(app))
    again = f"/messages/{message_id}/send-again"
    for address in ("/secret", "/off", "/test", again):
        post(support, PAGE + address)
    assert len(trail(app)) == before
    for address in ("/secret", "/test", again, "/off"):
        post(support, PAGE + address, reason="asked by phone")
    made = trail(app)[: len(trail(app)) - before]
    assert {(actor, reason) for actor, _, _, reason in made} == {(world.support, "asked by phone")}
    assert [action for _, action, *_ in made] == [
        "webhook turned off", "webhook message sent again", "webhook tested", "webhook secret replaced",
    ]  # fmt: skip
