"""Advice about resilience and care that other tools give too. Told by `validate`, not again by every plan."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits
from vpngw_iac.preflight.maintenance import windows
from vpngw_iac.preflight.registry import Violation, each, expressroute_gateways, rule, vpn_gateways
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_REGIONAL = limits.ER_SKUS - limits.ER_ZONAL_SKUS


@rule(
    "R-SKU-07",
    "I",
    "SKU Basic is for tests",
    "SKU, BLIM",
    'Use sku="VpnGw1AZ" for anything that must stay up.',
    see=("PSRule:AZR-000269", "AzurePolicy:e345b6c3-24bd-4c93-9bbb-7e5e49a17b78"),
    best_practices=True,
)
@each(vpn_gateways)
def basic(gateway: Gateway) -> Iterator[str]:
    """No BGP, no zones, no active-active, no policy of its own, 100 Mbps; there is no way from it to another SKU."""
    if gateway.is_basic and gateway.resource.is_managed:
        yield "It has SKU Basic, which Microsoft means for development and tests."


@rule(
    "R-MNT-03",
    "I",
    "Gateway is serviced at any hour",
    "MNT",
    'Add maintenance=Maintenance(start="02:00", time_zone="...") to the gateway.',
    see=("PSRule:AZR-000430", "APRL:3e115044-a3aa-433e-be01-ce17d67e50da"),
    best_practices=True,
)
def unattended(topology: TopologyView) -> Iterator[Violation]:
    """A window is assigned to a gateway, and Azure follows it within 24 hours."""
    attended = {window.gateway.resource.id for window in windows(topology)}
    for gateway in topology.gateways:
        if gateway.resource.is_managed and not gateway.is_basic and gateway.resource.id not in attended:
            yield Violation(gateway.resource, "No maintenance window is assigned: Azure services it when it likes.")


@rule(
    "R-ER-28",
    "I",
    "Zones of an ExpressRoute gateway",
    "ERADD, ERGW",
    "Use ErGw1AZ to ErGw3AZ or ErGwScale; in an Extended Zone Standard, HighPerformance or UltraPerformance.",
    see=("PSRule:AZR-000273", "APRL:bbe668b7-eb5c-c746-8b82-70afdedf0cae"),
    best_practices=True,
)
@each(expressroute_gateways)
def expressroute_zones(gateway: Gateway) -> Iterator[Violation | str]:
    """A zonal SKU survives the loss of a zone. Extended Zones have the regional SKUs only: there it warns."""
    if not gateway.resource.is_managed:
        return
    if gateway.edge_zone and gateway.sku in limits.ER_ZONAL_SKUS:
        yield Violation(gateway.resource, f"{gateway.sku} does not exist in Extended Zones.", level="warning")
    elif not gateway.edge_zone and gateway.sku in _REGIONAL:
        yield f"{gateway.sku} stands in one zone."


@rule(
    "R-ER-07",
    "I",
    "ExpressRoute has one way only",
    "ERBK",
    "Add a circuit from another peering location; an active-active VPN gateway is the lesser backup.",
    see=("APRL:d37db635-157f-584d-9bce-4f6fc8c65ce5", "APRL:4d703025-dafc-f840-a183-5dc440456134"),
    best_practices=True,
)
@each(expressroute_gateways)
def one_way(gateway: Gateway) -> Iterator[str]:
    """Two circuits from different peering locations; a VPN beside it takes over in seconds, at lower speed."""
    places = _places(gateway)
    if gateway.resource.is_managed and places is not None and len(places) == 1 and not _has_backup(gateway):
        yield f"All its circuits come from {listed(places)}, and no VPN stands beside it."


def _places(gateway: Gateway) -> frozenset[str] | None:
    """Peering locations of its circuits; None if one of them is not known."""
    circuits = [connection.circuit for connection in gateway.connections if connection.is_expressroute]
    found = [None if circuit is None else circuit.location for circuit in circuits]
    return None if None in found else frozenset(place for place in found if place is not None)


def _has_backup(gateway: Gateway) -> bool:
    return any(other.sites for other in gateway.others)


@rule(
    "R-ER-23",
    "I",
    "Networks reach each other through ExpressRoute",
    "ERGW, SDK",
    "Peer the networks, or join them with a hub; leave the flag off.",
    see=("APRL:194c14ac-0d7a-5a48-ae32-75fa450ee564",),
    best_practices=True,
)
@each(expressroute_gateways)
def remote_networks(gateway: Gateway) -> Iterator[str]:
    """Off by default; on, traffic between networks takes the way over the circuit's edge routers."""
    if gateway.resource.is_managed and gateway.resource.flag("properties.allowRemoteVnetTraffic"):
        yield "It carries traffic of other networks (allowRemoteVnetTraffic)."
