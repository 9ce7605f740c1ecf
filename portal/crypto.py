"""Tokens at rest: sealed with the first of the TOKEN_KEYS, opened with any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

if TYPE_CHECKING:
    from collections.abc import Sequence


class SealError(Exception):
    """A stored token cannot be opened with the keys that we have."""


def seal(text: str, keys: Sequence[str]) -> str:
    return _box(keys).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, keys: Sequence[str]) -> str:
    """Raises SealError when none of the keys fits."""
    try:
        return _box(keys).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        raise SealError(
            "A stored token cannot be opened: TOKEN_KEYS no longer holds the key that sealed it. "
            "Put that key back, or enter the token anew."
        ) from None


def _box(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
