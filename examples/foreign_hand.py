"""Somebody else's hand: changes the address of a blueprint's first site in the simulated cloud, behind vpngw's back.

    python examples/foreign_hand.py blueprints/multi_site.py

What a colleague does in the portal is a PUT of the whole document with one value changed; so is this.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vpngw_iac import Workspace, load
from vpngw_iac.simulator import ScaledTime, Simulator

NEW_ADDRESS = "198.51.100.77"


def main(blueprint_file: str) -> None:
    compiled = Workspace("simulator").compile(load(blueprint_file).blueprint)
    sites = [resource for resource in compiled.graph.resources.values() if "localNetworkGateways" in str(resource.id)]
    first = str(min(sites, key=lambda resource: resource.address).id)

    folder = Path(os.environ.get("VPNGW_SIMULATOR_DIR") or ".vpngw/simulator")
    simulator = Simulator(folder, time=ScaledTime(120))
    document = next(body for name, body in simulator.documents().items() if name.lower() == first.lower())
    before = document["properties"].get("gatewayIpAddress")
    document["properties"]["gatewayIpAddress"] = NEW_ADDRESS
    simulator.put(first, document)
    print(f"Somebody changed the address of {first.rsplit('/', 1)[-1]} from {before} to {NEW_ADDRESS}.")


if __name__ == "__main__":
    main(sys.argv[1])
