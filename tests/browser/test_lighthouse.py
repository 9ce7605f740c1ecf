"""Lighthouse gives every family of pages at least 98 points, and the second page is there within a second.

Its connection (slow 4G: 150 ms, 1.6 Mbit/s) and processor are simulated, from what Chromium really did. Whatever else
this machine does meanwhile makes that slower, never faster. So a page that misses its speed is judged again, and the
best of three counts. Accessibility, best practices, and layout shift don't depend on the machine.

The first visit takes 1.1 to 1.8 s until the largest content is there: the simulation opens connections and loads the
typeface. Browsers then have every file, so a second is the limit for all other visits.
"""

from __future__ import annotations

from dataclasses import replace
from shutil import which
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import ON_PATH
from tests.browser.site import OWNER, SUPPORT, log_in
from tests.judges.installed import program
from tests.judges.lighthouse import Verdict, Visit, judge

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.site import Site

ENOUGH = 0.98
RUNS = 3
PAGES = {
    None: ("/", "/log-in", "/sign-up"),
    OWNER: (
        "/m/816/",
        "/m/816/orders",
        "{order}",
        "/m/816/products",
        "/m/816/shipping",
        "/m/816/attempts",
        "/m/816/settings",
        "/connect",
    ),
    SUPPORT: ("/support/merchants", "/support/incidents"),
}
"""One or two pages of each family."""
AGAIN = ("/m/816/", "/m/816/orders", "{order}", "/m/816/products")
NOT_FOR_SEARCH_ENGINES = ("is-crawlable",)
"""Pages behind the log-in ask search engines to leave them out. Lighthouse takes 31 points for that; we want it."""


@pytest.fixture(scope="module")
def visits(browser: Browser, live_site: Site) -> list[Visit]:
    program("node")
    found = []
    for email, paths in PAGES.items():
        context = browser.new_context()
        page = context.new_page()
        order = ""
        if email is not None:
            log_in(page, live_site, email)
            page.wait_for_url(lambda url: "log-in" not in url)
        if email == OWNER:
            page.goto(f"{live_site.url}/m/816/orders?state=completed")
            order = page.locator("tbody a[href*='/orders/']").first.get_attribute("href") or ""
            assert order
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())
        skipped = NOT_FOR_SEARCH_ENGINES if email else ()
        named = [f"{live_site.url}{path.format(order=order)}" for path in paths]
        found += [Visit(url, cookie, skipped) for url in named]
        if email == OWNER:
            # The first of them comes right after a page of the same family, so everything is in the cache.
            found += [
                Visit(f"{live_site.url}{path.format(order=order)}", cookie, skipped, is_again=True) for path in AGAIN
            ]
        context.close()
    return found


@pytest.mark.timeout(600)
def test_every_family_of_pages_gets_at_least_98_points(visits: list[Visit]) -> None:
    chromium = next(filter(None, map(which, ON_PATH)), None) or program(ON_PATH[0])
    left, problems = visits, list[str]()
    for run in range(RUNS):
        # Each run has a browser of its own, whose cache is empty until the first visit.
        asked = [one for visit in left for one in _with_visit_before(visit, is_needed=run > 0)]
        verdicts = dict(zip(asked, judge(chromium, asked), strict=True))
        for visit in left:
            assert visit.url in verdicts[visit].requests, "the page is another one"
            if not run:
                problems += _lasting(visit, verdicts[visit])
        left = [visit for visit in left if _is_slow(visit, verdicts[visit])]
        if not left:
            break
    slow = [f"{one.url}: {verdicts[one].lcp_milliseconds:.0f} ms, {verdicts[one].failed}" for one in left]
    assert problems + slow == []


def _with_visit_before(visit: Visit, *, is_needed: bool) -> tuple[Visit, ...]:
    return (replace(visit, is_again=False), visit) if visit.is_again and is_needed else (visit,)


def _lasting(visit: Visit, verdict: Verdict) -> list[str]:
    """Return what doesn't depend on how busy the machine is."""
    bad = {name: score for name, score in verdict.scores.items() if name != "performance" and score < ENOUGH}
    found = [f"{visit.url}: {bad} {verdict.failed}"] if bad else []
    if verdict.cls > 0.005:
        found.append(f"{visit.url}: parts of the page move by {verdict.cls:.3f}")
    if visit.is_again and len(verdict.requests) > 3:
        found.append(f"{visit.url}: the page and {verdict.requests}")
    return found


def _is_slow(visit: Visit, verdict: Verdict) -> bool:
    return verdict.scores["performance"] < ENOUGH or (visit.is_again and verdict.lcp_milliseconds >= 1000)
