"""Two gateways joined by IPsec connections and local network gateways that stand for each other: one pair.

That is certain where each has one connection to every public address of the other and they agree in all that a pair
says once. Anything less is read as sites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.plain import wires
from vpngw_iac.blueprints.naming import Naming, fit
from vpngw_iac.blueprints.operations_settings import Lock
from vpngw_iac.blueprints.peer import Pair
from vpngw_iac.blueprints.reading.documents import LOCKS, Documents, Seen, id_in, network_id, same_name
from vpngw_iac.blueprints.reading.nat import rules_in
from vpngw_iac.blueprints.reading.notes import Notes, tags_of
from vpngw_iac.blueprints.reading.operations_settings import lock_of
from vpngw_iac.blueprints.reading.peer import SIDED, selector_ranges
from vpngw_iac.blueprints.reading.plain import Unsaid, made
from vpngw_iac.blueprints.reading.tunnels import chosen_instances, connection_values, connections_of, instance_names
from vpngw_iac.blueprints.site import Link, TrafficSelector
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources.wire import Output

_NAMING = Naming()
_OF_PAIR = frozenset(name for name, _ in wires(Pair))
_NUMBERED = re.compile(r"-(\d)$")


@dataclass(frozen=True, slots=True)
class PeerTunnel:
    """A connection to one address of the other gateway, with the local network gateway that stands for it."""

    id: ArmId
    seen: Seen
    local_id: ArmId
    local: Seen


@dataclass(frozen=True, slots=True)
class PairSide:
    """One gateway of a pair, with a tunnel to each address of the other."""

    gateway: ArmId
    seen: Seen
    tunnels: tuple[PeerTunnel, ...]

    @property
    def ids(self) -> tuple[ArmId, ...]:
        """What the pair says of this side."""
        return tuple(each for tunnel in self.tunnels for each in (tunnel.id, tunnel.local_id))


PairSides = tuple[PairSide, PairSide]


def ipsec_pairs(documents: Documents, notes: Notes) -> Iterator[PairSides]:
    """Pairs among the gateways that may be ours."""
    gateways = [i for i, _ in documents.wanted_gateways() if documents.is_gateway_of(i, "Vpn") and documents.is_home(i)]
    addresses = {gateway: _addresses(documents, gateway) for gateway in gateways}
    tunnels = {gateway: list(_tunnels(notes, gateway)) for gateway in gateways}
    for a, b in combinations(gateways, 2):
        there, back = _side(documents, a, tunnels[a], addresses[b]), _side(documents, b, tunnels[b], addresses[a])
        if there and back and _agree(documents, notes, there, back):
            yield there, back


def _addresses(documents: Documents, gateway: ArmId) -> list[str]:
    """Public addresses in the order of instances; empty if one is unknown."""
    seen = documents.by_id[gateway]
    parts = objects(value_at(seen, "properties.ipConfigurations"))[: _instances(seen)]
    ids = [id_in(part, "properties.publicIPAddress") for part in parts]
    found = [value_at(documents.by_id.get(i), "properties.ipAddress") if i else None for i in ids]
    return [str(each) for each in found] if all(found) else []


def _instances(seen: Seen) -> int:
    return 2 if value_at(seen, "properties.activeActive") else 1


def _tunnels(notes: Notes, gateway: ArmId) -> Iterator[PeerTunnel]:
    """Tunnels of a gateway that a pair could say, each to a device of its own."""
    documents = notes.documents
    for identity, seen in connections_of(notes, gateway, "IPsec"):
        local_id = id_in(seen, "properties.localNetworkGateway2")
        local = documents.get(local_id)
        if local_id is None or local is None or identity in documents.apart or documents.users_of(local_id) != 1:
            continue
        beside = same_name(local_id.group, gateway.group) and same_name(local_id.subscription, gateway.subscription)
        if beside and same_name(identity.subscription, gateway.subscription):
            yield PeerTunnel(identity, seen, local_id, local)


def _side(documents: Documents, gateway: ArmId, tunnels: Sequence[PeerTunnel], addresses: list[str]) -> PairSide | None:
    """The gateway with exactly one tunnel to each address of the other."""
    chosen = [
        [tunnel for tunnel in tunnels if value_at(tunnel.local, "properties.gatewayIpAddress") == address]
        for address in addresses
    ]
    if not chosen or any(len(each) != 1 for each in chosen):
        return None
    return PairSide(gateway, documents.by_id[gateway], tuple(each[0] for each in chosen))


# --- whether a pair says the same ------------------------------------------------------------------------------------


def _agree(documents: Documents, notes: Notes, one: PairSide, two: PairSide) -> bool:
    every = (*one.tunnels, *two.tunnels)
    alike = [_common(tunnel) for tunnel in every]
    if any(each != alike[0] for each in alike) or not all(_is_plain(tunnel) for tunnel in every):
        return False
    try:
        sides = [_of_side(notes, side) for side in (one, two)]
    except Unsaid:
        return False
    return all(_faces(documents, near, far) for near, far in ((one, two), (two, one))) and all(sides)


def _common(tunnel: PeerTunnel) -> dict[str, Any]:
    """What every tunnel of a pair must say; selectors are compared by side."""
    said = _values(tunnel)
    common = {name: value for name, value in said.items() if name not in SIDED}
    return {**common, "tags": tags_of(tunnel.seen)}


def _values(tunnel: PeerTunnel) -> dict[str, Any]:
    return connection_values(Pair, tunnel.id, tunnel.seen)


def _is_plain(tunnel: PeerTunnel) -> bool:
    """Whether it says nothing that a pair has no field for."""
    more = set(connection_values(Link, tunnel.id, tunnel.seen)) - _OF_PAIR
    certificate = str(value_at(tunnel.seen, "properties.authenticationType")).lower() == "certificate"
    region = tunnel.local.get("location") == tunnel.seen.get("location")
    tags = tags_of(tunnel.seen) == tags_of(tunnel.local)
    weight = value_at(tunnel.local, "properties.bgpSettings.peerWeight")
    selectors = bool(more <= {"traffic_selectors"})
    return selectors and tags and region and not (certificate or weight or rules_in(tunnel.seen))


def _of_side(notes: Notes, side: PairSide) -> bool:
    """Whether the tunnels of one side agree in what a pair says for each side, and are called alike."""
    first, *others = (_sided(notes, side, tunnel) for tunnel in side.tunnels)
    names = [[tunnel.id.name for tunnel in side.tunnels], [tunnel.local_id.name for tunnel in side.tunnels]]
    return all(each == first for each in others) and all(_base(each) is not None for each in names)


def _sided(notes: Notes, side: PairSide, tunnel: PeerTunnel) -> Any:
    own = {name: value for name, value in _values(tunnel).items() if name in SIDED}
    locks = [
        (value_at(seen, "properties.level"), value_at(seen, "properties.notes"), lock.name.replace(tunnel.id.name, ""))
        for lock, seen in notes.documents.below(tunnel.id, LOCKS)
    ]
    return own, str(tunnel.id.group).lower(), selector_ranges(tunnel.seen), locks, _chosen(side, tunnel)


def _chosen(side: PairSide, tunnel: PeerTunnel) -> list[str]:
    """The custom BGP addresses of the near gateway, one for each of its instances or none."""
    found = chosen_instances(side.gateway, side.seen, tunnel.seen)
    if found and [instance for instance, _ in found] != list(range(_instances(side.seen))):
        raise Unsaid("it chooses an address of one instance only")
    return [address for _, address in found]


def _faces(documents: Documents, near: PairSide, far: PairSide) -> bool:
    """Whether the local network gateways say of the far gateway what it is."""
    home = documents.by_id.get(network_id(far.seen) or near.gateway)
    space = sorted(value_at(home, "properties.addressSpace.addressPrefixes") or ())
    there, back = (selector_ranges(side.tunnels[0].seen) for side in (near, far))
    if there != [(remote, local) for local, remote in back]:
        return False
    chosen = _chosen(far, far.tunnels[0])
    for number, tunnel in enumerate(near.tunnels):
        behind = sorted(value_at(tunnel.local, "properties.localNetworkAddressSpace.addressPrefixes") or ())
        speaks = bool(value_at(tunnel.seen, "properties.enableBgp"))
        settings = value_at(tunnel.local, "properties.bgpSettings") or {}
        if speaks != bool(settings.get("asn")) or behind != ([] if speaks else space):
            return False
        if speaks and (settings.get("asn"), settings.get("bgpPeeringAddress")) != (
            value_at(far.seen, "properties.bgpSettings.asn"),
            chosen[number] if chosen else _bgp_address(far, number),
        ):
            return False
    return bool(space)


def _bgp_address(side: PairSide, instance: int) -> str | None:
    """The BGP address that Azure gave an instance."""
    name = instance_names(side.seen)[instance].lower()
    for item in objects(value_at(side.seen, "properties.bgpSettings.bgpPeeringAddresses")):
        part = ArmId.of(item.get("ipconfigurationId"))
        if part is not None and part.name.lower() == name:
            return next(iter(item.get("defaultBgpIpAddresses") or ()), None)
    return None


def _base(names: Sequence[str]) -> str | None:
    """The name without its number, where there are two and they are numbered."""
    if len(names) == 1:
        return names[0]
    numbers = [found[1] if (found := _NUMBERED.search(name)) else "" for name in names]
    bases = {_NUMBERED.sub("", name) for name in names}
    return bases.pop() if len(bases) == 1 and numbers == ["1", "2"] else None


# --- the noun --------------------------------------------------------------------------------------------------------


def pair_over_ipsec(notes: Notes, one: PairSide, two: PairSide) -> Pair:
    """The pair; raises `Unsaid`. Both gateways are read already."""
    a, b = notes.gateways[one.gateway], notes.gateways[two.gateway]
    sides = (one, two)
    locks = tuple(_lock(notes, side) for side in sides)
    groups = tuple(
        None if same_name(side.tunnels[0].id.group, side.gateway.group) else side.tunnels[0].id.group for side in sides
    )
    apipa = tuple(tuple(_chosen(side, side.tunnels[0])) for side in sides)
    first = one.tunnels[0]
    own = [_values(side.tunnels[0]) for side in sides]
    return made(
        Pair,
        a=a,
        b=b,
        via="ipsec",
        shared_key=notes.secret(
            f"{one.gateway.name}_{two.gateway.name}_PSK",
            f"pre-shared key of {one.gateway.name} and {two.gateway.name}",
            Output(first.id, "properties.sharedKey", secret=True),
        ),
        connection_names=_names(sides, _NAMING.vnet_connection, [[t.id.name for t in side.tunnels] for side in sides]),
        local_gateway_names=_names(
            sides, _NAMING.peer_gateway, [[t.local_id.name for t in side.tunnels] for side in sides]
        ),
        apipa=apipa if any(apipa) else None,
        lock=locks if any(locks) else None,
        resource_group=groups if any(groups) else None,
        traffic_selectors=tuple(
            made(TrafficSelector, local=near, remote=far) for near, far in selector_ranges(first.seen)
        )
        or None,
        **_common(first),
        **{name: (own[0].get(name), own[1].get(name)) for name in sorted(SIDED) if any(name in each for each in own)},
    )


def _names(sides: PairSides, pattern: str, names: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """The names without numbers, unless they are those that would be derived."""
    found = tuple(_base(each) or each[0] for each in names)
    ends = [side.gateway.name for side in sides]
    derived = tuple(fit(pattern.format(gateway=near, peer=far)) for near, far in (ends, ends[::-1]))
    return None if found == derived else found


def _lock(notes: Notes, side: PairSide) -> Lock | None:
    first, *_ = [lock_of(notes, tunnel.id) for tunnel in side.tunnels]
    return first
