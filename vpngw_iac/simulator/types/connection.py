"""Connections: IPsec, Vnet2Vnet and ExpressRoute, and their shared keys.

Evidence: ``net_ManageVpnGatewaySite2SiteConnectionTest`` (PUT, GET, LIST), ``test_network_vpn_connection_ipsec``
(defaults of 2022, policies set and cleared), ``test_network_active_active_cross_premise_connection`` (sharedkey),
``xplat_arm-network-vpn-connection-tests`` (Updating and 409 while the key is being set).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.simulator import connection_checks, gateway_actions
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView, as_id, reference
from vpngw_iac.simulator.document import UPDATING, Document, Hold, LongRunningOperation
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, TimedAction, defaults
from vpngw_iac.simulator.refusal import not_simulated, refuse
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.tunnels import device_script, ike_sas, status_of, travelled, tunnels_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_ENDS = ("virtualNetworkGateway1", "virtualNetworkGateway2", "localNetworkGateway2", "peer")
_SECRETS = ("sharedKey", "authorizationKey")
_TYPES = ("IPsec", "Vnet2Vnet", "ExpressRoute", "VPNClient")


class Connection(Kind):
    """``Microsoft.Network/connections``."""

    arm_type = CONNECTIONS
    contention = 409
    create_seconds = update_seconds = remove_seconds = 20.0
    read_only = frozenset(
        {
            "connectionStatus",
            "tunnelConnectionStatus",
            "ingressBytesTransferred",
            "egressBytesTransferred",
            "packetCaptureDiagnosticState",
        }
    )
    since: ClassVar[Mapping[str, str]] = {
        "properties.ipsecPolicies": "2017-06-01",
        "properties.usePolicyBasedTrafficSelectors": "2017-06-01",
        "properties.expressRouteGatewayBypass": "2018-08-01",
        "properties.packetCaptureDiagnosticState": "2019-09-01",
        "properties.gatewayCustomBgpIpAddresses": "2021-05-01",
        "properties.authenticationType": "2022-01-01",
    }

    def check(self, change: PutRequest, properties: Json) -> None:
        """What Azure refuses."""
        if properties["connectionType"] not in _TYPES:
            raise refuse(
                "InvalidRequestFormat", f"Cannot parse the request: connectionType of {change.id} is not valid."
            )
        connection_checks.check(change, properties)

    def fill(self, change: PutRequest) -> Json:
        """The defaults of the recordings."""
        properties = super().fill(change)
        kind = properties.setdefault("connectionType", "")
        for end in _ENDS:
            if end in properties:
                properties[end] = reference(properties[end])
        for side in ("ingressNatRules", "egressNatRules"):
            if side in properties:
                properties[side] = [reference(rule) for rule in properties[side]]
        defaults(
            properties,
            packetCaptureDiagnosticState="None",
            routingWeight=0,
            enableBgp=False,
            usePolicyBasedTrafficSelectors=False,
            useLocalAzureIpAddress=False,
            ipsecPolicies=[],
            trafficSelectorPolicies=[],
            gatewayCustomBgpIpAddresses=[],
            expressRouteGatewayBypass=False,
            dpdTimeoutSeconds=0,
            connectionMode="Default",
        )
        if kind != "ExpressRoute":
            defaults(properties, connectionProtocol="IKEv2", authenticationType="PSK")
        return properties

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Itself, and a share of its gateways (R-OPS-02)."""
        holds: dict[str, Hold] = {change.id.key: "exclusive"}
        for properties in (change.earlier, change.body.get("properties") or {}):
            for end in _ENDS[:2]:
                gateway = as_id(properties.get(end))
                if gateway is not None:
                    holds[gateway.key] = "shared"
        return holds

    def stored(self, change: PutRequest, document: Document) -> None:
        """Keep the keys apart; a key that was not sent is one that Azure makes up (R-PSK-04).

        A status that was sent comes back in the answer, and only there (``test_network_vpn_connection_ipsec``).
        """
        document.hidden.pop("sentStatus", None)
        if "connectionStatus" in change.sent:
            document.hidden["sentStatus"] = change.sent["connectionStatus"]
        properties = document.properties
        sent = properties.pop("sharedKey", None)
        if connection_checks.has_shared_key(properties):
            document.hidden["sharedKey"] = sent if sent is not None else change.cloud.secret()
        else:
            document.hidden.pop("sharedKey", None)
        authorization = properties.pop("authorizationKey", None)
        if authorization is not None:
            document.hidden["authorizationKey"] = authorization
        else:
            document.hidden.pop("authorizationKey", None)

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """An ExpressRoute connection fails late when the provider has not provisioned the circuit."""
        return connection_checks.late_failure(cloud, document)

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """Keys and status are in the GET of one connection only; LIST never has them."""
        shown = dict(document.properties)
        counted = 0 if reader == "put" else travelled(cloud, document)
        shown["ingressBytesTransferred"] = shown["egressBytesTransferred"] = counted
        if reader != "list":
            shown |= {name: document.hidden[name] for name in _SECRETS if name in document.hidden}
        if reader == "put" and "sentStatus" in document.hidden:
            shown["connectionStatus"] = document.hidden["sentStatus"]
        if reader == "get" and document.state != UPDATING:
            shown["connectionStatus"] = status_of(cloud, document)
            tunnels = tunnels_of(cloud, document)
            if tunnels and shown["connectionStatus"] != "Unknown":
                shown["tunnelConnectionStatus"] = tunnels
        return shown

    def act(
        self, cloud: CloudView, document: Document, action: str, request: HttpRequest
    ) -> HttpResponse | TimedAction:
        """The shared key has a life of its own; reset restarts the tunnel."""
        if action == "sharedkey" and request.method == "GET":
            return HttpResponse(200, {"value": self._key(document)})
        if action in {"sharedkey", "listkeys"} and request.method == "POST":
            return HttpResponse(200, {"value": self._key(document)})
        if action == "sharedkey" and request.method == "PUT":
            value = str(read_body(request).get("value", ""))
            self._key(document)
            connection_checks.check_key(value, document.arm_id)
            return TimedAction("sharedkey", 20.0, 200, location_header=False, updating=True, payload={"value": value})
        if action == "sharedkey/reset" and request.method == "POST":
            length = int(read_body(request).get("keyLength", 128))
            self._key(document)
            return TimedAction("sharedkey/reset", 20.0, updating=True, payload={"value": cloud.secret(length)})
        if action == "resetconnection" and request.method == "POST":
            return TimedAction("resetconnection", 20.0)
        if action == "vpndeviceconfigurationscript" and request.method == "POST":
            return HttpResponse(200, device_script(cloud, document, read_body(request)))
        if action == "getikesas" and request.method == "POST":
            return TimedAction("getikesas", 20.0, async_header=False, holds=False)
        if (capture := gateway_actions.capture_action(action, request)) is not None:
            return capture
        raise not_simulated(f"{request.method} connections/{action}")

    def acted(self, cloud: CloudView, document: Document, operation: LongRunningOperation) -> object:
        """The new key counts from now on, not from when it was sent."""
        if operation.verb == "getikesas":
            return ike_sas(cloud, document)
        value = operation.payload.pop("value", None)
        if value is not None:
            document.hidden["sharedKey"] = value
            document.changed = operation.due
            cloud.save(document)
        if operation.verb.startswith("sharedkey"):
            return None  # null, also of a reset (``test_network_active_active_cross_premise_connection``)
        return gateway_actions.captured(operation)

    def _key(self, document: Document) -> str:
        key = document.hidden.get("sharedKey")
        if key is None:
            raise refuse(
                "VirtualNetworkGatewayConnectionHasNoSharedKey",  # code not recorded
                f"Connection {document.id} has no shared key.",
            )
        return str(key)


KIND = Connection()
