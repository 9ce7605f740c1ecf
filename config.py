"""The settings, read from the environment and validated once. Errors name the variable."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 2 * 1024 * 1024
"""Of a request. A larger one is answered with 413."""
MAX_DIGITS = 20
"""Of a setting that is a number, with leading zeros."""
SECRET_KEY_BYTES = 32
SECRET_KEY_CHARACTERS = 8
"""Fewer different ones are a placeholder, not a random string."""
METRICS_TOKEN_LENGTH = 8
HOW_TO_MAKE_A_KEY = 'Make one with: python -c "import secrets; print(secrets.token_hex(32))"'
WEBHOOK_SECRET_BYTES = (24, 64)
"""Shortest and longest, by the Standard Webhooks specification."""
HOW_TO_MAKE_WHSEC = (
    'Make one with: python -c "import base64, secrets; '
    "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
)
MAX_WEBHOOK_SECRETS = 2
INSTANCE = Path(__file__).resolve().parent / "instance"


class SettingsError(Exception):
    """A setting is missing or invalid. The text names the variable and says what it must be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between installations. Durations are in seconds unless the name gives another unit."""

    secret_key: str = field(repr=False)
    token_keys: tuple[str, ...] = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    bigcartel_client_id: str
    bigcartel_client_secret: str = field(repr=False)
    bigcartel_authorize_url: str
    bigcartel_token_url: str
    bigcartel_api_url: str
    fcp_api_url: str
    fcp_status_path: str
    fcp_concurrency: int
    fcp_calls_at_once: int
    bigcartel_calls_at_once: int
    poll_seconds: int
    track_seconds: int
    purge_days: int
    workers: int
    schedules: int
    log_format: Literal["text", "json"]
    metrics_token: str = field(repr=False)
    metrics_networks: str
    sentry_dsn: str = field(repr=False)
    public_url: str
    trusted_proxies: str
    mail_url: str = field(repr=False)
    operator_email: str
    """Who is told what only the operator can fix: addresses, separated by ", "."""
    support_email: str
    """Where people's notes go, and answers to mails; empty for the users with the role support."""
    operator_webhook_url: str = field(repr=False)
    """Empty for none."""
    operator_webhook_secret: str = field(repr=False)
    """Empty for messages in Slack's format."""
    webhook_private_addresses: Literal["block", "allow"]
    """Whether merchants' webhooks may lead to private addresses and over http: only where nobody else can log in."""
    bigcartel_webhook_secrets: str = field(repr=False)
    """What Big Cartel signs its webhooks with: one or, while it is replaced, two, separated by ", ". Empty for none."""


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and validate the settings. Raises SettingsError for the first one that is missing or invalid."""
    env = os.environ if environ is None else environ
    log_format = env.get("LOG_FORMAT") or "text"
    if log_format not in {"text", "json"}:
        raise SettingsError(f"LOG_FORMAT must be text or json, not {log_format!r}.")
    return Settings(
        secret_key=_secret_key(env),
        token_keys=_token_keys(env),
        database_url=_database_url(env),
        redis_url=_url(env, "REDIS_URL", "redis://127.0.0.1:6379/0", {"redis", "rediss", "unix"}),
        bigcartel_client_id=env.get("BIGCARTEL_CLIENT_ID", ""),
        bigcartel_client_secret=env.get("BIGCARTEL_CLIENT_SECRET", ""),
        bigcartel_authorize_url=_http_url(env, "BIGCARTEL_AUTHORIZE_URL", "https://my.bigcartel.com/oauth/authorize"),
        bigcartel_token_url=_http_url(env, "BIGCARTEL_TOKEN_URL", "https://api.bigcartel.com/oauth/token"),
        bigcartel_api_url=_http_url(env, "BIGCARTEL_API_URL", "https://api.bigcartel.com/v1"),
        fcp_api_url=_http_url(env, "FCP_API_URL", "https://fcp.efulfillmentservice.com/xml"),
        fcp_status_path=_path(env, "FCP_STATUS_PATH", "status"),
        fcp_concurrency=_integer(env, "FCP_CONCURRENCY", 8, 1, 64),
        fcp_calls_at_once=_integer(env, "FCP_CALLS_AT_ONCE", 64, 1, 10_000),
        bigcartel_calls_at_once=_integer(env, "BIGCARTEL_CALLS_AT_ONCE", 64, 1, 10_000),
        poll_seconds=_integer(env, "POLL_SECONDS", 60, 1, 86_400),
        track_seconds=_integer(env, "TRACK_SECONDS", 300, 1, 86_400),
        purge_days=_integer(env, "PURGE_DAYS", 90, 1, 3_650),
        workers=_integer(env, "WORKERS", 1, 1, 1_000),
        schedules=_integer(env, "SCHEDULES", 1, 1, 100),
        log_format="json" if log_format == "json" else "text",
        metrics_token=_metrics_token(env),
        metrics_networks=_networks(env, "METRICS_NETWORKS", "127.0.0.0/8, ::1/128"),
        sentry_dsn=_sentry_dsn(env),
        public_url=_http_url(env, "PUBLIC_URL", "http://127.0.0.1:8000"),
        trusted_proxies=_networks(env, "TRUSTED_PROXIES", "127.0.0.1/32, ::1/128"),
        mail_url=_url(env, "MAIL_URL", f"file://{INSTANCE / 'mail'}", {"smtp", "smtps", "file"}),
        operator_email=", ".join(_emails(env, "OPERATOR_EMAIL")),
        support_email=_email(env, "SUPPORT_EMAIL"),
        operator_webhook_url=_optional_http_url(env, "OPERATOR_WEBHOOK_URL"),
        operator_webhook_secret=_webhook_secret(env, "OPERATOR_WEBHOOK_SECRET"),
        webhook_private_addresses=_block_or_allow(env, "WEBHOOK_PRIVATE_ADDRESSES"),
        bigcartel_webhook_secrets=_one_or_two(env, "BIGCARTEL_WEBHOOK_SECRETS"),
    )


def _required(env: Mapping[str, str], name: str, what: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set. Set it to {what}.")
    return value


def _secret_key(env: Mapping[str, str]) -> str:
    key = _required(env, "SECRET_KEY", f"a random string, which signs the sessions. {HOW_TO_MAKE_A_KEY}")
    if len(key.encode()) < SECRET_KEY_BYTES or len(set(key)) < SECRET_KEY_CHARACTERS:
        raise SettingsError(
            f"SECRET_KEY must be a random string of at least {SECRET_KEY_BYTES} bytes, with at least "
            f"{SECRET_KEY_CHARACTERS} different characters. {HOW_TO_MAKE_A_KEY}"
        )
    return key


def _metrics_token(env: Mapping[str, str]) -> str:
    token = env.get("METRICS_TOKEN", "").strip()
    if token and not re.fullmatch(rf"[!-~]{{{METRICS_TOKEN_LENGTH},}}", token):
        raise SettingsError(
            f"METRICS_TOKEN must be a random string of at least {METRICS_TOKEN_LENGTH} letters, digits or signs. "
            f"{HOW_TO_MAKE_A_KEY}"
        )
    return token


def _sentry_dsn(env: Mapping[str, str]) -> str:
    if not env.get("SENTRY_DSN", "").strip():
        return ""
    dsn = _url(env, "SENTRY_DSN", "", {"http", "https"})
    parts = urlsplit(dsn)
    if not (parts.hostname and parts.username and re.fullmatch(r"(?:/.*)?/[0-9]+", parts.path)):
        raise SettingsError("SENTRY_DSN must be the address that Sentry shows, such as https://key@host/1.")
    return dsn


def _token_keys(env: Mapping[str, str]) -> tuple[str, ...]:
    text = _required(env, "TOKEN_KEYS", "one or more Fernet keys, separated by commas; the first one encrypts")
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise SettingsError(
                f"TOKEN_KEYS: key {position} is not a Fernet key (32 bytes, url-safe base64)."
            ) from None
    if not keys:
        raise SettingsError("TOKEN_KEYS contains no key.")
    return keys


def _database_url(env: Mapping[str, str]) -> str:
    """Return the URL with the psycopg driver for PostgreSQL. The default is a SQLite file under instance/."""
    url = env.get("DATABASE_URL", "").strip() or f"sqlite:///{INSTANCE / 'portal.sqlite3'}"
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        scheme = "postgresql+psycopg"
    if not separator or scheme not in {"postgresql+psycopg", "sqlite"}:
        raise SettingsError("DATABASE_URL must start with postgresql:// or sqlite:///.")
    try:
        make_url(f"{scheme}://{rest}")
    except (ArgumentError, ValueError):
        raise SettingsError("DATABASE_URL is not a valid URL. Check its host and port.") from None
    return f"{scheme}://{rest}"


def _http_url(env: Mapping[str, str], name: str, default: str) -> str:
    return _url(env, name, default, {"http", "https"}).rstrip("/")


def _optional_http_url(env: Mapping[str, str], name: str) -> str:
    return _url(env, name, "", {"http", "https"}) if env.get(name, "").strip() else ""


def _webhook_secret(env: Mapping[str, str], name: str) -> str:
    """Return a secret as the Standard Webhooks specification writes it, or "" if it isn't set."""
    text = env.get(name, "").strip()
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) if text.startswith("whsec_") else 0
    except ValueError:
        size = 0
    if text and not WEBHOOK_SECRET_BYTES[0] <= size <= WEBHOOK_SECRET_BYTES[1]:
        raise SettingsError(
            f"{name} must be whsec_ followed by {WEBHOOK_SECRET_BYTES[0]} to {WEBHOOK_SECRET_BYTES[1]} random bytes "
            f"in Base64. {HOW_TO_MAKE_WHSEC}"
        )
    return text


def _one_or_two(env: Mapping[str, str], name: str) -> str:
    """Return the secrets, separated by ", "."""
    secrets = tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
    if len(secrets) > MAX_WEBHOOK_SECRETS:
        raise SettingsError(f"{name} must be one secret or two, separated by a comma, not {len(secrets)}.")
    return ", ".join(secrets)


def _block_or_allow(env: Mapping[str, str], name: str) -> Literal["block", "allow"]:
    value = env.get(name, "").strip() or "block"
    if value not in {"block", "allow"}:
        raise SettingsError(f"{name} must be block or allow, not {value[:20]!r}.")
    return "allow" if value == "allow" else "block"


def _url(env: Mapping[str, str], name: str, default: str, schemes: set[str]) -> str:
    url = env.get(name, "").strip() or default
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(f"{name} is not a valid URL. Check its host and port.") from None
    if parts.scheme not in schemes or not (parts.netloc or parts.path) or port == 0:
        raise SettingsError(
            f"{name} must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}."
        )
    return url


def _emails(env: Mapping[str, str], name: str) -> list[str]:
    """Return the addresses, separated by commas, each once and in lower case."""
    parts = [part.strip().lower() for part in env.get(name, "").split(",")]
    for part in filter(None, parts):
        if not re.fullmatch(r"[^\s@<>()\",;:]+@[a-z0-9.-]+", part):
            raise SettingsError(f"{name} must be email addresses, separated by commas, not {part!r}.")
    return list(dict.fromkeys(filter(None, parts)))


def _email(env: Mapping[str, str], name: str) -> str:
    addresses = _emails(env, name)
    if len(addresses) > 1:
        raise SettingsError(f"{name} must be one email address.")
    return addresses[0] if addresses else ""


def _networks(env: Mapping[str, str], name: str, default: str) -> str:
    """Return the networks as they are written, separated by ", ". "none" stands for no network."""
    text = env.get(name, "").strip() or default
    if text.lower() == "none":
        return ""
    try:
        return ", ".join(str(ip_network(part.strip())) for part in text.split(","))
    except ValueError:
        raise SettingsError(
            f"{name} must be addresses or networks, separated by commas, such as 10.0.0.5 or 10.0.0.0/8, "
            f"or none, not {text!r}."
        ) from None


def _path(env: Mapping[str, str], name: str, default: str) -> str:
    """Return the path without slashes at its ends."""
    path = env.get(name, "").strip().strip("/") or default
    if not re.fullmatch(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", path):
        raise SettingsError(f"{name} must be a path below FCP_API_URL, such as {default}, not {path!r}.")
    return path


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or len(text) > MAX_DIGITS or not low <= int(text) <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {text[:MAX_DIGITS]!r}.")
    return int(text)
