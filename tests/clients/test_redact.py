"""Credentials are redacted in every encoding and position."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.redact import MARK, redact

SECRETS = st.text(st.characters(exclude_characters="•", exclude_categories=["Cs"]), min_size=1, max_size=40)
TEXTS = st.text(max_size=200)


def encodings(secret: str) -> list[str]:
    data = secret.encode()
    return [
        secret,
        escape(secret),
        escape(secret, {'"': "&quot;", "'": "&apos;"}),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(),
    ]


@given(TEXTS, SECRETS, TEXTS)
def test_no_encoding_of_a_secret_survives(before: str, secret: str, after: str) -> None:
    for encoding in encodings(secret):
        assert encoding not in redact(f"{before}{encoding}{after}", [secret])


@given(TEXTS, st.lists(SECRETS, max_size=4))
def test_several_secrets_are_redacted(text: str, secrets: list[str]) -> None:
    redacted = redact(text + "".join(secrets), secrets)
    assert not any(secret in redacted for secret in secrets)


@given(st.text(st.characters(exclude_characters="<>={}\"'&?:"), max_size=300))
def test_text_without_credentials_is_unchanged(text: str) -> None:
    assert redact(text, ["", "a secret that is not there\N{SNOWMAN}"]) == text


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "816:", "Example Shop:"])
def test_secret_inside_base64_is_redacted(before: str) -> None:
    coded = base64.b64encode(f"{before}tok3n-of-the-merchant".encode()).decode()
    for offset in range(3):
        inner = base64.b64encode(b"x" * offset + b"tok3n-of-the-merchant").decode()[offset + 2 : -4]
        assert inner not in redact(f"Authorization: {coded}; {coded}", ["tok3n-of-the-merchant"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<MerchantToken>abc</MerchantToken>", "<MerchantToken>•••</MerchantToken>"),
        ("<f:MerchantToken a='1'>a\nb</f:MerchantToken>", "<f:MerchantToken a='1'>•••</f:MerchantToken>"),
        ("<MerchantToken><![CDATA[a]]></MerchantToken>", "<MerchantToken>•••</MerchantToken>"),
        ("<MerchantToken>cut o", "<MerchantToken>•••"),
        ("<MerchantToken/><Order>1</Order>", "<MerchantToken/><Order>1</Order>"),
        ("<MerchantToken></MerchantToken><A>1</A>", "<MerchantToken></MerchantToken><A>1</A>"),
        ("<merchanttoken>a</merchanttoken>", "<merchanttoken>•••</merchanttoken>"),
        ("<MerchantName>Shop</MerchantName>", "<MerchantName>Shop</MerchantName>"),
        ("<MerchantId>816</MerchantId>", "<MerchantId>816</MerchantId>"),
        ('{"access_token": "a\\"b", "x": 1}', '{"access_token": "•••", "x": 1}'),
        ('{"access_token":17,"account_id":1}', '{"access_token":"•••","account_id":1}'),
        ('{"refresh_token":"cut', '{"refresh_token":"•••"'),
        ("client_id=1&client_secret=a%20b&x=2", "client_id=1&client_secret=•••&x=2"),
        ("https://x/cb?code=abc&state=1", "https://x/cb?code=•••&state=1"),
        ("efs_merchant_token=abc&_id=5", "efs_merchant_token=•••&_id=5"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer •••"),
        ('{"Authorization": "Basic YTpi"}', '{"Authorization": "Basic •••"}'),
        ("Invalid MerchantToken", "Invalid MerchantToken"),
        ("status code=500", "status code=500"),
    ],
)
def test_credential_fields_are_redacted_whatever_their_value(text: str, expected: str) -> None:
    assert redact(text, ()) == expected


def test_secret_inside_a_longer_secret_leaves_nothing_behind() -> None:
    assert redact("abcdef", ["abc", "abcdef"]) == MARK
