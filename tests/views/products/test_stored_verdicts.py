"""The list is sorted, searched and counted by stored verdicts. They say what the products' descriptions say now."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from portal.actions.overrides import set_skus
from portal.clock import utc_now
from portal.extensions import db
from portal.fulfillment import product_facts, sku_verdicts
from portal.models import Merchant, OptionSku, Order, OrderState, Product, SkuOverride, SkuVerdict, Store
from portal.reports.product_list import Filters, Listed, count_stopping, page, parts, problem_counts
from portal.reports.sku_preview import counts, previews
from portal.rules.sku_findings import Level
from tests.views.products.products_world import add

if TYPE_CHECKING:
    from flask import Flask

    from portal.access import Act
    from portal.reports.sku_preview import Preview
    from tests.views.conftest import World

DESCRIPTIONS = (
    "nothing", "sku: low", "SKU:", "SKU:A", "SKU:B", "SKU:C-", "SKU:two words", "SKU:A SKU:B", "SKU:" + "x" * 80,
)  # fmt: skip


def _random_products(session: Any, store_id: int, seed: int) -> None:
    """Add products of all kinds, with overrides, and orders on hold that need options and products that are gone."""
    chance = random.Random(seed)
    for number in range(40):
        product_id = f"{number:02}"
        options = chance.choice([(), ("Default",), ("Small", "Large"), ("Small",)])
        session.add(
            Product(
                store_id=store_id, product_id=product_id, name=chance.choice(["Mug", "cup", "Bag", ""]),
                description=chance.choice(DESCRIPTIONS), status=chance.choice(["active", "hidden"]),
                options=[{"id": f"{product_id}-{one}", "name": one} for one in options],
                gone=chance.random() < 0.2, fetched_at=utc_now(),
            )
        )  # fmt: skip
        for option_id in ("", f"{product_id}-Small", f"{product_id}-Gone"):
            if chance.random() < 0.2:
                session.add(
                    SkuOverride(
                        store_id=store_id, product_id=product_id, option_id=option_id, set_by="me", set_at=utc_now(),
                        sku=chance.choice(["A", "B", "HAND-", "a b"]),
                    )
                )  # fmt: skip
        if chance.random() < 0.3:
            _order(session, store_id, product_id, chance.choice(["Gone", "Small", "Large"]))
    session.commit()


def _order(session: Any, store_id: int, product_id: str, option: str) -> None:
    session.add(
        Order(
            merchant_id=816, store_id=store_id, number=f"FERN-{product_id}", state=OrderState.HELD, document="{}",
            state_changed_at=utc_now(), first_seen_at=utc_now(), holds=[{"reason": "option_gone", "detail": ""}],
            lines=[{"item_id": "1", "name": f"Item {product_id}", "option": option, "product_id": product_id,
                    "option_id": f"{product_id}-{option}", "sku": "", "quantity": 1, "source": "none",
                    "left_out": False, "problems": []}],
        )
    )  # fmt: skip


def _from_descriptions(session: Any, store: Store) -> list[Preview]:
    """Return what the list should show, from the descriptions and overrides alone."""
    products = session.scalars(select(Product).where(Product.store_id == store.id)).all()
    facts = product_facts.facts_of(session, store.id, products)
    waiting = set(session.scalars(select(Order.number).where(Order.store_id == store.id)))
    lost: dict[str, dict[str, str]] = {}
    for order in session.scalars(select(Order).where(Order.store_id == store.id)):
        for line in order.lines:
            known = facts[str(line["product_id"])]
            if line["option_id"] not in {one.id for one in known.options} and not _is_only(line, known):
                lost.setdefault(str(line["product_id"]), {})[str(line["option_id"])] = line["option"]
    named = {}
    for one in products:
        is_waiting = f"FERN-{one.product_id}" in waiting
        known = facts[one.product_id]
        if not one.gone or known.override or known.option_overrides or is_waiting:
            name = one.name or (f"Item {one.product_id}" if is_waiting else "")
            named[one.product_id] = (name, one.status)
    return previews(named, facts, lost, ignore_without_sku=store.merchant.ignore_items_without_sku)


def _is_only(line: Any, known: Any) -> bool:
    """An item that names no option is of the product's only one. Here every item names one."""
    return not line["option"]


def _all(session: Any, store: Store, filters: Filters = Filters()) -> list[Preview]:  # noqa: B008 - frozen
    first = page(session, store, filters, number=1, per_page=7)
    rest = [page(session, store, filters, number=number, per_page=7) for number in range(2, first.pages + 1)]
    return [one for listed in (first, *rest) for one in listed.rows]


def test_list_shows_what_the_descriptions_say(app: Flask, world: World) -> None:
    for seed in range(6):
        with app.app_context():
            session = db.session()
            for table in (Order, SkuOverride, Product):
                session.query(table).filter_by(store_id=world.store_id).delete()
            session.query(SkuVerdict).delete()
            session.query(OptionSku).delete()
            session.get_one(Merchant, 816).ignore_items_without_sku = seed % 2 == 1
            session.commit()
            _random_products(session, world.store_id, seed)
            store = session.get_one(Store, world.store_id)
            expected = _from_descriptions(session, store)
            shown = _all(session, store)
            assert {one.product_id: one.level for one in shown} == {one.product_id: one.level for one in expected}, seed
            assert [one.level for one in shown] == sorted(one.level for one in expected), seed
            for one in expected:
                mine = next(other for other in shown if other.product_id == one.product_id)
                assert [row.sku for row in mine.rows] == [row.sku for row in one.rows]
                assert [finding.code for finding in mine.findings] == [finding.code for finding in one.findings], one
            assert problem_counts(session, store) == counts(expected), seed
            assert count_stopping(session, [store]) == counts(expected).stopping, seed
            in_csv = [one.product_id for part in parts(session, store, Filters()) for one in part]
            assert sorted(in_csv) == sorted(one.product_id for one in shown)
            problems = {one.product_id for one in _all(session, store, Filters(only_problems=True))}
            assert problems == {one.product_id for one in shown if one.level is not Level.FINE}


def test_warning_about_a_shared_sku_follows_the_other_product(app: Flask, world: World) -> None:
    add(app, world.store_id, ("1", "Mug", "SKU:MUG", ()), ("2", "Cup", "SKU:CUP", ()))
    act: Act = {"actor": "me", "reason": "", "now": utc_now()}
    with app.app_context():
        session, store = db.session(), db.session.get_one(Store, world.store_id)
        assert _levels(_list(session, store)) == {"1": Level.FINE, "2": Level.FINE}
        cup = session.scalars(select(Product).where(Product.product_id == "2")).one()
        set_skus(session, cup, {"": "MUG"}, **act)
        listed = _list(session, store)
        assert _levels(listed) == {"1": Level.WARNING, "2": Level.WARNING}
        assert (
            "It is also the SKU of Cup." in next(one for one in listed.rows if one.name == "Mug").findings[0].sentence
        )
        set_skus(session, cup, {"": ""}, **act)
        assert _levels(_list(session, store)) == {"1": Level.FINE, "2": Level.FINE}


def test_verdict_of_older_rules_is_derived_again(app: Flask, world: World) -> None:
    add(app, world.store_id, ("1", "Mug", "SKU:MUG", ()))
    with app.app_context():
        session, store = db.session(), db.session.get_one(Store, world.store_id)
        assert problem_counts(session, store).stopping == 0
        session.execute(update(SkuVerdict).values(level=0, search=""))
        session.commit()
        assert problem_counts(session, store).stopping == 1, "the stored verdict counts"
        session.execute(update(SkuVerdict).values(rules=0))
        session.commit()
        assert problem_counts(session, store).stopping == 0
        assert _levels(page(session, store, Filters("mug"), number=1, per_page=9)) == {"1": Level.FINE}


def test_product_that_an_older_version_changed_is_judged_by_the_next_sync(app: Flask, world: World) -> None:
    add(app, world.store_id, ("1", "Mug", "SKU:MUG", ()), ("2", "Cup", "SKU:CUP", ()))
    with app.app_context():
        session, store = db.session(), db.session.get_one(Store, world.store_id)
        assert problem_counts(session, store).stopping == 0
        session.execute(update(Product).where(Product.product_id == "1").values(description="nothing"))
        store.products_changed_at = utc_now()
        session.commit()
        cup = session.scalars(select(Product).where(Product.product_id == "2")).one()
        set_skus(session, cup, {"": "HAND"}, actor="me", reason="", now=utc_now())
        assert store.skus_judged_for != store.products_changed_at, "this version's change doesn't hide the older one's"
        sku_verdicts.judge_outdated(session, store)
        assert problem_counts(session, store).stopping == 1
        assert store.unusable_skus == 1
        assert store.skus_judged_for == store.products_changed_at


def test_count_of_unusable_skus_stays_while_some_products_are_not_judged(app: Flask, world: World) -> None:
    """Otherwise the incident about them would end after an upgrade, and begin again."""
    add(app, world.store_id, ("1", "Mug", "nothing", ()), ("2", "Cup", "SKU:CUP", ()))
    with app.app_context():
        session, store = db.session(), db.session.get_one(Store, world.store_id)
        store.unusable_skus = 1
        cup = session.scalars(select(Product).where(Product.product_id == "2")).one()
        set_skus(session, cup, {"": "HAND"}, actor="me", reason="", now=utc_now())
        assert store.unusable_skus == 1
        problem_counts(session, store)
        assert store.unusable_skus == 1


def _list(session: Any, store: Store) -> Listed:
    return page(session, store, Filters(), number=1, per_page=50)


def _levels(listed: Listed) -> dict[str, Level]:
    return {one.product_id: one.level for one in listed.rows}
