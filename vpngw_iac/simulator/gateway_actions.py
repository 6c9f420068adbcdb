"""What can be asked of a virtual network gateway beside reading it.

Evidence: ``net_ManageVpnGatewaySite2SiteConnectionTest`` (reset), ``test_network_vpn_gateway`` (routes, BGP peers),
``net_VirtualNetworkGateway_CanCreatePointToSiteConfigurtation`` (client package), ``test_network_vpn_connection_ipsec``
(list of connections).
"""

from __future__ import annotations

from vpngw_iac.simulator import lists
from vpngw_iac.simulator.document import Document, Operation
from vpngw_iac.simulator.kind import Action, kind_of
from vpngw_iac.simulator.refusal import not_simulated
from vpngw_iac.simulator.relations import connections_of
from vpngw_iac.simulator.tunnels import status_of
from vpngw_iac.simulator.wire import Answer, Json, Request
from vpngw_iac.simulator.world import World, as_id, same

_WITH_RESULT = {
    "getbgppeerstatus": 20.0,
    "getlearnedroutes": 20.0,
    "getadvertisedroutes": 20.0,
    "generatevpnclientpackage": 20.0,
    "generatevpnprofile": 20.0,
    "getvpnprofilepackageurl": 10.0,
    "getvpnclientconnectionhealth": 10.0,
}


def act(world: World, document: Document, action: str, request: Request) -> Answer | Action:
    """Begin an action, or answer the list of connections."""
    if action == "connections" and request.method == "GET":
        found = _begun_here(world, document)
        return lists.page(world, request, [_listed(world, one, request.api_version) for one in found])
    if request.method == "POST" and action == "listradiussecrets":
        return Answer(200, {"value": _radius_secrets(document)})
    if request.method == "POST" and action == "reset":
        return Action("reset", 480.0)
    if request.method == "POST" and action in _WITH_RESULT:
        payload = {"peer": request.query.get("peer", "")}
        return Action(action, _WITH_RESULT[action], async_header=False, holds=False, payload=payload)
    raise not_simulated(f"{request.method} virtualNetworkGateways/{action}")


def result(world: World, document: Document, operation: Operation) -> object:
    """What operationResults answers."""
    if operation.verb == "reset":
        return None
    if operation.verb == "getbgppeerstatus":
        return {"value": _peers(world, document)}
    if operation.verb in {"getlearnedroutes", "getadvertisedroutes"}:
        return {"value": _routes(world, document) if operation.verb == "getlearnedroutes" else []}
    if operation.verb == "getvpnclientconnectionhealth":
        return {"value": []}
    return f"https://simulator.invalid/vpnprofile/{document.guid}/vpnclientconfiguration.zip"


def _listed(world: World, connection: Document, api_version: str) -> Json:
    """A connection in that list: without NAT rules (``VirtualNetworkGatewayConnectionListEntity`` of the SDK)."""
    shown = kind_of(connection).show(world, connection, "list", api_version)
    hidden = {"ingressNatRules", "egressNatRules"}
    if not world.switches.list_choices:
        hidden.add("gatewayCustomBgpIpAddresses")
    return shown | {"properties": {name: item for name, item in shown["properties"].items() if name not in hidden}}


def _begun_here(world: World, document: Document) -> list[Document]:
    """Connections whose first end the gateway is, in any group.

    The twin of a Vnet2Vnet connection is not listed (``net_VirtualNetworkGateway_CanCreateVNetToVNetConnection``,
    ``test_network_vpn_gateway``).
    """
    found = connections_of(world, document.id)
    return [one for one in found if same(one.properties.get("virtualNetworkGateway1"), document.id)]


def _radius_secrets(document: Document) -> list[Json]:
    """The one place that still tells them when answers stop to (R-RAD-06)."""
    clients = document.properties.get("vpnClientConfiguration") or {}
    servers = [*clients.get("radiusServers", [])]
    if clients.get("radiusServerAddress"):
        servers.insert(0, clients)
    return [
        {
            "radiusServerAddress": server.get("radiusServerAddress"),
            "radiusServerSecret": server.get("radiusServerSecret"),
        }
        for server in servers
    ]


def _peers(world: World, document: Document) -> list[Json]:
    """One row per local address and neighbour."""
    block = document.properties.get("bgpSettings") or {}
    found = []
    for connection in connections_of(world, document.id):
        neighbour = _neighbour(world, connection)
        if neighbour is None or not connection.properties.get("enableBgp"):
            continue
        connected = status_of(world, connection) == "Connected"
        for local in str(block.get("bgpPeeringAddress", "")).split(","):
            found.append(
                {
                    "localAddress": local,
                    "neighbor": str(neighbour.get("bgpPeeringAddress", "")),
                    "asn": neighbour.get("asn"),
                    "state": "Connected" if connected else "Connecting",
                    "connectedDuration": "00:10:00" if connected else "00:00:00",
                    "routesReceived": 1 if connected else 0,
                    "messagesSent": 10,
                    "messagesReceived": 10 if connected else 0,
                }
            )
    return found


def _neighbour(world: World, connection: Document) -> Json | None:
    for member in ("localNetworkGateway2", "virtualNetworkGateway2"):
        other = world.find(as_id(connection.properties.get(member)))
        if other is not None and other.properties.get("bgpSettings"):
            settings: Json = other.properties["bgpSettings"]
            return settings
    return None


def _routes(world: World, document: Document) -> list[Json]:
    """Routes of the connected sites."""
    found = []
    for connection in connections_of(world, document.id):
        site = world.find(as_id(connection.properties.get("localNetworkGateway2")))
        if site is None or status_of(world, connection) != "Connected":
            continue
        for prefix in (site.properties.get("localNetworkAddressSpace") or {}).get("addressPrefixes", []):
            found.append(
                {
                    "localAddress": str((document.properties.get("bgpSettings") or {}).get("bgpPeeringAddress", "")),
                    "network": prefix,
                    "nextHop": "",
                    "origin": "Network",
                    "sourcePeer": str((site.properties.get("bgpSettings") or {}).get("bgpPeeringAddress", "")),
                    "asPath": "",
                    "weight": 32768,
                }
            )
    return found
