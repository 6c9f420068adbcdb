"""How the work grows with the number of sites: compile, first plan, apply, plan without changes, drift, destroy.

Everything goes through the real SDK and the embedded simulator in virtual time, so the seconds are ours alone, not
Azure's. Prints one line per size; ratios between the lines matter, not the absolute times of this machine.

Usage: ``python benchmarks/scale.py [SITES ...]`` (default 10 40 160).
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vpngw_iac import Secret, Site, SiteToSite, Topology, VirtualNetwork, VpnGateway
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.workspace import Workspace

PER_GATEWAY = 40
"""Sites on one gateway; a hundred tunnels are the most that a gateway takes (R-SKU-13)."""


def fleet(sites: int) -> Topology:
    """Hubs in a row, each with its share of the sites."""
    hubs = []
    for number in range((sites + PER_GATEWAY - 1) // PER_GATEWAY):
        network = VirtualNetwork(
            name=f"vnet-{number}",
            location="westeurope",
            resource_group=f"rg-{number}",
            address_space=[f"10.{number}.0.0/16"],
            gateway_subnet=f"10.{number}.255.0/27",
        )
        mine = range(number * PER_GATEWAY, min(sites, (number + 1) * PER_GATEWAY))
        hubs.append(
            SiteToSite(
                name=f"hub-{number}",
                gateway=VpnGateway(name=f"vgw-{number}", network=network, sku="VpnGw5AZ"),
                sites=[
                    Site(
                        name=f"site-{n}",
                        public_ip=f"203.{n // 250}.113.{n % 250 + 1}",
                        prefixes=[f"172.{16 + n // 256}.{n % 256}.0/24"],
                        shared_key=Secret.env("PSK"),
                    )
                    for n in mine
                ],
            )
        )
    return Topology(name="fleet", blueprints=hubs)


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(sites: int, folder: Path) -> str:
    """One line of figures."""
    clock = VirtualClock()
    simulator = open_simulator(SessionSettings("simulator", directory=folder), clock)
    workspace = Workspace(
        "simulator",
        directory=folder,
        environment={"PSK": "benchmarkKey0123456789ab"},
        clock=clock,
        simulator=simulator,
    )
    blueprint = fleet(sites)
    compiled = timed(lambda: workspace.compile(blueprint))
    planned = timed(lambda: workspace.plan(blueprint))
    virtual = clock.now()
    applied = timed(lambda: workspace.apply(blueprint))
    minutes = (clock.now() - virtual) / 60
    simulator.requests.clear()
    again = timed(lambda: workspace.plan(blueprint))
    requests = len(simulator.requests)
    drift = timed(lambda: workspace.drift(blueprint, deep=True))
    destroyed = timed(lambda: workspace.destroy(blueprint))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = (sites, compiled, planned, applied, minutes, again, requests, drift, destroyed, memory)
    return "{:6d} {:9.2f} {:9.2f} {:9.2f} {:9.0f} {:9.2f} {:9d} {:9.2f} {:9.2f} {:9.0f}".format(*figures)


def main() -> None:
    """Measure each size on a fresh simulator."""
    heads = ("sites", "compile", "plan", "apply", "minutes", "no change", "requests", "deep", "destroy", "MB")
    print(f"{heads[0]:>6}", *(f"{head:>9}" for head in heads[1:]))
    for sites in [int(argument) for argument in sys.argv[1:]] or [10, 40, 160]:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(sites, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
