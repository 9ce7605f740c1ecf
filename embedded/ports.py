"""The ports that `make run` listens on.

embedded/bootstrap.py checks them with the system's Python before it installs anything: standard library and old
syntax only.
"""

import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"


class PortError(Exception):
    """A port can't be used. The text is for the person who typed `make run`."""


class Ports(NamedTuple):
    """Where one run listens, all on HOST. The sandbox's ports are None when the run uses the real services."""

    web: int
    bigcartel: "int | None"
    fcp: "int | None"


def read_ports(environ: "Mapping[str, str]") -> Ports:
    """Return the ports that the environment asks for. Raises PortError when one is invalid or in use."""
    web = _free("PORT", 8000, environ)
    if environ.get("BIGCARTEL_CLIENT_ID"):
        return Ports(web, None, None)
    return Ports(web, _free("SANDBOX_BIGCARTEL_PORT", 8010, environ), _free("SANDBOX_FCP_PORT", 8011, environ))


def _free(name: str, default: int, environ: "Mapping[str, str]") -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise PortError(f"{name} must be a port from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError as error:
            raise PortError(
                f"Can't listen on port {text}: {error.strerror}. Stop the program that uses it, "
                f"or choose another port, for example: {name}={int(text) % 65000 + 100} make run"
            ) from None
    return int(text)
