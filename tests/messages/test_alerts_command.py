"""`flask alerts test` sends to the operator's addresses and webhook for real, and its exit status says how it went."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from portal import create_app
from portal.extensions import db
from portal.models import Message
from tests.conftest import settings_for
from tests.messages.receiver import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.messages.mail_server import Mailbox

ADDRESS, SECOND = "operator@portal.example", "second@portal.example"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
NOBODY_LISTENS = "127.0.0.1:1"


def run(url: str, **settings: str) -> tuple[int, str, list[tuple[str, str, bool]]]:
    """Run the command. Return its status, what it printed, and the messages: recipient, error, whether still due."""
    app = create_app(settings_for(url, PUBLIC_URL="https://portal.example", **settings))
    result = app.test_cli_runner().invoke(args=["alerts", "test"])
    with app.app_context():
        messages = [
            (one.recipient, one.error, one.next_attempt_at is not None) for one in db.session.query(Message).all()
        ]
        db.engine.dispose()
    return result.exit_code, result.output, messages


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(200) as running:
        yield running


def test_each_address_and_the_webhook_get_one(sqlite_url: str, server: Mailbox, receiver: Receiver) -> None:
    status, output, messages = run(
        sqlite_url, MAIL_URL=server.url, OPERATOR_EMAIL=f"{ADDRESS}, {SECOND}", OPERATOR_WEBHOOK_URL=receiver.url,
        OPERATOR_WEBHOOK_SECRET=SECRET,
    )  # fmt: skip
    assert (status, output.splitlines()) == (
        0,
        [f"Sent    Email to {ADDRESS}", f"Sent    Email to {SECOND}", "Sent    Webhook at 127.0.0.1"],
    )
    assert server.subjects(ADDRESS) == server.subjects(SECOND) == ["Test message"]
    ((headers, body),) = receiver.got
    assert Webhook(SECRET).verify(body, headers)["type"] == "test"
    assert messages == [("https://127.0.0.1", "", False)]


def test_slack_is_enough(sqlite_url: str, receiver: Receiver) -> None:
    assert run(sqlite_url, OPERATOR_WEBHOOK_URL=receiver.url)[:2] == (0, "Sent    Webhook at 127.0.0.1\n")
    assert b"Open in the portal" in receiver.got[0][1]


def test_nothing_set_is_a_failure(sqlite_url: str) -> None:
    status, output, messages = run(sqlite_url)
    assert (status, messages) == (1, [])
    assert output == ("Error: Neither OPERATOR_EMAIL nor OPERATOR_WEBHOOK_URL is set, so nobody gets an alert.\n")


def test_one_failure_is_a_failure_and_the_rest_is_still_tried(
    sqlite_url: str, server: Mailbox, receiver: Receiver
) -> None:
    server.refused[ADDRESS] = "550 No such person"
    status, output, _ = run(
        sqlite_url, MAIL_URL=server.url, OPERATOR_EMAIL=f"{ADDRESS}, {SECOND}", OPERATOR_WEBHOOK_URL=receiver.url
    )
    failed, *sent = output.splitlines()
    assert status == 1
    assert failed.startswith(f"Failed  Email to {ADDRESS}: ")
    assert sent == [f"Sent    Email to {SECOND}", "Sent    Webhook at 127.0.0.1"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "Failed  Webhook at 127.0.0.1: 127.0.0.1 returned an error. (status code 500)"),
        (410, "Failed  Webhook at 127.0.0.1: 127.0.0.1 said that this webhook no longer exists. (status code 410)"),
        (None, "Failed  Webhook at 127.0.0.1: "),
    ],
)
def test_webhook_that_does_not_take_it_is_a_failure_and_is_not_tried_again(
    sqlite_url: str, server: Mailbox, answer: int | None, words: str
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(receiving(answer)).url if answer else f"http://{NOBODY_LISTENS}/"
        status, output, messages = run(
            sqlite_url, MAIL_URL=server.url, OPERATOR_EMAIL=ADDRESS, OPERATOR_WEBHOOK_URL=url
        )
    assert status == 1
    assert output.splitlines()[0] == f"Sent    Email to {ADDRESS}"
    assert output.splitlines()[1].startswith(words)
    ((_, error, is_due),) = messages
    assert (bool(error), is_due) == (True, False)


def test_mail_in_a_folder_is_said_to_be_one(sqlite_url: str, tmp_path: Path) -> None:
    status, output, _ = run(sqlite_url, OPERATOR_EMAIL=ADDRESS, MAIL_URL=f"file://{tmp_path}/mail")
    assert status == 0
    assert output == f"Sent    Email to {ADDRESS}: a file in the folder that MAIL_URL names, not a mail\n"
    assert len(list((tmp_path / "mail").iterdir())) == 1


def test_mail_that_cannot_be_sent_is_a_failure(sqlite_url: str) -> None:
    status, output, _ = run(sqlite_url, OPERATOR_EMAIL=ADDRESS, MAIL_URL=f"smtp://{NOBODY_LISTENS}")
    assert status == 1
    assert output.startswith(f"Failed  Email to {ADDRESS}: ")
