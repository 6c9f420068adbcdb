"""A fleet from Python: 12 hubs on the simulator, planned and applied in one go.

Run it with `python examples/fleet/apply_fleet.py`; it needs neither Azure nor a subscription.
"""

from __future__ import annotations

import tempfile

from vpngw_iac import Fleet, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway, Workspace
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.usecases.fleet import FleetResult


def hub(name: str, number: int) -> SiteToSite:
    network = VirtualNetwork(
        name=f"vnet-{name}",
        location="westeurope",
        resource_group=f"rg-{name}",
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
    )
    site = Site(
        name="office",
        public_ip=f"203.0.113.{number}",
        prefixes=["192.168.10.0/24"],
        shared_key=Secret.key_vault("kv-network", f"psk-{name}"),
    )
    return SiteToSite(name=name, gateway=VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw1AZ"), sites=[site])


def changes(planned: FleetResult[Plan]) -> int:
    return sum(len(one.result.changes) for one in planned.deployments if one.result)


def main() -> None:
    hubs = [hub(f"hub-{number:02}", number) for number in range(1, 13)]
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace("simulator", directory=folder, simulator_speed=3000)
        fleet = Fleet.of(workspace, *hubs, parallel=6)

        planned = fleet.plan()
        print(
            sum(len(one.result.changes) for one in planned.deployments if one.result), "changes in", len(hubs), "hubs"
        )

        applied = fleet.apply(on_plan=lambda name, plan: print(f"{name}: {len(plan.changes)} changes"))
        print("failed:", [one.deployment for one in applied.deployments if one.exit_code] or "none")

        print("left to do:", changes(fleet.plan()))


if __name__ == "__main__":
    main()
