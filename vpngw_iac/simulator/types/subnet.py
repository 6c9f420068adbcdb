"""Subnets, above all the GatewaySubnet.

Evidence: ``net_ManageVpnGatewaySite2SiteConnectionTest`` (answer), ``test_network_vnet`` (back references in capitals),
``test_delete_dependent_resources`` (InUseSubnetCannotBeDeleted), R-SUBNET-17.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.checks import (
    Network,
    check_prefixes,
    invalid_subnet,
    is_inside,
    overlap,
    subnets_overlap,
)
from vpngw_iac.simulator.cloud_view import CloudView, as_id, shouted
from vpngw_iac.simulator.document import Document, Hold
from vpngw_iac.simulator.kind import MemberKind, PutRequest, Reader, defaults, exclusively
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import SUBNETS, users_of
from vpngw_iac.simulator.wire import Json


class Subnet(MemberKind):
    """``Microsoft.Network/virtualNetworks/subnets``."""

    arm_type = SUBNETS
    retry_after = 3.0
    etag_header = True
    quick = True
    create_seconds = update_seconds = 3.0
    remove_seconds = 10.0
    since: ClassVar[Mapping[str, str]] = {
        "properties.delegations": "2018-04-01",
        "properties.privateEndpointNetworkPolicies": "2019-04-01",
        "properties.privateLinkServiceNetworkPolicies": "2019-04-01",
    }
    read_only = frozenset({"ipConfigurations", "ipConfigurationProfiles", "privateEndpoints", "purpose", "subnetID"})

    def fill(self, change: PutRequest) -> Json:
        """Fill in the defaults that each recording shows."""
        properties = super().fill(change)
        defaults(
            properties,
            delegations=[],
            privateEndpointNetworkPolicies="Disabled",
            privateLinkServiceNetworkPolicies="Enabled",
        )
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Its route table is there, its range fits and is not taken from under a gateway."""
        if properties.get("routeTable"):
            change.cloud.refer_loosely(properties["routeTable"], change.id)
        parent = change.cloud.find(change.id.parent)
        if parent is not None and change.before is not None:
            self._refuse_resize(change, properties)
        if parent is not None and not change.embedded:
            self._check_range(change, parent, properties)

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Subnets of one network are written one after the other (R-OPS-02); a gateway's birth holds its own.

        Azure refuses a subnet while its route table is written (https://github.com/hashicorp/terraform/pull/13791).
        """
        return exclusively(change.id, change.id.parent, as_id(change.sent.get("routeTable")))

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """400 while something stands in it."""
        refuse_in_use(cloud, document)

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """With the back references of the gateways that stand in it."""
        shown = dict(document.properties)
        users = users_of(cloud, document.id, "subnet")
        if users:
            shown["ipConfigurations"] = [{"id": shouted(user)} for user in users]
        shown["delegations"] = [_delegation(document, sent) for sent in shown.get("delegations") or ()]
        if "serviceEndpoints" in shown:
            region = _region_of(cloud, document)
            shown["serviceEndpoints"] = [_endpoint(sent, region) for sent in shown["serviceEndpoints"]]
        return shown

    def _refuse_resize(self, change: PutRequest, properties: Json) -> None:
        ranges = prefixes_of(properties, change.id)
        if set(ranges) == set(prefixes_of(change.earlier, change.id)):
            return
        for user in users_of(change.cloud, str(change.id), "subnet"):
            raise refuse(
                "InUsePrefixCannotBeDeleted",
                f"IpPrefix {change.earlier.get('addressPrefix')} on Subnet {change.id.name} has active allocations "
                f"({user}) and cannot be deleted.",
            )

    def _check_range(self, change: PutRequest, parent: Document, properties: Json) -> None:
        ranges = prefixes_of(properties, change.id)
        spaces = check_prefixes(parent.properties["addressSpace"]["addressPrefixes"], parent.arm_id)
        if any(not is_inside(one, spaces) for one in ranges):
            raise invalid_subnet(change.id.name, parent.name)
        for sibling in change.cloud.children(parent.id, SUBNETS):
            if sibling.key != change.id.key and overlap(ranges, prefixes_of(sibling.properties, change.id)):
                raise subnets_overlap(change.id.name, parent.name)


def _region_of(cloud: CloudView, subnet: Document) -> str:
    network_document = cloud.find(subnet.arm_id.parent)
    return str(network_document.body.get("location", "")) if network_document is not None else ""


def _endpoint(sent: Json, region: str) -> Json:
    """A service endpoint as answered: where nothing was said, it reaches the region.

    Evidence: azure-libraries-for-net, Network/CreateUpdateSubnetServiceAccess. Some services add the region's twin.
    """
    return {"provisioningState": "Succeeded", **sent, "locations": sent.get("locations") or [region]}


def _delegation(subnet: Document, sent: Json) -> Json:
    """A delegation as answered to a PUT that named only the service (errors_bundle_open)."""
    return {
        "name": sent.get("name"),
        "id": f"{subnet.id}/delegations/{sent.get('name')}",
        "etag": subnet.etag,
        "type": f"{SUBNETS}/delegations",
        "properties": {
            "provisioningState": "Succeeded",
            "serviceName": (sent.get("properties") or {}).get("serviceName"),
            "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"],
        },
    }


def prefixes_of(properties: Json, owner: ArmId) -> list[Network]:
    """The ranges of a subnet, from either of its two properties."""
    listed = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    return check_prefixes([prefix for prefix in listed if prefix], owner)


def refuse_in_use(cloud: CloudView, subnet: Document) -> None:
    """Raise what Azure says while a gateway stands in the subnet."""
    for user in users_of(cloud, subnet.id, "subnet"):
        raise refuse(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {user} and cannot be deleted. In order to delete the subnet, delete "
            "all the resources within the subnet. See aka.ms/deletesubnet.",
        )


KIND = Subnet()
