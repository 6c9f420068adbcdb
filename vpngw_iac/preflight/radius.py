"""RADIUS servers of point-to-site."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.overlap import unreachable
from vpngw_iac.preflight.point_to_site import with_clients
from vpngw_iac.preflight.registry import Violation, each, rule
from vpngw_iac.preflight.view.gateway import Gateway


def servers(gateway: Gateway) -> tuple[str, ...]:
    """Addresses of the RADIUS servers."""
    texts = [value_at(block, "radiusServerAddress") for block in (gateway.clients, *gateway.radius_servers)]
    return tuple(dict.fromkeys(text for text in texts if isinstance(text, str) and text))


@rule("R-RAD-01", "E", "Basic gateway has no RADIUS", "FAQ, RAD", "Use VpnGw1AZ.")
@each(with_clients)
def radius_sku(gateway: Gateway) -> Iterator[str]:
    """RADIUS works on every SKU but Basic."""
    if gateway.is_basic and "radius" in gateway.sign_ins:
        yield "SKU Basic has no RADIUS."


@rule(
    "R-RAD-02",
    "F",
    "RADIUS server is not reachable from the gateway",
    "FAQ, RAD",
    "Put a server into the network, or add its prefix to the site that it is in.",
)
@each(with_clients)
def radius_place(gateway: Gateway) -> Iterator[str]:
    """It stands in the network, a peered one, or behind a site; never behind ExpressRoute.

    A site with BGP may announce it without saying so here: then nothing is told.
    """
    if gateway.network is None or any(connection.has_bgp is not False for connection in gateway.tunnels):
        return
    if not gateway.network.prefixes or any(not spoke.prefixes for spoke in gateway.network.reach):
        return
    for server in servers(gateway):
        address = prefixes.address(server)
        if address is not None and unreachable(address, gateway):
            yield (
                f"The RADIUS server {server} is neither in {gateway.network.resource.address} or a peered "
                "network nor behind a site of this gateway. Over ExpressRoute it cannot be reached."
            )


@rule(
    "R-RAD-03", "I", "Two RADIUS servers need scores", "RAD, SDK, TF", "Give each of two servers a score from 1 to 30."
)
@each(with_clients)
def radius_scores(gateway: Gateway) -> Iterator[Violation]:
    """Scores run from 1 to 30; with two servers each has one."""
    scores = [item.get("radiusServerScore") for item in gateway.radius_servers]
    numbers = [score for score in scores if isinstance(score, int)]
    if any(not 1 <= score <= 30 for score in numbers):
        yield Violation(gateway.resource, "A RADIUS score is outside 1 to 30.", "Use 1 to 30.", "error")
    elif len(scores) > 1 and len(numbers) < len(scores):
        yield Violation(
            gateway.resource, "One of several RADIUS servers has no score.", "Give each a score.", "warning"
        )
