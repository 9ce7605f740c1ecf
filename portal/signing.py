"""Signed tokens that expire, and keyed hashes. What each is for is part of its signature."""

from __future__ import annotations

import hashlib
import hmac

from itsdangerous import BadData, URLSafeTimedSerializer


def signer(purpose: str, secret_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})


def read_token(purpose: str, token: str, secret_key: str, seconds: int) -> object:
    """Return the token's content, or None if it is forged, made for another purpose, or older than ``seconds``."""
    try:
        return signer(purpose, secret_key).loads(token, max_age=seconds)
    except BadData:
        return None


def fingerprint(text: str, secret_key: str) -> str:
    """Return a keyed hash, which always stands for this text but doesn't reveal it."""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
