"""The nouns of a deployment, each once: shares of all blueprints merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, ExistingCircuit, GlobalReach
from vpngw_iac.blueprints.client import ClientAccess
from vpngw_iac.blueprints.compiling.frame import Frame, gateway_address, natural
from vpngw_iac.blueprints.compiling.merge import merged
from vpngw_iac.blueprints.compiling.work import Work
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.share import GatewayLike, Network, On, Share, Use
from vpngw_iac.blueprints.site import Site
from vpngw_iac.errors import Finding

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class SpokeOf:
    """A spoke, its hub, and the ids of the gateways that it uses."""

    use: Use[Spoke]
    hub: Network
    gateways: tuple[ArmId, ...]


@dataclass(frozen=True, slots=True)
class Assembly:
    """Each network, gateway, pair, circuit and spoke once, in a stable order: what checks of a topology read."""

    networks: tuple[Use[Network], ...]
    works: tuple[Work, ...]
    pairs: tuple[Use[Pair], ...]
    circuits: tuple[Use[Circuit | ExistingCircuit], ...]
    reaches: tuple[Use[GlobalReach], ...]
    spokes: tuple[SpokeOf, ...]
    findings: tuple[Finding, ...]
    """What two places say differently about one thing."""


def assemble(shares: Iterable[Share], frame: Frame) -> Assembly:
    """Merge the shares: one use for each network, gateway, circuit, site, pair and spoke."""
    every = list(shares)
    problems: list[Finding] = []
    gateways = merged(gateway_uses(every), frame.gateway_id, gateway_address, problems)
    networks = merged(
        network_uses(every), frame.network_id, lambda part: f"VirtualNetwork/{part.address_name}", problems
    )
    circuits = merged(circuit_uses(every), frame.circuit_id, lambda part: f"Circuit/{part.address_name}", problems)
    reaches = merged(
        (use for share in every for use in share.reaches),
        lambda part: tuple(sorted((frame.circuit_id(part.a).key, frame.circuit_id(part.b).key))),
        lambda part: f"GlobalReach/{part.a.address_name}/{part.b.address_name}",
        problems,
    )
    works = _works(every, gateways, frame, problems)
    pairs = merged(
        (use for share in every for use in share.pairs), lambda part: _pair_key(part, frame), _pair_address, problems
    )
    spokes = _spokes(every, frame, problems)
    return Assembly(
        networks=tuple(networks[key] for key in sorted(networks)),
        works=tuple(works[key] for key in sorted(works)),
        pairs=tuple(pairs[key] for key in sorted(pairs)),
        circuits=tuple(circuits[key] for key in sorted(circuits)),
        reaches=tuple(reaches[key] for key in sorted(reaches)),
        spokes=spokes,
        findings=tuple(problems),
    )


def gateway_uses(shares: Iterable[Share]) -> Iterator[Use[GatewayLike]]:
    """Every mention of a gateway."""
    for share in shares:
        yield from share.gateways


def network_uses(shares: Iterable[Share]) -> Iterator[Use[Network]]:
    """Every mention of a network."""
    shares = list(shares)
    for use in gateway_uses(shares):
        if use.part.network is not None:
            yield Use(use.part.network, f"{use.path}.network", use.owner, use.tags)
    for share in shares:
        for on in share.spokes:
            yield Use(on.use.part.network, f"{on.use.path}.network", on.use.owner, on.use.tags)


def circuit_uses(shares: Iterable[Share]) -> Iterator[Use[Circuit | ExistingCircuit]]:
    """Every mention of a circuit."""
    for share in shares:
        for on in share.circuits:
            yield Use(on.use.part.circuit, f"{on.use.path}.circuit", on.use.owner, on.use.tags)
        yield from share.bare_circuits
        for use in share.reaches:
            for end, part in (("a", use.part.a), ("b", use.part.b)):
                yield Use(part, f"{use.path}.{end}", use.owner, use.tags)


def _pair_key(part: Pair, frame: Frame) -> tuple[str, str]:
    first, second = sorted((frame.gateway_id(part.a).key, frame.gateway_id(part.b).key))
    return first, second


def _pair_address(part: Pair) -> str:
    kind = "VnetConnection" if part.via == "vnet" else "VpnConnection"
    return f"{kind}/{part.a.address_name}/{part.b.address_name}"


def _works(
    shares: list[Share], gateways: dict[ArmId, Use[GatewayLike]], frame: Frame, problems: list[Finding]
) -> dict[ArmId, Work]:
    sites = _by_gateway((on for share in shares for on in share.sites), frame)
    clients = _by_gateway((on for share in shares for on in share.clients), frame)
    circuits = _by_gateway((on for share in shares for on in share.circuits), frame)
    spokes = _by_gateway((on for share in shares for on in share.spokes), frame)
    peers = _peers(shares, frame)
    return {
        key: Work(
            id=key,
            use=use,
            tags=use.tags,
            sites=_sites(sites[key], use.part, problems),
            clients=_clients(clients[key], use.part, problems),
            circuits=_links(circuits[key], use.part, problems),
            peers=tuple(sorted(peers[key])),
            spokes=tuple(sorted({spoke.part.network.name for spoke in spokes[key] if spoke.part.gateway_transit})),
        )
        for key, use in gateways.items()
    }


def _by_gateway(entries: Iterable[On[P]], frame: Frame) -> defaultdict[ArmId, list[Use[P]]]:
    found: defaultdict[ArmId, list[Use[P]]] = defaultdict(list)
    for on in entries:
        for gateway in on.gateways:
            found[frame.gateway_id(gateway)].append(on.use)
    return found


def _peers(shares: list[Share], frame: Frame) -> defaultdict[ArmId, set[str]]:
    """Names of the gateways at the other ends."""
    found: defaultdict[ArmId, set[str]] = defaultdict(set)
    for share in shares:
        for use in share.pairs:
            found[frame.gateway_id(use.part.a)].add(use.part.b.name)
            found[frame.gateway_id(use.part.b)].add(use.part.a.name)
    return found


def _sites(uses: list[Use[Site]], gateway: GatewayLike, problems: list[Finding]) -> tuple[Use[Site], ...]:
    """Sites by name; one blueprint may say a name once, two blueprints may say the same site."""
    first: dict[tuple[str, str], Use[Site]] = {}
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
    return tuple(found[name] for name in sorted(found))


def _twin(first: Use[Site], second: Use[Site], gateway: GatewayLike) -> Finding:
    return Finding(
        rule="B-SITE",
        level="error",
        address=f"VpnConnection/{gateway.address_name}/{second.part.name}",
        summary="Two sites have one name",
        detail=f"{first.path} and {second.path} are both called {second.part.name!r}.",
        advice="Rename one, or make them two links of one site if they are two devices of one place.",
        location=second.path,
    )


def _clients(uses: list[Use[ClientAccess]], gateway: GatewayLike, problems: list[Finding]) -> Use[ClientAccess] | None:
    if not uses:
        return None
    found = merged(uses, lambda _: "clients", lambda _: gateway_address(gateway), problems)
    return found["clients"]


def _links(uses: list[Use[CircuitLink]], gateway: GatewayLike, problems: list[Finding]) -> tuple[Use[CircuitLink], ...]:
    found = merged(
        uses,
        lambda part: part.name.lower(),
        lambda part: f"ExpressRouteConnection/{gateway.address_name}/{part.name}",
        problems,
    )
    return tuple(found[name] for name in sorted(found))


def _spokes(shares: list[Share], frame: Frame, problems: list[Finding]) -> tuple[SpokeOf, ...]:
    groups: defaultdict[tuple[ArmId, ArmId], list[Use[Spoke]]] = defaultdict(list)
    hubs: dict[tuple[ArmId, ArmId], tuple[Network, set[ArmId]]] = {}
    for share in shares:
        for on in share.spokes:
            hub = on.gateways[0].network
            if hub is None:
                problems.append(_no_hub(on))
                continue
            key = (frame.network_id(hub), frame.network_id(on.use.part.network))
            groups[key].append(on.use)
            hubs.setdefault(key, (hub, set()))[1].update(frame.gateway_id(gateway) for gateway in on.gateways)
    return tuple(_spoke(groups[key], *hubs[key], problems) for key in sorted(groups))


def _spoke(uses: list[Use[Spoke]], hub: Network, gateways: set[ArmId], problems: list[Finding]) -> SpokeOf:
    found = merged(
        uses, lambda _: "spoke", lambda part: f"Peering/{part.network.address_name}/{hub.address_name}", problems
    )
    return SpokeOf(found["spoke"], hub, tuple(sorted(gateways)))


def _no_hub(on: On[Spoke]) -> Finding:
    return Finding(
        rule="B-HUB",
        level="error",
        address=gateway_address(on.gateways[0]),
        summary="The network of an existing gateway is not given",
        detail="Spokes are peered with the network that the gateway stands in, and the blueprint does not say which.",
        advice="Write VpnGateway.existing(..., network=VirtualNetwork.existing(...)).",
        location=on.use.path,
    )
