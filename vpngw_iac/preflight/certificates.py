"""Certificates: point-to-site roots and revocations, site-to-site authentication by certificate.

`cryptography` is loaded only when there is a certificate to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.point_to_site import with_clients
from vpngw_iac.preflight.registry import Violation, connections, each, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import CLIENTS, Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.resources.parts import der_of
from vpngw_iac.secret import KeyVaultCertificate

_SOON = timedelta(days=60)
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_NAME = re.compile(r"[^\s/\\?#%&<>:\"*|]{1,80}")


@dataclass(frozen=True, slots=True)
class Root:
    """A root certificate of a gateway; `key` and `ends` only if it can be read."""

    name: str
    data: str
    key: Literal["rsa", "other", ""] = ""
    ends: datetime | None = None


def roots(topology: TopologyView, gateway: Gateway) -> tuple[Root, ...]:
    """Root certificates of a gateway, read once."""
    return topology.memo(("roots", gateway.resource.id), lambda: tuple(_roots(gateway)))


def _roots(gateway: Gateway) -> Iterator[Root]:
    for item in gateway.client_roots:
        data = value_at(item, "properties.publicCertData")
        if isinstance(data, str) and KeyVaultCertificate.described(data) is None:
            yield _read(str(item.get("name")), data)


def _read(name: str, data: str) -> Root:
    if "-----" in data or (der := der_of(data)) is None:
        return Root(name, data)
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        certificate = x509.load_der_x509_certificate(der)
        kind: Literal["rsa", "other"] = "rsa" if isinstance(certificate.public_key(), rsa.RSAPublicKey) else "other"
    except (ValueError, TypeError):
        return Root(name, data)
    return Root(name, data, kind, certificate.not_valid_after_utc)


@rule("R-CERTP-01", "E", "Too many certificates on a gateway", "P2SC, VNLIM", "Use fewer issuers, or another root.")
@each(with_clients)
def certificate_count(gateway: Gateway) -> Iterator[str]:
    """20 roots and 300 revoked thumbprints."""
    for path, limit, what in (
        ("vpnClientRootCertificates", limits.ROOT_CERTIFICATES, "root certificates"),
        ("vpnClientRevokedCertificates", limits.REVOKED_CERTIFICATES, "revoked certificates"),
    ):
        number = len(gateway.resource.items(f"{CLIENTS}.{path}"))
        if number > limit:
            yield f"{number} {what}; a gateway takes {limit}."


@rule(
    "R-CERTP-02",
    "E",
    "Root certificate is not one line of Base-64 X.509",
    "P2SC, T-P2S",
    "Use RootCertificate.file(name, path); it takes PEM and DER.",
    when="change",
)
@each(with_clients)
def root_data(gateway: Gateway) -> Iterator[Violation]:
    """No header lines, and an X.509 certificate inside; blanks and line breaks are taken off."""
    for root in roots(gateway.topology, gateway):
        if not root.key:
            yield Violation(
                gateway.resource,
                f"The data of root certificate {root.name} is not an X.509 certificate in one line of Base-64.",
                block=CLIENTS,
            )


@rule("R-CERTP-03", "E", "Root certificate has an invalid name", "T-P2S", "Use letters, digits, '-', '_' and '.'.")
@each(with_clients)
def root_name(gateway: Gateway) -> Iterator[str]:
    """No spaces and none of the characters that an id cannot hold."""
    for item in gateway.client_roots:
        name = str(item.get("name"))
        if not _NAME.fullmatch(name):
            yield f"{name!r} is not a valid name."


@rule(
    "R-CERTP-04",
    "E",
    "Revoked certificate is not a thumbprint",
    "P2SC",
    "Copy the SHA-1 thumbprint of the client certificate without spaces.",
)
@each(with_clients)
def thumbprint(gateway: Gateway) -> Iterator[str]:
    """40 hexadecimal digits without spaces."""
    for item in gateway.resource.items(f"{CLIENTS}.vpnClientRevokedCertificates"):
        said = value_at(item, "properties.thumbprint")
        if isinstance(said, str) and not _THUMBPRINT.fullmatch(said):
            yield f"The thumbprint of {item.get('name')} is not 40 hexadecimal digits."


@rule("R-CERTP-05", "F", "Root certificate is not RSA, and IKEv2 is on", "FAQ", "Use an RSA root, or OpenVPN alone.")
@each(with_clients)
def rsa_only(gateway: Gateway) -> Iterator[str]:
    """IKEv2 clients need RSA; OpenVPN alone bears other keys."""
    for root in roots(gateway.topology, gateway) if "ikev2" in gateway.protocols else ():
        if root.key == "other":
            yield f"Root certificate {root.name} has no RSA key; IKEv2 clients of it cannot connect."


@rule(
    "R-CERTP-06",
    "W",
    "Root certificate expires",
    "T-P2S",
    "Add its successor, issue client certificates, then remove this one.",
    ages=True,
)
def expiry(topology: TopologyView) -> Iterator[Violation]:
    """An expired root locks its clients out; it warns sixty days before."""
    now = datetime.now(UTC)
    for gateway in with_clients(topology):
        for root in roots(topology, gateway):
            if root.ends is not None and root.ends - now < _SOON:
                says = "expired" if root.ends < now else "expires"
                yield Violation(
                    gateway.resource, f"Root certificate {root.name} {says} on {root.ends.date().isoformat()}."
                )


def _cloud_has_certificates(location: str | None) -> bool:
    return location is None or not location.startswith(("usgov", "usdod", "china"))


@rule(
    "R-CERT-01",
    "E",
    "Gateway cannot authenticate by certificate",
    "CERT, NEW",
    "Use a shared key, or VpnGw1AZ in Azure's public cloud.",
)
@each(connections)
def certificate_sku(connection: Connection) -> Iterator[str]:
    """Site-to-site certificates: public cloud, not Basic."""
    gateway = connection.gateway
    if not connection.uses_certificate or gateway is None:
        return
    if gateway.is_basic or not _cloud_has_certificates(gateway.location):
        where = "SKU Basic" if gateway.is_basic else f"region {gateway.location}"
        yield f"Authentication by certificate does not work with {where}."


@rule(
    "R-CERT-02",
    "F",
    "Gateway has no identity to read its certificate",
    "CERTH",
    "Give it identities=[...] with the roles Key Vault Secrets User and Key Vault Certificate User.",
)
@each(vpn_gateways)
def certificate_identity(gateway: Gateway) -> Iterator[str]:
    """Azure reads the outbound certificate from Key Vault with a user-assigned identity of the gateway."""
    needing = [c for c in gateway.sites if c.uses_certificate]
    kind = gateway.resource.text("identity.type") or ""
    if needing and gateway.resource.knows_all and "UserAssigned" not in kind:
        yield (
            f"{needing[0].resource.address} authenticates by certificate; this gateway has no user-assigned identity."
        )


@rule(
    "R-CERT-04",
    "F",
    "Certificate authentication is incomplete",
    "CERT",
    "Give the whole certificate block; write each public certificate as one line of Base-64.",
)
@each(connections)
def certificate_chain(connection: Connection) -> Iterator[Violation]:
    """The device's subject and its public chain, unencrypted, in Base-64 X.509."""
    block = connection.resource.block("properties.certificateAuthentication")
    if not connection.uses_certificate or not connection.resource.is_managed:
        return
    missing = [
        what
        for what, key in (
            ("the certificate that Azure shows", "outboundAuthCertificate"),
            ("the subject of the device's certificate", "inboundAuthCertificateSubjectName"),
            ("the chain of the device's certificate", "inboundAuthCertificateChain"),
        )
        if not (block or {}).get(key)
    ]
    chain = connection.resource.texts("properties.certificateAuthentication.inboundAuthCertificateChain")
    if missing:
        yield Violation(connection.resource, f"It lacks {', '.join(missing)}.", "Give the whole certificate block.")
    elif any(not _read("", data).key for data in chain):
        yield Violation(
            connection.resource,
            "A certificate of the inbound chain is not Base-64 X.509 without header lines.",
            "Write each public certificate as one line of Base-64.",
        )
