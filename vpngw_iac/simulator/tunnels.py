"""Whether a connection's tunnels are up: what Azure tells beside provisioningState (R-OPS-11)."""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView, as_id, same
from vpngw_iac.simulator.document import SUCCEEDED, Document
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.wire import Json

UNKNOWN_FOR = 60.0
"""Seconds for which the status of a new connection is Unknown (``net_ManageVpnGatewaySite2SiteConnectionTest``)."""


def status_of(cloud: CloudView, connection: Document) -> str:
    """Unknown directly after creation, then what the two ends make of it."""
    if connection.state != SUCCEEDED:
        return "Unknown"
    if cloud.now - connection.changed < UNKNOWN_FOR:
        return "Unknown"
    if connection.properties["connectionType"] == "Vnet2Vnet":
        return "Connected" if _answered(cloud, connection) else "Connecting"
    return "Connected"


def _answered(cloud: CloudView, connection: Document) -> bool:
    """Whether the other side has the twin of this connection, with the same key (R-V2V-03, R-PSK-07)."""
    mine = connection.properties
    return any(
        same(other.properties.get("virtualNetworkGateway1"), mine.get("virtualNetworkGateway2"))
        and same(other.properties.get("virtualNetworkGateway2"), mine.get("virtualNetworkGateway1"))
        and other.hidden.get("sharedKey") == connection.hidden.get("sharedKey")
        and other.properties["enableBgp"] == mine["enableBgp"]
        and other.state == SUCCEEDED
        for other in cloud.of_type(CONNECTIONS)
    )


def tunnels_of(cloud: CloudView, connection: Document) -> list[Json]:
    """One entry per tunnel: an active-active gateway has two."""
    gateway = cloud.find(as_id(connection.properties.get("virtualNetworkGateway1")))
    if gateway is None or connection.properties["connectionType"] == "ExpressRoute":
        return []
    block = gateway.properties.get("bgpSettings") or {}
    entries = block.get("bgpPeeringAddresses") or []
    ends = [address for entry in entries for address in entry.get("tunnelIpAddresses", [])]
    if not gateway.properties.get("activeActive"):
        ends = ends[:1]
    status = status_of(cloud, connection)
    return [
        {
            "tunnel": f"{connection.name}_{address}",
            "connectionStatus": status,
            "ingressBytesTransferred": 0,
            "egressBytesTransferred": 0,
            "lastConnectionEstablishedUtcTime": "01/01/2026 00:00:00" if status == "Connected" else "",
        }
        for address in ends[:2]
    ]
