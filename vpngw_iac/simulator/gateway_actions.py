"""What can be asked of a virtual network gateway beside reading it.

Evidence: ``net_ManageVpnGatewaySite2SiteConnectionTest`` (reset), ``test_network_vpn_gateway`` (routes, BGP peers),
``net_VirtualNetworkGateway_CanCreatePointToSiteConfigurtation`` (client package), ``test_network_vpn_connection_ipsec``
(list of connections).
"""

from __future__ import annotations

import json

from vpngw_iac.simulator import lists, routing
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document, LongRunningOperation
from vpngw_iac.simulator.kind import TimedAction, kind_of
from vpngw_iac.simulator.refusal import not_simulated, refuse
from vpngw_iac.simulator.relations import connections_from
from vpngw_iac.simulator.tunnels import devices
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_CAPTURES = {"startpacketcapture": 50.0, "stoppacketcapture": 90.0}
"""Seconds that each took."""
_WITH_RESULT = {
    "getbgppeerstatus": 20.0,
    "getlearnedroutes": 20.0,
    "getadvertisedroutes": 20.0,
    "geteffectiveroutes": 20.0,
    "generatevpnclientpackage": 20.0,
    "generatevpnprofile": 20.0,
    "getvpnprofilepackageurl": 10.0,
    "getvpnclientconnectionhealth": 10.0,
}
_ROUTES = {"getlearnedroutes": routing.learned, "geteffectiveroutes": routing.effective}


def act(cloud: CloudView, document: Document, action: str, request: HttpRequest) -> HttpResponse | TimedAction:
    """Begin an action, or answer the list of connections.

    The twin of a Vnet2Vnet connection is not listed (``net_VirtualNetworkGateway_CanCreateVNetToVNetConnection``,
    ``test_network_vpn_gateway``).
    """
    if action == "connections" and request.method == "GET":
        found = connections_from(cloud, document.id)
        return lists.page(cloud, request, [_listed(cloud, one, request.api_version) for one in found])
    if request.method == "POST" and action == "listradiussecrets":
        return HttpResponse(200, {"value": _radius_secrets(document)})
    if request.method == "POST" and action == "supportedvpndevices":
        return HttpResponse(200, devices())
    if (capture := capture_action(action, request)) is not None:
        return capture
    if request.method == "POST" and action == "reset":
        return TimedAction("reset", 480.0)
    if request.method == "POST" and action in _WITH_RESULT:
        payload = {"peer": request.query.get("peer", "")}
        return TimedAction(action, _WITH_RESULT[action], async_header=False, holds=False, payload=payload)
    raise not_simulated(f"{request.method} virtualNetworkGateways/{action}")


def result(cloud: CloudView, document: Document, operation: LongRunningOperation) -> object:
    """What operationResults answers."""
    if operation.verb in {"reset", *_CAPTURES}:
        return captured(operation)
    peer = str(operation.payload.get("peer") or "")
    if operation.verb == "getbgppeerstatus":
        return {"value": [row for row in routing.peers(cloud, document) if peer in ("", row["neighbor"])]}
    if operation.verb == "getadvertisedroutes":
        return {"value": routing.advertised(cloud, document, peer)}
    if operation.verb in _ROUTES:
        return {"value": _ROUTES[operation.verb](cloud, document)}
    if operation.verb == "getvpnclientconnectionhealth":
        return {"value": [_client(cloud, document, number) for number in range(document.hidden.get("clients", 0))]}
    return f"https://simulator.invalid/vpnprofile/{document.guid}/vpnclientconfiguration.zip"


def capture_action(action: str, request: HttpRequest) -> TimedAction | None:
    """Begin or end a packet capture, of a gateway or a connection (``test_network_vpn_gateway_package_capture``)."""
    if request.method != "POST" or action not in _CAPTURES:
        return None
    if action == "stoppacketcapture" and not read_body(request).get("sasUrl"):
        raise refuse("PacketCaptureSasUrlMissing", "sasUrl is needed to stop a packet capture.")  # not recorded
    return TimedAction(action, _CAPTURES[action], payload={"output": True})


def captured(operation: LongRunningOperation) -> str | None:
    """Nothing travels here, so nothing was captured: a stop fails as in the recording, where nothing travelled either.

    The result of a start is JSON in a text; other actions have none.
    """
    if operation.verb == "stoppacketcapture":
        told = "An internal error occured. The response did not contain any data. Please check storage for the capture."
        raise refuse("NoPacketCaptureResponseDataFound", told)
    return (
        json.dumps({"Status": "Successful", "Data": ""}, separators=(",", ":")) if "start" in operation.verb else None
    )


def _listed(cloud: CloudView, connection: Document, api_version: str) -> Json:
    """A connection in that list: without NAT rules (``VirtualNetworkGatewayConnectionListEntity`` of the SDK)."""
    shown = kind_of(connection).show(cloud, connection, "list", api_version)
    hidden = {"ingressNatRules", "egressNatRules"}
    if not cloud.switches.list_choices:
        hidden.add("gatewayCustomBgpIpAddresses")
    return shown | {"properties": {name: item for name, item in shown["properties"].items() if name not in hidden}}


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


def _client(cloud: CloudView, document: Document, number: int) -> Json:
    """One row of `VpnClientConnectionHealthDetail` (the SDK's model)."""
    since = max(0.0, document.changed)
    return {
        "vpnConnectionId": f"IKE_{number:08d}-0000-0000-0000-000000000000",
        "vpnConnectionDuration": int(cloud.now - since),
        "vpnConnectionTime": f"{utc(since):%m/%d/%Y %H:%M:%S}",
        "publicIpAddress": f"198.51.100.{number % 250 + 1}:4500",
        "privateIpAddress": f"172.16.201.{number % 250 + 2}",
        "vpnUserName": f"user{number}@example.com",
        "maxBandwidth": 500_000_000,
        "egressPacketsTransferred": 100,
        "egressBytesTransferred": 10_000,
        "ingressPacketsTransferred": 100,
        "ingressBytesTransferred": 10_000,
        "maxPacketsPerSecond": 1,
    }
