"""What people write about checks in a blueprint reaches the checks, part by part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.gateway import Bgp, VpnGateway
from vpngw_iac.blueprints.load import load
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.peer import Pair
from vpngw_iac.blueprints.site import IpsecPolicy, Link, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.vnet_to_vnet import VnetToVnet
from vpngw_iac.errors import Finding
from vpngw_iac.preflight import backups_of, check, gateway_networks_of, managed_twice, waivers_of
from vpngw_iac.secret import Secret
from vpngw_iac.usecases.workspace import Workspace

SCOPE = Scope("00000000-0000-0000-0000-000000000001", resource_group="rg-hub")
SHIPPED = sorted((Path(__file__).parents[2] / "blueprints").glob("*.py"))


def network(name: str = "vnet-hub", **more: object) -> VirtualNetwork:
    settings = {"address_space": ["10.1.0.0/16"], "gateway_subnet": "10.1.255.0/27", **more}
    return VirtualNetwork(name=name, location="westeurope", resource_group="rg-hub", **settings)


def site(name: str, prefix: str, **more: object) -> Site:
    settings = {"public_ip": "203.0.113.10", "shared_key": Secret.env("KEY"), **more}
    return Site(name=name, prefixes=[prefix], ipsec=IpsecPolicy.strong(), **settings)


def hub(*sites: Site, **more: object) -> SiteToSite:
    gateway = VpnGateway(name="vgw-hub", network=network(), sku="VpnGw2AZ", bgp=Bgp(asn=65010))
    return SiteToSite(name="hub", gateway=gateway, sites=sites, **more)


def judged(blueprint: SiteToSite | VnetToVnet) -> tuple[Finding, ...]:
    return check(
        blueprint.resources(SCOPE),
        waive=waivers_of(blueprint),
        backups=backups_of(blueprint),
        gateway_networks=gateway_networks_of(SCOPE, blueprint),
    )


def of(rule: str, found: tuple[Finding, ...]) -> Iterator[Finding]:
    return (finding for finding in found if finding.rule == rule)


def test_a_waiver_on_a_site_does_not_cover_its_neighbour() -> None:
    accepted = site("berlin", "10.1.4.0/24", waive={"R-LNG-06": "that range is empty"})
    neighbour = site("paris", "10.1.5.0/24", public_ip="203.0.113.11")

    found = {finding.address: finding.waived for finding in of("R-LNG-06", judged(hub(accepted, neighbour)))}

    assert found == {
        "VpnConnection/vgw-hub/berlin": "that range is empty",
        "VpnConnection/vgw-hub/paris": None,
    }


def test_a_waiver_on_a_site_covers_each_of_its_links() -> None:
    links = (Link(name="one", public_ip="203.0.113.10"), Link(name="two", public_ip="203.0.113.11"))
    accepted = site("berlin", "10.1.4.0/24", public_ip=None, links=links, waive={"R-LNG-06": "empty"})

    found = [finding.waived for finding in of("R-LNG-06", judged(hub(accepted)))]

    assert found
    assert set(found) == {"empty"}


def test_a_waiver_on_the_blueprint_covers_everything() -> None:
    blueprint = hub(site("berlin", "10.1.4.0/24"), waive={"R-LNG-06": "migration"})

    assert {finding.waived for finding in of("R-LNG-06", judged(blueprint))} == {"migration"}


def test_a_waiver_on_a_pair_covers_both_directions() -> None:
    a = VpnGateway(name="vgw-a", network=network("vnet-a"), sku="VpnGw2AZ", bgp=Bgp(asn=65010))
    other = network("vnet-b", address_space=["10.2.0.0/16"], gateway_subnet="10.2.255.0/27")
    b = VpnGateway(name="vgw-b", network=other, sku="VpnGw2AZ", bgp=Bgp(asn=65020))
    pair = Pair(a=a, b=b, shared_key=Secret.env("KEY"), waive={"R-SEC-03": "lab", "R-V2V-10": "lab"})

    found = judged(VnetToVnet(name="pair", pairs=[pair]))

    assert len(list(of("R-SEC-03", found))) == 2
    assert {finding.waived for finding in found if finding.level == "warning"} == {"lab"}


def test_a_backup_site_may_have_the_prefixes_of_the_site_that_it_backs_up() -> None:
    first = site("berlin", "192.168.10.0/24")
    backup = site("berlin-lte", "192.168.10.0/24", public_ip="203.0.113.11", backup_of="berlin")
    stranger = site("berlin-lte", "192.168.10.0/24", public_ip="203.0.113.11")

    assert list(of("R-LNG-06", judged(hub(first, backup)))) == []
    assert [finding.level for finding in of("R-LNG-06", judged(hub(first, stranger)))] == ["error"]


def test_an_existing_gateway_is_judged_in_the_network_that_the_blueprint_names() -> None:
    home = VirtualNetwork.existing(
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network"
        "/virtualNetworks/vnet-old",
        location="westeurope",
        address_space="10.1.0.0/16",
    )
    gateway = VpnGateway.existing(
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network"
        "/virtualNetworkGateways/vgw-old",
        location="westeurope",
        network=home,
        sku="VpnGw2AZ",
        active_active=False,
    )
    blueprint = SiteToSite(name="hub", gateway=gateway, sites=[site("berlin", "10.1.4.0/24")])

    assert [finding.level for finding in of("R-LNG-06", judged(blueprint))] == ["error"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_blueprint_that_people_copy_has_no_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (path.parent / "example.env").read_text(encoding="utf-8").splitlines():
        name, found, value = line.partition("=")
        if found and not line.startswith("#") and name not in os.environ:
            monkeypatch.setenv(name.strip(), value.strip())

    found = [finding for blueprint in load(path).blueprints for finding in judged(blueprint)]

    assert [finding for finding in found if finding.blocks] == []


# --- several deployments of one file ---------------------------------------------------------------------------------

GATEWAY = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-hub/providers/Microsoft.Network"


def guest(*sites: Site) -> SiteToSite:
    """A deployment that uses the gateway of another."""
    used = VpnGateway.existing(f"{GATEWAY}/virtualNetworkGateways/vgw-hub", location="westeurope")
    return SiteToSite(name="guest", gateway=used, sites=sites)


@pytest.mark.parametrize("order", [1, -1], ids=["owner first", "guest first"])
def test_what_one_deployment_manages_and_another_uses_is_known_from_its_owner(order: int) -> None:
    many = [site(f"s{n}", f"192.168.{n}.0/24", public_ip=f"198.51.100.{n + 1}") for n in range(30)]
    both = [hub(*many), guest(site("late", "10.1.4.0/24"))][::order]

    found = check([item for blueprint in both for item in blueprint.resources(SCOPE)])

    assert {"R-SKU-13", "R-LNG-06"} <= {finding.rule for finding in found if finding.level == "error"}


def test_two_deployments_that_manage_one_thing_are_told_once() -> None:
    one, other = hub(site("oslo", "192.168.1.0/24")), hub().model_copy(update={"name": "copy"})

    (found,) = managed_twice([(b.name, b.resources(SCOPE)) for b in (one, other)])

    assert (found.rule, found.level) == ("P-TWICE", "warning")
    assert "'hub' and 'copy' both manage" in found.detail
    assert "VirtualNetwork/vnet-hub" in found.detail
    assert "oslo" not in found.detail


def test_using_what_another_deployment_manages_is_no_conflict_nor_is_a_shared_resource_group() -> None:
    parts = [hub(site("oslo", "192.168.1.0/24")), guest(site("late", "192.168.2.0/24"))]

    assert list(managed_twice([(b.name, b.resources(SCOPE)) for b in parts])) == []


def test_what_has_no_resource_group_has_no_home_and_is_a_finding_of_the_blueprint() -> None:
    network = VirtualNetwork(
        name="vnet-hub", location="westeurope", address_space=["10.1.0.0/16"], gateway_subnet="10.1.255.0/27"
    )
    here = SiteToSite(name="hub", gateway=VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ"))
    beside = SiteToSite(
        name="hub", gateway=VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ", resource_group="rg-gateways")
    )
    nowhere = Scope("00000000-0000-0000-0000-000000000000")

    for blueprint in (here, beside):
        assert gateway_networks_of(nowhere, blueprint) == {}
        assert [finding.rule for finding in Workspace("simulator").validate(blueprint).findings if finding.blocks] == [
            "B-GROUP"
        ]
