"""VNet-to-VNet: both connections of a pair, and the gateways under them."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.topology import TopologyView


def pairs(topology: TopologyView) -> Iterator[tuple[Connection, Connection]]:
    """Both connections of each VNet-to-VNet pair, once."""
    for connection in topology.connections:
        twin = connection.twin
        if connection.is_vnet and twin is not None and connection.resource.id < twin.resource.id:
            yield connection, twin


@rule(
    "R-V2V-01",
    level="E",
    title="VNet-to-VNet needs route-based gateways",
    source="FAQ",
    fix="Join route-based VPN gateways.",
)
def route_based(topology: TopologyView) -> Iterator[Violation]:
    """Both gateways are route-based VPN gateways."""
    for connection in topology.connections:
        for gateway in (connection.gateway, connection.remote) if connection.is_vnet else ():
            if gateway is not None and (gateway.is_policy_based or gateway.is_expressroute):
                what = "policy-based" if gateway.is_policy_based else "an ExpressRoute gateway"
                yield Violation(connection.resource, f"{gateway.resource.address} is {what}.")


@rule(
    "R-V2V-03",
    level="F",
    title="VNet-to-VNet pair does not match",
    source="FAQ, V2V, BGP",
    fix='Use manage="both", with the same BGP flag on both connections.',
)
def two_directions(topology: TopologyView) -> Iterator[Violation]:
    """One connection in each direction, with the same BGP flag; key is R-PSK-07, policy R-IPSEC-06."""
    for connection in topology.connections:
        remote = connection.remote
        if not connection.is_vnet or remote is None or connection.twin is not None:
            continue
        if remote.resource.is_managed:
            yield Violation(
                connection.resource,
                f"There is no connection back from {remote.resource.address}: the tunnel stays down until there is.",
                'Use manage="both", or make sure that the other side is done elsewhere.',
            )
    for one, other in pairs(topology):
        if None not in (one.has_bgp, other.has_bgp) and one.has_bgp != other.has_bgp:
            yield Violation(
                one.resource,
                f"BGP is {'on' if one.has_bgp else 'off'} here and {'off' if one.has_bgp else 'on'} at "
                f"{other.resource.address}.",
                "Use the same BGP flag on both connections.",
            )


@rule("R-V2V-06", level="W", title="VNet-to-VNet with IKEv1", source="FAQ", fix="Leave the protocol out.")
def ikev1(topology: TopologyView) -> Iterator[Violation]:
    """Microsoft's page names IKEv2 only."""
    for connection in topology.connections:
        if connection.is_vnet and connection.is_ikev1:
            yield Violation(connection.resource, "Microsoft documents IKEv2 for VNet-to-VNet.")


@rule(
    "R-V2V-09",
    level="E",
    title="NAT rules on a VNet-to-VNet connection",
    source="FAQ",
    fix='Unlink them, or join the networks with via="ipsec".',
)
def no_nat(topology: TopologyView) -> Iterator[Violation]:
    """NAT works on site-to-site connections only."""
    for connection in topology.connections:
        if connection.is_vnet and connection.has_nat:
            yield Violation(connection.resource, "NAT rules cannot be used on a VNet-to-VNet connection.")


@rule(
    "R-V2V-10",
    level="W",
    title="Networks of one region could be peered",
    source="V2V",
    fix="Consider VNet peering, unless the traffic must be encrypted by the gateways.",
)
def peering_instead(topology: TopologyView) -> Iterator[Violation]:
    """Peering needs no gateway and has no throughput limit of one."""
    for one, _ in pairs(topology):
        gateway, remote = one.gateway, one.remote
        if gateway and remote and gateway.location and gateway.location == remote.location:
            yield Violation(
                one.resource,
                f"{gateway.resource.address} and {remote.resource.address} are both in {gateway.location}.",
            )
