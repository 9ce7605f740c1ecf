"""Changing TOKEN_KEYS: any key decrypts, the first encrypts, and `keys rotate` re-encrypts all tokens with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from portal import create_app
from portal.actions import keys, webhooks
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.crypto import SealError, seal, unseal
from portal.messages.webhooks import receiver_of
from portal.models import AuditEntry, Merchant, OrderState, WebhookEndpoint, WebhookFormat
from tests.conftest import TOKEN_KEY, settings_for
from tests.fulfillment.world import ACCOUNT, BIGCARTEL_TOKEN, MERCHANT, MERCHANT_TOKEN

if TYPE_CHECKING:
    from click.testing import Result

    from tests.fulfillment.world import World

FIRST, SECOND, THIRD, LOST = (Fernet.generate_key().decode() for _ in range(4))
STORE_TOKEN, WAREHOUSE_TOKEN = f"{BIGCARTEL_TOKEN}-{ACCOUNT}", f"{MERCHANT_TOKEN}-{MERCHANT}"


# Encrypting and decrypting


@pytest.mark.parametrize("sealing", [FIRST, SECOND, THIRD], ids=["first", "second", "third"])
def test_any_key_decrypts(sealing: str) -> None:
    assert unseal(seal("token", [sealing]), [FIRST, SECOND, THIRD]) == "token"


def test_first_key_encrypts() -> None:
    sealed = seal("token", [FIRST, SECOND])
    assert unseal(sealed, [FIRST]) == "token"
    with pytest.raises(SealError, match="TOKEN_KEYS"):
        unseal(sealed, [SECOND])


def test_orders_are_sent_after_a_new_first_key_is_added(sqlite_world: World) -> None:
    _use(sqlite_world, FIRST, TOKEN_KEY)
    number = sqlite_world.sandbox.place_order()
    sqlite_world.run()
    assert sqlite_world.states() == {number: "submitted"}


# keys rotate


def _use(world: World, *token_keys: str) -> None:
    """Restart the app with these keys."""
    world.settings = replace(world.settings, token_keys=token_keys)
    world.forget_app()


def _rotate(world: World) -> Result:
    result = world.cli("keys", "rotate", "--reason", "yearly")
    for token in (STORE_TOKEN, WAREHOUSE_TOKEN, world.store().sealed_token or "-none-", world.merchant().sealed_token):
        assert token not in result.output
    assert "Traceback" not in result.output
    return result


def _seal_store(world: World, text: str, *token_keys: str) -> None:
    world.change_store(sealed_token=seal(text, token_keys) if text else "")


def _audited(world: World) -> list[tuple[str, str, str, int | None]]:
    with world.session() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == keys.KEYS_ROTATED)).all()
        return [(one.actor, one.subject, one.reason, one.merchant_id) for one in entries]


def test_old_key_can_be_removed_after_rotation(world: World) -> None:
    _use(world, FIRST, TOKEN_KEY)
    result = _rotate(world)

    assert result.exit_code == 0, result.output
    assert "Re-encrypted with the first key: 2 tokens. Already up to date: 0 tokens." in result.output
    assert unseal(world.store().sealed_token, [FIRST]) == STORE_TOKEN
    assert unseal(world.merchant().sealed_token, [FIRST]) == WAREHOUSE_TOKEN
    assert _audited(world) == [("command line", "2 re-encrypted, 0 up to date, 0 not decrypted", "yearly", None)]

    _use(world, FIRST)
    number = world.sandbox.place_order()
    world.run()
    assert world.states() == {number: "submitted"}


def test_second_rotation_changes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    _use(world, FIRST, TOKEN_KEY)
    _rotate(world)
    before = (world.store().sealed_token, world.merchant().sealed_token)

    result = _rotate(world)

    assert result.exit_code == 0
    assert "Re-encrypted with the first key: 0 tokens. Already up to date: 2 tokens." in result.output
    assert (world.store().sealed_token, world.merchant().sealed_token) == before


def test_rotation_skips_a_disconnected_store(sqlite_world: World) -> None:
    _seal_store(sqlite_world, "")
    _use(sqlite_world, FIRST, TOKEN_KEY)
    result = _rotate(sqlite_world)

    assert result.exit_code == 0
    assert "Re-encrypted with the first key: 1 token. Already up to date: 0 tokens." in result.output
    assert sqlite_world.store().sealed_token == ""


def test_tokens_that_no_key_decrypts_are_named_and_the_others_are_rotated(sqlite_world: World) -> None:
    world = sqlite_world
    world.add_merchant(900, "1000009")
    _seal_store(world, STORE_TOKEN, LOST)
    with world.session() as session:
        session.execute(update(Merchant).where(Merchant.id == 900).values(sealed_token="écrasé"))
        session.commit()
    before = (world.store().sealed_token, world.merchant(900).sealed_token)
    _use(world, FIRST, TOKEN_KEY)

    result = _rotate(world)

    assert result.exit_code == 1
    assert "Error: None of the TOKEN_KEYS decrypts the access token of account 1000001, merchant 816." in result.output
    assert "Error: None of the TOKEN_KEYS decrypts the Merchant Token of merchant 900." in result.output
    assert "Re-encrypted with the first key: 2 tokens." in result.output
    assert (world.store().sealed_token, world.merchant(900).sealed_token) == before
    assert unseal(world.merchant().sealed_token, [FIRST]) == WAREHOUSE_TOKEN
    assert unseal(world.store("1000009").sealed_token, [FIRST]) == f"{BIGCARTEL_TOKEN}-1000009"
    assert _audited(world)[0][1] == "2 re-encrypted, 0 up to date, 2 not decrypted"


def test_token_entered_during_rotation_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with the old keys may save a token during rotation; it is re-encrypted as well."""
    _use(world, FIRST, TOKEN_KEY)

    def seal_slowly(text: str, token_keys: list[str]) -> str:
        if text == STORE_TOKEN:
            _seal_store(world, "entered meanwhile", TOKEN_KEY)
        if text == WAREHOUSE_TOKEN:
            world.change_merchant(sealed_token=seal("entered as well", [FIRST]))
        return seal(text, token_keys)

    monkeypatch.setattr(keys, "seal", seal_slowly)
    result = _rotate(world)

    assert unseal(world.store().sealed_token, [FIRST]) == "entered meanwhile"
    assert unseal(world.merchant().sealed_token, [FIRST]) == "entered as well"
    assert "Re-encrypted with the first key: 1 token. Already up to date: 1 token." in result.output


def test_help_explains_token_keys() -> None:
    runner = create_app(settings_for("sqlite://")).test_cli_runner()
    for args in (["keys", "--help"], ["keys", "rotate", "--help"]):
        assert "TOKEN_KEYS" in runner.invoke(args=args).output


# Rotation while a job is running


def _rotate_during_call(world: World, monkeypatch: pytest.MonkeyPatch, kind: type, method: str) -> None:
    """Rotate the keys during the first call of this method."""
    real = getattr(kind, method)
    rotated: list[Result] = []

    def slow(self: Any, *args: Any, **options: Any) -> Any:
        if not rotated:
            rotated.append(_rotate(world))
        return real(self, *args, **options)

    monkeypatch.setattr(kind, method, slow)


def test_rejected_token_stops_the_store_even_if_rotated_meanwhile(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(world, FIRST, TOKEN_KEY)
    world.sandbox.put_account(ACCOUNT, tokens=[])
    _rotate_during_call(world, monkeypatch, BigCartel, "order_pages")
    world.poll()
    store = world.store()
    assert store.reconnect_needed_at is None, "the rejected token is not the store's current one"
    assert store.next_poll_at is not None
    assert store.next_poll_at <= world.clock(), "the schedule polls again"

    world.poll()
    store = world.store()
    assert store.reconnect_needed_at is not None
    assert store.next_poll_at is None


def test_store_with_a_valid_token_keeps_working_during_rotation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(world, FIRST, TOKEN_KEY)
    number = world.sandbox.place_order()
    _rotate_during_call(world, monkeypatch, BigCartel, "order_pages")
    world.run()

    store = world.store()
    assert (store.reconnect_needed_at, store.poll_error) == (None, "")
    assert store.next_poll_at is not None
    assert world.states() == {number: "submitted"}


def test_rotation_keeps_pauses_and_stops_of_stores(sqlite_world: World) -> None:
    world = sqlite_world
    world.add_merchant(900, "1000009")
    _use(world, FIRST, TOKEN_KEY)
    world.sandbox.put_account("1000009", tokens=[])
    world.poll("1000009")
    world.sandbox.fault("orders", "throttle", retry_after="1800")
    world.poll()
    before = world.store().next_poll_at
    _rotate(world)

    assert world.store().next_poll_at == before
    assert world.store("1000009").next_poll_at is None
    assert world.store("1000009").reconnect_needed_at is not None


def test_rejected_credentials_stop_the_merchant_even_if_rotated_meanwhile(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(world, FIRST, TOKEN_KEY)
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.put_merchant(str(MERCHANT), name="Example Shop", token="another")
    _rotate_during_call(world, monkeypatch, Fcp, "submit")
    world.submit()
    assert world.merchant().credentials_refused_at is None
    assert world.order(number).state is OrderState.READY
    assert (world.order(number).next_attempt_at or world.clock()) <= world.clock(), "it is due again"

    world.submit()
    assert world.merchant().credentials_refused_at is not None
    assert world.order(number).state is OrderState.READY


def test_webhooks_are_read_with_the_new_key_alone_after_rotation(world: World) -> None:
    url = "https://hooks.example.com/secret"
    with world.session() as session:
        secret = webhooks.save(
            session, MERCHANT, url=url, webhook_format=WebhookFormat.STANDARD, settings=world.settings, actor="test",
            reason="", now=world.clock(),
        )  # fmt: skip
    _use(world, FIRST, TOKEN_KEY)
    assert _rotate(world).exit_code == 0
    _use(world, FIRST)
    with world.session() as session:
        receiver = receiver_of(session.get_one(WebhookEndpoint, MERCHANT), world.settings)
    assert (receiver.url, receiver.secret) == (url, secret)
