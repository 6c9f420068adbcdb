"""ExpressRoute circuits.

Evidence: ``test_network_express_route`` (answers before and after Succeeded, full replacement), ``R-ER-10``, R-ER-11.
The service provider's side moves by `Simulator.provision_circuit`, or by itself after `Switches.provider_seconds`.
A circuit on a Direct port has no provider: usable at once and deleted freely (not recorded; R-ER-10, R-ER-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.simulator.circuit_tables import STATS
from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import UPDATING, Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, TimedAction, defaults
from vpngw_iac.simulator.refusal import Refusal, not_simulated, refuse
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

PEERINGS = "Microsoft.Network/expressRouteCircuits/peerings"
AUTHORIZATIONS = "Microsoft.Network/expressRouteCircuits/authorizations"
_BANDWIDTHS = frozenset({50, 100, 200, 500, 1000, 2000, 5000, 10000})
_LEAST_LOCAL = 1000
_NO_KEY = "00000000-0000-0000-0000-000000000000"


class ExpressRouteCircuit(Kind):
    """``Microsoft.Network/expressRouteCircuits``."""

    arm_type = "Microsoft.Network/expressRouteCircuits"
    contention = 409
    create_seconds = 40.0
    update_seconds = remove_seconds = 20.0
    since: ClassVar[Mapping[str, str]] = {
        "properties.peerings[].properties.connections": "2018-02-01",
        "properties.peerings[].properties.peeredConnections": "2018-10-01",
        "properties.gatewayManagerEtag": "2016-09-01",
        "properties.allowGlobalReach": "2018-08-01",
        "properties.stag": "2018-08-01",
        "properties.globalReachEnabled": "2018-12-01",
    }
    read_only = frozenset(
        {"circuitProvisioningState", "serviceProviderProvisioningState", "serviceKey", "stag", "gatewayManagerEtag"}
    )

    members: ClassVar[Mapping[str, str]] = {"peerings": PEERINGS, "authorizations": AUTHORIZATIONS}

    def fill(self, change: PutRequest) -> Json:
        """What is read-only stays; Disabled and without a key until Succeeded."""
        properties = super().fill(change)
        earlier = change.earlier
        defaults(properties, allowClassicOperations=False, allowGlobalReach=False, globalReachEnabled=False)
        properties["circuitProvisioningState"] = "Disabled"
        properties["serviceKey"] = earlier.get("serviceKey", _NO_KEY)
        properties["serviceProviderProvisioningState"] = earlier.get(
            "serviceProviderProvisioningState", "NotProvisioned"
        )
        for name in ("stag", "gatewayManagerEtag"):
            if name in earlier:
                properties[name] = earlier[name]
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """A provider, or a port of one's own; what is sold, and what a circuit may become (codes not recorded).

        Evidence: pages "ExpressRoute circuits and peering" (bandwidths) and "ExpressRoute FAQ" (Local: from 1 Gbps,
        without metering but on a Direct port, never from another tier in place).
        """
        name = _sku_of(change.body)
        mbps = (properties.get("serviceProviderProperties") or {}).get("bandwidthInMbps")
        if name == "Local_MeteredData" and mbps is not None:
            raise _refuse("ExpressRouteCircuitSkuNotSupported", change, f"SKU {name} is not sold")
        if mbps is not None and int(mbps) not in _BANDWIDTHS:
            raise _refuse("ExpressRouteCircuitBandwidthNotSupported", change, f"a bandwidth of {mbps} Mbps is not sold")
        if mbps is not None and name.startswith("Local") and int(mbps) < _LEAST_LOCAL:
            raise _refuse("ExpressRouteCircuitBandwidthNotSupported", change, f"Local begins at {_LEAST_LOCAL} Mbps")
        before = str(change.before.body["sku"]["name"]) if change.before else name
        if name.startswith("Local") and not before.startswith("Local"):
            raise _refuse("ExpressRouteCircuitSkuChangeNotSupported", change, f"{before} cannot become {name}")
        if not properties.get("serviceProviderProperties") and not properties.get("expressRoutePort"):
            raise refuse(
                "ExpressRouteCircuitServiceProviderPropertiesMissing",  # code not recorded
                f"Circuit {change.id} needs serviceProviderProperties or expressRoutePort.",
            )

    def complete(self, change: PutRequest, body: Json) -> None:
        """Tier and family follow from the name."""
        body["sku"] = dict(body.get("sku") or {})
        name = _sku_of(body)
        tier, _, family = name.partition("_")
        defaults(body["sku"], name=name, tier=tier, family=family)

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """Enabled, with key and tag."""
        properties = document.properties
        properties["circuitProvisioningState"] = "Enabled"
        if properties["serviceKey"] == _NO_KEY:
            properties["serviceKey"] = cloud.guid()
            document.hidden["ordered"] = cloud.now
        properties.setdefault("stag", cloud.store.next_number() % 4096)
        properties.setdefault("gatewayManagerEtag", "")
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """Refused while the provider has it provisioned (R-ER-11) or a connection uses it; codes not recorded."""
        for connection in cloud.of_type(CONNECTIONS):
            if same(connection.properties.get("peer"), document.id):
                raise refuse(
                    "ExpressRouteCircuitCannotBeDeleted",
                    f"Circuit {document.id} cannot be deleted because connection {connection.id} uses it.",
                )
        state = provider_state(cloud, document)
        if state != "NotProvisioned" and not _is_direct(document):
            raise refuse(
                "ExpressRouteCircuitCannotBeDeleted",
                f"Circuit {document.id} cannot be deleted while its service provider provisioning state is {state}. "
                "Ask the provider to deprovision it first.",
            )

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """With what the provider has done."""
        shown = dict(document.properties)
        if document.state != UPDATING:
            shown["serviceProviderProvisioningState"] = provider_state(cloud, document)
        return shown

    def act(
        self, cloud: CloudView, document: Document, action: str, request: HttpRequest
    ) -> HttpResponse | TimedAction:
        """Counters (``test_network_express_route``)."""
        if request.method == "GET" and action == "stats":
            return HttpResponse(200, STATS)
        raise not_simulated(f"{request.method} expressRouteCircuits/{action}")


def _refuse(code: str, change: PutRequest, why: str) -> Refusal:
    return refuse(code, f"Circuit {change.id}: {why}.")


def _sku_of(body: Json) -> str:
    sku = body.get("sku") or {}
    return str(sku.get("name") or f"{sku.get('tier', 'Standard')}_{sku.get('family', 'MeteredData')}")


def _is_direct(circuit: Document) -> bool:
    return bool(circuit.properties.get("expressRoutePort"))


def provider_state(cloud: CloudView, circuit: Document) -> str:
    """NotProvisioned until the provider acts, by somebody's hand or by itself after a while."""
    if _is_direct(circuit):
        return "Provisioned"
    state = str(circuit.properties["serviceProviderProvisioningState"])
    waits, ordered = cloud.switches.provider_seconds, circuit.hidden.get("ordered")
    if state == "NotProvisioned" and waits is not None and ordered is not None and cloud.now - ordered >= waits:
        circuit.properties["serviceProviderProvisioningState"] = state = "Provisioned"
        cloud.save(circuit)
    return state


KIND = ExpressRouteCircuit()
