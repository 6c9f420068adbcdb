"""Public IP addresses.

Evidence: ``test_network_public_ip`` (create, update, delete, defaults), ``test_delete_dependent_resources`` (in use),
``xplat_arm-network-public-ip-tests-generated`` (InvalidDomainNameLabel, PublicIPIdleTimeoutIsOutOfRange), R-PIP-22.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.simulator.cloud_view import CloudView, shouted
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, defaults, normal
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import users_of
from vpngw_iac.simulator.wire import Json

_LABEL = re.compile(r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$")


class PublicIpAddress(Kind):
    """``Microsoft.Network/publicIPAddresses``."""

    arm_type = "Microsoft.Network/publicIPAddresses"
    retry_after = 1.0
    etag_header = True
    create_seconds = update_seconds = 1.0
    remove_seconds = 10.0
    read_only = frozenset({"ipConfiguration", "fqdn"})
    since: ClassVar[Mapping[str, str]] = {
        "properties.publicIPAddressVersion": "2016-06-01",
        "sku": "2017-08-01",
        "properties.ipTags": "2017-10-01",
        "sku.tier": "2020-07-01",
        "properties.ddosSettings": "2022-05-01",
    }

    def fill(self, change: PutRequest) -> Json:
        """Fill in the defaults of ``test_network_public_ip``; a Standard address is known at once (R-PIP-12)."""
        properties = super().fill(change)
        if "publicIPPrefix" not in properties:  # out of a prefix an address may be chosen
            properties.pop("ipAddress", None)
        defaults(
            properties,
            publicIPAddressVersion="IPv4",
            publicIPAllocationMethod="Dynamic",
            idleTimeoutInMinutes=4,
            ipTags=change.earlier.get("ipTags", []),
        )
        if (change.body.get("sku") or {}).get("name") == "Standard":
            defaults(properties, ddosSettings={"protectionMode": "VirtualNetworkInherited"})
        label = (properties.get("dnsSettings") or {}).get("domainNameLabel")
        if label:
            region = normal(str(change.body.get("location", "")))
            properties["dnsSettings"]["fqdn"] = f"{label}.{region}.cloudapp.azure.com"
        in_use = bool(users_of(change.cloud, str(change.id), "publicIPAddress"))
        if "ipAddress" in change.earlier and (properties["publicIPAllocationMethod"] == "Static" or in_use):
            properties["ipAddress"] = change.earlier["ipAddress"]
        return properties

    def complete(self, change: PutRequest, body: Json) -> None:
        """The SKU; Basic when none was sent, Regional always (``test_network_public_ip``)."""
        body["sku"] = {"name": "Basic", "tier": "Regional"} | (body.get("sku") or {})

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """A static address appears when the write has ended."""
        if document.properties["publicIPAllocationMethod"] == "Static":
            document.properties.setdefault("ipAddress", cloud.public_address())
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """400 while an ipConfiguration holds it (``test_delete_dependent_resources``, R-ORD-05)."""
        for used_by in users_of(cloud, document.id, "publicIPAddress"):
            raise refuse(
                "PublicIPAddressCannotBeDeleted",
                f"Public IP address {document.id} can not be deleted since it is still allocated to resource "
                f"{used_by}. In order to delete the public IP, disassociate/detach the Public IP address from "
                "the resource.  To learn how to do this, see aka.ms/deletepublicip.",
            )

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """With the back reference, in capitals."""
        shown = dict(document.properties)
        users = users_of(cloud, document.id, "publicIPAddress")
        if users:
            shown["ipConfiguration"] = {"id": shouted(users[0])}
        return shown

    def check(self, change: PutRequest, properties: Json) -> None:
        """Times, labels, and what does not go together."""
        sku = (change.body.get("sku") or {}).get("name", "Basic")
        if not 4 <= int(properties["idleTimeoutInMinutes"]) <= 30:
            raise refuse(
                "PublicIPIdleTimeoutIsOutOfRange",
                f"Public IP address {change.id.name} has invalid Idle Timeout. The value must be between 4 and 30.",
            )
        label = (properties.get("dnsSettings") or {}).get("domainNameLabel")
        if label and not _LABEL.match(label):
            raise refuse(
                "InvalidDomainNameLabel",
                f"The domain name label {label} is invalid. It must conform to the following regular expression: "
                f"{_LABEL.pattern}.",
            )
        self._check_label_free(change, label)
        if sku == "Basic" and (change.body.get("sku") or {}).get("tier") == "Global":
            raise refuse(
                "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress",
                "Global publicIP addresses are only supported for standard SKU public IP addresses. Public IP address "
                f"{change.id} is not standard SKU.",
            )
        if sku == "Standard" and properties["publicIPAllocationMethod"] != "Static":
            raise refuse(
                "PublicIPAddressWithStandardSkuMustUseStaticAllocationMethod",  # code not recorded
                f"Standard sku publicIp {change.id} must have AllocationMethod set to Static.",
            )
        if change.before is not None:
            self._check_unchanged(change, sku)

    def _check_label_free(self, change: PutRequest, label: object) -> None:
        """A label is there once in a region, whoever has it (Azure/azure-quickstart-templates issue 4978)."""
        region = normal(str(change.body.get("location", "")))
        for other in change.cloud.of_type(self.arm_type) if label else ():
            theirs = (other.properties.get("dnsSettings") or {}).get("domainNameLabel")
            if other.key != change.id.key and (theirs, other.body.get("location")) == (label, region):
                record = f"{label}.{region}.cloudapp.azure.com"
                raise refuse("DnsRecordInUse", f"DNS record {record} is already used by another public IP.")

    def _check_unchanged(self, change: PutRequest, sku: str) -> None:
        """SKU, zones, version and IP tags are decided at creation (R-PIP-22)."""
        before = change.before.body if change.before else {}
        old = {
            "sku": before["sku"]["name"],
            "zones": before.get("zones"),
            "publicIPAddressVersion": change.earlier["publicIPAddressVersion"],
            "ipTags": change.earlier["ipTags"],
        }
        new = {
            "sku": sku,
            "zones": change.body.get("zones") or None,
            "publicIPAddressVersion": change.sent.get("publicIPAddressVersion", "IPv4"),
            "ipTags": change.sent.get("ipTags", change.earlier["ipTags"]),
        }
        for name, value in old.items():
            if value != new[name]:
                raise refuse(
                    "PropertyChangeNotAllowed",  # code not recorded
                    f"Changing property '{name}' of resource {change.id} from {value} to {new[name]} is not allowed.",
                )


KIND = PublicIpAddress()
