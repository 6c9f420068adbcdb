"""Local network gateways: the address of a device and the prefixes behind it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.prefixes import Span
from vpngw_iac.preflight.registry import Violation, connections, each, local_gateways, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection, LocalGateway
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import ResourceView, arm_id, named


@rule("R-LNG-01", "E", "Device has no address, or two", "SET, TF", "Give exactly one of public_ip and fqdn.")
@each(local_gateways)
def one_endpoint(local: LocalGateway) -> Iterator[str]:
    """Exactly one of address and name."""
    address, name = local.declared_ip, local.fqdn
    if local.resource.is_managed and (address is None) == (name is None):
        said = "both an address and a name" if address is not None else "neither an address nor a name"
        yield f"It has {said}."


@rule(
    "R-LNG-02",
    "F",
    "Device address is not a public one",
    "T-TUN, PP, HBT",
    "Write the public address as Azure sees it (behind NAT: that of the NAT device). Over ExpressRoute "
    "private peering set private_ip=True.",
)
@each(local_gateways)
def public_endpoint(local: LocalGateway) -> Iterator[str]:
    """Azure calls the device over the internet, unless the tunnel runs over private peering."""
    address = prefixes.address(local.ip)
    if not isinstance(address, ipaddress.IPv4Address) or prefixes.is_public(address):
        return
    if not local.connections or not all(connection.is_private for connection in local.connections):
        yield f"{address} is not reachable over the internet."


@rule("R-LNG-03", "F", "Device address is IPv6", "IPV6", "Write the device's IPv4 address.")
@each(local_gateways)
def ipv4_endpoint(local: LocalGateway) -> Iterator[str]:
    """Tunnels run over IPv4 only."""
    address = prefixes.address(local.ip)
    if isinstance(address, ipaddress.IPv6Address):
        yield f"{address} is IPv6; tunnels run over IPv4 only."


@rule("R-LNG-04", "W", "Device is named instead of numbered", "LNGI", "Use a fixed public_ip if the device has one.")
@each(local_gateways)
def named_endpoint(local: LocalGateway) -> Iterator[Violation]:
    """A name is looked up every five minutes, for disconnected tunnels only, and its first IPv4 answer wins."""
    name = local.fqdn
    if name is not None:
        yield Violation(
            local.resource,
            f"{name} must have exactly one IPv4 address; a change is noticed only when the tunnel is down.",
            level="info",
        )


@rule(
    "R-LNG-05",
    "E",
    "Too many prefixes on one local network gateway",
    "LIM",
    "Summarise them, or use BGP and leave prefixes out.",
)
@each(local_gateways)
def prefix_count(local: LocalGateway) -> Iterator[str]:
    """1000 prefixes at most."""
    number = len(local.declared_prefixes)
    if number > limits.LOCAL_PREFIXES:
        yield f"{number} prefixes; Azure takes {limits.LOCAL_PREFIXES}."


@rule(
    "R-LNG-07",
    "F",
    "A device's own address lies in the prefixes of a site",
    "T-CONN, T-DISC",
    "Leave the public address of the device out of the prefixes.",
)
@each(vpn_gateways)
def device_inside_site(gateway: Gateway) -> Iterator[Violation]:
    """The internet address of a device inside prefixes that its gateway routes into a tunnel, its own or another's."""
    told: set[LocalGateway] = set()
    for device, site in prefixes.overlaps(_devices_and_sites(gateway), _End.is_behind):
        local, other = device.owner.local, site.owner.local
        if local in told:
            continue
        told.add(local)
        whose = f"its own prefix {site.prefix}" if local is other else f"{site.prefix} of {other.resource.address}"
        yield Violation(
            local.resource,
            f"{device.prefix.network_address}, the address of the device, lies in {whose}: the packets of the "
            f"tunnel would be sent into {'the tunnel' if local is other else 'that tunnel'}.",
        )


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a tunnel: the device itself, or what lies behind it."""

    local: LocalGateway
    is_device: bool
    is_private: bool = False

    def is_behind(self, other: _End) -> bool:
        """Whether this is a device that the other's prefixes hide; over private peering only its own can."""
        own = self.local is other.local
        return self.is_device and not other.is_device and (own or not self.is_private)


def _devices_and_sites(gateway: Gateway) -> Iterator[Span[_End]]:
    for connection in gateway.sites:
        local = connection.local
        if local is not None:
            yield from (Span(p, _End(local, is_device=False)) for p in connection.translated if p.prefixlen >= 8)
            device = prefixes.network(local.ip)
            if device is not None:
                yield Span(device, _End(local, is_device=True, is_private=connection.is_private))


@rule(
    "R-LNG-09",
    "F",
    "Site without prefixes and without BGP",
    "BGP",
    "Give the site prefixes=[...], or bgp=BgpPeer(...).",
)
@each(connections)
def some_prefix(connection: Connection) -> Iterator[str]:
    """Without BGP Azure learns nothing about the site; custom traffic selectors say it too."""
    local = connection.local
    if local is None or not connection.is_site or connection.has_bgp is not False:
        return
    knows = local.resource.knows("properties.localNetworkAddressSpace.addressPrefixes")
    if knows and not local.declared_prefixes and not connection.selectors:
        yield (
            f"{local.resource.address} has no prefixes, and BGP is off on this connection: "
            "nothing is routed to the site."
        )


@rule(
    "R-LNG-13", "F", "Default site is not connected", "SDK", "Name a site of this gateway, or leave default_site out."
)
@each(vpn_gateways)
def default_site(gateway: Gateway) -> Iterator[str]:
    """The default site of a gateway is one of the sites connected to it."""
    wanted = arm_id(gateway.resource.get("properties.gatewayDefaultSite"))
    if wanted is not None and gateway.resource.is_managed and wanted not in {c.local_id for c in gateway.sites}:
        yield f"Its default site {wanted.name} is not connected to this gateway."


@rule(
    "R-LNG-14",
    "W",
    "The same device address twice on one gateway",
    "IPV6, AA, HBT",
    "Use one local network gateway with all prefixes of that device.",
)
@each(vpn_gateways)
def same_endpoint(gateway: Gateway) -> Iterator[Violation]:
    """Azure tells tunnels apart by the device's address."""
    by_address: dict[str, set[ResourceView]] = {}
    for connection in gateway.sites:
        local = connection.local
        endpoint = None if local is None else local.ip or local.fqdn
        if local is not None and endpoint is not None:
            by_address.setdefault(endpoint.lower(), set()).add(local.resource)
    for endpoint, locals_ in sorted(by_address.items()):
        if len(locals_) > 1:
            ordered = sorted(locals_, key=lambda resource: resource.address)
            yield Violation(
                ordered[-1], f"{named(ordered)} all have the address {endpoint} on {gateway.resource.address}."
            )
