"""Maintenance windows of gateways: what they must be, and that two gateways of one network do not share one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import ResourceView, region
from vpngw_iac.preflight.view.topology import TopologyView

ASSIGNMENT = "microsoft.maintenance/configurationassignments"
_SHORTEST = 5 * 60
_DAY = 24 * 60
_WINDOW = "properties.maintenanceWindow"


@dataclass(frozen=True, slots=True)
class Window:
    """A gateway with the maintenance configuration that it is assigned to."""

    assignment: ResourceView
    gateway: Gateway
    configuration: ResourceView | None
    """None if the file does not hold it."""

    @property
    def minutes(self) -> tuple[int, int] | None:
        """Minute of the day at which it opens, and how many minutes it lasts."""
        if self.configuration is None:
            return None
        opens = _minutes(self.configuration.text(f"{_WINDOW}.startDateTime"))
        lasts = _minutes(self.configuration.text(f"{_WINDOW}.duration"))
        return None if opens is None or lasts is None else (opens, lasts)

    @property
    def zone(self) -> str:
        """Its time zone."""
        return (self.configuration.text(f"{_WINDOW}.timeZone") if self.configuration else None) or ""

    def meets(self, other: Window) -> bool:
        """Whether both are open at one time; clocks of different time zones are not compared."""
        mine, theirs = self.minutes, other.minutes
        if self.configuration is other.configuration and self.configuration is not None:
            return True
        if mine is None or theirs is None or self.zone.lower() != other.zone.lower():
            return False
        return (theirs[0] - mine[0]) % _DAY < mine[1] or (mine[0] - theirs[0]) % _DAY < theirs[1]


def _minutes(text: str | None) -> int | None:
    """Minutes of ``05:00``, or of the time in ``2025-01-01 02:00``."""
    found = re.search(r"(\d{1,2}):(\d{2})(:\d{2})?$", text or "")
    return int(found[1]) * 60 + int(found[2]) if found else None


def windows(topology: TopologyView) -> tuple[Window, ...]:
    """Every window that a gateway of this file has."""

    def find() -> tuple[Window, ...]:
        found = []
        for resource in topology.of_type(ASSIGNMENT):
            gateway = topology.gateway(resource.id.parent)
            if gateway is not None:
                configuration = topology.find(resource.ref("properties.maintenanceConfigurationId"))
                found.append(Window(resource, gateway, configuration))
        return tuple(found)

    return topology.memo("maintenance windows", find)


@rule(
    "R-MNT-01",
    "E",
    "Maintenance window does not fit",
    "FAQ, MNT",
    "Leave maintenance out, or use an AZ SKU.",
    see=("PSRule:AZR-000430",),
)
def fits(topology: TopologyView) -> Iterator[Violation]:
    """For network gateways, daily, five hours or more, in the gateway's region; not for the SKU Basic."""
    for window in windows(topology):
        if window.gateway.is_basic:
            yield Violation(window.assignment, "Gateways of SKU Basic have no maintenance window.")
        if window.configuration is not None:
            yield from _of_configuration(window, window.configuration)


def _of_configuration(window: Window, resource: ResourceView) -> Iterator[Violation]:
    here, there = region(resource), window.gateway.location
    if here and there and here != there:
        yield Violation(
            resource,
            f"It is in {here}, the gateway {window.gateway.resource.name} in {there}.",
            f"Use a configuration in {there}.",
        )
    scope = (resource.text("properties.maintenanceScope") or "Resource").lower()
    sub_scope = resource.text("properties.extensionProperties.maintenanceSubScope")
    if scope != "resource" or (sub_scope or "NetworkGatewayMaintenance").lower() != "networkgatewaymaintenance":
        yield Violation(
            resource,
            f"It is for {sub_scope or resource.text('properties.maintenanceScope')}, not for network gateways.",
            "Use a configuration of scope Resource, sub-scope NetworkGatewayMaintenance.",
        )
        return
    if window.minutes is not None and window.minutes[1] < _SHORTEST:
        yield Violation(
            resource, f"The window is open for {window.minutes[1] // 60} h.", "Give it at least 5: hours=5."
        )
    every = resource.text(f"{_WINDOW}.recurEvery")
    if every and not re.fullmatch(r"1?days?", every, re.IGNORECASE):
        yield Violation(
            resource, f"It recurs every {every!r}; gateways accept daily windows only.", 'Write every="Day".'
        )


@rule(
    "R-MNT-02",
    "W",
    "Two gateways of one network are serviced at one time",
    "FAQ",
    "Give one of them another start, so that one path always stays.",
)
def apart(topology: TopologyView) -> Iterator[Violation]:
    """A VPN gateway that is the failover path of ExpressRoute is of no use while both are serviced."""
    every = windows(topology)
    vpn = [window for window in every if window.gateway.is_vpn]
    for mine, other in product(vpn, [window for window in every if window.gateway.is_expressroute]):
        together = mine.gateway.network_id is not None and mine.gateway.network_id == other.gateway.network_id
        if together and mine.meets(other):
            yield Violation(
                mine.assignment,
                f"{mine.gateway.resource.name} and {other.gateway.resource.name} may be serviced in the same hours.",
            )
