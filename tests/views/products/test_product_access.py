"""Who may see the products and their SKUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import SkuOverride
from tests.views.conftest import World, get, post
from tests.views.products.products_world import URL, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    ClientOf = Callable[[str | None], FlaskClient]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/products.csv",
        "/try",
        "/{store}/101",
        "/{store}/refresh",
        "/{store}/upload",
        "/try?store={store}&product=101",
    ],
)
def test_other_merchants_get_404_and_logged_out_users_are_sent_to_log_in(
    catalog: World, client_of: ClientOf, path: str
) -> None:
    address = URL + path.format(store=catalog.store_id)
    assert client_of(catalog.owner).get(address).status_code == 200
    assert client_of(catalog.support).get(address).status_code == 200
    get(client_of(catalog.stranger), address, 404)
    assert client_of(None).get(address).headers["Location"].startswith("/log-in?next=")


def test_merchants_own_pages_do_not_reach_another_merchants_products(
    app: Flask, catalog: World, client_of: ClientOf
) -> None:
    owner, other = client_of(catalog.owner), catalog.other_store_id
    for path in (f"?store={other}", f"/products.csv?store={other}", f"/{other}/901", f"/try?store={other}&product=901"):
        get(owner, URL + path, 404)
    for path in (f"/{other}/refresh", f"/{other}/901", f"/{other}/901/remove", f"/{catalog.store_id}/901/remove"):
        assert post(owner, URL + path, whole_product="X", option_id="").status_code == 404
    assert post(client_of(catalog.stranger), f"{URL}/{catalog.store_id}/101", whole_product="X").status_code == 404
    for odd in (f"/{10**30}/101", f"?store={10**30}", f"/{catalog.store_id}/%00", "?store=x"):
        get(owner, URL + odd, 404)
    assert names(get(owner, f"{URL}?page=-5&since={10**30}"))
    with app.app_context():
        assert db.session.scalars(select(SkuOverride)).all() == []
