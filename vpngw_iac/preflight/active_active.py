"""Active-active gateways."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight.registry import Violation, each, rule, vpn_gateways
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import named


@rule("R-AA-01", "E", "Gateway cannot be active-active", "AA, PIP3", "Use VpnGw1AZ.")
@each(vpn_gateways)
def active_active_sku(gateway: Gateway) -> Iterator[str]:
    """Not on Basic; a policy-based gateway is R-IKE-07, its addresses are R-PIP-06 and R-PIP-07."""
    if gateway.active_active and gateway.is_basic:
        yield "SKU Basic has no active-active mode."


@rule(
    "R-AA-02",
    "F",
    "Device needs a tunnel to both instances",
    "AA",
    "Configure both public addresses on the device, or bind the link with instance=0.",
)
@each(vpn_gateways)
def both_instances(gateway: Gateway) -> Iterator[Violation]:
    """The device is not visible here: it is said once per gateway, and not of links bound to one instance."""
    both = [connection for connection in gateway.sites if not connection.is_bound_to_one_instance]
    if gateway.active_active and both and gateway.resource.is_managed:
        yield Violation(
            gateway.resource,
            f"{named(c.resource for c in both)} reach both instances; a device with one tunnel drops at maintenance.",
            level="info",
        )


@rule(
    "R-AA-03",
    "I",
    "Gateway is not active-active",
    "AA",
    "Set active_active=True if the sites cannot bear that.",
    see=("PSRule:AZR-000270", "APRL:281a2713-c0e0-3c48-b596-19f590c46671", "APRL:af11fc4c-c06c-4f4c-b98d-6eee6d5c4c70"),
)
@each(vpn_gateways)
def redundancy(gateway: Gateway) -> Iterator[str]:
    """Full redundancy is an active-active gateway with two devices: four tunnels."""
    if gateway.active_active is False and gateway.resource.is_managed and not gateway.is_basic:
        yield "One instance is active; maintenance interrupts its tunnels for seconds to minutes."


@rule(
    "R-AA-04",
    "W",
    "Traffic of an active-active gateway is asymmetric",
    "FAQ",
    "If a firewall behind it needs symmetric traffic, steer with BGP attributes or use active-standby.",
)
@each(vpn_gateways)
def asymmetry(gateway: Gateway) -> Iterator[Violation]:
    """Answers may take the other tunnel: firewalls that keep state must bear it."""
    if gateway.active_active and gateway.sites and gateway.resource.is_managed:
        yield Violation(gateway.resource, "Answers may come through the other instance's tunnel.", level="info")
