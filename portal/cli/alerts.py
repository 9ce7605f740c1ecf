"""Commands for the operator's alerts."""

from __future__ import annotations

import click

from portal import mail
from portal.cli.common import Commands
from portal.clients.webhook import host_of
from portal.clock import utc_now
from portal.current import session, settings
from portal.messages.recipients import operators
from portal.messages.webhooks import TEST_TEXT, TEST_TITLE, DeliveryError, post, queue_test


@click.group(cls=Commands)
def alerts() -> None:
    """Check the operator's alerts."""


@alerts.command("test")
def test() -> None:
    """Send a test to OPERATOR_EMAIL and to OPERATOR_WEBHOOK_URL, and print the results.

    The exit status is 1 if any of them failed, or if neither is set.
    """
    people, url = operators(settings()), settings().operator_webhook_url
    failures = [_mail(person.email) for person in people]
    if url:
        failures.append(_webhook(host_of(url)))
    if not failures:
        click.echo("Error: Neither OPERATOR_EMAIL nor OPERATOR_WEBHOOK_URL is set, so nobody gets an alert.", err=True)
    raise SystemExit(1 if any(failures) or not failures else 0)


def _mail(to: str) -> bool:
    """Send one mail, and return whether that failed."""
    try:
        mail.send(settings(), to=to, subject=TEST_TITLE, text=f"{TEST_TEXT}\n")
    except mail.MailError as error:
        click.echo(f"Failed  Email to {to}: {error}")
        return True
    is_file = settings().mail_url.startswith("file:")
    click.echo(f"Sent    Email to {to}{': a file in the folder that MAIL_URL names, not a mail' if is_file else ''}")
    return False


def _webhook(host: str) -> bool:
    """Post one message, once, and return whether that failed. It stays in the outbox as a record."""
    message = queue_test(session(), settings(), None, utc_now())
    message.next_attempt_at, message.tries = None, 1
    session().commit()
    try:
        post(session(), message, settings(), utc_now)
    except DeliveryError as error:
        message.error, message.http_status = str(error), error.http_status
        session().commit()
        status = f" (status code {error.http_status})" if error.http_status else ""
        click.echo(f"Failed  Webhook at {host}: {error}{status}")
        return True
    message.sent_at = utc_now()
    session().commit()
    click.echo(f"Sent    Webhook at {host}")
    return False
