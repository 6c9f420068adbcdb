"""VNet peering: gateway transit, its loops, and address spaces that cannot be peered."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.prefixes import Span
from vpngw_iac.preflight.registry import Violation, each, networks, peerings, rule
from vpngw_iac.preflight.view.network import Network, Peering
from vpngw_iac.preflight.view.resource_view import named


@rule(
    "R-PEER-01",
    "E",
    "Spoke uses a gateway that is not lent",
    "PEER, GWT",
    "Allow gateway transit on the hub's side, and put a gateway into the hub.",
)
@each(peerings)
def transit(peering: Peering) -> Iterator[Violation]:
    """The flag useRemoteGateways needs a gateway in the other network and allowGatewayTransit on its side."""
    if not peering.borrows or not peering.resource.is_managed:
        return
    other = peering.other_side
    if other is not None and other.lends is False:
        yield Violation(
            peering.resource,
            f"It uses the gateways of the other network, but {other.resource.address} does not allow transit.",
            "Allow gateway transit on the hub's side.",
        )
    elif peering.remote is not None and peering.remote.resource.is_managed and not peering.remote.gateways:
        yield Violation(
            peering.resource,
            f"It uses the gateways of {peering.remote.resource.address}, which has none in this file.",
            "Add a gateway to the hub, or set gateway_transit=False until there is one.",
            "warning",
        )


def _hub_only(peering: Peering) -> bool:
    return not peering.resource.is_managed


@rule(
    "R-PEER-02",
    "E",
    "Network has a gateway and borrows another",
    "PEER",
    "Set gateway_transit=False for this spoke, or remove its own gateway.",
)
@each(peerings)
def own_gateway(peering: Peering) -> Iterator[Violation]:
    """A network with a gateway of its own cannot use a remote one. A far side that is not ours only warns."""
    network = peering.network
    if peering.borrows and network is not None and network.gateways:
        yield Violation(
            peering.resource,
            f"{network.resource.address} has {named(g.resource for g in network.gateways)} and shall use the "
            f"gateway of {peering.remote_id.name if peering.remote_id else 'another network'} too.",
            level="warning" if _hub_only(peering) else None,
        )


@rule("R-PEER-03", "E", "Network borrows gateways from two hubs", "PEER", "Keep gateway_transit for one hub.")
@each(networks)
def one_hub(network: Network) -> Iterator[Violation]:
    """Only one peering of a network may use remote gateways."""
    borrowing = [peering for peering in network.peerings if peering.borrows]
    if len(borrowing) > 1:
        yield Violation(
            borrowing[-1].resource,
            f"{named(p.resource for p in borrowing)} all use the gateways of the other side.",
            level="warning" if any(_hub_only(p) for p in borrowing) else None,
        )


@rule("R-PEER-05", "I", "Peering cannot be made, or too many", "PEER, VNLIM", "Ask support, or use a second hub.")
@each(networks)
def peered_spaces(network: Network) -> Iterator[Violation]:
    """Overlapping spaces cannot be peered; 500 peerings is a limit that support raises."""
    yield from _overlapping(network)
    if len(network.peerings) > limits.PEERINGS:
        yield Violation(
            network.resource,
            f"{len(network.peerings)} peerings; the usual limit is {limits.PEERINGS}.",
            level="warning",
        )


def _overlapping(network: Network) -> Iterator[Violation]:
    spans = [Span(prefix, network.resource.id.key) for prefix in network.prefixes]
    peers = {p.remote.resource.id.key: p for p in network.peerings if p.remote is not None}
    spans += [Span(prefix, key) for key, p in peers.items() if p.remote is not None for prefix in p.remote.prefixes]
    for inner, outer in prefixes.overlaps(spans, lambda one, other: one != other):
        peering = peers.get(inner.owner) or peers[outer.owner]
        if network.resource.id.key in (inner.owner, outer.owner):
            says = f"{inner.prefix} and {outer.prefix} of the two networks overlap; Azure refuses such a peering."
            yield Violation(peering.resource, says, "Give one of them another address space.", "error")
        else:
            other = peers[outer.owner]
            says = f"{inner.prefix} of this spoke overlaps {outer.prefix} of the spoke behind {other.resource.address}."
            yield Violation(peering.resource, says, "Give one of the spokes another address space.", "warning")


@rule(
    "R-PEER-07",
    "F",
    "Two hubs of one circuit lend gateways to each other",
    "ERFP",
    "Turn gateway transit off between the two hubs.",
)
@each(peerings)
def fast_path_hubs(peering: Peering) -> Iterator[str]:
    """With FastPath two peered hubs on one circuit keep gateway transit off between them."""
    if not peering.lends or peering.network is None or peering.remote is None:
        return
    here, there = _fast_circuits(peering.network), _fast_circuits(peering.remote)
    if here & there:
        yield "Both networks reach one circuit with FastPath, and this peering allows gateway transit."


def _fast_circuits(network: Network) -> frozenset[str]:
    return frozenset(
        connection.circuit_id.key
        for gateway in network.gateways
        for connection in gateway.connections
        if connection.circuit_id is not None and connection.has_fast_path
    )
