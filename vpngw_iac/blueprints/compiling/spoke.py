"""Spokes: the two peerings between a hub and a network that uses its gateways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import CompileContext, Item
from vpngw_iac.blueprints.compiling.plain import properties_of
from vpngw_iac.blueprints.contribution import Network, PlacedPart
from vpngw_iac.blueprints.peer import Spoke
from vpngw_iac.resources import virtual_network_peering as wire
from vpngw_iac.resources.base import Ref


def peerings(
    use: PlacedPart[Spoke], hub: Network, gateways: tuple[ArmId, ...], context: CompileContext
) -> Iterator[Item]:
    """The hub's peering first, then the spoke's, which needs it and the gateways (R-PEER-01, R-PEER-04)."""
    spoke = use.part
    hub_id = _peering_id(hub, spoke.network, spoke.hub_peering_name, context)
    yield _peering(use, hub, spoke.network, context, needs=())
    if spoke.manage != "hub":
        users = sorted(gateways) if spoke.gateway_transit else []
        needs: tuple[Ref[Any], ...] = tuple(Ref.to(target) for target in (hub_id, *users))
        yield _peering(use, spoke.network, hub, context, needs=needs)


def _peering_id(local: Network, remote: Network, given: str | None, context: CompileContext) -> ArmId:
    name, _ = context.called(given, context.naming.peering.format(network=local.name, remote=remote.name))
    return context.network_id(local).child("virtualNetworkPeerings", name)


def _peering(
    use: PlacedPart[Spoke], local: Network, remote: Network, context: CompileContext, needs: tuple[Ref[Any], ...]
) -> wire.VirtualNetworkPeering:
    spoke = use.part
    is_spoke_side = local == spoke.network
    given = spoke.spoke_peering_name if is_spoke_side else spoke.hub_peering_name
    return wire.VirtualNetworkPeering(
        address=f"Peering/{local.address_name}/{remote.address_name}",
        id=_peering_id(local, remote, given, context),
        tenant=context.place(local).tenant,
        derived_name=given is None,
        protect=spoke.protect,
        # Peerings that were there before us stay when the spoke leaves the blueprint.
        on_removal="forget" if spoke.manage == "flags" else spoke.on_removal,
        affected=(spoke.network.name,),
        needs=needs,
        properties=_properties(spoke, remote, context, is_spoke_side=is_spoke_side),
    )


def _properties(
    spoke: Spoke, remote: Network, context: CompileContext, *, is_spoke_side: bool
) -> wire.PeeringProperties:
    only_flags = spoke.manage == "flags"
    return wire.PeeringProperties(
        remote_virtual_network=Ref.to(context.network_id(remote)),
        allow_virtual_network_access=None if only_flags else True,
        allow_gateway_transit=None if is_spoke_side else spoke.gateway_transit,
        use_remote_gateways=spoke.gateway_transit if is_spoke_side else None,
        **properties_of(spoke, side=1 if is_spoke_side else 0),
    )
