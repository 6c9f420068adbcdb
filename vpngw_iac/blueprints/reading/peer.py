"""Between networks in Azure: pairs of gateways, and spokes that use a hub's gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.plain import wires
from vpngw_iac.blueprints.gateway import ExistingVpnGateway, VpnGateway
from vpngw_iac.blueprints.naming import Naming, fit
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.reading.documents import PEERINGS, Seen, id_in, same_name
from vpngw_iac.blueprints.reading.gateways import existing_gateway
from vpngw_iac.blueprints.reading.networks import network_of
from vpngw_iac.blueprints.reading.notes import Notes, common_tags
from vpngw_iac.blueprints.reading.operations_settings import lock_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said
from vpngw_iac.blueprints.reading.tunnels import connection_values, connections_of
from vpngw_iac.blueprints.site import TrafficSelector
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.resources.wire import Output

_NAMING = Naming()

Half = tuple[ArmId, Seen]
"""One of two connections, or of two peerings."""


def pairs_of(notes: Notes, gateways: list[ArmId]) -> tuple[Pair, ...]:
    """The pairs that gateways of ours belong to; two twins are one."""
    found: list[Pair] = []
    told: set[ArmId] = set()
    for gateway in gateways:
        for identity, seen in connections_of(notes, gateway, "Vnet2Vnet"):
            if identity in told:
                continue
            far = id_in(seen, "properties.virtualNetworkGateway2")
            twin = next(_twins(notes, gateway, far), None) if far else None
            told |= {identity, *([twin[0]] if twin else [])}
            found += _pair(notes, gateway, far, (identity, seen), twin)
    return tuple(found)


def _twins(notes: Notes, near: ArmId, far: ArmId) -> Iterator[Half]:
    for identity, seen in notes.documents.starting_at(far):
        if id_in(seen, "properties.virtualNetworkGateway2") == near:
            yield identity, seen


def _pair(notes: Notes, gateway: ArmId, far: ArmId | None, one: Half, two: Half | None) -> Iterator[Pair]:
    """The pair, with as many of its halves as agree and can be said."""
    if two is not None and _common(one) != _common(two):
        notes.leave(two[0], f"it says other things than its twin {one[0].name}")
        two = None
    try:
        with notes.attempt():
            pair = _joined(notes, gateway, far, one, two)
    except Unsaid as error:
        for identity, _ in filter(None, (one, two)):
            notes.leave(identity, str(error))
        return
    notes.manage(one[0], two[0] if two else None)
    yield pair


SIDED = frozenset(name for name, mark in wires(Pair) if mark.sides)
"""What a pair says for each side."""


def _values(half: Half) -> dict[str, Any]:
    return connection_values(Pair, *half)


def _common(half: Half) -> dict[str, Any]:
    """What both halves of a pair must say."""
    return {name: value for name, value in _values(half).items() if name not in SIDED}


def _of_sides(one: Half, two: Half | None) -> dict[str, Any]:
    """What each half says for itself."""
    a, b = _values(one), _values(two) if two else _values(one)
    return {name: (a.get(name), b.get(name)) for name in sorted(SIDED) if name in a or name in b}


def _selectors(one: Half, two: Half | None) -> tuple[TrafficSelector, ...] | None:
    """The selectors as the first half sees them; the second has them the other way round."""
    mine = selector_ranges(one[1])
    if two is not None and selector_ranges(two[1]) != [(remote, local) for local, remote in mine]:
        raise Unsaid(f"its traffic selectors are not those of its twin {two[0].name} the other way round")
    return tuple(made(TrafficSelector, local=local, remote=remote) for local, remote in mine) or None


def selector_ranges(connection: Seen) -> list[tuple[Any, Any]]:
    """Local and remote ranges of each traffic selector."""
    items = objects(value_at(connection, "properties.trafficSelectorPolicies"))
    return [(item.get("localAddressRanges"), item.get("remoteAddressRanges")) for item in items]


def _joined(notes: Notes, gateway: ArmId, far: ArmId | None, one: Half, two: Half | None) -> Pair:
    if far is None:
        raise Unsaid("it names no other gateway")
    a, b = notes.gateways[gateway], existing_gateway(notes, far, "it is the far end of a pair")
    if not isinstance(a, VpnGateway | ExistingVpnGateway) or not isinstance(b, VpnGateway | ExistingVpnGateway):
        raise Unsaid("it joins something else than VPN gateways")
    halves = [(one, gateway), *([(two, far)] if two else [])]
    groups = [None if same_name(half[0].group, home.group) else half[0].group for half, home in halves]
    locks = [lock_of(notes, half[0]) for half, _ in halves]
    derived = tuple(
        fit(_NAMING.vnet_connection.format(gateway=near.name, peer=other.name))
        for near, other in ((gateway, far), (far, gateway))
    )
    names = (one[0].name, two[0].name if two else derived[1])
    return made(
        Pair,
        a=a,
        b=b,
        shared_key=notes.secret(
            f"{gateway.name}_{far.name}_PSK",
            f"pre-shared key of {' and '.join(names)}",
            Output(one[0], "properties.sharedKey", secret=True),
        ),
        manage="both" if two else "a",
        connection_names=None if names == derived else names,
        resource_group=tuple((groups * 2)[:2]) if any(groups) else None,
        lock=tuple((locks * 2)[:2]) if any(locks) else None,
        traffic_selectors=_selectors(one, two),
        tags=common_tags(half[1] for half, _ in halves),
        **_common(one),
        **_of_sides(one, two),
    )


# --- spokes ----------------------------------------------------------------------------------------------------------


def spokes_of(notes: Notes, hub: ArmId, hubs: frozenset[ArmId]) -> tuple[Spoke, ...]:
    """The networks that a network with gateways is peered with; `hubs` are all networks with gateways of ours."""
    found = []
    for identity, seen in notes.documents.below(hub, PEERINGS):
        if identity in notes.accounts:
            continue
        remote = id_in(seen, "properties.remoteVirtualNetwork")
        try:
            found.append(_spoke(notes, hub, remote, (identity, seen), hubs))
        except Unsaid as error:
            notes.leave(identity, str(error))
    return tuple(sorted(found, key=lambda spoke: spoke.network.address_name.lower()))


def _spoke(notes: Notes, hub: ArmId, remote: ArmId | None, near: Half, hubs: frozenset[ArmId]) -> Spoke:
    if remote is None:
        raise Unsaid("it names no other network")
    far = next(_facing(notes, remote, hub), None)
    lends = bool(value_at(near[1], "properties.allowGatewayTransit"))
    borrows = far is not None and bool(value_at(far[1], "properties.useRemoteGateways"))
    if value_at(near[1], "properties.useRemoteGateways"):
        raise Unsaid("it uses the gateway of the other network, although there is one here")
    if remote in hubs and far is not None and value_at(far[1], "properties.allowGatewayTransit"):
        raise Unsaid("both networks lend their gateway to each other")
    if value_at(near[1], "properties.allowVirtualNetworkAccess") is False:
        raise Unsaid("it lets no traffic of the other network in")
    agrees = far is not None and _agrees(far, lends=lends, borrows=borrows)
    if far is not None and not agrees:
        notes.leave(far[0], f"it says other things than the hub's half {near[0].name}")
    spoke = made(
        Spoke,
        network=network_of(notes, remote),
        manage="both" if agrees else "hub",
        gateway_transit=lends,
        hub_peering_name=_unless(near[0], hub, remote),
        spoke_peering_name=_unless(far[0], remote, hub) if agrees and far else None,
        forwarded_traffic=_forwarded(near, far if agrees else None),
    )
    notes.manage(near[0], far[0] if agrees and far else None)
    return spoke


def _agrees(far: Half, *, lends: bool, borrows: bool) -> bool:
    """Whether one spoke says both halves: the flag of the one is that of the other."""
    return value_at(far[1], "properties.allowVirtualNetworkAccess") is not False and lends == borrows


def _forwarded(near: Half, far: Half | None) -> tuple[bool | None, bool | None] | None:
    """What each half takes of traffic that others forwarded."""
    both = [said(Spoke, half[1], shape_of(model_of(half[0]))).get("forwarded_traffic") for half in (near, far or near)]
    return (both[0], both[1]) if any(both) else None


def _facing(notes: Notes, network: ArmId, other: ArmId) -> Iterator[Half]:
    for identity, seen in notes.documents.below(network, PEERINGS):
        if id_in(seen, "properties.remoteVirtualNetwork") == other:
            yield identity, seen


def _unless(peering: ArmId, local: ArmId, remote: ArmId) -> str | None:
    derived = fit(_NAMING.peering.format(network=local.name, remote=remote.name))
    return None if peering.name == derived else peering.name
