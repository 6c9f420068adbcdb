"""Virtual network gateways, VPN and ExpressRoute.

Evidence: ``test_network_vnet_gateway_nat_rule`` (answers of PUT, GET and LIST), ``test_network_vnet_gateway_ipsec``
(client configuration), ``test_network_active_active_cross_premise_connection`` (two addresses in one string),
``java_testVirtualNetworkGatewaySiteToSite`` (tags by PATCH), recordings section (f) for durations.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.simulator import gateway_actions, gateway_checks, skus
from vpngw_iac.simulator.checks import network
from vpngw_iac.simulator.cloud_view import CloudView, as_id, reference
from vpngw_iac.simulator.document import UPDATING, Document, Hold, LongRunningOperation
from vpngw_iac.simulator.instance_checks import last
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, TimedAction, defaults
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import GATEWAYS, connections_of, gateways_in, network_of, peerings_to
from vpngw_iac.simulator.types.subnet import prefixes_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

NAT_RULES = "Microsoft.Network/virtualNetworkGateways/natRules"

NO_CLIENTS: Json = {
    "vpnClientProtocols": ["OpenVPN", "IkeV2"],
    "vpnAuthenticationTypes": [],
    "vpnClientRootCertificates": [],
    "vpnClientRevokedCertificates": [],
    "vngClientConnectionConfigurations": [],
    "radiusServers": [],
    "vpnClientIpsecPolicies": [],
}
"""What PUT and LIST answer, and GET does not, when no client configuration was sent."""

_PARTS = ("vpnClientRootCertificates", "vpnClientRevokedCertificates", "vngClientConnectionConfigurations")
"""Lists of a client configuration whose elements gain an id, an etag, a type and a state."""

_REBUILD = 1446.0
"""Seconds of VpnGw1 to VpnGw2, as long as a create."""


class VirtualNetworkGateway(Kind):
    """``Microsoft.Network/virtualNetworkGateways``."""

    arm_type = GATEWAYS
    update_seconds = 125.0
    remove_seconds = 420.0
    tag_seconds = 122.0
    read_only = frozenset(
        {"packetCaptureDiagnosticState", "isMigrateToCSES", "inboundDnsForwardingEndpoint", "bgpPeeringAddresses"}
    )
    since: ClassVar[Mapping[str, str]] = {
        "properties.packetCaptureDiagnosticState": "2019-09-01",
        "properties.vpnClientConfiguration.vpnAuthenticationTypes": "2020-08-01",
        "properties.enableBgpRouteTranslationForNat": "2020-11-01",
        "properties.natRules": "2020-11-01",
        "properties.disableIPSecReplayProtection": "2021-05-01",
        "properties.isMigrateToCSES": "2021-08-01",
        "properties.allowRemoteVnetTraffic": "2022-01-01",
        "properties.allowVirtualWanTraffic": "2022-01-01",
    }

    members: ClassVar[Mapping[str, str]] = {"natRules": NAT_RULES}

    def check(self, change: PutRequest, properties: Json) -> None:
        """What Azure refuses."""
        gateway_checks.check(change, properties)

    def fill(self, change: PutRequest) -> Json:
        """The defaults of the recordings."""
        properties = super().fill(change)
        sku = {"name": "", **(properties.get("sku") or {})}
        sku.setdefault("tier", sku["name"])
        properties["sku"] = sku | {"capacity": 2}
        kind = properties.setdefault("gatewayType", "Vpn")
        route_based = kind == "ExpressRoute" or sku["name"].startswith("VpnGw")
        defaults(
            properties,
            packetCaptureDiagnosticState="None",
            enablePrivateIpAddress=False,
            isMigrateToCSES=False,
            virtualNetworkGatewayPolicyGroups=[],
            enableBgpRouteTranslationForNat=False,
            disableIPSecReplayProtection=False,
            vpnType="RouteBased" if route_based else "PolicyBased",
            enableBgp=False,
            activeActive=False,
            allowRemoteVnetTraffic=False,
            allowVirtualWanTraffic=False,
            vpnGatewayGeneration=skus.default_generation(sku["name"]) if kind == "Vpn" else "None",
        )
        properties["ipConfigurations"] = [_configuration(item) for item in properties.get("ipConfigurations") or []]
        if properties.get("gatewayDefaultSite"):
            properties["gatewayDefaultSite"] = reference(properties["gatewayDefaultSite"])
        if "autoScaleConfiguration" in properties:
            bounds = properties["autoScaleConfiguration"].get("bounds") or {}
            properties["autoScaleConfiguration"] = {"bounds": bounds, "minScaleUnits": bounds.get("min")}
        _fill_clients(properties)
        _fill_bgp(change, properties)
        return properties

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Itself and its GatewaySubnet: two gateways of one network are built one after the other."""
        holds: dict[str, Hold] = {change.id.key: "exclusive"}
        properties = change.earlier if change.before else (change.body.get("properties") or {})
        rebuilt = change.before is None or _sku(change.sent) != _sku(change.earlier)
        for item in properties.get("ipConfigurations") or []:
            subnet = as_id((item.get("properties") or {}).get("subnet"))
            if subnet is not None and rebuilt:
                holds[subnet.key] = "exclusive"
        return holds

    def put_seconds(self, change: PutRequest, properties: Json) -> float:
        """Recordings section (f); an update that changes the SKU or the mode rebuilds."""
        if change.before is None:
            return _create_seconds(properties)
        old = change.earlier
        if properties["gatewayType"] == "ExpressRoute":
            return 93.0
        rebuilt = old["sku"]["name"] != properties["sku"]["name"] or old["activeActive"] != properties["activeActive"]
        private = old["enablePrivateIpAddress"] and not properties["enablePrivateIpAddress"]
        return _REBUILD if rebuilt or private else self.update_seconds

    def hide(self, document: Document, told: Json) -> None:
        """Whether its instances have private addresses already."""
        document.hidden["private"] = bool(told.get("enablePrivateIpAddress"))

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """ASN, peering and tunnel addresses appear with Succeeded; subnet and public IPs get new etags."""
        document.hidden["private"] = bool(document.properties["enablePrivateIpAddress"])
        if document.properties["gatewayType"] == "ExpressRoute":
            document.properties.setdefault("adminState", "")  # test_network_vpn_gateway_sku
        _settle_bgp(cloud, document)
        for item in document.properties["ipConfigurations"]:
            cloud.touch(item["properties"].get("subnet"), item["properties"].get("publicIPAddress"))
        cloud.touch(network_of(document))
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """Refused while it has connections (R-ORD-02), or a peering uses it and no other of its network (R-ORD-06)."""
        connections = connections_of(cloud, document.id)
        if connections:
            names = ", ".join(connection.id for connection in connections)
            raise refuse(
                "VirtualNetworkGatewayCannotBeDeleted",
                f"Virtual network gateway {document.id} cannot be deleted because it has connections: {names}.",
            )
        network_id = network_of(document)
        alone = network_id is not None and len(list(gateways_in(cloud, network_id))) == 1
        for peering in peerings_to(cloud, network_id) if alone and network_id else []:
            if peering.properties.get("useRemoteGateways"):
                raise refuse(
                    "VirtualNetworkGatewayCannotBeDeleted",  # the code of this case is not recorded
                    f"Virtual network gateway {document.id} cannot be deleted because peering {peering.id} uses it.",
                )

    def removed(self, cloud: CloudView, document: Document) -> None:
        """What it held is free again."""
        for item in document.properties["ipConfigurations"]:
            cloud.touch(item["properties"].get("subnet"), item["properties"].get("publicIPAddress"))
        cloud.touch(network_of(document))

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """PUT and LIST show a client configuration that GET does not, when none was sent."""
        shown = copy.deepcopy(document.properties)
        for item in shown["ipConfigurations"]:
            _show_part(document, item, "ipConfigurations")
            if document.hidden.get("private"):
                for address in _private_address(cloud, item["properties"]):
                    item["properties"]["privateIPAddress"] = address
        for item in shown["virtualNetworkGatewayPolicyGroups"]:
            _show_part(document, item, "virtualNetworkGatewayPolicyGroups")
        settled_before = document.created < cloud.now if reader == "put" else document.state != UPDATING
        if settled_before:
            none = {"state": "None", "phase": "None", "errorMessage": ""}
            shown["virtualNetworkGatewayMigrationStatus"] = none | dict(document.hidden.get("migration") or {})
        clients = shown.get("vpnClientConfiguration")
        if clients is None and (reader == "put" or (reader == "list" and shown["gatewayType"] == "Vpn")):
            shown["vpnClientConfiguration"] = _no_clients(shown)
        elif clients is not None:
            _show_clients(document, clients, reader)
        return shown

    def act(
        self, cloud: CloudView, document: Document, action: str, request: HttpRequest
    ) -> HttpResponse | TimedAction:
        """Reset, BGP tables, client profiles, and the list of connections."""
        return gateway_actions.act(cloud, document, action, request)

    def acted(self, cloud: CloudView, document: Document, operation: LongRunningOperation) -> object:
        """The result of an action."""
        return gateway_actions.result(cloud, document, operation)


def _sku(properties: Json) -> str:
    return str((properties.get("sku") or {}).get("name"))


def _create_seconds(properties: Json) -> float:
    if properties["gatewayType"] == "ExpressRoute":
        return 784.0
    sku = properties["sku"]["name"]
    if sku in {"Basic", "Standard", "HighPerformance"}:
        return 1500.0
    return 1320.0 if properties["activeActive"] else 1080.0


def _configuration(item: Json) -> Json:
    inner = dict(item.get("properties") or {})
    inner.pop("provisioningState", None)
    inner.pop("privateIPAddress", None)
    inner.setdefault("privateIPAllocationMethod", "Dynamic")
    for name in ("subnet", "publicIPAddress"):
        if name in inner:
            inner[name] = reference(inner[name])
    return {"name": str(item.get("name", "default")), "properties": inner}


def _show_part(document: Document, item: Json, member: str) -> None:
    """id, etag, type and state of an element that is not a resource of its own."""
    item["id"] = f"{document.id}/{member}/{item['name']}"
    item["etag"] = document.etag
    item["type"] = f"{GATEWAYS}/{member}"
    item["properties"]["provisioningState"] = "Succeeded" if document.state != UPDATING else UPDATING


def _private_address(cloud: CloudView, configuration: Json) -> list[str]:
    """An address of the GatewaySubnet, as ``test_network_vnet_gateway_with_enable_private_ip_address`` has it."""
    subnet = cloud.find(as_id(configuration.get("subnet")))
    ranges = prefixes_of(subnet.properties, subnet.arm_id) if subnet is not None else []
    return [str(ranges[0].network_address + 4)] if ranges else []


def _fill_clients(properties: Json) -> None:
    clients = properties.get("vpnClientConfiguration")
    if not clients:
        properties.pop("vpnClientConfiguration", None)
        return
    clients.pop("vpnClientConnectionHealth", None)
    for name, value in _no_clients(properties).items():
        if name != "vpnAuthenticationTypes":
            clients.setdefault(name, copy.deepcopy(value))
    for member in _PARTS:
        for item in clients[member]:
            for name in ("id", "etag", "type"):
                item.pop(name, None)
            item.setdefault("properties", {}).pop("provisioningState", None)
    if not clients.get("vpnAuthenticationTypes"):
        clients["vpnAuthenticationTypes"] = _derived_types(clients)


def _derived_types(clients: Json) -> list[str]:
    """Authentication types follow from the other fields (recordings, section (b))."""
    found = []
    if clients.get("vpnClientRootCertificates"):
        found.append("Certificate")
    if clients.get("radiusServerAddress") or clients.get("radiusServers"):
        found.append("Radius")
    if clients.get("aadTenant"):
        found.append("AAD")
    return found


def _show_clients(document: Document, clients: Json, reader: Reader) -> None:
    for member in _PARTS:
        for item in clients[member]:
            _show_part(document, item, member)
    if reader != "put":
        clients["vpnClientProtocols"] = sorted(clients["vpnClientProtocols"], key=_protocol_order)
    if reader == "get" and document.state != UPDATING:
        clients["vpnClientConnectionHealth"] = {
            "vpnClientConnectionsCount": document.hidden.get("clients", 0),
            "totalIngressBytesTransferred": 0,
            "totalEgressBytesTransferred": 0,
        }


def _no_clients(properties: Json) -> Json:
    """Basic gateways know SSTP only (``test_network_vnet_gateway_edge_zone``)."""
    protocols = ["SSTP"] if properties["sku"]["name"] == "Basic" else NO_CLIENTS["vpnClientProtocols"]
    return copy.deepcopy(NO_CLIENTS) | {"vpnClientProtocols": list(protocols)}


def _protocol_order(protocol: str) -> int:
    """GET answers in an order of its own (``test_network_vnet_gateway_ipsec``, ``test_vpn_client_package``)."""
    order = ["SSTP", "IkeV2", "OpenVPN"]
    return order.index(protocol) if protocol in order else len(order)


def _fill_bgp(change: PutRequest, properties: Json) -> None:
    """The block that Azure adds although BGP is off; ASN 0 and no addresses until Succeeded."""
    if properties["gatewayType"] != "Vpn":
        properties.pop("bgpSettings", None)
        return
    sent = properties.get("bgpSettings") or {}
    earlier = change.earlier.get("bgpSettings") or {}
    custom = {last(item.get("ipconfigurationId")): item for item in sent.get("bgpPeeringAddresses") or []}
    known = {last(item.get("ipconfigurationId")): item for item in earlier.get("bgpPeeringAddresses") or []}
    addresses = []
    # The third configuration of an active-active gateway serves clients and has no peer of its own (R-PIP-07).
    for configuration in properties["ipConfigurations"][:2]:
        name = configuration["name"].lower()
        entry: Json = {
            "ipconfigurationId": f"{change.id}/ipConfigurations/{configuration['name']}",
            "defaultBgpIpAddresses": list((known.get(name) or {}).get("defaultBgpIpAddresses", [])),
            "customBgpIpAddresses": list((custom.get(name) or {}).get("customBgpIpAddresses") or []),
        }
        if (known.get(name) or {}).get("tunnelIpAddresses"):
            entry["tunnelIpAddresses"] = list(known[name]["tunnelIpAddresses"])
        addresses.append(entry)
    block: Json = {"asn": sent.get("asn", 0), "peerWeight": sent.get("peerWeight", 0)}
    peer = sent.get("bgpPeeringAddress") or earlier.get("bgpPeeringAddress")
    if peer:
        block["bgpPeeringAddress"] = peer
    properties["bgpSettings"] = block | {"bgpPeeringAddresses": addresses}


def _settle_bgp(cloud: CloudView, document: Document) -> None:
    properties = document.properties
    block = properties.get("bgpSettings")
    if block is None:
        return
    block["asn"] = block["asn"] or 65515
    entries = block["bgpPeeringAddresses"]
    addresses = _peer_addresses(cloud, document)
    for position, entry in enumerate(entries):
        mine = addresses[position : position + 1] if properties["activeActive"] else addresses[:1]
        entry["defaultBgpIpAddresses"] = mine
        configuration = properties["ipConfigurations"][position]["properties"]
        public = cloud.find(as_id(configuration.get("publicIPAddress")))
        if public is not None:
            public.properties.setdefault("ipAddress", cloud.public_address())
            cloud.save(public)
            private = _private_address(cloud, configuration) if properties["enablePrivateIpAddress"] else []
            entry["tunnelIpAddresses"] = [public.properties["ipAddress"], *private]
    block["bgpPeeringAddress"] = ",".join(addresses)


def _peer_addresses(cloud: CloudView, document: Document) -> list[str]:
    """Last usable address of the GatewaySubnet, or its fourth and fifth when active-active (recordings, R-BGP-11).

    An address that was sent is kept, but not by an active-active gateway (``test_network_vpn_gateway``).
    """
    asked = str(document.properties["bgpSettings"].get("bgpPeeringAddress") or "")
    if asked and "," not in asked and not document.properties["activeActive"]:
        return [asked]
    first = document.properties["ipConfigurations"][0]["properties"]
    subnet = cloud.find(as_id(first.get("subnet")))
    prefixes = subnet.properties if subnet is not None else {}
    listed = prefixes.get("addressPrefixes") or [prefixes.get("addressPrefix")]
    parsed = next((one for one in map(network, listed) if one is not None and one.version == 4), None)
    if parsed is None:
        return []
    if document.properties["activeActive"]:
        return [str(parsed.network_address + 4), str(parsed.network_address + 5)]
    return [str(parsed.broadcast_address - 1)]


KIND = VirtualNetworkGateway()
