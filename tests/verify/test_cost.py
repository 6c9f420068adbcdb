"""What verifying costs: calls, questions side by side, and one POST at a time of each gateway."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from tests.verify.conftest import NETWORK, Hub, hub, site, speaking
from vpngw_iac import SiteToSite, Topology, VirtualNetwork, VpnGateway
from vpngw_iac.blueprints.site import Site

MANY = 25


def branches(count: int, make: object = site) -> list[Site]:
    return [make(f"site-{number:02}", number) for number in range(1, count + 1)]  # type: ignore[operator]


def test_a_hub_with_every_tunnel_up_costs_a_get_each_and_one_question(world: Hub) -> None:
    world.apply(*branches(MANY, speaking))

    began = world.clock.now()
    calls = world.calls(world.verify)

    gets = [path for method, path, _ in calls if method == "GET" and "/connections/" in path]
    posts = [path for method, path, _ in calls if method == "POST"]
    assert (len(gets), len(set(gets)), len(posts)) == (MANY, MANY, 1)
    assert len(calls) <= MANY + 5
    assert world.clock.now() - began < 60


@pytest.mark.parametrize("down", [1, 7])
def test_each_tunnel_that_is_down_is_read_once_more_and_all_side_by_side(world: Hub, down: int) -> None:
    world.apply(*branches(MANY))
    for number in range(1, down + 1):
        world.set(f"{NETWORK}/connections/con-site-{number:02}", other_end="silence")

    calls = world.calls(world.verify)

    reads = [(path, moment) for method, path, moment in calls if method == "GET" and "/connections/" in path]
    assert len(reads) == MANY + down
    seconds = sorted(moment for _, moment in reads)[MANY:]
    assert max(seconds) - min(seconds) < 1
    assert min(seconds) - max(moment for _, moment in sorted(reads, key=lambda read: read[1])[:MANY]) >= 60


def test_a_gateway_is_asked_one_thing_at_a_time(world: Hub) -> None:
    world.apply(*branches(5, speaking))

    calls = world.calls(lambda: world.verify("site-01", "site-02", "site-03"))

    asked = [moment for method, path, moment in calls if method == "POST"]
    assert len(asked) > 4
    assert all(later - earlier >= 10 for earlier, later in pairwise(asked))


def test_a_fleet_costs_a_tenth_more_calls_than_it_has_sites(world: Hub) -> None:
    hubs = [_hub(number, range(number * 100, number * 100 + 100)) for number in range(2)]
    world.blueprint = Topology(name="fleet", blueprints=hubs)
    assert world.workspace.apply(world.blueprint).outcome == "succeeded"
    world.clock.advance(3600)

    found = []
    calls = world.calls(lambda: found.append(world.verify()))

    assert found[0].count("up") == 200
    assert len(calls) < 220


def _hub(number: int, sites: Sequence[int]) -> SiteToSite:
    network = VirtualNetwork(
        name=f"vnet-{number}", location="westeurope", resource_group="rg-hub", gateway_subnet=f"10.{number}.255.0/27",
        address_space=[f"10.{number}.0.0/16"],
    )  # fmt: skip
    gateway = VpnGateway(name=f"vgw-{number}", network=network, sku="VpnGw5AZ", bgp=hub().bgp)
    made = [
        speaking(
            f"site-{one:04}", 1, public_ip=f"198.51.{one // 250 + 100}.{one % 250 + 1}",
            bgp={"asn": 4_200_000_000 + one, "address": f"172.{16 + one // 250}.{one % 250}.1"},
        )
        for one in sites
    ]  # fmt: skip
    return SiteToSite(name=f"hub-{number}", gateway=gateway, sites=made)
