"""Products as Big Cartel's documents: made from a few words, edited, deleted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.parts import money, only
from sandbox.world import Account, Document, InvalidRequestError, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping


def put(account: Account, words: Mapping[str, Any]) -> Document:
    """Make or replace a product: id, name, description, price, status, permalink, attributes, and options
    (names or {id, name, price, quantity}); without any it gets the one that Big Cartel calls Default."""
    product_id = str(words.get("id") or account.new_id())
    known = {"id", "name", "description", "options", "price", "status", "permalink", "account", "attributes"}
    only(words, known, "product")
    name = str(words.get("name", f"Product {product_id}"))
    permalink = str(words.get("permalink") or name.lower().replace(" ", "-"))
    price = money(Decimal(str(words.get("price", "20"))))
    old = account.products.get(product_id)
    options = _options(account, old, product_id, words.get("options") or ["Default"], price)
    document: Document = {
        "data": {
            "id": product_id,
            "type": "products",
            "attributes": {
                "name": name,
                "permalink": permalink,
                "status": words.get("status", "active"),
                "description": words.get("description", ""),
                "created_at": old["data"]["attributes"]["created_at"] if old else stamp(),
                "updated_at": stamp(),
                "default_price": price,
                "on_sale": False,
                "position": len(account.products) + (0 if old else 1),
                "url": f"https://{account.subdomain}.bigcartel.com/product/{permalink}",
                "primary_image_url": None,
                "category_names": [],
                "has_option_groups": False,
                **words.get("attributes", {}),
            },
            "relationships": {
                "options": {"data": [{"type": "product_options", "id": one["id"]} for one in options]},
                "categories": {"data": []},
                "images": {"data": []},
                "shipping_options": {"data": []},
            },
        },
        "included": options,
    }
    account.products[product_id] = document
    return document


def _options(
    account: Account, old: Document | None, product_id: str, wanted: list[Any], price: str
) -> list[dict[str, Any]]:
    """An option that keeps its name keeps its id."""
    ids = {one["attributes"]["name"]: one["id"] for one in old["included"]} if old else {}
    options = []
    for entry in wanted:
        words = {"name": entry} if isinstance(entry, str) else entry
        option_id = words.get("id") or ids.get(words["name"]) or f"{product_id}{account.new_id():0>4}"
        options.append(
            {
                "id": str(option_id),
                "type": "product_options",
                "attributes": {
                    "name": words["name"],
                    "price": money(Decimal(str(words["price"]))) if "price" in words else price,
                    "quantity": words.get("quantity", 100),
                    "sold": 0,
                },
            }
        )
    return options


def edit(account: Account, product_id: str, attributes: Mapping[str, Any]) -> Document:
    """Set attributes of a product (name, description, status ...). Raises InvalidRequestError."""
    document = get(account, product_id)
    document["data"]["attributes"].update({**attributes, "updated_at": stamp()})
    return document


def get(account: Account, product_id: str) -> Document:
    try:
        return account.products[product_id]
    except KeyError:
        raise InvalidRequestError(f"There is no product {product_id} in {account.name}.") from None


def delete(account: Account, product_id: str) -> None:
    """Delete a product; the orders that have it keep its name and id. Raises InvalidRequestError."""
    get(account, product_id)
    del account.products[product_id]
