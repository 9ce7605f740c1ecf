"""Browsers that a user has logged in with before. A signed cookie marks them, until the password changes.

Wrong passwords from elsewhere don't count against a known browser, so nobody can lock its user out.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from portal.signing import fingerprint, read_token, signer

if TYPE_CHECKING:
    from portal.models import User

KNOWN_SECONDS = 365 * 86_400
_PURPOSE = "known browser"


def cookie_name(email: str, secret_key: str) -> str:
    """Return the name of the cookie for this user, which doesn't contain the address. Browsers can be shared."""
    return f"known_{fingerprint(f'{_PURPOSE} {email}', secret_key)[:16]}"


def new_token(user: User, secret_key: str) -> str:
    """Return the cookie's content: a random name for the browser, tied to the user's current password."""
    content = [user.id, fingerprint(user.session_key, secret_key), secrets.token_urlsafe(12)]
    return signer(_PURPOSE, secret_key).dumps(content)


def browser_of(token: str, user: User, secret_key: str) -> str | None:
    """Return the browser's random name, or None if the user didn't log in with it since the last password change."""
    match read_token(_PURPOSE, token, secret_key, KNOWN_SECONDS):
        case [int(user_id), str(tied_to), str(browser)] if user_id == user.id:
            return browser if hmac.compare_digest(tied_to, fingerprint(user.session_key, secret_key)) else None
    return None
