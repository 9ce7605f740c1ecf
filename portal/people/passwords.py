"""Password rules and argon2 hashes."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 1_000

_hasher = PasswordHasher()


def problem_with(password: str, email: str) -> str:
    """Return what is wrong with this new password as a sentence, or "" if nothing is."""
    if len(password) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters. A few random words are easy to remember."
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    if password.strip().lower() == email.strip().lower():
        return "Your email address can't be your password: others know it. Choose a different one."
    if len(set(password)) == 1:
        return "This password repeats a single character. Choose a different one."
    return ""


def hashed(password: str) -> str:
    return _hasher.hash(password)


def is_correct(password_hash: str | None, password: str) -> bool:
    """Return whether the password matches.

    Takes just as long without a hash, so the response time doesn't reveal who has an account. Hashes no more of the
    password than shows that it is too long.
    """
    dummy = _dummy_hash()
    try:
        _hasher.verify(password_hash or dummy, password[: MAX_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Return whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _dummy_hash() -> str:
    return _hasher.hash("a password no one has")
