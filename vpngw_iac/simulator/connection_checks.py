"""What Azure refuses about a connection. A code marked *assumed* is ours: no recording shows it."""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator import instance_checks, skus
from vpngw_iac.simulator.cloud_view import CloudView, as_id, same
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import PutRequest, normal
from vpngw_iac.simulator.refusal import invalid_reference, refuse
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.types.express_route_circuit import AUTHORIZATIONS, provider_state
from vpngw_iac.simulator.wire import Json

_POLICY = (
    "saLifeTimeSeconds",
    "saDataSizeKilobytes",
    "ipsecEncryption",
    "ipsecIntegrity",
    "ikeEncryption",
    "ikeIntegrity",
    "dhGroup",
    "pfsGroup",
)
_FORBIDDEN = frozenset(" ~")
_IMMUTABLE = ("connectionType", "virtualNetworkGateway1", "virtualNetworkGateway2", "peer", "connectionProtocol")
_PARTNER = {"IPsec": "localNetworkGateway2", "Vnet2Vnet": "virtualNetworkGateway2", "ExpressRoute": "peer"}


def has_shared_key(properties: Json) -> bool:
    """Whether the connection is one with a pre-shared key."""
    return properties["connectionType"] != "ExpressRoute" and properties.get("authenticationType") != "Certificate"


def check(change: PutRequest, properties: Json) -> None:
    """Raise the first thing that Azure would refuse."""
    _check_immutable(change, properties)
    gateway = change.cloud.refer(properties.get("virtualNetworkGateway1"), change.id)
    _check_frozen(change, gateway)
    _check_partner(change, properties, gateway)
    if properties.get("sharedKey") is not None:
        check_key(str(properties["sharedKey"]), change.id)
    _check_policies(change, properties, gateway)
    _check_nat(change, properties, gateway)
    instance_checks.check_connection(change, properties, gateway)


def _check_immutable(change: PutRequest, properties: Json) -> None:
    """R-IKE-03, and what the page on changing connections says; code assumed."""
    if change.before is None:
        return
    for name in _IMMUTABLE:
        old, new = change.earlier.get(name), properties.get(name)
        if old != new and not same(old, new):
            raise refuse(
                "VirtualNetworkGatewayConnectionPropertyCannotBeChanged",
                f"Property {name} of connection {change.id} cannot be changed after creation.",
            )


def _check_frozen(change: PutRequest, gateway: Document) -> None:
    """Nothing new on a gateway of a retired SKU until it moves to the AZ twin (R-SKU-04); assumed of connections."""
    sku = str((gateway.properties.get("sku") or {}).get("name"))
    if change.before is None and skus.is_blocked(sku) and not change.cloud.switches.allow_retired:
        raise refuse(
            "NonAzSkusNotAllowedForVPNGateway",
            f"Connection {change.id}: gateway {gateway.id} of SKU {sku} takes no change before it moves to {sku}AZ.",
        )


def _check_partner(change: PutRequest, properties: Json, gateway: Document) -> None:
    kind = properties["connectionType"]
    wanted = "ExpressRoute" if kind == "ExpressRoute" else "Vpn"
    if gateway.properties["gatewayType"] != wanted:
        raise refuse(
            "VirtualNetworkGatewayTypeNotSupportedForConnectionType",  # R-ER-13; assumed
            f"Connection {change.id} of type {kind} needs a gateway of type {wanted}; {gateway.id} is not one.",
        )
    if gateway.body["location"] != normal(str(change.body.get("location", ""))):
        raise invalid_reference(gateway.id, str(change.id))
    if gateway.arm_id.subscription.lower() != change.id.subscription.lower():
        raise invalid_reference(gateway.id, str(change.id))
    member = _PARTNER.get(kind)
    if member is None:
        return
    if not properties.get(member):
        raise refuse(
            "VirtualNetworkGatewayConnectionPartnerMissing",  # assumed
            f"Connection {change.id} of type {kind} needs {member}.",
        )
    partner = change.cloud.refer(properties[member], change.id)
    if kind == "ExpressRoute":
        _check_authorization(change, properties, partner)
    if kind == "Vnet2Vnet" and partner.properties["vpnType"] != "RouteBased":
        raise refuse(  # R-V2V-01; assumed
            "VirtualNetworkGatewayTypeNotSupportedForConnectionType",
            f"Connection {change.id}: {partner.id} is not route-based.",
        )


def _check_authorization(change: PutRequest, properties: Json, circuit: Document) -> None:
    """A circuit of another subscription needs a free authorization (R-ER-12); code assumed."""
    key = properties.get("authorizationKey")
    if key is None and circuit.arm_id.subscription.lower() == change.id.subscription.lower():
        return
    for grant in change.cloud.children(circuit.id, AUTHORIZATIONS):
        if key and grant.hidden.get("authorizationKey") == key and _is_free(change, circuit, key):
            return
    raise refuse(
        "ExpressRouteCircuitAuthorizationInvalid",
        f"The authorization key of connection {change.id} is not valid for circuit {circuit.id}, or it is in use.",
    )


def _is_free(change: PutRequest, circuit: Document, key: str) -> bool:
    """One authorization, one connection."""
    return not any(
        connection.hidden.get("authorizationKey") == key
        and same(connection.properties.get("peer"), circuit.id)
        and connection.key != change.id.key
        for connection in change.cloud.of_type(CONNECTIONS)
    )


def check_key(value: str, owner: ArmId) -> None:
    """Characters and length (R-PSK-01, R-PSK-02); code assumed. The key itself is never in the message.

    Hyphens are taken, whatever R-PSK-01 says: azurerm, acceptance tests of azurerm_virtual_network_gateway_connection.
    """
    printable = all(33 <= ord(character) < 127 for character in value)
    if not 1 <= len(value) <= 128 or not printable or _FORBIDDEN & set(value):
        raise refuse(
            "InvalidSharedKey",
            f"The shared key of connection {owner} must have 1 to 128 printable ASCII characters other than space "
            "and tilde.",
        )


def _check_policies(change: PutRequest, properties: Json, gateway: Document) -> None:
    """R-IPSEC-01 to 04, R-IPSEC-10, R-TS-01, R-TS-03, R-DPD-01; codes assumed."""
    policies = properties["ipsecPolicies"]
    if policies and properties["connectionType"] == "ExpressRoute":
        raise refuse("IpsecPolicyNotSupported", f"Connection {change.id}: ExpressRoute takes no IPsec policy.")
    if policies and gateway.properties["sku"]["name"] == "Basic":
        raise refuse("IpsecPolicyNotSupported", f"Connection {change.id}: SKU Basic takes no IPsec policy.")
    if len(policies) > 1:
        raise refuse("InvalidIpsecPolicy", f"Connection {change.id} has more than one IPsec policy.")
    for policy in policies:
        missing = [name for name in _POLICY if name not in policy]
        mixed = "GCM" in str(policy.get("ipsecEncryption")) or "GCM" in str(policy.get("ipsecIntegrity"))
        if missing or (mixed and policy["ipsecEncryption"] != policy["ipsecIntegrity"]):
            raise refuse("InvalidIpsecPolicy", f"The IPsec policy of connection {change.id} is incomplete or mixed.")
    selectors = properties["usePolicyBasedTrafficSelectors"]
    if (selectors and not policies) or (properties["trafficSelectorPolicies"] and not selectors):
        raise refuse(
            "InvalidTrafficSelectorConfiguration",
            f"Connection {change.id}: traffic selectors need usePolicyBasedTrafficSelectors, and that a custom policy.",
        )
    seconds = properties["dpdTimeoutSeconds"]
    if seconds and not 9 <= int(seconds) <= 3600:
        raise refuse("InvalidDpdTimeout", f"dpdTimeoutSeconds of connection {change.id} must be 9 to 3600.")


def _check_nat(change: PutRequest, properties: Json, gateway: Document) -> None:
    """NAT rules must exist on the gateway; only IPsec takes them (R-NAT-02)."""
    for side in ("ingressNatRules", "egressNatRules"):
        for rule in properties.get(side, []):
            identifier = as_id(rule)
            if identifier is None or identifier.parent != gateway.arm_id or change.cloud.find(identifier) is None:
                raise invalid_reference(str(rule.get("id")), str(change.id))
            if properties["connectionType"] != "IPsec":
                raise refuse(
                    "NatRulesNotSupportedForConnectionType",  # assumed
                    f"Connection {change.id} of type {properties['connectionType']} takes no NAT rules.",
                )


def late_failure(cloud: CloudView, document: Document) -> Json | None:
    """Fail as ``test_express_route_gateway_connection_inbound_outbound_routemap`` does (R-ER-10)."""
    if document.properties["connectionType"] != "ExpressRoute":
        return None
    circuit = cloud.find(as_id(document.properties.get("peer")))
    if circuit is None:
        return None
    state = provider_state(cloud, circuit)
    if state == "Provisioned":
        return None
    return {
        "code": "ServiceProviderNotProvisioned",
        "message": f"The current cross connection provisioning state '{state}' of this service key "
        f"'{circuit.properties['serviceKey']}' prevents this operation.",
        "details": [],
    }
