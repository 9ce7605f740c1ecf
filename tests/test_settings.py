"""An invalid setting stops the program at startup with a sentence that names the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config import SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[1]
KEY = Fernet.generate_key().decode()
SECRET_KEY = "a long random text of 32 bytes, at least"
GOOD = {"SECRET_KEY": SECRET_KEY, "TOKEN_KEYS": KEY}


def test_only_the_two_secrets_are_required() -> None:
    settings = load_settings(GOOD)
    assert settings.bigcartel_api_url == "https://api.bigcartel.com/v1"
    assert settings.fcp_api_url == "https://fcp.efulfillmentservice.com/xml"
    assert (settings.poll_seconds, settings.track_seconds, settings.purge_days) == (60, 300, 90)
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "   "),
        ("SECRET_KEY", "x"),
        ("SECRET_KEY", "0123456789abcdef0123456789abcde"),
        ("SECRET_KEY", " 0123456789abcdef0123456789abcde "),
        ("SECRET_KEY", "x" * 64),
        ("SECRET_KEY", "secret" * 20),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.1,,10.0.0.2"),
        ("TRUSTED_PROXIES", "*"),
        ("TOKEN_KEYS", ""),
        ("TOKEN_KEYS", ","),
        ("TOKEN_KEYS", "not-a-key"),
        ("DATABASE_URL", "mysql://host/db"),
        ("DATABASE_URL", "portal.db"),
        ("REDIS_URL", "http://localhost"),
        ("BIGCARTEL_API_URL", "api.bigcartel.com/v1"),
        ("BIGCARTEL_TOKEN_URL", "ftp://api.bigcartel.com"),
        ("FCP_API_URL", "file:///etc/passwd"),
        ("FCP_STATUS_PATH", "https://fcp.example/xml/status"),
        ("FCP_STATUS_PATH", "../status"),
        ("FCP_STATUS_PATH", "status?all=1"),
        ("FCP_CONCURRENCY", "0"),
        ("FCP_CONCURRENCY", "many"),
        ("FCP_CALLS_AT_ONCE", "0"),
        ("BIGCARTEL_CALLS_AT_ONCE", "all"),
        ("POLL_SECONDS", "-1"),
        ("TRACK_SECONDS", "1.5"),
        ("PURGE_DAYS", "0"),
        ("WORKERS", "0"),
        ("WORKERS", "two"),
        ("SCHEDULES", "-1"),
        pytest.param("SCHEDULES", "1" * 5_000, id="more digits than int() reads"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_invalid_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings(GOOD | {name: value})


@pytest.mark.parametrize(
    ("given", "path"), [("", "status"), (" /orders/ ", "orders"), ("v2/order-status", "v2/order-status")]
)
def test_status_path_is_below_the_api(given: str, path: str) -> None:
    assert load_settings(GOOD | {"FCP_STATUS_PATH": given}).fcp_status_path == path


@pytest.mark.parametrize("given", ["postgres://u@h/db", "postgresql://u@h/db", "postgresql+psycopg://u@h/db"])
def test_every_postgresql_scheme_gets_the_psycopg_driver(given: str) -> None:
    assert load_settings(GOOD | {"DATABASE_URL": given}).database_url == "postgresql+psycopg://u@h/db"


@pytest.mark.parametrize("key", ["0123456789abcdef0123456789abcdef", "schlüssel-äöü-schlüssel-äöü", "🔑🗝🔐🔒🔓🚪🏠🏡"])
def test_secret_key_of_32_bytes_is_enough(key: str) -> None:
    assert load_settings(GOOD | {"SECRET_KEY": key}).secret_key == key


def test_short_secret_key_is_answered_with_how_to_make_one_and_not_shown() -> None:
    with pytest.raises(SettingsError, match=r"at least 32 bytes.*token_hex") as error:
        load_settings(GOOD | {"SECRET_KEY": "hunter2-hunter2"})
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", "127.0.0.1/32, ::1/128"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("10.0.0.0/8,fd00::/8 , 192.0.2.1", "10.0.0.0/8, fd00::/8, 192.0.2.1/32"),
        ("none", ""),
    ],
)
def test_trusted_proxies_are_networks(given: str, read: str) -> None:
    assert load_settings(GOOD | {"TRUSTED_PROXIES": given}).trusted_proxies == read


def test_several_token_keys_keep_their_order() -> None:
    second = Fernet.generate_key().decode()
    assert load_settings(GOOD | {"TOKEN_KEYS": f" {KEY} , {second} "}).token_keys == (KEY, second)


def test_secrets_are_not_in_the_repr() -> None:
    settings = load_settings(GOOD | {"BIGCARTEL_CLIENT_SECRET": "app-secret", "DATABASE_URL": "postgresql://u:pw@h/d"})
    for secret in (SECRET_KEY, KEY, "app-secret", "pw"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    "command", [["-m", "flask", "--app", "wsgi", "doctor"], ["-m", "jobs.worker"], ["-m", "jobs.schedule"]]
)
def test_process_without_its_secrets_exits_with_one_sentence(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in GOOD}
    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_visitors_wait_for_no_collection_of_what_the_pages_start_with() -> None:
    code = "import gc, wsgi; print(gc.get_freeze_count() > len(gc.get_objects()))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **GOOD}, capture_output=True, text=True, check=True
    )
    assert found.stdout == "True\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://u:p@:::/x"),
        ("DATABASE_URL", "postgresql://u:p@host:port/x"),
        ("REDIS_URL", "redis://127.0.0.1:abc/0"),
        ("FCP_API_URL", "http://127.0.0.1:99999/xml"),
        ("BIGCARTEL_API_URL", "http://[::1/v1"),
    ],
)
def test_invalid_url_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not a valid URL"):
        load_settings({**GOOD, name: value})
