"""Many connections on one gateway that refuses concurrent writes: how often Azure must say no."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.chaos_harness import ChaosHarness, failures
from tests.chaos.deaths import ENVIRONMENT
from vpngw_iac.blueprints.parts import Site, VirtualNetwork, VpnGateway
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.secret import Secret
from vpngw_iac.simulator import Switches


def many_sites(count: int) -> Any:
    """One gateway with so many sites."""
    network = VirtualNetwork(
        name="vnet-hub",
        location="westeurope",
        resource_group="rg-hub",
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    sites = [
        Site(
            name=f"site{number:02d}",
            public_ip=f"203.0.113.{number + 1}",
            prefixes=[f"192.168.{number}.0/24"],
            shared_key=Secret.env("BERLIN_PSK"),
        )
        for number in range(count)
    ]
    gateway = VpnGateway(name="vgw-hub", network=network, sku="VpnGw4AZ")
    return SiteToSite(name="many", gateway=gateway, sites=sites)


@dataclass(frozen=True)
class Storm:
    """What it took."""

    at_once: int
    accepted: int
    refused: int
    seconds: float
    """From the first accepted connection to the last."""


def weather(folder: Path, sites: int, at_once: int) -> Storm:
    """Create all connections on a gateway that bears so many writes at a time."""
    harness = ChaosHarness(folder, ENVIRONMENT, switches=Switches(parallel_writes=at_once))
    outcome = harness.apply(many_sites(sites))
    assert outcome.outcome == "succeeded", failures(outcome)
    puts = [r for r in harness.simulator.requests if r.method == "PUT" and "/connections/" in r.path]
    moments = [r.moment for r in puts if r.status < 300]
    answers = Counter(r.status < 300 for r in puts)
    assert answers[True] == sites
    return Storm(at_once, answers[True], answers[False], moments[-1] - moments[0])
