"""Advice about resilience and care that other tools give too. Told by `validate`, not again by every plan."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits
from vpngw_iac.preflight.maintenance import windows
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_REGIONAL = limits.ER_SKUS - limits.ER_ZONAL_SKUS


@rule(
    "R-SKU-07",
    level="I",
    title="SKU Basic is for tests",
    source="SKU, BLIM",
    see=("PSRule:AZR-000269", "AzurePolicy:e345b6c3-24bd-4c93-9bbb-7e5e49a17b78"),
    fix='Use sku="VpnGw1AZ" for anything that must stay up.',
    best_practices=True,
)
def basic(topology: TopologyView) -> Iterator[Violation]:
    """No BGP, no zones, no active-active, no policy of its own, 100 Mbps; there is no way from it to another SKU."""
    for gateway in topology.vpn_gateways:
        if gateway.is_basic and gateway.resource.is_managed:
            yield Violation(gateway.resource, "It has SKU Basic, which Microsoft means for development and tests.")


@rule(
    "R-MNT-03",
    level="I",
    title="Gateway is serviced at any hour",
    source="MNT",
    see=("PSRule:AZR-000430", "APRL:3e115044-a3aa-433e-be01-ce17d67e50da"),
    fix='Add maintenance=Maintenance(start="02:00", time_zone="...") to the gateway.',
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
    level="I",
    title="Zones of an ExpressRoute gateway",
    source="ERADD, ERGW",
    see=("PSRule:AZR-000273", "APRL:bbe668b7-eb5c-c746-8b82-70afdedf0cae"),
    fix="Use ErGw1AZ to ErGw3AZ or ErGwScale; in an Extended Zone Standard, HighPerformance or UltraPerformance.",
    best_practices=True,
)
def expressroute_zones(topology: TopologyView) -> Iterator[Violation]:
    """A zonal SKU survives the loss of a zone. Extended Zones have the regional SKUs only: there it warns."""
    for gateway in topology.expressroute_gateways:
        if not gateway.resource.is_managed:
            continue
        if gateway.edge_zone and gateway.sku in limits.ER_ZONAL_SKUS:
            yield Violation(gateway.resource, f"{gateway.sku} does not exist in Extended Zones.", level="warning")
        elif not gateway.edge_zone and gateway.sku in _REGIONAL:
            yield Violation(gateway.resource, f"{gateway.sku} stands in one zone.")


@rule(
    "R-ER-07",
    level="I",
    title="ExpressRoute has one way only",
    source="ERBK",
    see=("APRL:d37db635-157f-584d-9bce-4f6fc8c65ce5", "APRL:4d703025-dafc-f840-a183-5dc440456134"),
    fix="Add a circuit from another peering location; an active-active VPN gateway is the lesser backup.",
    best_practices=True,
)
def one_way(topology: TopologyView) -> Iterator[Violation]:
    """Two circuits from different peering locations; a VPN beside it takes over in seconds, at lower speed."""
    for gateway in topology.expressroute_gateways:
        places = _places(gateway)
        if gateway.resource.is_managed and places is not None and len(places) == 1 and not _has_backup(gateway):
            yield Violation(
                gateway.resource, f"All its circuits come from {listed(places)}, and no VPN stands beside it."
            )


def _places(gateway: Gateway) -> frozenset[str] | None:
    """Peering locations of its circuits; None if one of them is not known."""
    circuits = [connection.circuit for connection in gateway.connections if connection.is_expressroute]
    found = [None if circuit is None else circuit.location for circuit in circuits]
    return None if None in found else frozenset(place for place in found if place is not None)


def _has_backup(gateway: Gateway) -> bool:
    return any(other.sites for other in gateway.others)


@rule(
    "R-ER-23",
    level="I",
    title="Networks reach each other through ExpressRoute",
    source="ERGW, SDK",
    see=("APRL:194c14ac-0d7a-5a48-ae32-75fa450ee564",),
    fix="Peer the networks, or join them with a hub; leave the flag off.",
    best_practices=True,
)
def remote_networks(topology: TopologyView) -> Iterator[Violation]:
    """Off by default; on, traffic between networks takes the way over the circuit's edge routers."""
    for gateway in topology.expressroute_gateways:
        if gateway.resource.is_managed and gateway.resource.flag("properties.allowRemoteVnetTraffic"):
            yield Violation(gateway.resource, "It carries traffic of other networks (allowRemoteVnetTraffic).")
