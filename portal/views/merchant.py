"""The pages of one merchant, under /m/<merchant_id>; merchant and support use the same addresses."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from portal import access

blueprint = Blueprint("merchant", __name__, url_prefix="/m/<int:merchant_id>")


@blueprint.url_value_preprocessor
def find_merchant(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Take the merchant's id from the URL; check_access then answers 404 to anyone without access."""
    merchant_id = (values or {}).pop("merchant_id")
    g.merchant_id = merchant_id


@blueprint.before_request
def check_access() -> None:
    g.merchant = access.merchant_or_404(g.merchant_id)


@blueprint.url_defaults
def keep_merchant(_endpoint: str, values: dict[str, Any]) -> None:
    values.setdefault("merchant_id", g.get("merchant_id"))
