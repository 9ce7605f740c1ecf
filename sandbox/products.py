"""Create, edit and delete products as documents of Big Cartel's API."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.parts import check_fields, money
from sandbox.world import Account, Document, InvalidRequestError, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping


def put(account: Account, spec: Mapping[str, Any]) -> Document:
    """Create or replace a product.

    `spec` may have id, name, description, price, status, permalink, attributes and options (names or {id, name,
    price, quantity}). Without options, the product gets the one that Big Cartel calls Default.
    """
    product_id = str(spec.get("id") or account.new_id())
    known = {"id", "name", "description", "options", "price", "status", "permalink", "account", "attributes"}
    check_fields(spec, known, "product")
    name = str(spec.get("name", f"Product {product_id}"))
    permalink = str(spec.get("permalink") or name.lower().replace(" ", "-"))
    price = money(Decimal(str(spec.get("price", "20"))))
    old = account.products.get(product_id)
    options = _options(account, old, product_id, spec.get("options") or ["Default"], price)
    document: Document = {
        "data": {
            "id": product_id,
            "type": "products",
            "attributes": {
                "name": name,
                "permalink": permalink,
                "status": spec.get("status", "active"),
                "description": spec.get("description", ""),
                "created_at": old["data"]["attributes"]["created_at"] if old else stamp(),
                "updated_at": stamp(),
                "default_price": price,
                "on_sale": False,
                "position": len(account.products) + (0 if old else 1),
                "url": f"https://{account.subdomain}.bigcartel.com/product/{permalink}",
                "primary_image_url": None,
                "category_names": [],
                "has_option_groups": False,
                **spec.get("attributes", {}),
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
    """Return the options as documents; an option that keeps its name keeps its ID."""
    ids = {one["attributes"]["name"]: one["id"] for one in old["included"]} if old else {}
    options = []
    for entry in wanted:
        spec = {"name": entry} if isinstance(entry, str) else entry
        option_id = spec.get("id") or ids.get(spec["name"]) or f"{product_id}{account.new_id():0>4}"
        options.append(
            {
                "id": str(option_id),
                "type": "product_options",
                "attributes": {
                    "name": spec["name"],
                    "price": money(Decimal(str(spec["price"]))) if "price" in spec else price,
                    "quantity": spec.get("quantity", 100),
                    "sold": 0,
                },
            }
        )
    return options


def edit(account: Account, product_id: str, attributes: Mapping[str, Any]) -> Document:
    """Set attributes such as name, description or status. Raises InvalidRequestError for an unknown product."""
    document = get(account, product_id)
    document["data"]["attributes"].update({**attributes, "updated_at": stamp()})
    return document


def get(account: Account, product_id: str) -> Document:
    try:
        return account.products[product_id]
    except KeyError:
        raise InvalidRequestError(f"{account.name} has no product {product_id}.") from None


def delete(account: Account, product_id: str) -> None:
    """Delete a product; its orders keep its name and ID. Raises InvalidRequestError for an unknown product."""
    get(account, product_id)
    del account.products[product_id]
