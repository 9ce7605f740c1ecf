"""The home page, and what every page has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.views.conftest import World, get
from tests.views.page import one

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient


def test_home_page_links_to_sign_up(client_of: Callable[[str | None], FlaskClient]) -> None:
    page = get(client_of(None), "/")
    assert one(page, "a.btn-primary", "Sign up")["href"] == "/sign-up"


def test_home_page_redirects_merchants_to_the_dashboard_and_support_to_merchants(
    world: World, client_of: Callable[[str | None], FlaskClient]
) -> None:
    assert client_of(world.owner).get("/").headers["Location"] == "/m/816/"
    assert client_of(world.support).get("/").headers["Location"] == "/support/merchants"


def test_another_merchants_pages_are_not_found(world: World, client_of: Callable[[str | None], FlaskClient]) -> None:
    get(client_of(world.owner), "/m/816/")
    get(client_of(world.stranger), "/m/816/", 404)
    get(client_of(world.owner), "/m/900/", 404)
    get(client_of(world.support), "/m/816/")
    assert client_of(None).get("/m/816/").headers["Location"].startswith("/log-in?next=")


def test_dark_theme_is_rendered_without_a_script(client_of: Callable[[str | None], FlaskClient]) -> None:
    client = client_of(None)
    first = client.get("/")
    assert first.headers["Accept-CH"] == "Sec-CH-Prefers-Color-Scheme"
    assert 'data-bs-theme="light"' in first.text
    assert 'data-bs-theme="dark"' in client.get("/", headers={"Sec-CH-Prefers-Color-Scheme": "dark"}).text


def test_page_left_open_returns_after_logging_in_again(
    client_of: Callable[[str | None], FlaskClient],
) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/m/816/orders?state=held"}
    answer = client_of(None).get("/m/816/orders?state=held", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/log-in?next=/m/816/orders?state%3Dheld"
