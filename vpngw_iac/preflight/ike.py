"""IKE versions, connection modes, dead peer detection, and what a policy-based gateway cannot do."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed


@rule(
    "R-IKE-01",
    level="E",
    title="SKU does not speak this IKE version",
    source="FAQ",
    fix='Set protocol="IKEv1", or make the gateway route-based.',
)
def ike_version(topology: TopologyView) -> Iterator[Violation]:
    """A policy-based gateway speaks IKEv1 only; Basic route-based IKEv2 only (its IKEv1 is R-IKE-02)."""
    for gateway in topology.vpn_gateways:
        for connection in gateway.tunnels if gateway.is_policy_based else ():
            if connection.is_ikev2:
                yield Violation(
                    connection.resource,
                    f"{gateway.resource.address} is policy-based and speaks IKEv1 only; this connection uses IKEv2.",
                )


@rule(
    "R-IKE-02",
    level="E",
    title="IKEv1 is not supported on this SKU",
    source="FAQ",
    fix="Use IKEv2, or a VpnGw1AZ gateway.",
)
def ikev1_sku(topology: TopologyView) -> Iterator[Violation]:
    """Basic route-based and the legacy SKUs know no IKEv1."""
    for gateway in topology.vpn_gateways:
        if gateway.is_policy_based or gateway.sku not in {"Basic", *limits.LEGACY_SKUS}:
            continue
        for connection in gateway.tunnels:
            if connection.is_ikev1:
                yield Violation(
                    connection.resource, f"IKEv1 does not work on a route-based gateway of SKU {gateway.sku}."
                )


@rule("R-IKE-05", level="W", title="IKEv1 interrupts at every rekey", source="FAQ", fix="Use IKEv2 if the device can.")
def ikev1_rekey(topology: TopologyView) -> Iterator[Violation]:
    """IKEv1 drops the tunnel for seconds at every main-mode rekey."""
    for connection in topology.connections:
        gateway = connection.gateway
        if connection.is_ikev1 and not (gateway and gateway.is_policy_based):
            yield Violation(connection.resource, "With IKEv1 the tunnel drops for up to 5 seconds at every rekey.")


def _beyond_policy_based(gateway: Gateway) -> Iterator[str]:
    if len(gateway.tunnels) > 1:
        yield f"{len(gateway.tunnels)} tunnels (it carries one)"
    if gateway.clients is not None:
        yield "point-to-site"
    if any(connection.is_vnet for connection in gateway.tunnels):
        yield "VNet-to-VNet"
    if gateway.active_active:
        yield "active-active"
    if gateway.coexists:
        yield "ExpressRoute in the same network"


@rule(
    "R-IKE-07",
    level="E",
    title="Policy-based gateway cannot do this",
    source="SKU, FAQ, AA, COEX",
    fix="Make the gateway route-based.",
)
def policy_based(topology: TopologyView) -> Iterator[Violation]:
    """One site-to-site tunnel and nothing else; BGP on it is R-BGP-01."""
    for gateway in topology.vpn_gateways:
        wanted = list(_beyond_policy_based(gateway)) if gateway.is_policy_based else []
        if wanted:
            yield Violation(gateway.resource, f"It is policy-based and shall do {listed(wanted)}.")


@rule(
    "R-CMODE-02",
    level="F",
    title="Nobody starts this tunnel",
    source="T-ERR, CM",
    fix="Set one of them to initiator-only or default.",
)
def nobody_starts(topology: TopologyView) -> Iterator[Violation]:
    """Two ends that only respond never meet."""
    for connection in topology.connections:
        twin = connection.twin
        if twin is None or connection.resource.id > twin.resource.id:
            continue
        modes = [c.resource.text("properties.connectionMode") for c in (connection, twin)]
        if modes == ["ResponderOnly", "ResponderOnly"]:
            yield Violation(connection.resource, f"This connection and {twin.resource.address} both only respond.")


@rule(
    "R-DPD-01",
    level="E",
    title="Dead peer detection timeout is out of range",
    source="FAQ",
    fix="Use 30 to 45, or leave it out for 45.",
)
def dead_peer_detection(topology: TopologyView) -> Iterator[Violation]:
    """9 to 3600 seconds; 0 stands for the default of 45."""
    for connection in topology.connections:
        seconds = connection.resource.number("properties.dpdTimeoutSeconds")
        if seconds and not 9 <= seconds <= 3600:
            yield Violation(connection.resource, f"The timeout is {seconds} seconds; Azure takes 9 to 3600.")
