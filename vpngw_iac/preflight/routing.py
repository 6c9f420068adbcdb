"""Route tables on GatewaySubnet, and DNS servers of the gateway's network."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.prefixes import Network as Prefix
from vpngw_iac.preflight.registry import Violation, each, networks, rule
from vpngw_iac.preflight.subnet import gateway_subnets
from vpngw_iac.preflight.view.gateway import Gateway, subnet_prefixes
from vpngw_iac.preflight.view.network import Network
from vpngw_iac.preflight.view.resource_view import ResourceView, arm_id
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

AZURE_DNS = "168.63.129.16"


def _tables(topology: TopologyView) -> Iterator[tuple[ResourceView, ResourceView]]:
    """GatewaySubnets with the route table attached to them, where the table itself is known."""
    for subnet in gateway_subnets(topology):
        found = subnet.ref("properties.routeTable") or arm_id(value_at(subnet.seen, "properties.routeTable"))
        table = topology.find(found)
        if table is not None:
            yield subnet, table


def _routes(table: ResourceView) -> Iterator[tuple[str, Prefix, str]]:
    """Name, prefix and kind of next hop of each route."""
    for item in table.items("properties.routes"):
        prefix = prefixes.network(value_at(item, "properties.addressPrefix"))
        if prefix is not None:
            yield str(item.get("name")), prefix, str(value_at(item, "properties.nextHopType")).lower()


def _stopped(topology: TopologyView) -> Iterator[tuple[Gateway, ResourceView]]:
    """Gateways with the route table of their subnet."""
    tables = dict(_tables(topology))
    for gateway in topology.gateways:
        subnet = gateway.subnet
        if subnet is not None and subnet in tables:
            yield gateway, tables[subnet]


@rule(
    "R-SUBNET-11",
    "E",
    "Default route on GatewaySubnet",
    "UDR, ERGW",
    "Remove that route; force traffic with a default site or BGP instead.",
    when="create",
    live=True,
)
def default_route(topology: TopologyView) -> Iterator[Violation]:
    """Azure refuses to create a gateway behind a route for 0.0.0.0/0; one that stands there already is warned of."""
    for gateway, table in _stopped(topology):
        names = [name for name, prefix, _ in _routes(table) if prefix.prefixlen == 0]
        if names:
            yield Violation(
                gateway.resource,
                f"The route {listed(names)} of {table.name}, the route table of its GatewaySubnet, sends 0.0.0.0/0 "
                "elsewhere; no gateway is created there.",
                otherwise="warning",
            )


@rule("R-SUBNET-12", "E", "Route drops the GatewaySubnet's own traffic", "UDR, ERGW", "Remove that route.")
def dropping_route(topology: TopologyView) -> Iterator[Violation]:
    """A route over the subnet's own range to nowhere blocks the creation of gateways."""
    for subnet, table in _tables(topology):
        own = subnet_prefixes(subnet)
        names = [
            name
            for name, prefix, hop in _routes(table)
            if hop == "none" and prefix.prefixlen and any(prefixes.is_within(p, (prefix,)) for p in own)
        ]
        if names:
            yield Violation(
                subnet, f"The route {listed(names)} of {table.name} drops traffic of this subnet.", level="warning"
            )


@rule(
    "R-SUBNET-13",
    "F",
    "Route table of GatewaySubnet stops BGP propagation",
    "UDR, ERGW",
    "Enable propagation on that route table.",
    when="create",
    live=True,
)
def propagation(topology: TopologyView) -> Iterator[Violation]:
    """Without propagation a gateway does not work; one that stands there already is warned of."""
    for gateway, table in _stopped(topology):
        if table.flag("properties.disableBgpRoutePropagation"):
            yield Violation(
                gateway.resource,
                f"{table.name}, the route table of its GatewaySubnet, has BGP route propagation disabled; the gateway "
                "does not work with it.",
                level="error",
                otherwise="warning",
            )


def _own_range(topology: TopologyView) -> Iterator[tuple[ResourceView, ResourceView, list[str]]]:
    for subnet, table in _tables(topology):
        own = subnet_prefixes(subnet)
        names = [
            name
            for name, prefix, hop in _routes(table)
            if hop != "none"
            and prefix.prefixlen
            and any(prefixes.relation(prefix, p) in ("equal", "inside") for p in own)
        ]
        if names:
            yield subnet, table, names


@rule("R-SUBNET-14", "W", "Route covers the GatewaySubnet's own range", "UDR", "Narrow the route.")
def own_range(topology: TopologyView) -> Iterator[Violation]:
    """It harms the control path between instances. Routes for workloads through a firewall are normal."""
    for subnet, table, names in _own_range(topology):
        if not _coexists(topology, subnet):
            yield Violation(subnet, f"The route {listed(names)} of {table.name} covers this subnet.")


@rule("R-SUBNET-15", "F", "Route splits the two gateways of a network", "COEXP", "Remove that route.")
def coexistence_range(topology: TopologyView) -> Iterator[Violation]:
    """Beside ExpressRoute such a route breaks BGP between the gateways."""
    for subnet, table, names in _own_range(topology):
        if _coexists(topology, subnet):
            yield Violation(
                subnet,
                f"The route {listed(names)} of {table.name} covers this subnet, in which two gateways speak BGP.",
            )


def _coexists(topology: TopologyView, subnet: ResourceView) -> bool:
    network = subnet.id.parent
    return network is not None and any(gateway.coexists for gateway in topology.gateways_in(network))


@rule(
    "R-SUBNET-16",
    "F",
    "Route does not steer traffic into high-bandwidth tunnels",
    "HBT",
    "Announce the prefixes over the VPN instead.",
)
def gateway_hop(topology: TopologyView) -> Iterator[Violation]:
    """With high-bandwidth tunnels the next hop VirtualNetworkGateway does not mean the VPN."""
    fast = [g for g in topology.vpn_gateways if g.is_high_bandwidth]
    for gateway in fast:
        for table in topology.of_type("microsoft.network/routetables"):
            names = [name for name, _, hop in _routes(table) if hop == "virtualnetworkgateway"]
            if names:
                yield Violation(
                    gateway.resource,
                    f"The route {listed(names)} of {table.name} has the next hop VirtualNetworkGateway.",
                )


@rule(
    "R-DNS-01",
    "W",
    "Custom DNS in the gateway's network",
    "FAQ",
    "Make sure that those servers forward to 168.63.129.16, or use Azure's DNS in this network.",
)
@each(networks)
def custom_dns(network: Network) -> Iterator[Violation]:
    """Azure cannot maintain the gateway unless those servers forward to its own resolver."""
    servers = [server for server in network.dns_servers if server != AZURE_DNS]
    if servers and network.gateways and network.resource.is_managed:
        yield Violation(
            network.resource,
            f"Its DNS servers are {listed(servers)}.",
            f"Make sure that they forward to {AZURE_DNS}, or use Azure's DNS in this network.",
        )
