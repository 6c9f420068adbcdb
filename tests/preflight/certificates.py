"""Certificates made for the tests, one of each kind."""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@functools.cache
def certificate(kind: str) -> str:
    """One line of Base-64: ``rsa``, ``ecc``, ``expired`` or ``expiring``; ``pem`` has header lines."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ecc" else rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
    now = datetime.now(UTC)
    days = {"expired": -1, "expiring": 30}.get(kind, 3650)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    if kind == "pem":
        return made.public_bytes(serialization.Encoding.PEM).decode()
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()
