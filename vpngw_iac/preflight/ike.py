"""IKE versions, connection modes, dead peer detection, and what a policy-based gateway cannot do."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, connections, each, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.text import listed


@rule(
    "R-IKE-01",
    "E",
    "SKU does not speak this IKE version",
    "FAQ",
    'Set protocol="IKEv1", or make the gateway route-based.',
)
@each(vpn_gateways)
def ike_version(gateway: Gateway) -> Iterator[Violation]:
    """A policy-based gateway speaks IKEv1 only; Basic route-based IKEv2 only (its IKEv1 is R-IKE-02)."""
    for connection in gateway.tunnels if gateway.is_policy_based else ():
        if connection.is_ikev2:
            yield Violation(
                connection.resource,
                f"{gateway.resource.address} is policy-based and speaks IKEv1 only; this connection uses IKEv2.",
            )


@rule("R-IKE-02", "E", "IKEv1 is not supported on this SKU", "FAQ", "Use IKEv2, or a VpnGw1AZ gateway.")
@each(vpn_gateways)
def ikev1_sku(gateway: Gateway) -> Iterator[Violation]:
    """Basic route-based and the legacy SKUs know no IKEv1."""
    if gateway.is_policy_based or gateway.sku not in {"Basic", *limits.LEGACY_SKUS}:
        return
    for connection in gateway.tunnels:
        if connection.is_ikev1:
            yield Violation(connection.resource, f"IKEv1 does not work on a route-based gateway of SKU {gateway.sku}.")


@rule("R-IKE-05", "W", "IKEv1 interrupts at every rekey", "FAQ", "Use IKEv2 if the device can.")
@each(connections)
def ikev1_rekey(connection: Connection) -> Iterator[str]:
    """IKEv1 drops the tunnel for seconds at every main-mode rekey."""
    gateway = connection.gateway
    if connection.is_ikev1 and not (gateway and gateway.is_policy_based):
        yield "With IKEv1 the tunnel drops for up to 5 seconds at every rekey."


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


@rule("R-IKE-07", "E", "Policy-based gateway cannot do this", "SKU, FAQ, AA, COEX", "Make the gateway route-based.")
@each(vpn_gateways)
def policy_based(gateway: Gateway) -> Iterator[str]:
    """One site-to-site tunnel and nothing else; BGP on it is R-BGP-01."""
    wanted = list(_beyond_policy_based(gateway)) if gateway.is_policy_based else []
    if wanted:
        yield f"It is policy-based and shall do {listed(wanted)}."


@rule("R-CMODE-02", "F", "Nobody starts this tunnel", "T-ERR, CM", "Set one of them to initiator-only or default.")
@each(connections)
def nobody_starts(connection: Connection) -> Iterator[str]:
    """Two ends that only respond never meet."""
    twin = connection.twin
    if twin is None or connection.resource.id > twin.resource.id:
        return
    modes = [c.resource.text("properties.connectionMode") for c in (connection, twin)]
    if modes == ["ResponderOnly", "ResponderOnly"]:
        yield f"This connection and {twin.resource.address} both only respond."


@rule("R-DPD-01", "E", "Dead peer detection timeout is out of range", "FAQ", "Use 30 to 45, or leave it out for 45.")
@each(connections)
def dead_peer_detection(connection: Connection) -> Iterator[str]:
    """9 to 3600 seconds; 0 stands for the default of 45."""
    seconds = connection.resource.number("properties.dpdTimeoutSeconds")
    if seconds and not 9 <= seconds <= 3600:
        yield f"The timeout is {seconds} seconds; Azure takes 9 to 3600."
