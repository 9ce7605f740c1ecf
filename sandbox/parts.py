"""Building blocks of orders and products: money, countries, the currency and field checks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pycountry

from sandbox.world import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

USD = {
    "id": "USD",
    "type": "currencies",
    "attributes": {"name": "U.S. Dollar", "sign": "$", "locale": "en-US"},
}


@cache
def country_name(code: str) -> str:
    country = pycountry.countries.get(alpha_2=code)
    return str(getattr(country, "common_name", country.name)) if country else code


@cache
def countries() -> tuple[dict[str, Any], ...]:
    codes = sorted(str(country.alpha_2) for country in pycountry.countries)
    return tuple(country_document(code) for code in codes)


def country_document(code: str) -> dict[str, Any]:
    return {"id": code, "type": "countries", "attributes": {"name": country_name(code)}}


def money(amount: Decimal) -> str:
    """Format an amount as Big Cartel does: text with at least one decimal and no other trailing zeros."""
    text = f"{amount:.2f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def check_fields(spec: Mapping[str, Any], known: set[str], what: str) -> None:
    """Raise InvalidRequestError if the spec has a field that is not in `known`."""
    unknown = set(spec) - known
    if unknown:
        raise InvalidRequestError(
            f"Unknown {what} fields: {', '.join(sorted(unknown))}. Allowed: {', '.join(sorted(known))}."
        )
