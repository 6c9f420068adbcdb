"""What a picture shows, before any format: boxes, boxes around boxes, and lines between them.

Two pictures: the topology (networks with their gateways, what hangs on them) and the operations in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal, TypeVar

from vpngw_iac.engine.compare.document import shown
from vpngw_iac.engine.order.operation import Key, Operation, Schedule, expectation
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.preflight.view.resource_view import View
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.text import listed

BoxKind = Literal["site", "clients", "circuit", "gateway", "network", "create", "update", "delete"]
V = TypeVar("V", bound=View)

_GATEWAYS = {"vpn": "VPN gateway", "expressroute": "ExpressRoute gateway"}
_CONNECTIONS = {"ipsec": "IPsec", "vnet2vnet": "VNet-to-VNet", "expressroute": "ExpressRoute"}


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


def topology(graph: Graph, title: str) -> Drawing:
    """Networks with their gateways; sites, circuits and clients on the left, spokes on the right."""
    seen = _with_neighbours(graph)
    lines = tuple(_topology_lines(seen))
    ends = {end for line in lines for end in (line.source, line.target)}
    boxes = [*_gateways(seen), *_outside(seen)]
    homes = {box.inside for box in boxes if box.inside}
    boxes += _networks(seen, homes, ends)
    known = {box.id for box in boxes}
    return Drawing(title, tuple(boxes), tuple(line for line in lines if {line.source, line.target} <= known))


def _with_neighbours(graph: Graph) -> TopologyView:
    """What the graph declares and uses, and what those name although they are not in it."""
    declared: tuple[Resource | Existing, ...] = (*graph.resources.values(), *graph.existing.values())
    seen = TopologyView.of(declared)
    named = {end for c in seen.connections for end in (c.gateway_id, c.remote_id, c.local_id, c.circuit_id)}
    named |= {gateway.network_id for gateway in seen.gateways} | {peering.remote_id for peering in seen.peerings}
    return TopologyView.of(
        (*declared, *(Existing(end.key, end) for end in named if end is not None and not seen.find(end)))
    )


def _gateways(seen: TopologyView) -> Iterator[Box]:
    for gateway in _by_id(seen.gateways):
        kind = (gateway.declared_type or "").lower()
        small = (
            " ".join(filter(None, (_GATEWAYS.get(kind, "gateway"), gateway.sku))),
            "active-active" if gateway.active_active else "",
            f"AS {gateway.declared_asn}" if gateway.declared_asn and gateway.has_bgp is not False else "",
        )
        home = "" if gateway.network_id is None else gateway.network_id.key
        yield _box(gateway, "gateway", *small, inside=home, column=1)


def _outside(seen: TopologyView) -> Iterator[Box]:
    for local in (local for local in _by_id(seen.locals) if local.stands_for is None):
        asn = "" if local.asn is None else f"AS {local.asn}"
        yield _box(local, "site", _text(local.declared_ip or local.fqdn), _listed(local.declared_prefixes), asn)
    for circuit in _by_id(seen.circuits):
        megabits = f"{circuit.provider_megabits} Mbps" if circuit.provider_megabits else ""
        yield _box(circuit, "circuit", _text(circuit.provider), _text(circuit.location), megabits)
    for gateway in _by_id(seen.gateways):
        if gateway.clients:
            small = _kept((_listed(gateway.client_prefixes), ", ".join(gateway.client_protocols)))
            yield Box(_clients(gateway), f"Clients of {gateway.resource.name}", small, "clients")


def _networks(seen: TopologyView, homes: set[str], ends: set[str]) -> Iterator[Box]:
    for network in _by_id(seen.networks):
        key = _key(network)
        if key in homes or key in ends or network.resource.is_managed:
            small = (_listed(network.declared_prefixes), _text(network.resource.text("location")))
            yield _box(network, "network", *small, column=1 if key in homes else 2)


def _topology_lines(seen: TopologyView) -> Iterator[Line]:
    between_gateways: set[tuple[str, str, str]] = set()
    for connection in _by_id(seen.connections):
        near, local = connection.gateway_id, connection.local
        far = (local and local.stands_for) or connection.local_id or connection.remote_id or connection.circuit_id
        if near is None or far is None:
            continue
        label = _CONNECTIONS.get(connection.kind, "") + (", BGP" if connection.has_bgp else "")
        if seen.gateway(far) is None:
            yield Line(far.key, near.key, label)
        else:
            first, second = sorted((far.key, near.key))
            between_gateways.add((first, second, label))
    yield from (Line(*pair) for pair in sorted(between_gateways))
    for gateway in _by_id(seen.gateways):
        if gateway.clients:
            yield Line(_clients(gateway), _key(gateway), "point-to-site")
    pairs = (frozenset(filter(None, (peering.network_id, peering.remote_id))) for peering in _by_id(seen.peerings))
    for pair in dict.fromkeys(pair for pair in pairs if len(pair) == 2):
        hub, spoke = sorted(pair, key=lambda end: (not seen.gateways_in(end), end.key))
        yield Line(hub.key, spoke.key, "peering", dashed=True)


def _box(view: View, kind: BoxKind, *small: str, inside: str = "", column: int = 0) -> Box:
    lines = _kept((*small, "" if view.resource.is_managed else "existing"))
    return Box(_key(view), view.resource.name, lines, kind, inside, column)


def _by_id(views: Iterable[V]) -> list[V]:
    return sorted(views, key=lambda view: view.resource.id)


def _clients(gateway: View) -> str:
    """Id of the box of a gateway's clients."""
    return f"{_key(gateway)}#clients"


def _key(view: View) -> str:
    return view.resource.id.key


def _kept(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _text(value: Any) -> str:
    return "" if value is None else str(shown(value))


def _listed(values: Iterable[Any]) -> str:
    return listed((shown(value) for value in values), most=2)


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
