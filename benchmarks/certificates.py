"""A certificate for a local TLS server, and the portal's trust in it, for benchmarks and tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from portal.clients import connections

if TYPE_CHECKING:
    import ssl
    from pathlib import Path


def self_signed(folder: Path, address: str) -> Path:
    """Return a file with a key and its own certificate for this address, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def trusted_too(certificate: Path | None) -> ssl.SSLContext:
    """Return a new context of the portal's own kind that also trusts this certificate, if there is one."""
    context = connections.trusted(DEFAULT_CA_BUNDLE_PATH)
    if certificate:
        context.load_verify_locations(certificate)
    return context
