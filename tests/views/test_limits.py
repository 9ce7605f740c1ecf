"""Rate limits slow guessing down, and lock nobody out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from redis import Redis

from portal import create_app
from portal.extensions import db
from portal.page_extensions import limiter
from portal.people import passwords
from tests.conftest import settings_for
from tests.views.conftest import PASSWORD, World, post, read
from tests.views.page import text_in
from tests.views.people_world import NEW_PASSWORD, link_in, mails, post_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]

OWNERS_ADDRESS = "203.0.113.7"
ATTACKERS = [f"198.51.{network}.{host}" for network in range(50) for host in (11, 12, 13, 14)]


@pytest.fixture
def app(sqlite_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An app whose limits are counted in a real Redis."""
    monkeypatch.setattr(limiter, "_storage_dead", False)
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    app = create_app(settings_for(sqlite_url, REDIS_URL=redis_url, MAIL_URL=f"file://{tmp_path / 'mail'}"))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def send(client: FlaskClient, url: str, address: str, **fields: str) -> int:
    """Send a form from this IP address and return the status; the form's page comes from the same browser."""
    data = {**fields, "csrf_token": post_token(client)}
    with client.post(url, data=data, environ_base={"REMOTE_ADDR": address}) as answer:  # emails are sent at its end
        return answer.status_code


def try_password(client: FlaskClient, email: str, password: str, address: str = OWNERS_ADDRESS) -> int:
    return send(client, "/log-in", address, email=email, password=password)


def attack(client: FlaskClient, email: str, *addresses: str, tries: int = 1) -> list[int]:
    """Try wrong passwords from each address, and return the statuses."""
    token = post_token(client)
    data = {"email": email, "password": "guess", "csrf_token": token}
    return [
        client.post("/log-in", data=data, environ_base={"REMOTE_ADDR": address}).status_code
        for address in addresses
        for _ in range(tries)
    ]


def test_guessing_is_limited_with_a_page_that_says_for_how_long(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    assert attack(client, world.owner, "127.0.0.1", tries=10) == [200] * 10
    answer = post(client, "/log-in", email=world.owner, password=PASSWORD)
    page = read(answer, 429)
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 61
    assert text_in(page, "h1") == "Too many attempts"
    assert f"Try again in {seconds} second" in text_in(page, "p.lead")
    assert page.select("main a[href='/forgot-password']")
    piece = client.post(
        "/log-in", data={"email": world.owner, "csrf_token": post_token(client)}, headers={"HX-Request": "true"}
    )
    assert (piece.status_code, piece.mimetype) == (429, "text/plain")
    assert piece.text.startswith("Too many attempts. We limit how often this can be tried. Try again in ")
    assert client.get("/log-in").status_code == 200


def test_the_delay_grows(world: World, client_of: ClientOf, redis_url: str) -> None:
    client, waits = client_of(None), []
    for _ in range(3):
        attack(client, world.owner, "198.51.100.1", tries=10)
        data = {"email": world.owner, "password": "guess", "csrf_token": post_token(client)}
        answer = client.post("/log-in", data=data, environ_base={"REMOTE_ADDR": "198.51.100.1"})
        waits.append(int(answer.headers["Retry-After"]))
        forget(redis_url, "*/1/minute")
    assert waits[0] <= 61 < waits[1] <= 901


def forget(redis_url: str, pattern: str) -> None:
    """Delete the counters of one kind, as if their time had passed."""
    with Redis.from_url(redis_url) as redis:
        for key in redis.scan_iter(pattern):
            redis.delete(key)


def test_an_attack_from_many_networks_does_not_lock_the_owner_out(world: World, client_of: ClientOf) -> None:
    attacker = client_of(None)
    statuses = attack(attacker, world.owner, *ATTACKERS, tries=2)
    assert statuses.count(429) > 180, "the attacker was hardly slowed down"
    assert try_password(client_of(None), world.owner, PASSWORD) == 303


def test_no_attack_makes_the_owner_wait_longer_than_a_quarter_of_an_hour(
    world: World, client_of: ClientOf, redis_url: str
) -> None:
    """Not even on a new browser, in a network that has used up its first tries."""
    attacker, owner = client_of(None), client_of(None)
    for _ in range(4):
        attack(attacker, world.owner, *ATTACKERS, tries=2)
        forget(redis_url, "*/hour")
    attack(owner, world.owner, OWNERS_ADDRESS, tries=4)
    form = {"email": world.owner, "password": PASSWORD, "csrf_token": post_token(owner)}
    refused = owner.post("/log-in", data=form, environ_base={"REMOTE_ADDR": OWNERS_ADDRESS})
    assert refused.status_code == 429, "the attack is over, so this shows nothing"
    assert 61 < int(refused.headers["Retry-After"]) <= 901
    forget(redis_url, "*first*")
    assert try_password(owner, world.owner, PASSWORD) == 303, "the time in Retry-After was wrong"


def test_wrong_passwords_from_ten_places_do_not_lock_the_owner_out(world: World, client_of: ClientOf) -> None:
    assert 429 not in attack(client_of(None), world.owner, *(f"198.51.100.{host}" for host in range(10)))
    assert try_password(client_of(None), world.owner, PASSWORD, "198.51.100.99") == 303


def test_a_known_browser_gets_in_from_the_attackers_own_address(world: World, client_of: ClientOf) -> None:
    owner = client_of(None)
    assert try_password(owner, world.owner, PASSWORD) == 303
    post(owner, "/log-out")
    attack(client_of(None), world.owner, OWNERS_ADDRESS, tries=40)
    assert try_password(client_of(None), world.owner, PASSWORD) == 429, "the attack is over, so this shows nothing"
    assert try_password(owner, world.owner, PASSWORD) == 303


def test_a_known_browser_cannot_guess_without_limit(world: World, client_of: ClientOf) -> None:
    browser = client_of(None)
    try_password(browser, world.owner, PASSWORD)
    post(browser, "/log-out")
    assert 429 not in attack(browser, world.owner, OWNERS_ADDRESS, tries=20)
    assert try_password(browser, world.owner, PASSWORD) == 429
    assert try_password(client_of(None), world.owner, PASSWORD) == 303


def test_a_browser_is_known_for_one_user_and_until_the_password_changes(world: World, client_of: ClientOf) -> None:
    old, new = client_of(None), client_of(None)
    for browser in (old, new):
        try_password(browser, world.owner, PASSWORD)
    post(new, "/account", present=PASSWORD, password=NEW_PASSWORD)
    for browser in (old, new):
        post(browser, "/log-out")
    for email in (world.owner, world.teammate):
        attack(client_of(None), email, OWNERS_ADDRESS, tries=11)
    assert try_password(old, world.owner, NEW_PASSWORD) == 429
    assert try_password(new, world.teammate, PASSWORD) == 429
    assert try_password(new, world.owner, NEW_PASSWORD) == 303


def test_whoever_resets_the_password_gets_in_at_once(world: World, client_of: ClientOf, tmp_path: Path) -> None:
    owner = client_of(None)
    attack(client_of(None), world.owner, OWNERS_ADDRESS, tries=40)
    assert try_password(owner, world.owner, PASSWORD) == 429
    assert send(owner, "/forgot-password", OWNERS_ADDRESS, email=world.owner) == 303
    send(owner, link_in(mails(tmp_path / "mail")[0]), OWNERS_ADDRESS, password=NEW_PASSWORD)
    assert try_password(owner, world.owner, NEW_PASSWORD) == 303


def test_strangers_do_not_block_the_owners_reset(world: World, client_of: ClientOf, tmp_path: Path) -> None:
    statuses = [send(client_of(None), "/forgot-password", one, email=world.owner) for one in ATTACKERS]
    assert len(mails(tmp_path / "mail")) == statuses.count(303) <= 50 * 2 + 10
    assert send(client_of(None), "/forgot-password", OWNERS_ADDRESS, email=world.owner) == 303


@pytest.mark.parametrize("spelled", ["817", "0817", "\uff18\uff11\uff17", "\u0668\u0661\u0667", " 00817 "])
def test_every_spelling_of_a_merchant_id_counts_as_one(client_of: ClientOf, spelled: str) -> None:
    stranger = client_of(None)
    assert [send(stranger, "/sign-up", "198.51.100.1", merchant_id="817") for _ in range(9)] == [200] * 9
    assert send(stranger, "/sign-up", "198.51.100.1", merchant_id=spelled) == 200
    assert send(stranger, "/sign-up", "198.51.100.1", merchant_id=spelled) == 429
    assert send(stranger, "/sign-up", OWNERS_ADDRESS, merchant_id=spelled) == 200


@pytest.mark.parametrize(
    ("url", "fields", "allowed"),
    [
        ("/sign-up", {"merchant_id": "816"}, 10),
        ("/forgot-password", {"email": "owner@fern.example"}, 5),
        ("/reset-password/x", {}, 10),
        ("/invitation/x", {}, 10),
    ],
)
def test_other_public_forms_are_rate_limited_too(
    world: World, client_of: ClientOf, url: str, fields: dict[str, str], allowed: int
) -> None:
    client = client_of(None)
    answers = [post(client, url, **fields) for _ in range(allowed + 1)]
    assert 429 not in [answer.status_code for answer in answers[:-1]]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_nothing_that_was_typed_is_in_redis_or_in_the_log(
    world: World, client_of: ClientOf, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = "a secret typed into the wrong field"
    client = client_of(None)
    for url in ("/log-in", "/forgot-password", "/sign-up"):
        for email in (world.owner, secret):
            statuses = [
                send(client, url, "198.51.100.1", email=email, password=secret, merchant_id=email) for _ in range(11)
            ]
            assert url == "/log-in" or 429 in statuses
    stored = stored_in(redis_url)
    assert "LIMITS" in stored
    logged = "\n".join(str(vars(record)) + record.getMessage() for record in caplog.records)
    assert "exceeded" in logged
    for typed in (world.owner, secret, "fern", "wrong field"):
        assert typed not in stored
        assert typed not in logged


def stored_in(redis_url: str) -> str:
    """Return every key and value in Redis."""
    with Redis.from_url(redis_url) as redis:
        return "\n".join(f"{key!r} {redis.get(key)!r}" for key in redis.scan_iter())


@pytest.mark.parametrize("length", [255, 5_000, 400_000])
def test_an_overlong_address_is_refused_before_anything_is_done_with_it(
    world: World, client_of: ClientOf, redis_url: str, length: int
) -> None:
    email = "x" * (length - 10) + "@a.example"
    for url in ("/log-in", "/forgot-password", "/sign-up"):
        answers = [send(client_of(None), url, "198.51.100.1", email=f"{n}{email}", password="guess") for n in range(3)]
        assert set(answers) == {413 if length > 16_000 else 200}
    with Redis.from_url(redis_url) as redis:
        assert sum(len(key) for key in redis.scan_iter()) < 4_000


def test_searches_are_limited_for_each_user(world: World, client_of: ClientOf) -> None:
    """Those that are made while somebody types, too, and on all pages together."""
    owner, typing = client_of(world.owner), {"HX-Request": "true", "HX-Target": "search-results"}
    assert [owner.get("/m/816/search?q=x", headers=typing).status_code for _ in range(150)] == [200] * 150
    answer = owner.get("/m/816/search?q=x", headers=typing)
    assert (answer.status_code, answer.mimetype) == (429, "text/plain")
    assert owner.get("/m/816/search?q=x").status_code == 429
    assert client_of(world.teammate).get("/m/816/search?q=x").status_code == 200
