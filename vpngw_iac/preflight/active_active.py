"""Active-active gateways."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.resource_view import named
from vpngw_iac.preflight.view.topology import TopologyView


@rule("R-AA-01", level="E", title="Gateway cannot be active-active", source="AA, PIP3", fix="Use VpnGw1AZ.")
def active_active_sku(topology: TopologyView) -> Iterator[Violation]:
    """Not on Basic; a policy-based gateway is R-IKE-07, its addresses are R-PIP-06 and R-PIP-07."""
    for gateway in topology.vpn_gateways:
        if gateway.active_active and gateway.is_basic:
            yield Violation(gateway.resource, "SKU Basic has no active-active mode.")


@rule(
    "R-AA-02",
    level="F",
    title="Device needs a tunnel to both instances",
    source="AA",
    fix="Configure both public addresses on the device, or bind the link with instance=0.",
)
def both_instances(topology: TopologyView) -> Iterator[Violation]:
    """The device is not visible here: it is said once per gateway, and not of links bound to one instance."""
    for gateway in topology.vpn_gateways:
        both = [connection for connection in gateway.sites if not connection.is_bound_to_one_instance]
        if gateway.active_active and both and gateway.resource.is_managed:
            yield Violation(
                gateway.resource,
                f"{named(c.resource for c in both)} reach both instances; a device with one tunnel drops at "
                "maintenance.",
                level="info",
            )


@rule(
    "R-AA-03",
    level="I",
    title="Gateway is not active-active",
    source="AA",
    see=("PSRule:AZR-000270", "APRL:281a2713-c0e0-3c48-b596-19f590c46671", "APRL:af11fc4c-c06c-4f4c-b98d-6eee6d5c4c70"),
    fix="Set active_active=True if the sites cannot bear that.",
)
def redundancy(topology: TopologyView) -> Iterator[Violation]:
    """Full redundancy is an active-active gateway with two devices: four tunnels."""
    for gateway in topology.vpn_gateways:
        if gateway.active_active is False and gateway.resource.is_managed and not gateway.is_basic:
            yield Violation(
                gateway.resource, "One instance is active; maintenance interrupts its tunnels for seconds to minutes."
            )


@rule(
    "R-AA-04",
    level="W",
    title="Traffic of an active-active gateway is asymmetric",
    source="FAQ",
    fix="If a firewall behind it needs symmetric traffic, steer with BGP attributes or use active-standby.",
)
def asymmetry(topology: TopologyView) -> Iterator[Violation]:
    """Answers may take the other tunnel: firewalls that keep state must bear it."""
    for gateway in topology.vpn_gateways:
        if gateway.active_active and gateway.sites and gateway.resource.is_managed:
            yield Violation(gateway.resource, "Answers may come through the other instance's tunnel.", level="info")
