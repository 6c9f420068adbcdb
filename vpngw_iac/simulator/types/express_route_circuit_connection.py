"""Connections between circuits (Global Reach).

Evidence: ``test_network_express_route_global_reach_config`` (answers); its circuits were never provisioned, so that the
recorded connection ended Failed. "Configure ExpressRoute Global Reach" says what the prefixes must be.
"""

from __future__ import annotations

import ipaddress

from vpngw_iac.simulator.cloud_view import CloudView, as_id, reference, same
from vpngw_iac.simulator.document import UPDATING, Document, Hold
from vpngw_iac.simulator.kind import MemberKind, PutRequest, Reader, exclusively
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.types.express_route_circuit import AUTHORIZATIONS, provider_state
from vpngw_iac.simulator.wire import Json

_ENDS = ("expressRouteCircuitPeering", "peerExpressRouteCircuitPeering")


class ExpressRouteCircuitConnection(MemberKind):
    """``Microsoft.Network/expressRouteCircuits/peerings/connections``."""

    arm_type = "Microsoft.Network/expressRouteCircuits/peerings/connections"
    etag_header = True
    create_seconds = update_seconds = remove_seconds = 30.0
    read_only = frozenset({"circuitConnectionStatus"})

    def fill(self, change: PutRequest) -> Json:
        """References as ids alone."""
        properties = super().fill(change)
        return properties | {end: reference(properties[end]) for end in _ENDS if end in properties}

    def check(self, change: PutRequest, properties: Json) -> None:
        """Both private peerings are there; /29 and /125; codes not recorded."""
        for end in _ENDS:
            peering = change.cloud.refer(properties.get(end), change.id)
            if peering.properties.get("peeringType") != "AzurePrivatePeering":
                raise refuse("CircuitConnectionPeeringInvalid", f"{peering.id} is not a private peering.")
        if not same(properties[_ENDS[0]], change.id.parent):
            raise refuse("CircuitConnectionPeeringInvalid", f"{change.id} names the peering of another circuit.")
        for name in (_ENDS[1], "addressPrefix"):
            if change.before and change.earlier.get(name) != properties.get(name):
                raise refuse("CircuitConnectionCannotBeChanged", f"{name} of {change.id} cannot change.")
        _check_prefix(change, properties.get("addressPrefix"), 4, 29)
        if six := properties.get("ipv6CircuitConnectionConfig"):
            _check_prefix(change, six.get("addressPrefix"), 6, 125)
        _check_authorization(change, properties)

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Both circuits."""
        peer = as_id(((change.body.get("properties") or {}) or change.earlier).get(_ENDS[1]))
        circuits = [each.parent for each in (change.id.parent, peer) if each is not None]
        return exclusively(change.id, *circuits)

    def stored(self, change: PutRequest, document: Document) -> None:
        """The key is kept apart."""
        document.hidden.pop("authorizationKey", None)
        if (key := document.properties.pop("authorizationKey", None)) is not None:
            document.hidden["authorizationKey"] = key

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """Fails late, and its peering with it, where a provider has not provisioned one of the circuits."""
        for end, word in zip(_ENDS, ("Initiating", "Peer"), strict=True):
            peering = as_id(document.properties[end])
            circuit = cloud.find(peering.parent) if peering is not None else None
            if circuit is None or provider_state(cloud, circuit) != "Provisioned":
                if (above := cloud.find(document.arm_id.parent)) is not None:
                    above.state = "Failed"
                    cloud.save(above)
                code = f"{word}CircuitNotProvisioned"
                return {"code": code, "message": f"Put Global Reach Connection {document.id}: {code}.", "details": []}
        return None

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """Connected afterwards, whether or not it failed, as in the recording."""
        status = "Disconnected" if document.state == UPDATING else "Connected"
        shown = dict(document.properties) | {"circuitConnectionStatus": status}
        if "authorizationKey" in document.hidden:
            shown["authorizationKey"] = document.hidden["authorizationKey"]
        return shown


def _check_prefix(change: PutRequest, prefix: object, version: int, length: int) -> None:
    try:
        network = ipaddress.ip_network(str(prefix))
    except ValueError:
        network = None
    if network is None or (network.version, network.prefixlen) != (version, length):
        raise refuse("CircuitConnectionAddressPrefixInvalid", f"{change.id} needs an IPv{version} prefix of /{length}.")


def _check_authorization(change: PutRequest, properties: Json) -> None:
    """A circuit of another subscription needs an authorization (R-ER-12)."""
    peer = as_id(properties[_ENDS[1]])
    circuit, key = peer.parent if peer else None, properties.get("authorizationKey")
    if circuit is None or (key is None and circuit.subscription.lower() == change.id.subscription.lower()):
        return
    grants = change.cloud.children(str(circuit), AUTHORIZATIONS)
    if not any(key and grant.hidden.get("authorizationKey") == key for grant in grants):
        raise refuse("ExpressRouteCircuitAuthorizationInvalid", f"The key of {change.id} is not valid for {circuit}.")


KIND = ExpressRouteCircuitConnection()
