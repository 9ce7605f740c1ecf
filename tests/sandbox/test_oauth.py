"""Big Cartel's consent page and access tokens."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import requests

from tests.sandbox.callers import HEADERS, TIMEOUT, consent, exchange

if TYPE_CHECKING:
    from sandbox.client import Sandbox


def test_allowing_access_returns_a_single_use_code(sandbox: Sandbox) -> None:
    back = consent(sandbox, "allow", state="a&b")
    assert back["state"] == ["a&b"]
    answer = exchange(sandbox, back["code"][0])
    assert answer.json()["account_id"] == "1000001"
    headers = {**HEADERS, "Authorization": f"Bearer {answer.json()['access_token']}"}
    url = f"{sandbox.bigcartel_api_url}/accounts/1000001"
    assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 200
    again = exchange(sandbox, back["code"][0])
    assert again.status_code == 400
    assert set(again.json()) == {"error", "message"}

    basic = base64.b64encode(b"app:app-secret").decode()
    gone = requests.post(
        f"{sandbox.bigcartel}/oauth/deauthorize/1000001",
        headers={"Authorization": f"Basic {basic}"},
        timeout=TIMEOUT,
    )
    assert gone.status_code == 204
    assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 401


def test_denied_access_expired_code_and_wrong_secret_are_rejected(sandbox: Sandbox) -> None:
    denied = consent(sandbox, "deny")
    assert (denied["error"], denied["state"]) == (["access_denied"], ["s"])
    assert "code" not in denied
    assert exchange(sandbox, consent(sandbox, "allow")["code"][0], client_secret="x").status_code == 401
    sandbox.put_client("app", secret="app-secret", code_seconds=-1)
    assert exchange(sandbox, consent(sandbox, "allow")["code"][0]).json()["error"] == "invalid_grant"
    unknown = requests.get(sandbox.authorize_url, params={"client_id": "unknown"}, timeout=TIMEOUT)
    assert unknown.status_code == 400


def test_code_with_a_challenge_needs_its_verifier(sandbox: Sandbox) -> None:
    """The pair is the example of RFC 7636, appendix B."""
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    for wrong in ({}, {"code_verifier": "x" * 43}):
        answer = exchange(sandbox, consent(sandbox, "allow", **asked)["code"][0], **wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    code = consent(sandbox, "allow", **asked)["code"][0]
    assert exchange(sandbox, code, code_verifier=verifier).status_code == 200
    without = consent(sandbox, "allow")["code"][0]
    assert exchange(sandbox, without, code_verifier=verifier).status_code == 200
