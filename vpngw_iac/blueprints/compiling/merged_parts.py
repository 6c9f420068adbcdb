"""The nouns of a deployment, each once: contributions of all blueprints merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import CompileContext, gateway_address, natural
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.merge import merged
from vpngw_iac.blueprints.contribution import Contribution, GatewayAttachment, GatewayLike, Network, PlacedPart
from vpngw_iac.blueprints.site import Site
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass

if TYPE_CHECKING:
    from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, ExistingCircuit, GlobalReach
    from vpngw_iac.blueprints.client import ClientAccess
    from vpngw_iac.blueprints.peer import Pair, Spoke

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class SpokeOf:
    """A spoke, its hub, and the ids of the gateways that it uses."""

    use: PlacedPart[Spoke]
    hub: Network
    gateways: tuple[ArmId, ...]


@dataclass(frozen=True, slots=True)
class MergedParts:
    """Each network, gateway, pair, circuit and spoke once, in a stable order: what checks of a topology read."""

    networks: tuple[PlacedPart[Network], ...]
    gateways: tuple[GatewayContext, ...]
    pairs: tuple[PlacedPart[Pair], ...]
    circuits: tuple[PlacedPart[Circuit | ExistingCircuit], ...]
    reaches: tuple[PlacedPart[GlobalReach], ...]
    spokes: tuple[SpokeOf, ...]
    findings: tuple[Finding, ...]
    """What two places say differently about one thing."""


def assemble(contributions: Iterable[Contribution], context: CompileContext) -> MergedParts:
    """Merge the contributions: one use for each network, gateway, circuit, site, pair and spoke."""
    every = list(contributions)
    problems: list[Finding] = []
    gateways = merged(gateway_uses(every), context.gateway_id, gateway_address, problems)
    networks = merged(
        network_uses(every), context.network_id, lambda part: f"VirtualNetwork/{part.address_name}", problems
    )
    circuits = merged(circuit_uses(every), context.circuit_id, lambda part: f"Circuit/{part.address_name}", problems)
    reaches = merged(
        (use for contribution in every for use in contribution.reaches),
        lambda part: tuple(sorted((context.circuit_id(part.a).key, context.circuit_id(part.b).key))),
        lambda part: f"GlobalReach/{part.a.address_name}/{part.b.address_name}",
        problems,
    )
    contexts = _gateway_contexts(every, gateways, context, problems)
    pairs = merged(
        (use for contribution in every for use in contribution.pairs),
        lambda part: tuple(sorted((context.gateway_id(part.a).key, context.gateway_id(part.b).key))),
        lambda part: f"{_PAIRS[part.via]}/{part.a.address_name}/{part.b.address_name}",
        problems,
    )
    spokes = _spokes(every, context, problems)
    return MergedParts(
        networks=tuple(networks.values()),
        gateways=contexts,
        pairs=tuple(pairs.values()),
        circuits=tuple(circuits.values()),
        reaches=tuple(reaches.values()),
        spokes=spokes,
        findings=tuple(problems),
    )


_PAIRS = {"vnet": "VnetConnection", "ipsec": "VpnConnection"}


def gateway_uses(contributions: Iterable[Contribution]) -> Iterator[PlacedPart[GatewayLike]]:
    """Every mention of a gateway."""
    for contribution in contributions:
        yield from contribution.gateways


def network_uses(contributions: Iterable[Contribution]) -> Iterator[PlacedPart[Network]]:
    """Every mention of a network."""
    contributions = list(contributions)
    for use in gateway_uses(contributions):
        if use.part.network is not None:
            yield PlacedPart(use.part.network, f"{use.path}.network", use.owner, use.tags)
    for contribution in contributions:
        for on in contribution.spokes:
            yield PlacedPart(on.use.part.network, f"{on.use.path}.network", on.use.owner, on.use.tags)


def circuit_uses(contributions: Iterable[Contribution]) -> Iterator[PlacedPart[Circuit | ExistingCircuit]]:
    """Every mention of a circuit."""
    for contribution in contributions:
        for on in contribution.circuits:
            yield PlacedPart(on.use.part.circuit, f"{on.use.path}.circuit", on.use.owner, on.use.tags)
        yield from contribution.bare_circuits
        for use in contribution.reaches:
            for end, part in (("a", use.part.a), ("b", use.part.b)):
                yield PlacedPart(part, f"{use.path}.{end}", use.owner, use.tags)


def _gateway_contexts(
    contributions: list[Contribution],
    gateways: dict[ArmId, PlacedPart[GatewayLike]],
    context: CompileContext,
    problems: list[Finding],
) -> tuple[GatewayContext, ...]:
    sites = _by_gateway((on for contribution in contributions for on in contribution.sites), context)
    clients = _by_gateway((on for contribution in contributions for on in contribution.clients), context)
    circuits = _by_gateway((on for contribution in contributions for on in contribution.circuits), context)
    spokes = _by_gateway((on for contribution in contributions for on in contribution.spokes), context)
    spare = _by_gateway((on for contribution in contributions for on in contribution.local_gateways), context)
    peers = _peers(contributions, context)
    return tuple(
        GatewayContext(
            id=key,
            use=use,
            tags=use.tags,
            sites=_sites(sites[key], use.part, problems),
            local_gateways=tuple(spare[key]),
            clients=_clients(clients[key], use.part, problems),
            circuits=_links(circuits[key], use.part, problems),
            peers=tuple(sorted(peers[key])),
            spokes=tuple(sorted({spoke.part.network.name for spoke in spokes[key] if spoke.part.gateway_transit})),
        )
        for key, use in gateways.items()
    )


def _by_gateway(
    entries: Iterable[GatewayAttachment[P]], context: CompileContext
) -> defaultdict[ArmId, list[PlacedPart[P]]]:
    found: defaultdict[ArmId, list[PlacedPart[P]]] = defaultdict(list)
    for on in entries:
        for gateway in on.gateways:
            found[context.gateway_id(gateway)].append(on.use)
    return found


def _peers(contributions: list[Contribution], context: CompileContext) -> defaultdict[ArmId, set[str]]:
    """Names of the gateways at the other ends."""
    found: defaultdict[ArmId, set[str]] = defaultdict(set)
    for contribution in contributions:
        for use in contribution.pairs:
            found[context.gateway_id(use.part.a)].add(use.part.b.name)
            found[context.gateway_id(use.part.b)].add(use.part.a.name)
    return found


def _sites(uses: list[PlacedPart[Site]], gateway: GatewayLike, problems: list[Finding]) -> tuple[PlacedPart[Site], ...]:
    """Sites by name; one blueprint may say a name once, two blueprints may say the same site."""
    first: dict[tuple[str, str], PlacedPart[Site]] = {}
    for use in sorted(uses, key=lambda use: natural(use.path)):
        known = first.setdefault((use.owner, use.part.name.lower()), use)
        if known is not use:
            problems.append(_twin(known, use, gateway))
    found = merged(
        first.values(),
        lambda part: part.name.lower(),
        lambda part: f"VpnConnection/{gateway.address_name}/{part.name}",
        problems,
    )
    return tuple(found.values())


def _twin(first: PlacedPart[Site], second: PlacedPart[Site], gateway: GatewayLike) -> Finding:
    return Finding(
        rule="B-SITE",
        address=f"VpnConnection/{gateway.address_name}/{second.part.name}",
        summary="Two sites have one name",
        detail=f"{first.path} and {second.path} are both called {second.part.name!r}.",
        advice="Rename one, or make them two links of one site if they are two devices of one place.",
        location=second.path,
    )


def _clients(
    uses: list[PlacedPart[ClientAccess]], gateway: GatewayLike, problems: list[Finding]
) -> PlacedPart[ClientAccess] | None:
    return merged(uses, lambda _: "clients", lambda _: gateway_address(gateway), problems).get("clients")


def _links(
    uses: list[PlacedPart[CircuitLink]], gateway: GatewayLike, problems: list[Finding]
) -> tuple[PlacedPart[CircuitLink], ...]:
    found = merged(
        uses,
        lambda part: part.name.lower(),
        lambda part: f"ExpressRouteConnection/{gateway.address_name}/{part.name}",
        problems,
    )
    return tuple(found.values())


def _spokes(contributions: list[Contribution], context: CompileContext, problems: list[Finding]) -> tuple[SpokeOf, ...]:
    groups: defaultdict[tuple[ArmId, ArmId], list[PlacedPart[Spoke]]] = defaultdict(list)
    hubs: dict[tuple[ArmId, ArmId], tuple[Network, set[ArmId]]] = {}
    for contribution in contributions:
        for on in contribution.spokes:
            hub = on.gateways[0].network
            if hub is None:
                problems.append(
                    Finding(
                        rule="B-HUB",
                        address=gateway_address(on.gateways[0]),
                        summary="The network of an existing gateway is not given",
                        detail="Spokes are peered with the network that the gateway stands in, and the blueprint does "
                        "not say which.",
                        advice="Write VpnGateway.existing(..., network=VirtualNetwork.existing(...)).",
                        location=on.use.path,
                    )
                )
                continue
            key = (context.network_id(hub), context.network_id(on.use.part.network))
            groups[key].append(on.use)
            hubs.setdefault(key, (hub, set()))[1].update(context.gateway_id(gateway) for gateway in on.gateways)
    return tuple(_spoke(groups[key], *hubs[key], problems) for key in sorted(groups))


def _spoke(uses: list[PlacedPart[Spoke]], hub: Network, gateways: set[ArmId], problems: list[Finding]) -> SpokeOf:
    found = merged(
        uses, lambda _: "spoke", lambda part: f"Peering/{part.network.address_name}/{hub.address_name}", problems
    )
    return SpokeOf(found["spoke"], hub, tuple(sorted(gateways)))
