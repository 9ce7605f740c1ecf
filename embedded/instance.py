"""The files of `make run` under instance/: its lock, the secrets, and the settings for a second terminal."""

from __future__ import annotations

import fcntl
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from dotenv import dotenv_values

from embedded.supervisor import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@contextmanager
def locked(instance: Path) -> Iterator[None]:
    """Create the folder if needed and lock it for one run. Raises RunError while another run has the lock."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (instance / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"The portal is already running from {instance}. Stop it first: press Ctrl-C in its terminal."
            ) from None
        yield


def load_secrets(instance: Path) -> dict[str, str]:
    """Return SECRET_KEY and TOKEN_KEYS. The first run generates them."""
    path = instance / "secrets.env"
    if not path.exists():
        write_private(path, {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": Fernet.generate_key().decode()})
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


def write_private(path: Path, settings: Mapping[str, str]) -> None:
    """Write a file for `flask --env-file` that only its owner can read. A crash leaves no partial file."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("w") as file:
        for name, value in settings.items():
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            quoted = quoted.replace("${", "${:-$}{")  # python-dotenv has no other way to escape ${
            file.write(f"{name}='{quoted}'\n")
    draft.replace(path)
