"""What a circuit's peering tells of its two paths: ARP tables, routes, counters.

Evidence: page "Getting ARP tables in the Resource Manager deployment model" (without layer 2 the customer's row is
missing and Microsoft's stands alone), the SDK's models of the three tables, ``test_network_express_route`` (counters).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from vpngw_iac.simulator import routing
from vpngw_iac.simulator.checks import network
from vpngw_iac.simulator.cloud_view import CloudView, as_id, same
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.wire import Json

PATHS = ("primary", "secondary")
STATS: Final[Json] = {"primaryBytesIn": 0, "primaryBytesOut": 0, "secondaryBytesIn": 0, "secondaryBytesOut": 0}


def arp(cloud: CloudView, peering: Document, path: str) -> list[Json]:
    """The customer's router and Microsoft's: first and second address of the path's /30."""
    prefix = network(peering.properties.get(f"{path}PeerAddressPrefix"))
    if prefix is None:
        return []
    ours = _arp_row("Microsoft", 0, str(prefix.network_address + 2), "00-11-22-33-44-02")
    theirs = _arp_row("On-Prem", 10, str(prefix.network_address + 1), "00-11-22-33-44-01")
    return [ours] if routing.path_state(cloud, _circuit(cloud, peering), path) == "no-arp" else [theirs, ours]


def routes(cloud: CloudView, peering: Document, path: str) -> list[Json]:
    """The networks behind the gateways, and what the customer announces while BGP is up."""
    circuit = _circuit(cloud, peering)
    prefix = network(peering.properties.get(f"{path}PeerAddressPrefix"))
    if circuit is None or prefix is None:
        return []
    rows = [_route_row(one, "10.2.146.12", "65515") for one in _networks(cloud, circuit)]
    if routing.path_state(cloud, circuit, path) == "up":
        hop, asn = str(prefix.network_address + 1), str(peering.properties.get("peerASN"))
        rows += [_route_row(one, hop, asn) for one in routing.circuit_prefixes(circuit)]
    return rows


def summary(cloud: CloudView, peering: Document, path: str) -> list[Json]:
    """The one neighbour of a path: how many prefixes, or the state of the session."""
    circuit = _circuit(cloud, peering)
    prefix = network(peering.properties.get(f"{path}PeerAddressPrefix"))
    if circuit is None or prefix is None:
        return []
    up = routing.path_state(cloud, circuit, path) == "up"
    told = str(len(routing.circuit_prefixes(circuit))) if up else "Idle"
    asn = peering.properties.get("peerASN")
    neighbour = str(prefix.network_address + 1)
    return [{"neighbor": neighbour, "v": 4, "as": asn, "upDown": "1d", "statePfxRcd": told}]


TABLES: Mapping[str, Callable[[CloudView, Document, str], list[Json]]] = {
    "arptables": arp,
    "routetables": routes,
    "routetablessummary": summary,
}


def _circuit(cloud: CloudView, peering: Document) -> Document | None:
    return cloud.find(peering.arm_id.parent)


def _networks(cloud: CloudView, circuit: Document) -> list[str]:
    gateways = [
        cloud.find(as_id(connection.properties.get("virtualNetworkGateway1")))
        for connection in cloud.of_type(CONNECTIONS)
        if same(connection.properties.get("peer"), circuit.id)
    ]
    return [prefix for gateway in gateways if gateway is not None for prefix in routing.networks(cloud, gateway)]


def _arp_row(interface: str, age: int, address: str, mac: str) -> Json:
    return {"age": age, "interface": interface, "ipAddress": address, "macAddress": mac}


def _route_row(prefix: str, hop: str, path: str) -> Json:
    return {"network": prefix, "nextHop": hop, "locPrf": "", "weight": 0, "path": path}
