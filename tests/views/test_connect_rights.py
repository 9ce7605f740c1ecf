"""A user who loses access to the merchant while at Big Cartel connects nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, update

from portal.extensions import db
from portal.models import Role, User
from tests.views.real_services import audited, connected_app, decide, leave, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from sandbox.client import Sandbox
    from tests.views.conftest import World

NEW = "1000003"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: the database makes no difference here."""
    return sqlite_url


@pytest.fixture
def app(database_url: str, sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    with connected_app(database_url, sandbox_process, monkeypatch) as app:
        sandbox_process.put_account(NEW, name="Moss Store", tokens=[])
        yield app


def _change(app: Flask, email: str, **columns: Any) -> None:
    with app.app_context():
        db.session.execute(update(User).where(User.email == email).values(**columns))
        db.session.commit()


def _tokens(app: Flask) -> dict[str, str]:
    return {account: store.sealed_token for account, store in stores(app).items()}


def _assert_nothing_connected(app: Flask, before: dict[str, str], sandbox: Sandbox) -> None:
    assert _tokens(app) == before
    assert not [action for _, action, reason in audited(app) if "store" in action and reason]
    assert "POST /oauth/token" not in sandbox.calls("bigcartel"), "the code must not be exchanged"


@pytest.mark.parametrize("account", [NEW, "1000001"], ids=["new store", "connected store"])
def test_user_moved_to_another_merchant_connects_nothing(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox, account: str
) -> None:
    before = _tokens(app)
    back = decide(sandbox_process, leave(owner), account=account)
    _change(app, world.owner, merchant_id=900)

    assert owner.get(back).status_code == 404
    _assert_nothing_connected(app, before, sandbox_process)


def test_support_user_who_becomes_a_merchant_user_connects_nothing(
    app: Flask, world: World, client_of: Callable[..., FlaskClient], sandbox_process: Sandbox
) -> None:
    before, support = _tokens(app), client_of(world.support)
    back = decide(sandbox_process, leave(support, 816, reason="Asked for"), account=NEW)
    _change(app, world.support, role=Role.MERCHANT, merchant_id=900)

    assert support.get(back).status_code == 404
    _assert_nothing_connected(app, before, sandbox_process)


def test_user_removed_from_the_team_connects_nothing(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    """Their session has ended, so the page asks them to log in."""
    before = _tokens(app)
    back = decide(sandbox_process, leave(owner), account=NEW)
    with app.app_context():
        db.session.execute(delete(User).where(User.email == world.owner))
        db.session.commit()

    assert owner.get(back).headers["Location"].startswith("/log-in?next=")
    _assert_nothing_connected(app, before, sandbox_process)


def test_user_moved_away_and_back_connects(
    app: Flask, world: World, owner: FlaskClient, sandbox_process: Sandbox
) -> None:
    back = decide(sandbox_process, leave(owner), account=NEW)
    _change(app, world.owner, merchant_id=900)
    assert owner.get(back).status_code == 404
    _change(app, world.owner, merchant_id=816)

    assert owner.get(back).status_code == 303
    assert stores(app)[NEW].merchant_id == 816
