"""Changing TOKEN_KEYS: every key opens, the first one seals, and `keys rotate` moves all tokens to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from portal import create_app
from portal.actions import keys
from portal.clients.bigcartel import BigCartel
from portal.clients.fcp import Fcp
from portal.crypto import SealError, seal, unseal
from portal.models import AuditEntry, Merchant, OrderState
from tests.conftest import TOKEN_KEY, settings_for
from tests.fulfillment.world import ACCOUNT, BIGCARTEL_TOKEN, MERCHANT, MERCHANT_TOKEN

if TYPE_CHECKING:
    from click.testing import Result

    from tests.fulfillment.world import World

FIRST, SECOND, THIRD, LOST = (Fernet.generate_key().decode() for _ in range(4))
SHOP, WAREHOUSE = f"{BIGCARTEL_TOKEN}-{ACCOUNT}", f"{MERCHANT_TOKEN}-{MERCHANT}"


# Sealing and opening


@pytest.mark.parametrize("sealing", [FIRST, SECOND, THIRD], ids=["the first", "the second", "the third"])
def test_whichever_key_sealed_it_opens(sealing: str) -> None:
    assert unseal(seal("token", [sealing]), [FIRST, SECOND, THIRD]) == "token"


def test_the_first_key_seals() -> None:
    sealed = seal("token", [FIRST, SECOND])
    assert unseal(sealed, [FIRST]) == "token"
    with pytest.raises(SealError, match="TOKEN_KEYS"):
        unseal(sealed, [SECOND])


def test_orders_go_on_with_a_new_key_in_front(small_world: World) -> None:
    _use(small_world, FIRST, TOKEN_KEY)
    number = small_world.sandbox.place_order()
    small_world.run()
    assert small_world.states() == {number: "submitted"}


# keys rotate


def _use(world: World, *token_keys: str) -> None:
    """Restart everything with these keys."""
    world.settings = replace(world.settings, token_keys=token_keys)
    world.forget_app()


def _rotate(world: World) -> Result:
    result = world.cli("keys", "rotate", "--reason", "yearly")
    for token in (SHOP, WAREHOUSE, world.store().sealed_token or "-none-", world.merchant().sealed_token):
        assert token not in result.output
    assert "Traceback" not in result.output
    return result


def _seal_store(world: World, text: str, *token_keys: str) -> None:
    world.change_store(sealed_token=seal(text, token_keys) if text else "")


def _audited(world: World) -> list[tuple[str, str, str, int | None]]:
    with world.session() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == keys.KEYS_ROTATED)).all()
        return [(one.actor, one.subject, one.reason, one.merchant_id) for one in entries]


def test_after_it_the_old_key_can_go(world: World) -> None:
    _use(world, FIRST, TOKEN_KEY)
    result = _rotate(world)

    assert result.exit_code == 0, result.output
    assert "Re-encrypted with the first key: 2 tokens. Already up to date: 0 tokens." in result.output
    assert unseal(world.store().sealed_token, [FIRST]) == SHOP
    assert unseal(world.merchant().sealed_token, [FIRST]) == WAREHOUSE
    assert _audited(world) == [("command line", "2 sealed again, 0 up to date, 0 not opened", "yearly", None)]

    _use(world, FIRST)
    number = world.sandbox.place_order()
    world.run()
    assert world.states() == {number: "submitted"}


def test_a_second_time_changes_nothing(small_world: World) -> None:
    world = small_world
    _use(world, FIRST, TOKEN_KEY)
    _rotate(world)
    before = (world.store().sealed_token, world.merchant().sealed_token)

    result = _rotate(world)

    assert result.exit_code == 0
    assert "Re-encrypted with the first key: 0 tokens. Already up to date: 2 tokens." in result.output
    assert (world.store().sealed_token, world.merchant().sealed_token) == before


def test_a_disconnected_store_has_nothing_to_seal(small_world: World) -> None:
    _seal_store(small_world, "")
    _use(small_world, FIRST, TOKEN_KEY)
    result = _rotate(small_world)

    assert result.exit_code == 0
    assert "Re-encrypted with the first key: 1 token. Already up to date: 0 tokens." in result.output
    assert small_world.store().sealed_token == ""


def test_tokens_that_no_key_opens_are_named_and_the_others_sealed(small_world: World) -> None:
    world = small_world
    world.add_merchant(900, "1000009")
    _seal_store(world, SHOP, LOST)
    with world.session() as session:
        session.execute(update(Merchant).where(Merchant.id == 900).values(sealed_token="écrasé"))
        session.commit()
    kept = (world.store().sealed_token, world.merchant(900).sealed_token)
    _use(world, FIRST, TOKEN_KEY)

    result = _rotate(world)

    assert result.exit_code == 1
    assert "Error: None of the TOKEN_KEYS decrypts the access token of account 1000001, merchant 816." in result.output
    assert "Error: None of the TOKEN_KEYS decrypts the Merchant Token of merchant 900." in result.output
    assert "Re-encrypted with the first key: 2 tokens." in result.output
    assert (world.store().sealed_token, world.merchant(900).sealed_token) == kept
    assert unseal(world.merchant().sealed_token, [FIRST]) == WAREHOUSE
    assert unseal(world.store("1000009").sealed_token, [FIRST]) == f"{BIGCARTEL_TOKEN}-1000009"
    assert _audited(world)[0][1] == "2 sealed again, 0 up to date, 2 not opened"


def test_a_token_entered_meanwhile_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that still has the old keys may enter one: it is sealed again as well."""
    _use(world, FIRST, TOKEN_KEY)

    def seal_slowly(text: str, token_keys: list[str]) -> str:
        if text == SHOP:
            _seal_store(world, "entered meanwhile", TOKEN_KEY)
        if text == WAREHOUSE:
            world.change_merchant(sealed_token=seal("entered as well", [FIRST]))
        return seal(text, token_keys)

    monkeypatch.setattr(keys, "seal", seal_slowly)
    result = _rotate(world)

    assert unseal(world.store().sealed_token, [FIRST]) == "entered meanwhile"
    assert unseal(world.merchant().sealed_token, [FIRST]) == "entered as well"
    assert "Re-encrypted with the first key: 1 token. Already up to date: 1 token." in result.output


def test_it_explains_itself() -> None:
    runner = create_app(settings_for("sqlite://")).test_cli_runner()
    for args in (["keys", "--help"], ["keys", "rotate", "--help"]):
        assert "TOKEN_KEYS" in runner.invoke(args=args).output


# While a job is at work


def _rotate_in_mid_call(world: World, monkeypatch: pytest.MonkeyPatch, kind: type, method: str) -> None:
    """The first call of this method comes back only after a rotation."""
    real = getattr(kind, method)
    rotated: list[Result] = []

    def slow(self: Any, *args: Any, **options: Any) -> Any:
        if not rotated:
            rotated.append(_rotate(world))
        return real(self, *args, **options)

    monkeypatch.setattr(kind, method, slow)


def test_a_refused_token_stops_the_store_though_it_was_sealed_again_meanwhile(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(world, FIRST, TOKEN_KEY)
    world.sandbox.put_account(ACCOUNT, tokens=[])
    _rotate_in_mid_call(world, monkeypatch, BigCartel, "order_pages")
    world.poll()
    store = world.store()
    assert store.reconnect_needed_at is None, "the refused token is not the one that the store has now"
    assert store.next_poll_at is not None
    assert store.next_poll_at <= world.clock(), "so the schedule polls again"

    world.poll()
    store = world.store()
    assert store.reconnect_needed_at is not None
    assert store.next_poll_at is None


def test_a_good_store_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(world, FIRST, TOKEN_KEY)
    number = world.sandbox.place_order()
    _rotate_in_mid_call(world, monkeypatch, BigCartel, "order_pages")
    world.run()

    store = world.store()
    assert (store.reconnect_needed_at, store.poll_error) == (None, "")
    assert store.next_poll_at is not None
    assert world.states() == {number: "submitted"}


def test_a_longer_wait_of_a_store_and_a_stop_stay(small_world: World) -> None:
    world = small_world
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


def test_refused_credentials_stop_the_merchant_though_they_were_sealed_again_meanwhile(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(world, FIRST, TOKEN_KEY)
    number = world.sandbox.place_order()
    world.poll()
    world.sandbox.put_merchant(str(MERCHANT), name="Example Shop", token="another")
    _rotate_in_mid_call(world, monkeypatch, Fcp, "submit")
    world.submit()
    assert world.merchant().credentials_refused_at is None
    assert world.order(number).state is OrderState.READY
    assert (world.order(number).next_attempt_at or world.clock()) <= world.clock(), "so it is due again"

    world.submit()
    assert world.merchant().credentials_refused_at is not None
    assert world.order(number).state is OrderState.READY
