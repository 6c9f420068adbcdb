"""Peerings of a circuit: private and Microsoft.

Evidence: ``test_network_express_route`` (answers), ``xplat_arm-network-express-route-circuit-tests`` (late failure with
a space before its code).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.simulator import circuit_tables
from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document, LongRunningOperation
from vpngw_iac.simulator.kind import MemberKind, PutRequest, TimedAction, defaults
from vpngw_iac.simulator.refusal import not_simulated, refuse
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

CONNECTIONS = "Microsoft.Network/expressRouteCircuits/peerings/connections"
_ENDS = ("expressRouteCircuitPeering", "peerExpressRouteCircuitPeering")


class ExpressRouteCircuitPeering(MemberKind):
    """``Microsoft.Network/expressRouteCircuits/peerings``."""

    arm_type = "Microsoft.Network/expressRouteCircuits/peerings"
    create_seconds = update_seconds = remove_seconds = 20.0
    since: ClassVar[Mapping[str, str]] = {
        "properties.connections": "2018-02-01",
        "properties.peeredConnections": "2018-10-01",
        "properties.lastModifiedBy": "2016-09-01",
        "properties.gatewayManagerEtag": "2016-09-01",
    }
    members: ClassVar[Mapping[str, str]] = {"connections": CONNECTIONS}
    read_only = frozenset({"lastModifiedBy", "azureASN", "primaryAzurePort", "secondaryAzurePort", "peeredConnections"})

    def fill(self, change: PutRequest) -> Json:
        """ASN of Azure's side and ports appear with Succeeded; they stay on an update."""
        properties = super().fill(change)
        properties.setdefault("peeringType", change.id.name)
        defaults(properties, state="Enabled")
        properties["azureASN"] = change.earlier.get("azureASN", 0)
        properties["lastModifiedBy"] = change.earlier.get("lastModifiedBy", "")
        properties["peeredConnections"] = []
        for name in ("primaryAzurePort", "secondaryAzurePort", "gatewayManagerEtag"):
            if name in change.earlier:
                properties[name] = change.earlier[name]
        _fill_microsoft(properties.get("microsoftPeeringConfig"))
        if "ipv6PeeringConfig" in properties:
            properties["ipv6PeeringConfig"].setdefault("state", "Enabled")
            _fill_microsoft(properties["ipv6PeeringConfig"].get("microsoftPeeringConfig"))
        before = (change.earlier.get("microsoftPeeringConfig") or {}).get("advertisedPublicPrefixesState")
        if before and "microsoftPeeringConfig" in properties:
            properties["microsoftPeeringConfig"]["advertisedPublicPrefixesState"] = before
        return properties

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """Refused while it is joined to another circuit; code not recorded."""
        for other in cloud.of_type(CONNECTIONS):
            if any(same(other.properties.get(end), document.id) for end in _ENDS):
                raise refuse("PeeringInUse", f"Peering {document.id} cannot be deleted because {other.id} uses it.")

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """Fill in Azure's side; Microsoft peering needs a Premium circuit."""
        properties = document.properties
        circuit = cloud.find(document.arm_id.parent)
        tier = circuit.body["sku"]["tier"] if circuit is not None else "Standard"
        if properties["peeringType"] == "MicrosoftPeering" and tier == "Standard":
            message = f" Invalid SkuType {tier} for creating Microsoft Peering."
            return {"code": " InvalidSkuTypeForMicrosoftPeering", "message": message, "details": []}
        properties["azureASN"] = 12076
        if not properties.get("primaryPeerAddressPrefix"):
            properties["state"] = "Disabled"  # that of IPv4 (test_network_express_route_ipv6_peering2)
        properties["lastModifiedBy"] = "Customer"
        defaults(properties, primaryAzurePort="SIM-PRI-A", secondaryAzurePort="SIM-SEC-A", gatewayManagerEtag="")
        for holder in (properties, properties.get("ipv6PeeringConfig") or {}):
            if "microsoftPeeringConfig" in holder:
                holder["microsoftPeeringConfig"]["advertisedPublicPrefixesState"] = "ValidationNeeded"
        return super().settle(cloud, document)

    def act(
        self, cloud: CloudView, document: Document, action: str, request: HttpRequest
    ) -> HttpResponse | TimedAction:
        """The tables of both paths, and counters."""
        table, _, path = action.partition("/")
        if request.method == "POST" and table in circuit_tables.TABLES and path in circuit_tables.PATHS:
            return TimedAction(table, 20.0, async_header=False, holds=False, payload={"path": path})
        if request.method == "GET" and action == "stats":
            return HttpResponse(200, circuit_tables.STATS)
        raise not_simulated(f"{request.method} peerings/{action}")

    def acted(self, cloud: CloudView, document: Document, operation: LongRunningOperation) -> object:
        """Rows of one path."""
        rows = circuit_tables.TABLES[operation.verb](cloud, document, str(operation.payload["path"]))
        return {"value": rows}


def _fill_microsoft(configuration: Json | None) -> None:
    """Defaults of Microsoft peering, for either family of addresses (``test_network_express_route_ipv6_peering``)."""
    if configuration is not None:
        defaults(
            configuration,
            customerASN=0,
            legacyMode=0,
            routingRegistryName="NONE",
            advertisedPublicPrefixesState="NotConfigured",
        )


KIND = ExpressRouteCircuitPeering()
