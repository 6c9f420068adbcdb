"""Zones that nobody wrote are a value for a creation: they follow what the gateway has, and are never compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, certificate, rid
from vpngw_iac import Certificates, PointToSite, RootCertificate, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.blueprints import regions
from vpngw_iac.blueprints.topology import Topology

ChaosHarness = Callable[..., Harness]

FIRST, SECOND, THIRD = (rid("publicIPAddresses", f"pip-vgw-hub-{number}") for number in (1, 2, 3))
OLD_GATEWAYS = {"R-SKU-01": "created before November 2025", "R-SKU-04": "the move is what this is about"}


def hub(sku: str, *, region: str = "westeurope", waive: dict[str, str] | None = None, **gateway: Any) -> SiteToSite:
    network = VirtualNetwork(
        name="vnet-hub",
        location=region,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    return SiteToSite(
        name="hub",
        gateway=VpnGateway(name="vgw-hub", network=network, sku=sku, **gateway),
        sites=[
            Site(
                name="berlin",
                public_ip="203.0.113.10",
                prefixes=["192.168.10.0/24"],
                shared_key=Secret.env("PSK_BERLIN"),
            )
        ],
        waive=OLD_GATEWAYS | (waive or {}),
    )


def old(new_harness: ChaosHarness, sku: str = "VpnGw1", **gateway: Any) -> Harness:
    """A gateway of the years before zones: its addresses have none."""
    harness = new_harness(allow_retired=True)
    harness.create(hub(sku, **gateway))  # type: ignore[arg-type]
    return harness


def plan(harness: Harness, blueprint: Any, **options: Any) -> dict[str, str]:
    return harness.changes(blueprint, **options)


def test_moving_an_old_gateway_to_its_zonal_twin_keeps_gateway_and_address(new_harness: ChaosHarness) -> None:
    harness = old(new_harness)

    changes = plan(harness, hub("VpnGw1AZ"))
    harness.converge(hub("VpnGw1AZ"))  # type: ignore[arg-type]

    assert changes == {"VpnGateway/vgw-hub": "update"}
    assert "zones" not in harness.document(FIRST)


def test_a_sku_that_microsoft_moved_is_accepted_without_a_change(new_harness: ChaosHarness) -> None:
    harness = old(new_harness)
    gateway = rid("virtualNetworkGateways", "vgw-hub")
    moved = harness.document(gateway)
    moved["properties"]["sku"] = {"name": "VpnGw1AZ"}
    harness.simulator.put(str(gateway), moved)

    assert plan(harness, hub("VpnGw1AZ")) == {}
    assert harness.drift(hub("VpnGw1AZ")).items == ()  # type: ignore[arg-type]


def test_a_region_that_gets_zones_changes_nothing_that_stands_there(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.create(hub("VpnGw1AZ", region="westus"))  # type: ignore[arg-type]

    monkeypatch.setattr(regions, "WITHOUT_ZONES", frozenset())

    assert plan(harness, hub("VpnGw1AZ", region="westus")) == {}
    assert plan(harness, hub("VpnGw2AZ", region="westus")) == {"VpnGateway/vgw-hub": "update"}


def test_a_region_that_loses_its_zones_in_our_list_changes_nothing_either(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.create(hub("VpnGw1AZ"))  # type: ignore[arg-type]

    monkeypatch.setattr(regions, "WITHOUT_ZONES", frozenset({"westeurope"}))

    assert plan(harness, hub("VpnGw1AZ")) == {}
    assert harness.plan(hub("VpnGw1AZ")).state_only_updates == ()  # type: ignore[arg-type]


def clients(gateway: VpnGateway) -> PointToSite:
    root = RootCertificate(name="root", data=certificate("root"))
    return PointToSite(
        name="clients",
        gateway=gateway,
        address_pool=["172.16.0.0/24"],
        authentication=[Certificates(roots=[root])],
        protocols=["IKEv2"],
    )


def test_a_further_address_of_a_gateway_gets_the_zones_that_the_others_have(new_harness: ChaosHarness) -> None:
    """All addresses of a gateway are configured alike (R-PIP-08)."""
    harness = old(new_harness, sku="VpnGw1AZ", active_active=True, zones=[], waive={"R-PIP-02": "made in 2023"})
    part = hub("VpnGw1AZ", active_active=True, waive={"R-PIP-02": "made in 2023"})
    both = Topology(name="hub", blueprints=[part, clients(part.gateway)])  # type: ignore[arg-type, list-item]

    harness.converge(both)  # type: ignore[arg-type]

    assert {str(i.name): harness.document(i).get("zones") for i in (FIRST, SECOND, THIRD)} == {
        "pip-vgw-hub-1": None,
        "pip-vgw-hub-2": None,
        "pip-vgw-hub-3": None,
    }


def test_a_new_gateway_stands_in_all_zones_of_its_region(harness: Harness) -> None:
    harness.create(hub("VpnGw1AZ"))  # type: ignore[arg-type]

    assert harness.document(FIRST)["zones"] == ["1", "2", "3"]


def test_an_address_that_went_missing_is_made_again_like_its_sibling(harness: Harness) -> None:
    blueprint = hub("VpnGw1AZ", active_active=True, zones=["2"])
    harness.create(blueprint)  # type: ignore[arg-type]
    unwritten = hub("VpnGw1AZ", active_active=True)

    assert plan(harness, unwritten) == {}, "zones written and deleted again are released"
    planned = harness.plan(unwritten, replace=frozenset({"PublicIp/vgw-hub/2", "VpnGateway/vgw-hub"}))  # type: ignore[arg-type]

    assert planned.graph.resources["PublicIp/vgw-hub/2"].body()["zones"] == ["2"]


def test_a_gateway_that_is_built_again_with_all_its_addresses_gets_the_zones_of_its_region(
    new_harness: ChaosHarness,
) -> None:
    harness = old(new_harness, sku="VpnGw1AZ", zones=[], waive={"R-PIP-02": "made in 2023"})

    chosen = frozenset({"PublicIp/vgw-hub/1", "VpnGateway/vgw-hub"})
    outcome = harness.apply(hub("VpnGw1AZ"), replace=chosen)

    assert outcome.outcome == "succeeded"
    assert harness.document(FIRST)["zones"] == ["1", "2", "3"]


def test_zones_that_are_written_are_compared(harness: Harness) -> None:
    harness.create(hub("VpnGw1AZ"))  # type: ignore[arg-type]

    changes = plan(harness, hub("VpnGw1AZ", zones=["1"]))

    assert changes["PublicIp/vgw-hub/1"] == "replace"


def test_a_saved_plan_knows_which_zones_nobody_wrote(new_harness: ChaosHarness) -> None:
    harness = old(new_harness)
    workspace = harness.workspace()
    document = json.loads(json.dumps(workspace.save_plan(workspace.plan(hub("VpnGw1AZ")))))

    reviewed = harness.workspace()
    outcome = reviewed.apply(reviewed.load_plan(document))

    assert outcome.outcome == "succeeded"
    assert "zones" not in harness.document(FIRST)
