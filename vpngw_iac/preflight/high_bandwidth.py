"""VPN over ExpressRoute private peering, high-bandwidth tunnels, and IPv6."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.registry import Violation, each, rule, vpn_gateways
from vpngw_iac.preflight.view.gateway import Gateway, subnet_prefixes
from vpngw_iac.preflight.view.resource_view import ResourceView, named
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_PRIVATE = "properties.enablePrivateIpAddress"


def _high(topology: TopologyView) -> tuple[Gateway, ...]:
    return tuple(gateway for gateway in topology.vpn_gateways if gateway.is_high_bandwidth)


@rule("R-PRIV-01", "E", "Gateway cannot have private tunnel addresses", "PP", "Use VpnGw1AZ or larger.")
@each(vpn_gateways)
def private_sku(gateway: Gateway) -> Iterator[Violation | str]:
    """VPN over private peering needs an AZ SKU and zonal Standard addresses."""
    if not gateway.resource.flag(_PRIVATE) or gateway.sku not in limits.TUNNELS:
        return
    if not gateway.sku.endswith("AZ"):
        yield f"SKU {gateway.sku} has no private tunnel addresses."
        return
    zoneless = [ip for ip in gateway.public_ips if ip.knows("zones") and not ip.texts("zones")]
    if zoneless:
        yield Violation(
            gateway.resource,
            f"{named(zoneless)} stands in no zone; Microsoft asks for a zonal Standard address.",
            'Give it zones ["1", "2", "3"] where the region has zones.',
            "warning",
        )


@rule("R-PRIV-02", "F", "Private tunnel is set on one side only", "PP", "Set private_ip=True on the gateway too.")
@each(vpn_gateways)
def private_flags(gateway: Gateway) -> Iterator[Violation]:
    """The gateway needs private addresses, the connection must start there."""
    if gateway.is_high_bandwidth:
        return
    asking = [c for c in gateway.sites if c.uses_private_address]
    if asking and gateway.resource.flag(_PRIVATE) is False:
        yield Violation(
            asking[0].resource, f"It starts at the private address of {gateway.resource.address}, which has none."
        )


@rule(
    "R-HB-01", "E", "Gateway cannot have high-bandwidth tunnels", "HBT, SDK", 'Use sku="VpnGw5AZ", active_active=True.'
)
@each(_high)
def high_bandwidth_gateway(gateway: Gateway) -> Iterator[str]:
    """VpnGw5AZ of generation 2, route-based, active-active, decided at creation."""
    wrong = [
        what
        for what, holds in (
            (f"SKU {gateway.sku}", gateway.sku not in (None, "VpnGw5AZ")),
            ("generation 1", gateway.generation == "Generation1"),
            ("policy-based", gateway.is_policy_based),
            ("not active-active", gateway.active_active is False),
        )
        if holds
    ]
    if wrong:
        yield f"High-bandwidth tunnels are on, and the gateway is {listed(wrong)}."


def _carries(gateway: Gateway) -> bool:
    enough = (
        gateway.sku != "ErGwScale"
        or (gateway.least_units or limits.HIGH_BANDWIDTH_UNITS) >= limits.HIGH_BANDWIDTH_UNITS
    )
    return enough and (gateway.sku is None or gateway.sku in {*limits.FAST_PATH_SKUS, "ErGwScale"})


@rule(
    "R-HB-02",
    "E",
    "High-bandwidth tunnels lack their ExpressRoute gateway",
    "HBT",
    "Use ErGw3AZ, or ErGwScale with 20 units or more, and fast_path=True on the circuit.",
)
@each(_high)
def high_bandwidth_expressroute(gateway: Gateway) -> Iterator[str]:
    """They need UltraPerformance, ErGw3AZ or ErGwScale with 20 units, with FastPath on the circuit."""
    others = gateway.others
    fast = [c for g in others for c in g.connections if c.has_fast_path]
    if not others and gateway.network is not None and gateway.network.resource.is_managed:
        said = "there is no ExpressRoute gateway in its network"
    elif others and not all(_carries(g) for g in others):
        said = f"{named(g.resource for g in others)} is too small"
    elif others and any(g.connections for g in others) and not fast:
        said = "no circuit is linked with FastPath"
    else:
        return
    yield f"High-bandwidth tunnels are on, but {said}."


@rule("R-HB-03", "E", "Too many high-bandwidth connections", "HBT", "Keep two of them.")
@each(_high)
def high_bandwidth_count(gateway: Gateway) -> Iterator[str]:
    """Two connections with two tunnels each."""
    if len(gateway.sites) > 2:
        yield f"{len(gateway.sites)} connections; such a gateway takes 2."


def _beyond_high_bandwidth(gateway: Gateway) -> Iterator[str]:
    if gateway.clients is not None:
        yield "point-to-site"
    if any(connection.is_ikev1 for connection in gateway.sites):
        yield "IKEv1"
    if gateway.nat_rules:
        yield "NAT"
    if any(gateway.apipa.values()):
        yield "APIPA addresses"
    if gateway.is_dual_stack:
        yield "IPv6"


@rule(
    "R-HB-04",
    "E",
    "Not possible with high-bandwidth tunnels",
    "HBT",
    "Use a second gateway in another network for that.",
)
@each(_high)
def high_bandwidth_limits(gateway: Gateway) -> Iterator[str]:
    """No IKEv1, clients, APIPA, NAT or IPv6; internet VPN is R-HB-05."""
    wanted = list(_beyond_high_bandwidth(gateway))
    if wanted:
        yield f"{listed(wanted)} cannot be used with high-bandwidth tunnels."


@rule(
    "R-HB-05",
    "F",
    "Device of a high-bandwidth tunnel has a public address",
    "HBT",
    "Write the device's private address.",
)
@each(_high)
def high_bandwidth_device(gateway: Gateway) -> Iterator[Violation]:
    """Such tunnels run over private peering only."""
    for local in (connection.local for connection in gateway.sites):
        address = None if local is None else prefixes.address(local.ip)
        if local is not None and address is not None and prefixes.is_public(address):
            yield Violation(
                local.resource,
                f"{local.ip} is a public address; high-bandwidth tunnels run over ExpressRoute private peering.",
            )


@rule(
    "R-HB-07",
    "E",
    "High-bandwidth tunnels may be missing in this region",
    "HBT",
    "Look at Microsoft's page for this region.",
    ages=True,
)
@each(_high)
def high_bandwidth_region(gateway: Gateway) -> Iterator[Violation]:
    """Microsoft listed regions where they do not deploy; the list ages."""
    if gateway.location in limits.NO_HIGH_BANDWIDTH:
        yield Violation(gateway.resource, f"They did not deploy in {gateway.location} on 2026-01-08.", level="warning")


@rule(
    "R-V6-01",
    "E",
    "Dual-stack gateway cannot do this",
    "IPV6, P2S",
    "Leave the IPv6 prefix out of the GatewaySubnet, or use IKEv2 and OpenVPN on VpnGw1AZ.",
)
@each(vpn_gateways)
def dual_stack(gateway: Gateway) -> Iterator[str]:
    """IPv6 inside tunnels: not on Basic, not with IKEv1, not with SSTP."""
    if not gateway.is_dual_stack:
        return
    wrong = [
        what
        for what, holds in (
            ("SKU Basic", gateway.is_basic),
            ("IKEv1", any(connection.is_ikev1 for connection in gateway.tunnels)),
            ("SSTP", "sstp" in gateway.protocols),
        )
        if holds
    ]
    if wrong:
        yield f"Its GatewaySubnet has IPv6, which does not work with {listed(wrong)}."


@rule(
    "R-V6-02",
    "E",
    "Dual-stack gateway cannot go back to IPv4",
    "IPV6",
    "Declare the IPv6 prefix again, or replace the gateway.",
)
@each(vpn_gateways)
def back_to_ipv4(gateway: Gateway) -> Iterator[Violation]:
    """Told at plan: Azure shows an IPv6 prefix that the file no longer declares."""
    subnet = gateway.subnet
    if subnet is None or not subnet.is_managed or subnet.seen is None or gateway.is_dual_stack:
        return
    now = subnet_prefixes(ResourceView(subnet.address, subnet.id, subnet.seen, is_managed=True))
    if any(prefix.version == 6 for prefix in now):
        yield Violation(subnet, f"Azure has {listed(now)}; a gateway that has IPv6 cannot lose it.")
