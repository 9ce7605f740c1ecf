"""Nothing is posted to an address inside our network, however a URL or a name leads to it."""

from __future__ import annotations

import socket
import time
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from portal.clients import public_hosts, webhook
from portal.clients.public_hosts import is_public

if TYPE_CHECKING:
    from collections.abc import Callable

INSIDE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.0.8",  # noqa: S104
    "192.0.2.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "localhost",
)  # fmt: skip
SPELLED = (
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/",
    "https://017700000001/", "https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/",
    "https://metadata.google.internal/", "https://①②⑦.⓪.⓪.①/", "https://0/", "https://169.254.169.254/latest/",
)  # fmt: skip
NOT_POSTED_TO = (
    *SPELLED, "http://hooks.example.com/", "ftp://hooks.example.com/", "https:///path", "https://", "hooks.example.com",
    "https://user:password@hooks.example.com/", "https://hooks.example.com:25/", "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/", "https://hooks.example.com/a b", "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com/\n", "", "https://hooks.example.com/" + "a" * 2_000, "https://printer.local/",
    "https://user@hooks.example.com/", "https://hooks.example.com/a\\b", "https://hooks.example.com/\u200b",
    "https://printer.local./",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_no_host_on_the_internet_has_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700:4700::1111", "3.5.140.2"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", NOT_POSTED_TO)
def test_a_url_that_we_would_not_post_to_is_named_at_once(url: str) -> None:
    assert webhook.problem_with(url, private_allowed=False)
    with pytest.raises(webhook.UndeliveredError) as failed:
        _post(url)
    assert failed.value.is_final


@pytest.mark.parametrize(
    "url", ["https://hooks.slack.com/services/T0/B0/x", "https://hooks.example.com:8443/?a=b", "https://8.8.8.8/"]
)
def test_a_url_on_the_internet_is_fine(url: str) -> None:
    assert webhook.problem_with(url, private_allowed=False) == ""


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1"], ["8.8.8.8", "10.0.0.1"], []])
def test_a_name_with_any_address_inside_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    connected = _resolving(monkeypatch, lambda: addresses)
    with pytest.raises(webhook.UndeliveredError, match="isn't a public one") as failed:
        _post("https://hooks.example.com/secret")
    assert failed.value.is_final
    assert "secret" not in str(failed.value)
    assert connected == []


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    connected = _resolving(monkeypatch, lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    with pytest.raises(webhook.UndeliveredError, match="couldn't reach"):
        _post("https://hooks.example.com/")
    assert connected == ["8.8.8.8"]


def test_a_name_that_resolves_slowly_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_hosts, "RESOLVE_SECONDS", 0.05)
    over = Event()
    _resolving(monkeypatch, lambda: ["8.8.8.8"] if over.wait(60) else [])
    started = time.monotonic()
    with pytest.raises(webhook.UndeliveredError, match=r"couldn't reach hooks\.example\.com") as failed:
        _post("https://hooks.example.com/")
    assert time.monotonic() - started < 5
    assert not failed.value.is_final
    over.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:25/", "http://localhost/", "https://10.0.0.1/"])
def test_an_operator_may_allow_addresses_inside(url: str) -> None:
    assert webhook.problem_with(url, private_allowed=True) == ""
    assert webhook.problem_with("http://127.0.0.1:0/", private_allowed=True)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "no-such-name.invalid"])
def test_a_name_that_cannot_be_resolved_may_be_tried_again(host: str) -> None:
    assert webhook.problem_with(f"https://{host}/", private_allowed=False) == ""
    with pytest.raises(webhook.UndeliveredError, match="We couldn't reach") as failed:
        _post(f"https://{host}/")
    assert not failed.value.is_final


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = _resolving(monkeypatch, lambda: ["8.8.8.8", "8.8.4.4"])
    with pytest.raises(webhook.UndeliveredError, match="couldn't reach"):
        _post("https://hooks.example.com/")
    assert connected == ["8.8.8.8", "8.8.4.4"]


def _post(url: str) -> None:
    webhook.post(url, b"{}", {}, private_allowed=False, now=time.time())


def _resolving(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], list[str]]) -> list[str]:
    """Have names resolve to these addresses, and return the list of those that are connected to, which all fail."""
    connected: list[str] = []

    def look_up(host: str, port: int, *, flags: int = 0, **_: Any) -> list[Any]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer()]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("portal.clients.public_hosts.socket.getaddrinfo", look_up)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    return connected
