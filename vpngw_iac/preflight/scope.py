"""Where things stand: subscription and region of what belongs together."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.blueprints.regions import REGIONS, REGIONS_AS_OF
from vpngw_iac.field import nearest_region
from vpngw_iac.preflight.registry import Violation, connections, each, gateways, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import ResourceView, named, region
from vpngw_iac.preflight.view.topology import NETWORK, TopologyView


@rule(
    "R-SCOPE-01",
    "E",
    "Gateway, network and public IPs are apart",
    "SDK, SET",
    "Put the gateway and its public IPs into the subscription and the region of the network.",
)
@each(gateways)
def one_place(gateway: Gateway) -> Iterator[Violation]:
    """A gateway shares subscription and region with its network and its public IPs; groups may differ."""
    network = gateway.network
    around = [*([network.resource] if network else []), *gateway.public_ips]
    for resource in around:
        if resource.id.subscription.lower() != gateway.resource.id.subscription.lower():
            yield Violation(
                gateway.resource,
                f"{resource.address} is in another subscription.",
                "Put the gateway into the subscription of its network.",
            )
        elif region(resource) and gateway.location and region(resource) != gateway.location:
            yield Violation(
                gateway.resource,
                f"It is in {gateway.location}, {resource.address} in {region(resource)}.",
                "Put both into the region of the network.",
            )


@rule(
    "R-SCOPE-02",
    "E",
    "Connection is not where its gateway is",
    "SDK, V2V",
    "Put the connection into the subscription and the region of its gateway.",
)
@each(connections)
def connection_place(connection: Connection) -> Iterator[Violation]:
    """A connection lives in the subscription and at the location of its first gateway."""
    gateway, wanted = connection.gateway, connection.gateway_id
    if wanted is None or not connection.resource.is_managed:
        return
    if wanted.subscription.lower() != connection.resource.id.subscription.lower():
        yield Violation(
            connection.resource,
            f"Its gateway {wanted.name} is in another subscription.",
            "Put the connection into the subscription of its gateway.",
        )
    elif gateway and gateway.location and region(connection.resource) not in (None, gateway.location):
        yield Violation(
            connection.resource,
            f"It is at {region(connection.resource)}, its gateway {gateway.resource.address} at {gateway.location}.",
            f'Use location="{gateway.location}".',
        )


@rule(
    "R-SCOPE-03",
    "W",
    "Region is unknown",
    "REG",
    "Check its name; `az account list-locations` lists the regions of a subscription.",
    ages=True,
)
def known_region(topology: TopologyView) -> Iterator[Violation]:
    """Regions are known from a list that ages; `vpngw plan` asks the subscription, whose answer decides."""
    unknown: dict[str, list[ResourceView]] = {}
    for resource in topology.resources.values():
        place = region(resource)
        if place is not None and place not in REGIONS:
            unknown.setdefault(place, []).append(resource)
    for place, resources in sorted(unknown.items()):
        first, *others = sorted(resources, key=lambda resource: (resource.id.type.lower() != NETWORK, resource.address))
        also = f" So are {named(others)}." if others else ""
        close = nearest_region(place, REGIONS)
        yield Violation(
            first,
            f"It is in {place!r}, none of the {len(REGIONS)} regions that were known on {REGIONS_AS_OF}.{also}",
            f"Did you mean {close!r}? `vpngw plan` asks the subscription." if close else "",
        )
