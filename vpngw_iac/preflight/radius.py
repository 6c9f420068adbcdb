"""RADIUS servers of point-to-site."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.overlap import unreachable
from vpngw_iac.preflight.point_to_site import with_clients
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.topology import TopologyView


def servers(gateway: Gateway) -> tuple[str, ...]:
    """Addresses of the RADIUS servers."""
    texts = [value_at(block, "radiusServerAddress") for block in (gateway.clients, *gateway.radius_servers)]
    return tuple(dict.fromkeys(text for text in texts if isinstance(text, str) and text))


@rule("R-RAD-01", level="E", title="Basic gateway has no RADIUS", source="FAQ, RAD", fix="Use VpnGw1AZ.")
def radius_sku(topology: TopologyView) -> Iterator[Violation]:
    """RADIUS works on every SKU but Basic."""
    for gateway in with_clients(topology):
        if gateway.is_basic and "radius" in gateway.sign_ins:
            yield Violation(gateway.resource, "SKU Basic has no RADIUS.")


@rule(
    "R-RAD-02",
    level="F",
    title="RADIUS server is not reachable from the gateway",
    source="FAQ, RAD",
    fix="Put a server into the network, or add its prefix to the site that it is in.",
)
def radius_place(topology: TopologyView) -> Iterator[Violation]:
    """It stands in the network, a peered one, or behind a site; never behind ExpressRoute.

    A site with BGP may announce it without saying so here: then nothing is told.
    """
    for gateway in with_clients(topology):
        if gateway.network is None or any(connection.has_bgp is not False for connection in gateway.tunnels):
            continue
        if not gateway.network.prefixes or any(not spoke.prefixes for spoke in gateway.network.reach):
            continue
        for server in servers(gateway):
            address = prefixes.address(server)
            if address is not None and unreachable(address, gateway):
                yield Violation(
                    gateway.resource,
                    f"The RADIUS server {server} is neither in {gateway.network.resource.address} or a peered "
                    "network nor behind a site of this gateway. Over ExpressRoute it cannot be reached.",
                )


@rule(
    "R-RAD-03",
    level="I",
    title="Two RADIUS servers need scores",
    source="RAD, SDK, TF",
    fix="Give each of two servers a score from 1 to 30.",
)
def radius_scores(topology: TopologyView) -> Iterator[Violation]:
    """Scores run from 1 to 30; with two servers each has one."""
    for gateway in with_clients(topology):
        scores = [item.get("radiusServerScore") for item in gateway.radius_servers]
        numbers = [score for score in scores if isinstance(score, int)]
        if any(not 1 <= score <= 30 for score in numbers):
            yield Violation(gateway.resource, "A RADIUS score is outside 1 to 30.", "Use 1 to 30.", "error")
        elif len(scores) > 1 and len(numbers) < len(scores):
            yield Violation(
                gateway.resource, "One of several RADIUS servers has no score.", "Give each a score.", "warning"
            )
