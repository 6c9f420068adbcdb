"""What a picture shows, before any format: boxes, boxes around boxes, and lines between them.

Two pictures: the topology (networks with their gateways, what hangs on them) and the operations in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from vpngw_iac.arm import ArmId, InvalidArmId
from vpngw_iac.engine.compare.document import lookup, shown
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.order.operation import Key, Operation, Schedule, expectation
from vpngw_iac.resources.wire import Output

BoxKind = Literal["site", "clients", "circuit", "gateway", "network", "create", "update", "delete"]

_NETWORK = "microsoft.network/virtualnetworks"
_GATEWAY = "microsoft.network/virtualnetworkgateways"
_SITE = "microsoft.network/localnetworkgateways"
_CONNECTION = "microsoft.network/connections"
_PUBLIC_IP = "microsoft.network/publicipaddresses"
_PEERING = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
_CIRCUIT = "microsoft.network/expressroutecircuits"
_NAMES = {
    _NETWORK: "network",
    _GATEWAY: "gateway",
    _SITE: "site",
    _CIRCUIT: "circuit",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A box with a title and lines of small print; `column` is its place from left to right."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    kind: BoxKind = "network"
    inside: str = ""
    """Id of the box around it."""
    column: int = 0
    strong: bool = False
    """On the critical path."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two boxes; an arrow points to `target`."""

    source: str
    target: str
    label: str = ""
    arrow: bool = False
    strong: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as a value."""

    title: str
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()

    def inside(self, box: Box) -> tuple[Box, ...]:
        """The boxes within a box."""
        return tuple(other for other in self.boxes if other.inside == box.id)


# --- topology ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Thing:
    """One resource of the picture, declared or only used."""

    id: ArmId
    body: Mapping[str, Any] = field(default_factory=dict)
    existing: bool = False

    def get(self, path: str) -> Any:
        return lookup(self.body, path) or None

    @property
    def type(self) -> str:
        return self.id.type.lower()


def topology(graph: Graph, title: str) -> Drawing:
    """Networks with their gateways; sites, circuits and clients on the left, spokes on the right."""
    things = {thing.id: thing for thing in _things(graph)}
    lines = tuple(_topology_lines(things))
    ends = {end for line in lines for end in (line.source, line.target)}
    boxes = [*_gateways(things), *_outside(things)]
    homes = {box.inside for box in boxes if box.inside}
    boxes += _networks(things, homes, ends)
    known = {box.id for box in boxes}
    return Drawing(title, tuple(boxes), tuple(line for line in lines if {line.source, line.target} <= known))


def _things(graph: Graph) -> Iterator[_Thing]:
    found = {resource.id: _Thing(resource.id, resource.body()) for resource in graph.resources.values()}
    for item in graph.existing.values():
        found[item.id] = _Thing(item.id, _unfold(item.facts), existing=True)
    for thing in list(found.values()):
        for reference in _ids_in(thing.body):
            if reference.type.lower() in _NAMES and reference not in found:
                found[reference] = _Thing(reference, existing=True)
            network = _network_of(reference)
            if network is not None and network not in found:
                found[network] = _Thing(network, existing=True)
    yield from (found[key] for key in sorted(found))


def _unfold(facts: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, value in facts.items():
        *parents, last = path.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return document


def _ids_in(document: Any) -> Iterator[ArmId]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            if key.lower() == "id" and isinstance(value, str):
                try:
                    yield ArmId(value)
                except InvalidArmId:
                    continue
            else:
                yield from _ids_in(value)
    elif isinstance(document, list | tuple):
        for item in document:
            yield from _ids_in(item)


def _network_of(resource_id: ArmId) -> ArmId | None:
    current: ArmId | None = resource_id
    while current is not None and current.type.lower() != _NETWORK:
        current = current.parent
    return current


def _reference(thing: _Thing, path: str) -> ArmId | None:
    value = thing.get(path)
    try:
        return ArmId(value) if isinstance(value, str) else None
    except InvalidArmId:
        return None


def _gateways(things: Mapping[ArmId, _Thing]) -> Iterator[Box]:
    for thing in _of_type(things, _GATEWAY):
        subnet = _reference(thing, "properties.ipConfigurations[0].properties.subnet.id")
        network = _network_of(subnet) if subnet is not None else None
        home = _key(network) if network is not None and network in things else ""
        asn = thing.get("properties.bgpSettings.asn")
        small = (
            " ".join(filter(None, (_gateway_word(thing), thing.get("properties.sku.name")))),
            "active-active" if thing.get("properties.activeActive") else "",
            f"AS {asn}" if asn and thing.get("properties.enableBgp") is not False else "",
            "existing" if thing.existing else "",
        )
        yield Box(_key(thing.id), thing.id.name, _kept(small), "gateway", inside=home, column=1)


def _gateway_word(thing: _Thing) -> str:
    kind = str(thing.get("properties.gatewayType") or "").lower()
    return {"vpn": "VPN gateway", "expressroute": "ExpressRoute gateway"}.get(kind, "gateway")


def _stand_ins(things: Mapping[ArmId, _Thing]) -> dict[ArmId, ArmId]:
    """Local network gateways that stand for a gateway of this picture: their address is its public IP."""
    owners = {
        address: thing.id
        for thing in _of_type(things, _GATEWAY)
        for address in _ids_in(thing.body)
        if address.type.lower() == _PUBLIC_IP
    }
    return {
        thing.id: owners[where.source]
        for thing in _of_type(things, _SITE)
        if isinstance(where := thing.get("properties.gatewayIpAddress"), Output) and where.source in owners
    }


def _outside(things: Mapping[ArmId, _Thing]) -> Iterator[Box]:
    stand_ins = _stand_ins(things)
    for thing in (thing for thing in _of_type(things, _SITE) if thing.id not in stand_ins):
        where = thing.get("properties.gatewayIpAddress") or thing.get("properties.fqdn")
        asn = thing.get("properties.bgpSettings.asn")
        prefixes = thing.get("properties.localNetworkAddressSpace.addressPrefixes") or []
        small = (
            _text(where),
            _listed(prefixes),
            f"AS {asn}" if isinstance(asn, int) else "",
            "existing" if thing.existing else "",
        )
        yield Box(_key(thing.id), thing.id.name, _kept(small), "site")
    for thing in _of_type(things, _CIRCUIT):
        provider = "properties.serviceProviderProperties"
        bandwidth = thing.get(f"{provider}.bandwidthInMbps")
        small = (
            _text(thing.get(f"{provider}.serviceProviderName")),
            _text(thing.get(f"{provider}.peeringLocation")),
            f"{bandwidth} Mbps" if bandwidth else "",
            "existing" if thing.existing else "",
        )
        yield Box(_key(thing.id), thing.id.name, _kept(small), "circuit")
    for thing in _of_type(things, _GATEWAY):
        client = thing.get("properties.vpnClientConfiguration")
        if client:
            pool = lookup(client, "vpnClientAddressPool.addressPrefixes") or []
            protocols = lookup(client, "vpnClientProtocols") or []
            print_ = _kept((_listed(pool), ", ".join(str(item) for item in protocols)))
            yield Box(f"{_key(thing.id)}#clients", f"Clients of {thing.id.name}", print_, "clients")


def _networks(things: Mapping[ArmId, _Thing], homes: set[str], ends: set[str]) -> Iterator[Box]:
    for thing in _of_type(things, _NETWORK):
        key = _key(thing.id)
        if key in homes or key in ends or not thing.existing:
            prefixes = thing.get("properties.addressSpace.addressPrefixes") or []
            small = (_listed(prefixes), _text(thing.get("location")), "existing" if thing.existing else "")
            yield Box(key, thing.id.name, _kept(small), "network", column=1 if key in homes else 2)


def _topology_lines(things: Mapping[ArmId, _Thing]) -> Iterator[Line]:
    stand_ins = _stand_ins(things)
    between_gateways: set[tuple[str, str, str]] = set()
    for thing in _of_type(things, _CONNECTION):
        near = _reference(thing, "properties.virtualNetworkGateway1.id")
        ends = ("localNetworkGateway2", "virtualNetworkGateway2", "peer")
        far = next((end for name in ends if (end := _reference(thing, f"properties.{name}.id"))), None)
        if near is None or far is None:
            continue
        far, label = stand_ins.get(far, far), _connection_label(thing)
        if far.type.lower() != _GATEWAY:
            yield Line(_key(far), _key(near), label)
        else:
            first, second = sorted((_key(far), _key(near)))
            between_gateways.add((first, second, label))
    yield from (Line(*pair) for pair in sorted(between_gateways))
    for thing in _of_type(things, _GATEWAY):
        if thing.get("properties.vpnClientConfiguration"):
            yield Line(f"{_key(thing.id)}#clients", _key(thing.id), "point-to-site")
    seen: set[frozenset[str]] = set()
    for thing in _of_type(things, _PEERING):
        here, there = thing.id.parent, _reference(thing, "properties.remoteVirtualNetwork.id")
        if here is not None and there is not None and (pair := frozenset((_key(here), _key(there)))) not in seen:
            seen.add(pair)
            hub, spoke = sorted((_key(here), _key(there)), key=lambda key: (not _has_gateway(things, key), key))
            yield Line(hub, spoke, "peering", dashed=True)


def _has_gateway(things: Mapping[ArmId, _Thing], key: str) -> bool:
    return any(box.inside == key for box in _gateways(things))


def _connection_label(thing: _Thing) -> str:
    kind = str(thing.get("properties.connectionType") or "")
    word = {"IPsec": "IPsec", "Vnet2Vnet": "VNet-to-VNet", "ExpressRoute": "ExpressRoute"}.get(kind, kind)
    return word + (", BGP" if thing.get("properties.enableBgp") else "")


def _of_type(things: Mapping[ArmId, _Thing], arm_type: str) -> Iterator[_Thing]:
    return (thing for thing in things.values() if thing.type == arm_type)


def _key(resource_id: ArmId) -> str:
    return resource_id.key


def _kept(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _text(value: Any) -> str:
    return "" if value is None else str(shown(value))


def _listed(values: Iterable[Any], most: int = 2) -> str:
    items = [str(shown(value)) for value in values]
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest


# --- operations ----------------------------------------------------------------------------------------------------


def operations(schedule: Schedule, title: str) -> Drawing:
    """Operations by wave, left to right; only the arrows that no other path implies; the critical path is strong."""
    critical = set(schedule.critical_path)
    steps = set(pairwise(schedule.critical_path))
    lines = [
        Line(str(source), str(key), arrow=True, strong=(source, key) in steps)
        for key, sources in directly_after(schedule).items()
        for source in sources
    ]
    boxes = tuple(_operation_box(operation, schedule, critical) for operation in schedule.operations)
    return Drawing(title, boxes, tuple(lines))


def directly_after(schedule: Schedule) -> dict[Key, tuple[Key, ...]]:
    """What each operation waits for, without what is implied by the rest."""
    known = {operation.key: operation for operation in schedule.operations}
    after = {key: frozenset(operation.after & known.keys()) for key, operation in known.items()}
    above = _ancestors(after, schedule)
    return {
        key: tuple(s for s in sorted(after[key]) if not any(s in above[other] for other in after[key] if other != s))
        for key in known
    }


def _ancestors(after: Mapping[Key, frozenset[Key]], schedule: Schedule) -> dict[Key, frozenset[Key]]:
    found: dict[Key, frozenset[Key]] = {}
    for operation in sorted(schedule.operations, key=lambda o: schedule.waves.get(o.key, 0)):
        direct = after[operation.key]
        found[operation.key] = direct.union(*(found.get(key, frozenset()) for key in direct))
    return found


def _operation_box(operation: Operation, schedule: Schedule, critical: set[Key]) -> Box:
    kind, _, name = operation.address.partition("/")
    return Box(
        str(operation.key),
        name or kind,
        _kept((f"{operation.key.step} {kind}", expectation(operation.seconds))),
        _box_kind(operation),
        column=schedule.waves.get(operation.key, 1) - 1,
        strong=operation.key in critical,
    )


def _box_kind(operation: Operation) -> BoxKind:
    match operation.kind:
        case "create":
            return "create"
        case "delete":
            return "delete"
        case _:
            return "update"
