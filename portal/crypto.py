"""Encrypt stored tokens with the first of the TOKEN_KEYS, and decrypt them with whichever key fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

if TYPE_CHECKING:
    from collections.abc import Sequence


class SealError(Exception):
    """No configured key can decrypt a stored token."""


def seal(text: str, keys: Sequence[str]) -> str:
    return _fernet(keys).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, keys: Sequence[str]) -> str:
    """Decrypt a sealed token. Raises SealError if none of the keys fits."""
    try:
        return _fernet(keys).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        raise SealError(
            "We can't decrypt a stored token: its key is no longer in TOKEN_KEYS. "
            "Restore that key, or enter the token again."
        ) from None


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
