"""How many calls a plan without changes costs: one LIST a type and group, one list of connections a gateway."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.workspace.test_group_commit import lone
from tests.worlds import GROUP, REGION, Deployment, hub, resource_group, rid
from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.gateway import Bgp, VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.site import BgpPeer, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.topology import Topology
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.wire import render
from vpngw_iac.secret import Secret


def hubs(count: int, sites: int) -> Topology:
    """Hubs of one resource group: active-active gateways that speak BGP."""
    return Topology(name="fleet", blueprints=list(_hubs(count, sites)))


def _hubs(count: int, sites: int) -> Iterator[SiteToSite]:
    for number in range(count):
        network = VirtualNetwork(
            name=f"vnet-{number}",
            location=REGION,
            resource_group=GROUP,
            address_space=[f"10.{number}.0.0/16"],
            gateway_subnet=f"10.{number}.255.0/27",
        )
        gateway = VpnGateway(
            name=f"vgw-{number}", network=network, sku="VpnGw2AZ", active_active=True, bgp=Bgp(asn=64600 + number)
        )
        yield SiteToSite(name=f"hub-{number}", gateway=gateway, sites=[_site(number, n) for n in range(sites)])


def _site(hub: int, number: int) -> Site:
    return Site(
        name=f"site-{hub}-{number}",
        public_ip=f"60.0.{hub}.{number + 1}",
        bgp=BgpPeer(asn=4200100000 + 100 * hub + number, address=f"172.16.{hub}.{number + 1}"),
        shared_key=Secret.env("PSK_BERLIN"),
    )


def foreign_site(harness: Harness, number: int) -> None:
    """A local network gateway of somebody else in our group."""
    url = f"https://management.azure.com{rid('localNetworkGateways', f'lgw-theirs-{number}')}?api-version=2024-05-01"
    body = {
        "location": REGION,
        "properties": {
            "gatewayIpAddress": f"61.0.0.{number + 1}",
            "localNetworkAddressSpace": {"addressPrefixes": [f"192.168.{number}.0/24"]},
        },
    }
    harness.simulator.send("PUT", url, {}, json.dumps(body).encode())


def read(harness: Harness) -> list[str]:
    return [
        path.partition("?")[0].rpartition("/providers/")[2].rpartition("/resourceGroups/")[2]
        for path in harness.reads()
    ]


def test_one_site_costs_seven_calls(harness: Harness) -> None:
    one = hubs(1, 1)
    harness.create(one)

    assert harness.workspace().plan(one).changes == ()

    assert len(harness.reads()) <= 9
    assert max(Counter(read(harness)).values()) == 1, "nothing is read twice"


def test_a_thousand_sites_in_twelve_hubs_cost_one_call_a_gateway_more(harness: Harness) -> None:
    """The number of sites does not count: a LIST of connections shows them all."""
    fleet = hubs(12, 2)
    harness.create(fleet)

    assert harness.workspace().plan(fleet).changes == ()

    assert len(harness.reads()) <= 20
    assert max(Counter(read(harness)).values()) == 1, "nothing is read twice"


@pytest.mark.parametrize("page_size", [3, 1000])
def test_pages_are_followed_and_foreign_things_in_the_group_read_nothing_more(
    new_harness: Callable[..., Harness], page_size: int
) -> None:
    harness = new_harness(page_size=page_size)
    fleet = hubs(2, 4)
    harness.create(fleet)
    for number in range(30):
        foreign_site(harness, number)
    harness.mark()

    assert harness.workspace().plan(fleet).changes == ()

    lists = ("connections", "localNetworkGateways", "publicIPAddresses", "virtualNetworkGateways", "virtualNetworks")
    assert {path.rpartition("/")[2] for path in read(harness)} == {GROUP, *lists}


def test_what_the_network_shows_of_its_subnet_is_confirmed_before_it_is_told(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    subnet = deployment.at("Subnet/hub/GatewaySubnet")
    stored = next(d for d in harness.simulator._store.documents.values() if d.id.lower() == subnet.id.key)
    stored.body["properties"]["addressPrefix"] = "10.1.254.0/27"

    told = harness.drift(deployment)

    assert [item.address for item in told.items] == ["Subnet/hub/GatewaySubnet"]
    assert any(path.partition("?")[0].lower() == subnet.id.key for path in harness.reads())


def test_a_creation_costs_four_calls(harness: Harness) -> None:
    """What is there, the PUT, one look at the operation, what has become of it."""
    harness.create(Deployment("many", (resource_group(),)))

    many = Deployment("many", (resource_group(), *(lone(number) for number in range(10))))
    assert harness.apply(many, probe=False).outcome == "succeeded"

    about = [path for path in harness.reads() if "/operations/" in path or "/localnetworkgateways/" in path.lower()]
    assert Counter("/operations/" in path for path in about) == {False: 2 * 10, True: 10}
    assert len(harness.writes("*/localnetworkgateways/*")) == 10


def test_a_body_is_rendered_once_a_resource(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = hubs(2, 3)
    harness.create(fleet)
    rendered: Counter[str] = Counter()

    def counted(value: Any) -> Any:
        if isinstance(value, Resource):
            rendered[value.address] += 1
        return render(value)

    monkeypatch.setattr("vpngw_iac.resources.base.render", counted)

    assert harness.workspace().plan(fleet).changes == ()

    assert len(rendered) > 20
    assert {a.partition("/")[0] for a, times in rendered.items() if times > 1} <= {"PublicIp"}, "a copy has its own"
    assert max(rendered.values()) <= 2


def test_a_copy_with_other_values_has_another_body() -> None:
    gateway = hub("berlin").at("VpnGateway/hub")
    before = gateway.body()

    after = gateway.model_copy(update={"tags": {"a": "b"}})

    assert "tags" not in before
    assert after.body()["tags"] == {"a": "b"}
    assert gateway.body() is before
    assert after == gateway.model_copy(update={"tags": {"a": "b"}}), "what is kept is no part of the value"


def test_nobody_writes_into_a_body(harness: Harness) -> None:
    """It is shared by all who ask."""
    deployment = hub("berlin", "paris")
    shared = {
        address: resource.body() for address, resource in ((r.address, r) for r in deployment.resources(Scope("s")))
    }

    harness.apply(deployment)
    harness.plan(deployment, deep=True)
    harness.destroy(deployment)

    for resource in deployment.resources(Scope("s")):
        if isinstance(resource, Resource):
            assert shared[resource.address] == render(resource)
