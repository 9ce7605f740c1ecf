"""Passwords: argon2 hashes, and what makes a password one that we take."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_PASSWORD = 1_000

_hasher = PasswordHasher()


def problem_with(password: str, email: str) -> str:
    """Why this password is not taken for this person, as a sentence; empty when it is."""
    if len(password) < MIN_LENGTH:
        return f"The password needs at least {MIN_LENGTH} characters. A few words in a row are easy to remember."
    if len(password) > MAX_PASSWORD:
        return f"The password may have at most {MAX_PASSWORD} characters."
    if password.strip().lower() == email.strip().lower():
        return "The password is the e-mail address, which others know. Choose something else."
    if len(set(password)) == 1:
        return "The password is one character over and over. Choose something else."
    return ""


def hashed(password: str) -> str:
    return _hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long when there is no hash, so the time does not tell who has an account."""
    nobody = _hash_of_nobody()
    try:
        _hasher.verify(password_hash or nobody, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("nobody has this password")
