"""Each outage of the database is told once it lasts, and its end once, whatever else fails meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING

import pytest

from jobs.database_outage import DatabaseOutage
from tests.conftest import settings_for

if TYPE_CHECKING:
    from pathlib import Path

AWAY, BACK = "The database can't be reached", "The database is back"


class Told:
    """One watch's view of the database, a clock to move, and what the operator was mailed."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        settings = settings_for("sqlite://", REDIS_URL=redis_url)
        self.folder = folder
        self.settings = replace(settings, operator_email="operator@portal.example", mail_url=f"file://{folder}")
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
        self.outage = self.another()

    def another(self) -> DatabaseOutage:
        return DatabaseOutage(self.settings, lambda: self.now)

    def away(self, **time: float) -> None:
        for _ in range(2):
            self.outage.is_away("Connection refused.")
            self.now += timedelta(**time) / 2
        self.outage.is_away("Connection refused.")

    def mails(self) -> list[tuple[str, str]]:
        found = [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(self.folder.glob("*.eml"))]
        bodies = [mail.get_body(("plain",)) for mail in found]
        texts = [" ".join(body.get_content().split()) if body else "" for body in bodies]
        return [(str(mail["Subject"]), text) for mail, text in zip(found, texts, strict=True)]

    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.mails()]


@pytest.fixture
def told(redis_url: str, tmp_path: Path) -> Told:
    return Told(redis_url, tmp_path / "mail")


def test_the_mails_say_since_when_why_and_how_long(told: Told) -> None:
    told.away(minutes=3)
    told.now += timedelta(minutes=31)
    told.outage.is_over()
    (_, away), (_, back) = told.mails()
    assert "since 2026-11-28 12:00 UTC" in away
    assert "Connection refused." in away
    assert "It was away for 34 minutes, since 2026-11-28 12:00 UTC." in back


def test_the_next_outage_counts_from_its_own_start(told: Told) -> None:
    for _ in range(2):
        told.away(minutes=3)
        told.outage.is_over()
        told.now += timedelta(hours=1)
    assert told.subjects() == [AWAY, BACK] * 2
    told.away(minutes=1)
    told.outage.is_over()
    assert len(told.mails()) == 4


def test_an_end_that_could_not_be_mailed_is_told_later_and_once(told: Told) -> None:
    told.away(minutes=3)
    for path in told.folder.iterdir():
        path.unlink()
    told.folder.rmdir()
    told.folder.write_text("not a folder")
    told.outage.is_over()
    told.folder.unlink()
    for _ in range(2):
        told.now += timedelta(minutes=1)
        told.outage.is_over()
    assert told.subjects() == [BACK]


@pytest.mark.parametrize("redis_is_away", [False, True])
def test_only_the_watches_that_told_the_outage_tell_its_end(told: Told, *, redis_is_away: bool) -> None:
    """Without Redis, each watch knows only what it told itself."""
    if redis_is_away:
        told.settings = replace(told.settings, redis_url="redis://127.0.0.1:1")
        told.outage = told.another()
    other = told.another()
    told.away(minutes=3)
    other.is_over()
    assert told.subjects() == ([AWAY] if redis_is_away else [AWAY, BACK])
    told.outage.is_over()
    told.outage.is_over()
    assert told.subjects() == [AWAY, BACK]


def test_what_nobody_was_told_of_has_no_end_to_tell(told: Told) -> None:
    told.outage.is_over()
    told.away(minutes=1)
    told.outage.is_over()
    assert told.mails() == []
