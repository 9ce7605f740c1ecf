"""Lighthouse: performance, accessibility, best practices, and what search engines want, as on a phone with slow 4G."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.judges.installed import package_file, program

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNNER = Path(__file__).with_name("lighthouse.mjs")


@dataclass(frozen=True, slots=True)
class Visit:
    """A page to judge: with these cookies, without these audits, and with what an earlier visit left in the cache."""

    url: str
    cookie: str = ""
    skipped: tuple[str, ...] = ()
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    scores: dict[str, float]
    failed: list[str]
    """Each audit without a full score."""
    lcp_milliseconds: float
    cls: float
    requests: list[str]
    """What was loaded, the page and its redirects included, apart from what the browser had."""


def judge(chromium: str, visits: Sequence[Visit]) -> list[Verdict]:
    """Judge the pages one after the other, in one Chromium."""
    package_file("lighthouse/package.json")
    pages = [
        {"url": one.url, "cookie": one.cookie, "skipAudits": one.skipped, "isAgain": one.is_again} for one in visits
    ]
    done = subprocess.run(
        [program("node"), RUNNER],
        input=json.dumps({"chrome": chromium, "pages": pages}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return [_verdict(json.loads(line)) for line in done.stdout.splitlines()]


def _verdict(found: dict[str, Any]) -> Verdict:
    return Verdict(found["scores"], found["failed"], found["lcp"], found["cls"], [url for url, _ in found["requests"]])
