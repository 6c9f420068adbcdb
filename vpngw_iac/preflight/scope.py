"""Where things stand: subscription and region of what belongs together."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.blueprints.regions import REGIONS, REGIONS_AS_OF
from vpngw_iac.field import nearest_region
from vpngw_iac.preflight.registry import Breach, rule
from vpngw_iac.preflight.view.resource_view import Thing, named, region
from vpngw_iac.preflight.view.topology import NETWORK, Topology


@rule(
    "R-SCOPE-01",
    level="E",
    title="Gateway, network and public IPs are apart",
    source="SDK, SET",
    fix="Put the gateway and its public IPs into the subscription and the region of the network.",
)
def one_place(topology: Topology) -> Iterator[Breach]:
    """A gateway shares subscription and region with its network and its public IPs; groups may differ."""
    for gateway in topology.gateways:
        network = gateway.network
        around = [*([network.thing] if network else []), *gateway.public_ips]
        for thing in around:
            if thing.id.subscription.lower() != gateway.thing.id.subscription.lower():
                yield Breach(
                    gateway.thing,
                    f"{thing.address} is in another subscription.",
                    "Put the gateway into the subscription of its network.",
                )
            elif region(thing) and gateway.location and region(thing) != gateway.location:
                yield Breach(
                    gateway.thing,
                    f"It is in {gateway.location}, {thing.address} in {region(thing)}.",
                    "Put both into the region of the network.",
                )


@rule(
    "R-SCOPE-02",
    level="E",
    title="Connection is not where its gateway is",
    source="SDK, V2V",
    fix="Put the connection into the subscription and the region of its gateway.",
)
def connection_place(topology: Topology) -> Iterator[Breach]:
    """A connection lives in the subscription and at the location of its first gateway."""
    for connection in topology.connections:
        gateway, wanted = connection.gateway, connection.gateway_id
        if wanted is None or not connection.thing.is_managed:
            continue
        if wanted.subscription.lower() != connection.thing.id.subscription.lower():
            yield Breach(
                connection.thing,
                f"Its gateway {wanted.name} is in another subscription.",
                "Put the connection into the subscription of its gateway.",
            )
        elif gateway and gateway.location and region(connection.thing) not in (None, gateway.location):
            yield Breach(
                connection.thing,
                f"It is at {region(connection.thing)}, its gateway {gateway.thing.address} at {gateway.location}.",
                f'Use location="{gateway.location}".',
            )


@rule(
    "R-SCOPE-03",
    level="W",
    ages=True,
    title="Region is unknown",
    source="REG",
    fix="Check its name; `az account list-locations` lists the regions of a subscription.",
)
def known_region(topology: Topology) -> Iterator[Breach]:
    """Regions are known from a list that ages; `vpngw plan` asks the subscription, whose answer decides."""
    unknown: dict[str, list[Thing]] = {}
    for thing in topology.things.values():
        place = region(thing)
        if place is not None and place not in REGIONS:
            unknown.setdefault(place, []).append(thing)
    for place, things in sorted(unknown.items()):
        first, *others = sorted(things, key=lambda thing: (thing.id.type.lower() != NETWORK, thing.address))
        also = f" So are {named(others)}." if others else ""
        close = nearest_region(place, REGIONS)
        yield Breach(
            first,
            f"It is in {place!r}, none of the {len(REGIONS)} regions that were known on {REGIONS_AS_OF}.{also}",
            f"Did you mean {close!r}? `vpngw plan` asks the subscription." if close else "",
        )
