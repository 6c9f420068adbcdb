"""Custom (APIPA) BGP addresses of a gateway: collected from its links, chosen by its connections."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.site import Link
from vpngw_iac.resources.connection import CustomBgpAddress


def custom_addresses(gateway: GatewayContext) -> dict[int, tuple[str, ...]]:
    """Custom BGP addresses by instance, in numeric order (R-BGP-08): of the links, and what the gateway says itself."""
    found = {instance: set(addresses) for instance, addresses in _of_links(gateway).items()}
    for instance, addresses in _said(gateway).items():
        found.setdefault(instance, set()).update(addresses)
    return {instance: _sorted(found[instance]) for instance in sorted(found)}


def chosen_addresses(link: Link, gateway: GatewayContext) -> tuple[CustomBgpAddress, ...] | None:
    """The addresses that a connection uses, one per instance.

    Azure wants an address for every instance of an active-active gateway (R-BGP-10). A link to one instance never
    uses the other's, so the first address that the other instance has anyway is named, one of our links if there is.
    """
    own = _own(link, gateway)
    if not own:
        return None
    others = {instance: addresses[0] for instance, addresses in {**_said(gateway), **_of_links(gateway)}.items()}
    return tuple(
        CustomBgpAddress(ip_configuration_id=gateway.configuration(instance), custom_bgp_ip_address=address)
        for instance, address in sorted({**others, **own}.items())
    )


def chosen(addresses: Sequence[str], gateway: GatewayContext) -> tuple[CustomBgpAddress, ...]:
    """Addresses, one per instance in their order, as a connection names them."""
    return tuple(
        CustomBgpAddress(ip_configuration_id=gateway.configuration(instance), custom_bgp_ip_address=address)
        for instance, address in enumerate(addresses)
    )


def _of_links(gateway: GatewayContext) -> dict[int, tuple[str, ...]]:
    found: dict[int, set[str]] = {}
    for _, link in gateway.links():
        for instance, address in _own(link, gateway).items():
            found.setdefault(instance, set()).add(address)
    return {instance: _sorted(addresses) for instance, addresses in found.items()}


def _said(gateway: GatewayContext) -> dict[int, tuple[str, ...]]:
    """``Bgp(apipa=...)``, by instance."""
    bgp = gateway.part.bgp if isinstance(gateway.part, VpnGateway) else None
    return {instance: _sorted(addresses) for instance, addresses in enumerate(bgp.apipa if bgp else ()) if addresses}


def _own(link: Link, gateway: GatewayContext) -> dict[int, str]:
    """Addresses that the link names, by instance."""
    if link.peer is None or not link.speaks_bgp:
        return {}
    return dict(zip(gateway.instances_of(link), link.peer.azure_address, strict=False))


def _sorted(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(addresses, key=lambda address: int(ipaddress.ip_address(address))))
