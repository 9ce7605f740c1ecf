"""What orders and products are made of: money, countries, the currency, checked words."""

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
    """As Big Cartel writes it: text, at least one decimal, no further zeros."""
    text = f"{amount:.2f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def only(words: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = set(words) - known
    if unknown:
        raise InvalidRequestError(f"A {what} has no {', '.join(sorted(unknown))}; it has: {', '.join(sorted(known))}.")
