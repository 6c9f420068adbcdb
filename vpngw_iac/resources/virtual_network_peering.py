"""Peerings of virtual networks, with the flags that lend a hub's gateway to its spokes."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Detachable, Immutable, Observed, Outage, ReadOnly, ServerDefault, Unordered
from vpngw_iac.resources.base import Durations, OperationLock, PeeringSide, Resource
from vpngw_iac.resources.virtual_network import GATEWAY_SUBNET, PEERINGS, VirtualNetwork
from vpngw_iac.resources.wire import Ref, WireModel

_GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
_SEEN = "java_testNetworkUpdateTags: Azure reports it, nobody sets it"


class PeeringProperties(WireModel):
    """Properties of one side of a peering."""

    remote_virtual_network: Annotated[Ref[VirtualNetwork], Immutable("a peering keeps its other network")]
    allow_virtual_network_access: Annotated[bool | None, ServerDefault(True)] = None
    allow_forwarded_traffic: Annotated[bool | None, ServerDefault(False)] = None
    # On the hub's side; needed before a spoke may use the gateway (R-PEER-01).
    allow_gateway_transit: Annotated[
        bool | None, ServerDefault(False), Outage("seconds", profiles=True, source="R-PEER-06")
    ] = None
    # On the spoke's side; set to false before the hub's gateway goes (R-ORD-06).
    use_remote_gateways: Annotated[
        bool | None,
        ServerDefault(False),
        Detachable(off=False, needs=_GATEWAYS),
        Outage("seconds", profiles=True, source="R-PEER-06"),
    ] = None
    do_not_verify_remote_gateways: Annotated[bool | None, ServerDefault(False)] = None
    peer_complete_vnets: Annotated[bool | None, ServerDefault(True), Immutable()] = None
    enable_only_ipv6_peering: Annotated[
        bool | None, ServerDefault(False), Immutable(), Field(alias="enableOnlyIPv6Peering")
    ] = None
    local_subnet_names: Annotated[tuple[str, ...] | None, Unordered()] = None
    remote_subnet_names: Annotated[tuple[str, ...] | None, Unordered()] = None

    # State of the other side, changes when that one is created (recording ``java_testNetworkUpdateTags``).
    peering_state: Annotated[None, ReadOnly(_SEEN)] = None
    peering_sync_level: Annotated[None, ReadOnly(_SEEN)] = None
    local_address_space: Annotated[None, ReadOnly(_SEEN)] = None
    local_virtual_network_address_space: Annotated[None, ReadOnly(_SEEN)] = None
    remote_address_space: Annotated[None, ReadOnly(_SEEN)] = None
    remote_virtual_network_address_space: Annotated[None, ReadOnly(_SEEN)] = None
    remote_bgp_communities: Annotated[None, ReadOnly(_SEEN)] = None
    remote_virtual_network_encryption: Observed = None
    remote_gateways: Annotated[None, ReadOnly(_SEEN)] = None
    route_service_vips: Annotated[None, ReadOnly(_SEEN)] = None


class VirtualNetworkPeering(PeeringSide):
    """One side of a peering, a child of its virtual network."""

    arm_type: ClassVar[str] = PEERINGS
    kind: ClassVar[str] = "VirtualNetworkPeering"
    sdk: ClassVar[str] = "network.virtual_network_peerings"
    durations: ClassVar[Durations] = Durations(create=6, update=6, delete=11)
    facts: ClassVar[Mapping[str, str]] = {
        "peering_state": "properties.peeringState",
        "sync_level": "properties.peeringSyncLevel",
    }
    remote_path: ClassVar[str] = "properties.remoteVirtualNetwork"
    flag_names: ClassVar[tuple[str, str]] = ("allowGatewayTransit", "useRemoteGateways")
    level_path: ClassVar[str] = "properties.peeringSyncLevel"
    in_step: ClassVar[str] = "FullyInSync"
    follows: ClassVar[str] = "properties.addressSpace"

    properties: PeeringProperties

    @property
    def remote(self) -> ArmId:
        """The other network."""
        return self.properties.remote_virtual_network.target

    @classmethod
    def is_connected(cls, document: Mapping[str, Any]) -> bool:
        """Both halves are there and know each other."""
        return (document.get("properties") or {}).get("peeringState") == "Connected"

    @classmethod
    def owns_all(cls, document: Mapping[str, Any]) -> bool:
        """What only the flags are ours of (``manage="flags"``) says nothing about access."""
        return (document.get("properties") or {}).get("allowVirtualNetworkAccess") is not None

    @classmethod
    def looks_at(
        cls, resource_id: ArmId, document: Mapping[str, Any], said: Literal["declared", "applied", "observed"]
    ) -> Iterator[ArmId]:
        """The network at the other end: its own peerings say who still uses a gateway that we lend."""
        if said != "observed" and (remote := cls.remote_in(document)) is not None:
            yield remote

    @classmethod
    def fault(cls, observed: Mapping[str, Any]) -> str:
        """A side whose twin was deleted stays Disconnected until it is put again (RemotePeeringIsDisconnected)."""
        disconnected = (observed.get("properties") or {}).get("peeringState") == "Disconnected"
        return super().fault(observed) or ("Disconnected: the other side was deleted" if disconnected else "")

    @classmethod
    def lags(cls, observed: Mapping[str, Any]) -> str:
        """Connected, and the other network's address space changed since this half was peered or synchronised.

        Such a half reads LocalNotInSync and is the one to synchronise (Microsoft Learn, "Update the address space for a
        peered virtual network"). Of a half that is Initiated or Disconnected nothing can be said.
        """
        level = _level(observed)
        return level if level in ("LocalNotInSync", "LocalAndRemoteNotInSync") else ""

    @classmethod
    def takes_over(cls, observed: Mapping[str, Any]) -> bool:
        """A half that is behind, and one that begins anew: its other network may have been made again."""
        return bool(cls.lags(observed)) or (observed.get("properties") or {}).get("peeringState") == "Disconnected"

    @classmethod
    def is_ahead(cls, observed: Mapping[str, Any]) -> bool:
        """Connected, and this half's own network changed: the other half is to be synchronised, by its owner."""
        return _level(observed) in ("RemoteNotInSync", "LocalAndRemoteNotInSync")

    def is_counterpart_of(self, other: Resource) -> bool:
        """The other side: a peering cannot be created while that one is Disconnected."""
        return (
            isinstance(other, VirtualNetworkPeering)
            and other.id.parent == self.properties.remote_virtual_network.target
            and self.id.parent == other.properties.remote_virtual_network.target
        )

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Both networks; with a transit flag also the hub's GatewaySubnet, which every write to its gateway holds."""
        local = resource_id.parent
        properties = body.get("properties") or {}
        remote = ArmId(properties["remoteVirtualNetwork"]["id"]) if properties.get("remoteVirtualNetwork") else None
        networks = {network.key for network in (local, remote) if network}
        hubs = {
            hub.child("subnets", GATEWAY_SUBNET).key
            for hub, flag in ((local, "allowGatewayTransit"), (remote, "useRemoteGateways"))
            if hub and properties.get(flag)
        }
        return tuple(OperationLock(key) for key in (resource_id.key, *sorted(networks), *sorted(hubs)))


def _level(observed: Mapping[str, Any]) -> str:
    """The level of synchronisation of a Connected half."""
    level = (observed.get("properties") or {}).get("peeringSyncLevel") or ""
    return str(level) if VirtualNetworkPeering.is_connected(observed) else ""
