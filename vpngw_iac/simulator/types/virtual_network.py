"""Virtual networks, and the subnets and peerings written inside them.

Evidence: ``test_network_vnet``, ``net_ManageVpnGatewaySite2SiteConnectionTest`` (answers),
``xplat_arm-network-vnet-tests-generated`` (InvalidAddressPrefixFormat, NetcfgInvalidDnsServer), R-SUBNET-19.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.simulator.checks import (
    check_prefixes,
    invalid_subnet,
    is_address,
    is_inside,
    overlap,
    subnets_overlap,
)
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, defaults
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import PEERINGS, SUBNETS, peerings_to
from vpngw_iac.simulator.types.subnet import prefixes_of, refuse_in_use
from vpngw_iac.simulator.wire import Json


class VirtualNetwork(Kind):
    """``Microsoft.Network/virtualNetworks``."""

    arm_type = "Microsoft.Network/virtualNetworks"
    retry_after = 3.0
    etag_header = True
    contention = 409
    create_seconds = update_seconds = remove_seconds = 10.0
    since: ClassVar[Mapping[str, str]] = {
        "properties.virtualNetworkPeerings": "2016-06-01",
        "properties.enableDdosProtection": "2017-08-01",
        "properties.subnets[].properties.delegations": "2018-04-01",
        "properties.subnets[].properties.privateEndpointNetworkPolicies": "2019-04-01",
        "properties.subnets[].properties.privateLinkServiceNetworkPolicies": "2019-04-01",
        "properties.virtualNetworkPeerings[].properties.peeringSyncLevel": "2021-02-01",
        "properties.virtualNetworkPeerings[].properties.remoteVirtualNetworkAddressSpace": "2021-02-01",
        "properties.virtualNetworkPeerings[].properties.peerCompleteVnets": "2021-03-01",
        "properties.privateEndpointVNetPolicies": "2023-11-01",
    }

    members: ClassVar[Mapping[str, str]] = {"subnets": SUBNETS, "virtualNetworkPeerings": PEERINGS}
    # Templates without peerings leave them (Azure/arm-template-whatif issues 163 and 439). Omitted subnets are said to
    # stay since 2025, too; here they go, as they always did (R-SUBNET-19).
    left_alone: ClassVar[frozenset[str]] = frozenset({"virtualNetworkPeerings"})

    def fill(self, change: PutRequest) -> Json:
        """Defaults; ``enableVmProtection: false`` is dropped since March 2021."""
        properties = super().fill(change)
        if not properties.get("enableVmProtection"):
            properties.pop("enableVmProtection", None)
        if "dhcpOptions" in properties:
            properties["dhcpOptions"].setdefault("dnsServers", [])
        defaults(properties, enableDdosProtection=False, privateEndpointVNetPolicies="Disabled")
        if "bgpCommunities" in properties:
            properties["bgpCommunities"].setdefault("regionalCommunity", "12076:50000")
        if (properties.get("encryption") or {}).get("enabled") is False:
            properties["encryption"].setdefault("enforcement", "AllowUnencrypted")  # test_network_vnet_with_encryption
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Prefixes, servers and subnets."""
        self._check_dns(properties)
        self._check_encryption(change, properties)
        self._check_subnets(change, properties)

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """Subnets follow their network's etag; a peering of it, or to it, may be out of step now."""
        for child in cloud.children(document.id, SUBNETS):
            child.etag = document.etag
            cloud.save(child)
        cloud.touch(*(peering.id for peering in peerings_to(cloud, document.id)))
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """400 while a gateway holds the GatewaySubnet, or a peering of another network leads here."""
        for subnet in cloud.children(document.id, SUBNETS):
            refuse_in_use(cloud, subnet)

    def removed(self, cloud: CloudView, document: Document) -> None:
        """Peerings of others that led here are told by their state when they are read."""
        cloud.touch(*(peering.id for peering in peerings_to(cloud, document.id)))

    def _check_dns(self, properties: Json) -> None:
        for server in (properties.get("dhcpOptions") or {}).get("dnsServers", []):
            if not is_address(str(server)):
                raise refuse(
                    "NetcfgInvalidDnsServer", f"DNS server is not valid as specified with the name '{server}'."
                )

    def _check_encryption(self, change: PutRequest, properties: Json) -> None:
        """Both halves or none (errors_bundle_open)."""
        encryption = properties.get("encryption")
        if encryption is not None and not {"enabled", "enforcement"} <= set(encryption):
            raise refuse(
                "MustSpecifyBothEncryptionIntentAndEnforcementPolicy",
                f"Cannot encrypt VirtualNetwork {change.id} unless both encryption intent and enforcement policy are "
                "specified.",
            )

    def _check_subnets(self, change: PutRequest, properties: Json) -> None:
        spaces = check_prefixes((properties.get("addressSpace") or {}).get("addressPrefixes", []), change.id)
        if not spaces:
            raise refuse(
                "NetcfgMissingAddressPrefix",  # code not recorded
                f"Virtual network {change.id} must have at least one address prefix.",
            )
        sent = properties.get("subnets") or []
        taken: list[tuple[str, Json]] = [(str(subnet.get("name")), subnet.get("properties") or {}) for subnet in sent]
        for position, (name, subnet) in enumerate(taken):
            ranges = prefixes_of(subnet, change.id.child("subnets", name))
            if any(not is_inside(one, spaces) for one in ranges):
                raise invalid_subnet(name, change.id.name)
            for other, earlier in taken[:position]:
                if overlap(ranges, prefixes_of(earlier, change.id.child("subnets", other))):
                    raise subnets_overlap(name, change.id.name)


KIND = VirtualNetwork()
