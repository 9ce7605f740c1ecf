"""Sending what is due to a real mail server: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.messages import delivery
from portal.messages.delivery import CLAIM, GIVE_UP_AFTER, LONGEST_WAIT, next_wait
from portal.models import Alerts, Message, User
from tests.messages.conftest import OWNER, TEAMMATE

if TYPE_CHECKING:
    from tests.messages.conftest import Outbox
    from tests.messages.mail_server import Mailbox


def test_mail_says_the_fact_and_links_to_the_fix_in_both_parts(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    outbox.queue("3 orders rejected: <SKU> & more")
    assert outbox.send() == 1
    mail = server.received[0]
    assert mail["Subject"] == "3 orders rejected: <SKU> & more"
    assert mail["To"] == OWNER
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "3 orders rejected: <SKU> & more" in text.get_content()
    assert "View orders:\nhttps://portal.example/m/816/orders\n" in text.get_content()
    assert "3 orders rejected: &lt;SKU&gt; &amp; more" in html.get_content()
    assert 'href="https://portal.example/m/816/orders"' in html.get_content()
    for body in (text.get_content(), html.get_content()):
        assert "on the team of Fern &" in body
        assert "https://portal.example/account#alerts" in body
        assert "https://portal.example/unsubscribe/" in body
    assert "<img" not in html.get_content()
    assert "<style" not in html.get_content()


def test_mail_can_be_unsubscribed_with_one_click(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    outbox.queue("One")
    outbox.queue("Two", to="operator@portal.example")
    outbox.send()
    theirs, operators = server.received
    assert "List-Unsubscribe: <https://portal.example/unsubscribe/" in server.raw[0]
    assert theirs["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert operators["List-Unsubscribe"] is None
    assert "unsubscribe" not in operators.as_string()


def test_answers_to_mails_reach_support(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    outbox.settings = replace(outbox.settings, support_email="help@warehouse.example")
    outbox.queue("One")
    outbox.send()
    assert server.received[0]["Reply-To"] == "help@warehouse.example"


def test_sent_mail_is_not_sent_again(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    outbox.queue("One")
    outbox.queue("One")
    assert outbox.send() == 1
    outbox.later(hours=5)
    outbox.queue("One")
    assert outbox.send() == 0
    assert server.subjects() == ["One"]


def test_address_that_the_server_rejects_is_given_up_and_nobody_else(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    server.refused[OWNER] = "550 No such person"
    outbox.queue("One")
    outbox.queue("Two", to=TEAMMATE)
    assert outbox.send() == 1
    refused = outbox.message("One")
    assert (refused.sent_at, refused.next_attempt_at) == (None, None)
    assert "rejected this address" in refused.error
    assert server.subjects() == ["Two"]


def test_address_that_the_server_defers_is_tried_again(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    server.refused[OWNER] = "451 Greylisted, try again later"
    outbox.queue("One")
    assert outbox.send() == 0
    server.refused.clear()
    assert outbox.send() == 0
    outbox.later(seconds=40)
    assert outbox.send() == 1
    assert server.subjects() == ["One"]
    assert outbox.message("One").error == ""


def test_nothing_is_lost_or_sent_twice_while_the_mail_server_is_down(outbox: Outbox, mailbox: Mailbox) -> None:
    with mailbox.running():
        outbox.at(mailbox.url)
    for number in range(5):
        outbox.queue(f"Number {number}")
    for _ in range(30):
        outbox.send()
        outbox.later(minutes=1)
    assert mailbox.received == []
    with mailbox.running():
        outbox.later(minutes=7)
        outbox.send()
        outbox.send()
    assert mailbox.subjects() == [f"Number {number}" for number in range(5)]


def test_dead_mail_server_costs_one_try_for_all_mails(outbox: Outbox) -> None:
    for number in range(5):
        outbox.queue(f"Number {number}")
    outbox.send()
    outbox.send()
    assert [one.tries for one in outbox.messages()] == [1, 0, 0, 0, 0]
    outbox.later(seconds=40)
    outbox.send()
    assert [one.tries for one in outbox.messages()] == [2, 0, 0, 0, 0]


def test_mail_is_given_up_after_three_days(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    outbox.queue("One")
    outbox.later(seconds=GIVE_UP_AFTER.total_seconds() - 1)
    outbox.send()
    assert outbox.message("One").next_attempt_at is not None
    outbox.later(minutes=1)
    outbox.send()
    assert outbox.message("One").next_attempt_at is None
    assert "isn't responding" in outbox.message("One").error
    assert "message.given_up" in caplog.messages
    assert OWNER not in caplog.text


def test_two_senders_at_once_send_each_mail_once(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    for number in range(8):
        outbox.queue(f"Number {number}")
    together = Barrier(3, timeout=20)

    def send() -> int:
        together.wait()
        return outbox.send()

    with ThreadPoolExecutor(3) as pool:
        counts = [running.result() for running in [pool.submit(send) for _ in range(3)]]
    assert sum(counts) == 8
    assert sorted(server.subjects()) == [f"Number {number}" for number in range(8)]


def test_mail_that_is_being_sent_is_left_alone(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    outbox.queue("One")
    second: list[int] = []
    server.on_message = lambda: second.append(outbox.send())
    assert outbox.send() == 1
    assert second == [0]
    assert server.subjects() == ["One"]


def test_mail_of_a_sender_that_died_is_sent_with_the_same_id(
    outbox: Outbox, server: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether it arrived. Mail programs show it once, because its Message-ID is the same."""
    outbox.at(server.url)
    outbox.queue("One")

    class KilledError(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(delivery.log, "info", killed)
        with pytest.raises(KilledError):
            outbox.send()
    assert outbox.send() == 0
    outbox.later(seconds=CLAIM.total_seconds())
    assert outbox.send() == 1
    assert server.subjects() == ["One", "One"]
    assert server.received[0]["Message-ID"] == server.received[1]["Message-ID"]


@pytest.mark.parametrize(
    "change", [{"muted": ["orders_rejected"]}, {"alerts": Alerts.NONE}], ids=["unsubscribed", "no mails at all"]
)
def test_mail_is_not_sent_to_someone_who_no_longer_wants_it(
    outbox: Outbox, server: Mailbox, change: dict[str, object]
) -> None:
    outbox.at(server.url)
    outbox.queue("One")
    outbox.queue("Two", to=TEAMMATE)
    with Session(outbox.engine) as session:
        session.execute(update(User).where(User.email == OWNER).values(change))
        session.commit()
    assert outbox.send() == 1
    assert server.subjects() == ["Two"]


def test_mail_is_not_sent_to_someone_who_was_removed(outbox: Outbox, server: Mailbox) -> None:
    outbox.at(server.url)
    outbox.queue("One")
    with Session(outbox.engine) as session:
        session.execute(update(Message).values(user_id=None))
        session.commit()
    assert outbox.send() == 0
    assert server.received == []


def test_waits_grow_from_half_a_minute_to_an_hour() -> None:
    waits = [next_wait(tries, LONGEST_WAIT) for tries in (1, 2, 3, 10, 1000)]
    assert timedelta(seconds=20) < waits[0] < timedelta(seconds=40)
    assert waits[0] < waits[1] < waits[2] < timedelta(minutes=3)
    assert all(timedelta(minutes=45) <= wait <= timedelta(minutes=75) for wait in waits[3:])
