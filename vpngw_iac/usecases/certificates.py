"""Public certificates that a blueprint takes from Key Vault: a reference in what is compiled, the text from plan on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vpngw_iac.blueprints.client import RootCertificate
from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.errors import InvalidValue, SecretError
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway
from vpngw_iac.resources.vpn_client import RootCertificateProperties
from vpngw_iac.secret import KeyVaultCertificate, SecretSource

if TYPE_CHECKING:
    from vpngw_iac.state.model import Entry


def certificates_in(item: Resource | Existing) -> Iterator[tuple[str, KeyVaultCertificate]]:
    """Each root certificate of a gateway that is in a vault, with its path."""
    clients = item.properties.vpn_client_configuration if isinstance(item, VirtualNetworkGateway) else None
    for index, root in enumerate((clients and clients.vpn_client_root_certificates) or ()):
        reference = KeyVaultCertificate.described(root.properties.public_cert_data)
        if reference is not None:
            yield f"{VirtualNetworkGateway.roots_path}[{index}].properties.publicCertData", reference


def with_certificates(item: Resource | Existing, read: Callable[[KeyVaultCertificate], str]) -> Resource | Existing:
    """A gateway with the text of each certificate in place of its reference; raises `SecretError` as `read` does."""
    if not isinstance(item, VirtualNetworkGateway):
        return item
    found = {reference.describe(): read(reference) for _, reference in certificates_in(item)}
    clients = item.properties.vpn_client_configuration
    if not found or clients is None:
        return item
    told = [
        root.model_copy(update={"properties": RootCertificateProperties(public_cert_data=found.get(data, data))})
        for root in clients.vpn_client_root_certificates or ()
        for data in (root.properties.public_cert_data,)
    ]
    block = clients.model_copy(update={"vpn_client_root_certificates": tuple(told)})
    properties = item.properties.model_copy(update={"vpn_client_configuration": block})
    return item.model_copy(update={"properties": properties})


def as_applied(item: Resource | Existing, entry: Entry | None) -> Resource | Existing:
    """A gateway with each certificate of a vault as it was applied last, by name; one that never was stays unread."""
    if entry is None or not any(certificates_in(item)):
        return item
    applied = {root.get("name"): root for root in _roots(entry)}
    named = {
        reference.describe(): str(applied[name]["properties"]["publicCertData"])
        for name, reference in _named(item)
        if name in applied
    }
    return with_certificates(item, lambda reference: named.get(reference.describe(), reference.describe()))


def _roots(entry: Entry) -> list[dict[str, Any]]:
    found = lookup(entry.applied, VirtualNetworkGateway.roots_path)
    return found if isinstance(found, list) else []


def _named(item: Resource | Existing) -> Iterator[tuple[str, KeyVaultCertificate]]:
    clients = item.properties.vpn_client_configuration if isinstance(item, VirtualNetworkGateway) else None
    for root in (clients and clients.vpn_client_root_certificates) or ():
        if (reference := KeyVaultCertificate.described(root.properties.public_cert_data)) is not None:
            yield root.name, reference


def read_certificate(reference: KeyVaultCertificate, source: SecretSource) -> str:
    """The certificate in one line of Base-64; raises `SecretError` for what is none, or is more than that."""
    found = _certificate_alone(source.resolve(reference).value)
    if found is None:  # raised here, where no other error holds the text: there may be a private key in it
        raise SecretError(
            f"The secret {reference} is not a public certificate alone.",
            advice="Store the certificate without its private key, as PEM or Base-64, in a secret of its own; "
            "the secret of a Key Vault certificate holds the private key too.",
        )
    return found


def _certificate_alone(text: str) -> str | None:
    try:
        root = RootCertificate.pem("root", text)
        root.facts()
    except (InvalidValue, ValueError):
        return None
    return root.data
