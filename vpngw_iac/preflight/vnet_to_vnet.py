"""VNet-to-VNet: both connections of a pair, and the gateways under them."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight.registry import Violation, connections, each, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.topology import TopologyView


def pairs(topology: TopologyView) -> Iterator[tuple[Connection, Connection]]:
    """Both connections of each VNet-to-VNet pair, once."""
    for connection in topology.connections:
        twin = connection.twin
        if connection.is_vnet and twin is not None and connection.resource.id < twin.resource.id:
            yield connection, twin


@rule("R-V2V-01", "E", "VNet-to-VNet needs route-based gateways", "FAQ", "Join route-based VPN gateways.")
@each(connections)
def route_based(connection: Connection) -> Iterator[str]:
    """Both gateways are route-based VPN gateways."""
    for gateway in (connection.gateway, connection.remote) if connection.is_vnet else ():
        if gateway is not None and (gateway.is_policy_based or gateway.is_expressroute):
            what = "policy-based" if gateway.is_policy_based else "an ExpressRoute gateway"
            yield f"{gateway.resource.address} is {what}."


@rule(
    "R-V2V-03",
    "F",
    "VNet-to-VNet pair does not match",
    "FAQ, V2V, BGP",
    'Use manage="both", with the same BGP flag on both connections.',
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


@rule("R-V2V-06", "W", "VNet-to-VNet with IKEv1", "FAQ", "Leave the protocol out.")
@each(connections)
def ikev1(connection: Connection) -> Iterator[str]:
    """Microsoft's page names IKEv2 only."""
    if connection.is_vnet and connection.is_ikev1:
        yield "Microsoft documents IKEv2 for VNet-to-VNet."


@rule(
    "R-V2V-09",
    "E",
    "NAT rules on a VNet-to-VNet connection",
    "FAQ",
    'Unlink them, or join the networks with via="ipsec".',
)
@each(connections)
def no_nat(connection: Connection) -> Iterator[str]:
    """NAT works on site-to-site connections only."""
    if connection.is_vnet and connection.has_nat:
        yield "NAT rules cannot be used on a VNet-to-VNet connection."


@rule(
    "R-V2V-10",
    "W",
    "Networks of one region could be peered",
    "V2V",
    "Consider VNet peering, unless the traffic must be encrypted by the gateways.",
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
