"""The signed tokens of links in emails that open an account: they expire, and are valid only once."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from portal.signing import fingerprint, read_token, signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.models import User

RESET_SECONDS = 3_600
INVITATION_SECONDS = 7 * 86_400


def reset_token(user: User, secret_key: str) -> str:
    """Return a token tied to the current password, so it stops working once the password changes."""
    return signer("reset password", secret_key).dumps([user.id, fingerprint(user.password_hash, secret_key)])


def user_of_reset(token: str, secret_key: str, find: Callable[[int], User | None]) -> User | None:
    """Return the token's user, or None if it is forged, expired, or made for an earlier password."""
    match read_token("reset password", token, secret_key, RESET_SECONDS):
        case [int(user_id), str(tied_to)] if (user := find(user_id)) is not None:
            return user if hmac.compare_digest(tied_to, fingerprint(user.password_hash, secret_key)) else None
    return None


def invitation_token(invitation_id: int, secret_key: str) -> str:
    return signer("invitation", secret_key).dumps(invitation_id)


def invitation_id_in(token: str, secret_key: str) -> int | None:
    """Return the id of the token's invitation, or None if the token is forged or expired."""
    content = read_token("invitation", token, secret_key, INVITATION_SECONDS)
    return content if isinstance(content, int) else None
