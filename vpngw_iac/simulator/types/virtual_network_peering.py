"""Peerings of virtual networks, with gateway transit.

Evidence: recordings section (b) (states, added properties), ``errors_bundle_open`` (an update), R-PEER-01 to R-PEER-05.
``RemoteVnetHasNoGateways`` (hashicorp/terraform#30569) and the disconnected-remote refusal are known from the field,
the message about AllowGatewayTransit too (hashicorp/terraform-provider-azurerm#2872); codes marked *assumed* are ours.

Which half is out of step after an address space changed, and that a sync mends it: "Update the address space for a
peered virtual network" (Microsoft Learn), and the scenario test of Sync-AzVirtualNetworkPeering in
Azure/azure-powershell: the changed network's own peering reads RemoteNotInSync, the other one LocalNotInSync, and the
latter is synchronised. The query is ``syncRemoteAddressSpace`` of Azure/azure-rest-api-specs (virtualNetwork.json);
without it what was peered stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.checks import Network, network, overlap
from vpngw_iac.simulator.cloud_view import CloudView, as_id, reference, same
from vpngw_iac.simulator.document import SUCCEEDED, Document, Hold
from vpngw_iac.simulator.kind import MemberKind, PutRequest, Reader, defaults
from vpngw_iac.simulator.refusal import not_provisioned, refuse
from vpngw_iac.simulator.relations import PEERINGS, SUBNETS, gateways_in, prefixes_of
from vpngw_iac.simulator.wire import Json


class VirtualNetworkPeering(MemberKind):
    """``Microsoft.Network/virtualNetworks/virtualNetworkPeerings``."""

    arm_type = PEERINGS
    has_guid = True
    etag_header = True
    create_seconds = update_seconds = remove_seconds = 11.0
    read_only = frozenset(
        {
            "peeringState",
            "peeringSyncLevel",
            "remoteAddressSpace",
            "remoteVirtualNetworkAddressSpace",
            "remoteGateways",
            "remoteBgpCommunities",
            "remoteVirtualNetworkEncryption",
            "routeServiceVips",
            "localAddressSpace",
            "localVirtualNetworkAddressSpace",
        }
    )
    since: ClassVar[Mapping[str, str]] = {
        "properties.peeringSyncLevel": "2021-02-01",
        "properties.remoteVirtualNetworkAddressSpace": "2021-02-01",
        "properties.peerCompleteVnets": "2021-03-01",
    }

    def fill(self, change: PutRequest) -> Json:
        """Fill in the flags, and what the other side has."""
        properties = super().fill(change)
        defaults(
            properties,
            allowVirtualNetworkAccess=True,
            allowForwardedTraffic=False,
            allowGatewayTransit=False,
            useRemoteGateways=False,
            doNotVerifyRemoteGateways=False,
            peerCompleteVnets=True,
            routeServiceVips={},
        )
        properties["remoteVirtualNetwork"] = reference(properties.get("remoteVirtualNetwork"))
        remote = change.cloud.find(as_id(properties["remoteVirtualNetwork"]))
        peered = None if change.asks("syncRemoteAddressSpace") else change.earlier.get("remoteAddressSpace")
        current = prefixes_of(remote)
        properties["remoteAddressSpace"] = peered or {"addressPrefixes": current}
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Both sides."""
        local = change.id.parent
        remote = change.cloud.refer_loosely(properties["remoteVirtualNetwork"], change.id)
        if local is None:
            return
        _check_networks(change, local, remote)
        if properties["useRemoteGateways"]:
            _check_remote_gateways(change, local, remote)
        if change.before is not None:
            _check_transit(change, local, remote, properties)

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Both networks (R-OPS-02)."""
        holds: dict[str, Hold] = {change.id.key: "exclusive"}
        body = change.earlier if change.before else change.body.get("properties") or {}
        for network_id in (change.id.parent, as_id(body.get("remoteVirtualNetwork"))):
            if network_id is not None:
                holds[network_id.key] = "exclusive"
        return holds

    def hide(self, document: Document, told: Json) -> None:
        """Whether it was connected once."""
        document.hidden["connected"] = told.get("peeringState") in ("Connected", "Disconnected")

    def stored(self, change: PutRequest, document: Document) -> None:
        """Writing a peering whose twin is gone takes it back to Initiated."""
        if counterpart_of(change.cloud, document) is None:
            document.hidden.pop("connected", None)

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """The second of two sides connects both."""
        twin = counterpart_of(cloud, document)
        if twin is not None:
            document.hidden["connected"] = twin.hidden["connected"] = True
            twin.etag = cloud.etag()
            cloud.save(twin)
        cloud.touch(document.arm_id.parent, document.properties["remoteVirtualNetwork"])
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """The half that lends goes after the one that borrows (R-PEER-04: delete in reverse); code assumed."""
        twin = counterpart_of(cloud, document)
        if twin is not None and twin.properties["useRemoteGateways"] and document.properties["allowGatewayTransit"]:
            raise refuse(
                "PeeringInUseByRemotePeering",
                f"Peering {document.id} cannot be deleted while remote peering {twin.id} has UseRemoteGateways flag "
                "set to true.",
            )

    def removed(self, cloud: CloudView, document: Document) -> None:
        """The other side is Disconnected from now on."""
        twin = counterpart_of(cloud, document)
        cloud.touch(document.arm_id.parent, twin.id if twin else None)

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """States follow from whether the other side is there, and from its address space."""
        shown = dict(document.properties)
        twin = counterpart_of(cloud, document)
        remote = cloud.find(as_id(shown["remoteVirtualNetwork"]))
        current = prefixes_of(remote)
        shown["peeringState"] = state_of(document, twin)
        shown["peeringSyncLevel"] = level_of(cloud, document, twin)
        shown["remoteVirtualNetworkAddressSpace"] = {"addressPrefixes": current}
        if remote is not None and "encryption" in remote.properties:
            shown["remoteVirtualNetworkEncryption"] = dict(remote.properties["encryption"])
        home = cloud.find(document.arm_id.parent)
        if "localSubnetNames" in shown:
            self._show_subnets(cloud, shown, home, remote)
        if shown["useRemoteGateways"] and remote is not None:
            shown["remoteGateways"] = [{"id": gateway.id} for gateway in gateways_in(cloud, remote.id)]
        return shown

    def _show_subnets(self, cloud: CloudView, shown: Json, home: Document | None, remote: Document | None) -> None:
        """Of a peering between single subnets, the spaces are theirs (``test_network_vnet_peering_with_params``)."""
        for side, owner, names in (
            ("local", home, shown["localSubnetNames"]),
            ("remote", remote, shown.get("remoteSubnetNames") or []),
        ):
            subnets = cloud.children(owner.id, SUBNETS) if owner is not None else []
            prefixes = [str(s.properties.get("addressPrefix")) for s in subnets if s.name in names]
            shown[f"{side}AddressSpace"] = {"addressPrefixes": prefixes}
            shown[f"{side}VirtualNetworkAddressSpace"] = {"addressPrefixes": prefixes}


def counterpart_of(cloud: CloudView, peering: Document) -> Document | None:
    """The peering of the other network that leads back."""
    remote = as_id(peering.properties.get("remoteVirtualNetwork"))
    home = peering.arm_id.parent
    if remote is None or home is None:
        return None
    return find_peering(cloud, remote, home)


def find_peering(cloud: CloudView, network_id: ArmId, leads_to: ArmId) -> Document | None:
    """The peering of one network that leads to another."""
    candidates = cloud.children(network_id, PEERINGS)
    found = (peering for peering in candidates if same(peering.properties.get("remoteVirtualNetwork"), str(leads_to)))
    return next(found, None)


def state_of(document: Document, twin: Document | None) -> str:
    """Initiated, Connected, Disconnected."""
    if twin is not None:
        return "Connected"
    return "Disconnected" if document.hidden.get("connected") else "Initiated"


def level_of(cloud: CloudView, document: Document, twin: Document | None) -> str:
    """Local: the other network changed after this half was peered or synchronised. Remote: the same of the other half.

    A half without its twin reads RemoteNotInSync (``java_testNetworkUpdateTags``).
    """
    local = _follows(cloud, document)
    remote = twin is not None and _follows(cloud, twin)
    if local and remote:
        return "FullyInSync"
    if local:
        return "RemoteNotInSync"
    return "LocalNotInSync" if remote else "LocalAndRemoteNotInSync"


def _follows(cloud: CloudView, peering: Document) -> bool:
    """Whether what was peered is what the other network has now; one that is gone has not changed."""
    remote = cloud.find(as_id(peering.properties["remoteVirtualNetwork"]))
    return remote is None or prefixes_of(remote) == peering.properties["remoteAddressSpace"]["addressPrefixes"]


def _parsed(network_document: Document | None) -> list[Network]:
    texts = prefixes_of(network_document)
    return [parsed for parsed in map(network, texts) if parsed is not None]


def _check_networks(change: PutRequest, local: ArmId, remote: Document) -> None:
    if change.before is not None and not same(change.earlier["remoteVirtualNetwork"], remote.id):
        raise refuse(
            "ChangingRemoteVirtualNetworkNotAllowed",
            f"Remote virtual network of peering {change.id} cannot be changed.",
        )
    if overlap(_parsed(change.cloud.find(local)), _parsed(remote)):
        raise refuse(
            "VnetAddressSpacesOverlap",  # R-PEER-05
            f"Cannot create or update peering {change.id}. Virtual networks {local} and {remote.id} cannot be peered "
            "because their address spaces overlap.",
        )
    other = find_peering(change.cloud, local, remote.arm_id)
    if other is not None and other.key != change.id.key:
        raise refuse(
            "AnotherPeeringAlreadyReferencesRemoteVnet",
            f"Peering {change.id} cannot be created because peering {other.id} already references {remote.id}.",
        )
    back = find_peering(change.cloud, remote.arm_id, local)
    if change.before is None and back is not None and state_of(back, None) == "Disconnected":
        raise refuse(
            "RemotePeeringIsDisconnected",
            f"Cannot create or update peering {change.id} because remote peering {back.id} referencing parent virtual "
            f"network {local} is in Disconnected state. Update or re-create the remote peering to get it back to "
            "Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and re-created.",
        )


def _check_remote_gateways(change: PutRequest, local: ArmId, remote: Document) -> None:
    """R-PEER-01 to R-PEER-03."""
    gateways = list(gateways_in(change.cloud, remote.id))
    if not gateways:
        raise refuse(
            "RemoteVnetHasNoGateways",
            f"Peering {change.id} cannot have UseRemoteGateway flag set to true because remote virtual network "
            f"{remote.id} referenced by the peering does not have any gateways.",
        )
    for gateway in gateways:
        if gateway.state != SUCCEEDED:
            raise not_provisioned(gateway.id, str(change.id), gateway.state)
    back = find_peering(change.cloud, remote.arm_id, local)
    if back is None or not back.properties["allowGatewayTransit"]:
        raise refuse(
            "RemotePeeringDoesNotAllowGatewayTransit",  # assumed; the message is known from the field
            f"Peering {change.id} cannot have UseRemoteGateways flag set to true, because corresponding remote peering "
            f"{back.id if back else ''} has AllowGatewayTransit flag set to false.",
        )
    for own in gateways_in(change.cloud, str(local)):
        raise refuse(
            "VnetWithGatewayCannotUseRemoteGateways",  # assumed
            f"Peering {change.id} cannot use remote gateways because virtual network {local} has gateway {own.id}.",
        )
    for other in change.cloud.children(local, PEERINGS):
        if other.key != change.id.key and other.properties["useRemoteGateways"]:
            raise refuse(
                "OnlyOnePeeringMayUseRemoteGateways",  # assumed
                f"Peering {change.id} cannot use remote gateways because peering {other.id} already does.",
            )


def _check_transit(change: PutRequest, local: ArmId, remote: Document, properties: Json) -> None:
    """Transit cannot be taken away while the other side uses it (R-PEER-04); code assumed."""
    back = find_peering(change.cloud, remote.arm_id, local)
    if back is not None and back.properties["useRemoteGateways"] and not properties["allowGatewayTransit"]:
        raise refuse(
            "GatewayTransitInUseByRemotePeering",
            f"AllowGatewayTransit of peering {change.id} cannot be false while remote peering {back.id} uses gateways.",
        )


KIND = VirtualNetworkPeering()
