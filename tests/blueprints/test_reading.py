"""Whatever a blueprint can say, reading finds again: compiled, seen as documents, read, compiled: equal graphs."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.architectures.edits import found
from tests.architectures.test_imported import graph_of
from tests.blueprints.strategies import topologies
from tests.blueprints.worlds import worlds
from vpngw_iac import (
    Bgp,
    GatewaySubnet,
    IpsecPolicy,
    Link,
    LocalGateway,
    Maintenance,
    Pair,
    Route,
    RouteTable,
    Secret,
    Site,
    SiteToSite,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
    Workspace,
)
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.blueprints.load import load
from vpngw_iac.blueprints.reading.deployment import Reading, read
from vpngw_iac.blueprints.reading.documents import Documents
from vpngw_iac.blueprints.topology import Topology
from vpngw_iac.blueprints.writing.python import python_text
from vpngw_iac.blueprints.writing.yaml import yaml_text
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.wire import SECRET_TYPES, Output
from vpngw_iac.simulator import Simulator
from vpngw_iac.usecases.imported import Wanted
from vpngw_iac.usecases.importer import Importer

SCOPE = Scope("00000000-0000-0000-0000-000000000000")


TIMES = int(os.environ.get("VPNGW_EXAMPLES", "1"))
"""So many times the usual number of examples: ``VPNGW_EXAMPLES=30`` tries thousands."""


def documents_of(blueprint: Topology) -> dict[ArmId, dict[str, Any]]:
    """What Azure would show: bodies with ids, addresses that it chose, children inside their parents."""
    resources = [item for item in blueprint.resources(SCOPE) if isinstance(item, Resource)]
    shown = {r.id: {"id": str(r.id), "name": r.id.name, **r.body()} for r in resources}
    _choose_addresses(shown)
    known = {identity: _resolved(document, shown) for identity, document in shown.items()}
    for identity in sorted(known):
        parent, place = identity.parent, _PLACES.get(identity.type.rpartition("/")[2])
        if place is not None and parent in known:
            known[parent].setdefault("properties", {}).setdefault(place, []).append(known[identity])
    return known


_PLACES = {
    name: name
    for name in ("subnets", "virtualNetworkPeerings", "natRules", "peerings", "authorizations", "connections")
}


def _choose_addresses(shown: Mapping[ArmId, dict[str, Any]]) -> None:
    chosen = iter(ipaddress.ip_network("198.18.0.0/16").hosts())
    for identity in sorted(shown):
        properties = shown[identity].setdefault("properties", {})
        if identity.type.endswith("publicIPAddresses"):
            properties["ipAddress"] = str(next(chosen))
        elif identity.type.endswith("virtualNetworkGateways"):
            bgp = properties.setdefault("bgpSettings", {})
            bgp.setdefault("asn", 65515)
            said = {str(item["ipconfigurationId"]).lower(): item for item in bgp.get("bgpPeeringAddresses", ())}
            ids = [str(identity.child("ipConfigurations", c["name"])) for c in properties["ipConfigurations"]]
            bgp["bgpPeeringAddresses"] = [
                {"ipconfigurationId": i, **said.get(i.lower(), {}), "defaultBgpIpAddresses": [str(next(chosen))]}
                for i in ids
            ]


def _resolved(value: Any, shown: Mapping[ArmId, Any]) -> Any:
    from vpngw_iac.engine.compare.document import ABSENT, lookup

    if isinstance(value, Output):
        return lookup(shown[value.source], value.path)
    if isinstance(value, SECRET_TYPES):
        return None
    if isinstance(value, Mapping):
        inner = {name: _resolved(item, shown) for name, item in value.items()}
        return {name: item for name, item in inner.items() if item is not ABSENT}
    return [_resolved(item, shown) for item in value] if isinstance(value, list | tuple) else value


def read_again(blueprint: Topology, known: Mapping[ArmId, Mapping[str, Any]]) -> Reading:
    groups = frozenset(identity if not identity.names else identity.resource_group for identity in known)
    documents = Documents.of(known.values(), groups=groups, subscription=SCOPE.subscription)
    return read(replace(documents, scope=frozenset(documents.by_id)), blueprint.name)


def left_in(reading: Reading) -> Iterator[str]:
    yield from (f"{account.id}: {account.why}" for account in reading.accounts if account.fate == "left")


@given(st.one_of(topologies(), worlds()))
@settings(max_examples=80 * TIMES, deadline=None, derandomize=TIMES == 1)
def test_reading_finds_again_whatever_was_said(blueprint: Topology) -> None:
    if blueprint.findings(SCOPE):
        return
    known = documents_of(blueprint)

    reading = read_again(blueprint, known)

    assert list(left_in(reading)) == []
    assert reading.blueprint is not None
    assert graph_of(reading.blueprint, known) == graph_of(blueprint, known)


@given(st.one_of(topologies(), worlds()))
@settings(max_examples=15 * TIMES, deadline=None, derandomize=TIMES == 1)
def test_what_is_written_is_what_was_read(tmp_path_factory: Any, blueprint: Topology) -> None:
    if blueprint.findings(SCOPE):
        return
    found = read_again(blueprint, documents_of(blueprint)).blueprint
    assert found is not None
    folder = tmp_path_factory.mktemp("written")

    (folder / "one.py").write_text(python_text(found, "One.", {}))
    (folder / "one.yaml").write_text(yaml_text(found, "One.", {}))

    assert load(folder / "one.py").blueprint == found
    assert load(folder / "one.yaml").blueprint == found


@given(worlds())
@settings(max_examples=6 * TIMES, deadline=None, derandomize=TIMES == 1)
def test_an_import_from_azure_finds_again_whatever_was_said(tmp_path_factory: Any, blueprint: Topology) -> None:
    """The whole way: compiled, loaded into the simulator, surveyed, proven, written, and compiled again."""
    if blueprint.findings(SCOPE):
        return
    folder, simulator = tmp_path_factory.mktemp("azure"), Simulator()
    simulator.load(documents_of(blueprint).values())
    known = {ArmId(identity): document for identity, document in simulator.documents().items()}
    workspace = Workspace(
        "simulator", subscription=SCOPE.subscription, directory=folder, environment={}, simulator=simulator
    )

    groups = tuple(sorted({str(identity.resource_group) for identity in known if identity.group}))
    imported = Importer(workspace, blueprint.name).run(Wanted(groups=groups, file=folder / "blueprint.py"))

    assert imported.differing == ()
    assert graph_of(load(folder / "blueprint.py").blueprint, known) == graph_of(blueprint, known)


def test_a_shared_device_says_its_place_where_its_gateways_lie_in_several() -> None:
    """What is left out means the gateway's group and region: the second gateway has others."""
    device = LocalGateway(
        name="lgw", public_ip="203.0.113.1", prefixes=["192.168.1.0/24"], location="westeurope", resource_group="rg-a"
    )

    def hub(group: str, region: str, number: int) -> SiteToSite:
        network = VirtualNetwork(
            name=f"vnet-{number}", location=region, resource_group=group,
            address_space=[f"10.{number}.0.0/16"], gateway_subnet=f"10.{number}.255.0/27",
        )  # fmt: skip
        site = Site(name=f"s{number}", local_gateway=device, shared_key=Secret.env("KEY"))
        gateway = VpnGateway(name=f"vgw-{number}", network=network, sku="VpnGw2AZ")
        return SiteToSite(name=f"hub-{number}", gateway=gateway, sites=[site])

    blueprint = Topology(name="world", blueprints=[hub("rg-a", "westeurope", 1), hub("rg-b", "northeurope", 2)])
    known = documents_of(blueprint)

    found = read_again(blueprint, known).blueprint

    assert found is not None
    assert found.findings(SCOPE) == ()
    assert graph_of(found, known) == graph_of(blueprint, known)


def test_two_gateways_of_one_name_in_two_groups_get_labels() -> None:
    def hub(group: str, number: int) -> SiteToSite:
        network = VirtualNetwork(
            name="vnet", label=f"vnet-{group}", location="westeurope", resource_group=group,
            address_space=[f"10.{number}.0.0/16"], gateway_subnet=f"10.{number}.255.0/27",
        )  # fmt: skip
        gateway = VpnGateway(name="vgw", label=f"vgw-{group}", network=network, sku="VpnGw2AZ")
        return SiteToSite(name=group, gateway=gateway)

    blueprint = Topology(name="world", blueprints=[hub("rg-a", 1), hub("rg-b", 2)])
    known = documents_of(blueprint)

    reading = read_again(blueprint, known)

    assert reading.blueprint is not None
    assert reading.blueprint.findings(SCOPE) == ()
    assert graph_of(reading.blueprint, known) == graph_of(blueprint, known)


def _pair_of_hubs() -> tuple[VnetToVnet, ArmId]:
    """Two hubs and their pair, and the id of its second half."""

    def hub(number: int) -> VpnGateway:
        network = VirtualNetwork(
            name=f"vnet-{number}", location="westeurope", resource_group="rg",
            address_space=[f"10.{number}.0.0/16"], gateway_subnet=f"10.{number}.255.0/27",
        )  # fmt: skip
        return VpnGateway(name=f"vgw-{number}", network=network, sku="VpnGw2AZ")

    pair = Pair(a=hub(1), b=hub(2), shared_key=Secret.env("PSK"), connection_names=("there", "back"))
    group = f"/subscriptions/{SCOPE.subscription}/resourceGroups/rg/providers/Microsoft.Network"
    return VnetToVnet(name="world", pairs=[pair]), ArmId(f"{group}/connections/back")


def _over_ipsec(*, active_active: bool = False, bgp: bool = False, **more: Any) -> VnetToVnet:
    one, two = (
        end.model_copy(
            update={"active_active": active_active, "bgp": Bgp(asn=65010 + number) if bgp else None},
        )
        for number, end in enumerate((_pair_of_hubs()[0].pairs[0].a, _pair_of_hubs()[0].pairs[0].b))
    )
    pair = Pair(a=one, b=two, shared_key=Secret.env("PSK"), via="ipsec", bgp=bgp, **more)
    return VnetToVnet(name="world", pairs=[pair])


@pytest.mark.parametrize("bgp", [False, True])
@pytest.mark.parametrize("active_active", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"connection_names": ("there", "back"), "local_gateway_names": ("lgw-b", "lgw-a"), "dpd": (30, 60)},
        {"ipsec": IpsecPolicy.strong(), "tags": {"team": "net"}, "resource_group": ("rg-a", None)},
    ],
)
def test_a_pair_over_ipsec_is_read_as_one(*, active_active: bool, bgp: bool, more: dict[str, Any]) -> None:
    blueprint = _over_ipsec(active_active=active_active, bgp=bgp, **more)
    known = documents_of(blueprint)

    reading = read_again(blueprint, known)

    assert isinstance(reading.blueprint, VnetToVnet)
    assert [pair.via for pair in reading.blueprint.pairs] == ["ipsec"]
    assert graph_of(reading.blueprint, known) == graph_of(blueprint, known)
    assert len(reading.secrets) == 1


_ODD = {
    "prefixes": ("localNetworkGateways", "localNetworkAddressSpace", {"addressPrefixes": ["10.9.0.0/16"]}),
    "address": ("localNetworkGateways", "gatewayIpAddress", "203.0.113.200"),
    "protocol": ("connections", "connectionProtocol", "IKEv1"),
    "private address": ("connections", "useLocalAzureIpAddress", True),
}


@pytest.mark.parametrize("name", _ODD)
def test_gateways_that_differ_in_more_than_a_pair_says_are_sites(name: str) -> None:
    blueprint = _over_ipsec()
    known = documents_of(blueprint)
    kind, path, value = _ODD[name]
    first = next(identity for identity in sorted(known) if identity.type.endswith(kind))
    known[first]["properties"][path] = value

    reading = read_again(blueprint, known)

    assert reading.blueprint is not None
    assert not list(found(reading.blueprint, Pair))
    assert len(list(found(reading.blueprint, Site))) == 2
    assert list(left_in(reading)) == []


def _two_links(**second: Any) -> tuple[SiteToSite, dict[ArmId, dict[str, Any]]]:
    """A site with two links to the same networks, and what Azure shows of it; `second` are changes to its device."""
    gateway = _pair_of_hubs()[0].pairs[0].a
    links = [
        Link(name="dsl", public_ip="203.0.113.1", shared_key=Secret.env("DSL")),
        Link(name="lte", public_ip="203.0.113.2", shared_key=Secret.env("LTE"), dpd=60),
    ]
    site = Site(name="berlin", links=links, prefixes=["192.168.10.0/24"], ipsec=IpsecPolicy.strong())
    blueprint = SiteToSite(name="hub", gateway=gateway, sites=[site])
    known = documents_of(Topology(name="hub", blueprints=[blueprint]))
    known[next(i for i in known if i.name == "lgw-berlin-lte")]["properties"] |= second
    return blueprint, known


def test_tunnels_to_the_same_networks_are_links_of_one_site() -> None:
    blueprint, known = _two_links()

    reading = read_again(Topology(name="hub", blueprints=[blueprint]), known)

    assert isinstance(reading.blueprint, SiteToSite)
    (site,) = reading.blueprint.sites
    assert (site.name, [link.name for link in site.links]) == ("berlin", ["dsl", "lte"])
    assert (site.prefixes, site.ipsec, site.dpd) == (("192.168.10.0/24",), IpsecPolicy.strong(), None)
    assert [link.dpd for link in site.links] == [None, 60]
    assert graph_of(reading.blueprint, known) == graph_of(blueprint, known)
    assert sorted(reading.names.values()) == ["berlin-dsl", "berlin-lte"]


def test_tunnels_to_other_networks_stay_sites() -> None:
    blueprint, known = _two_links(localNetworkAddressSpace={"addressPrefixes": ["192.168.11.0/24"]})

    reading = read_again(Topology(name="hub", blueprints=[blueprint]), known)

    assert isinstance(reading.blueprint, SiteToSite)
    assert [site.name for site in reading.blueprint.sites] == ["berlin-dsl", "berlin-lte"]


def test_what_was_read_together_can_be_read_apart() -> None:
    """The way out where a proof shows that together they would change something."""
    for blueprint, count in ((_two_links()[0], 2), (_over_ipsec(), 2)):
        known = documents_of(Topology(name="world", blueprints=[blueprint]))
        connections = [i for i in known if i.type.endswith("connections")]
        together = read_again(Topology(name="world", blueprints=[blueprint]), known)

        assert set(connections) <= set(together.joined)
        apart = together.joined[connections[0]]
        documents = Documents.of(known.values(), groups=frozenset({connections[0].resource_group}),
                                 subscription=SCOPE.subscription, apart=apart)  # fmt: skip
        alone = read(replace(documents, scope=frozenset(documents.by_id)), "world")

        assert (len(apart), alone.joined) == (2, {})
        assert alone.blueprint is not None
        assert len(list(found(alone.blueprint, Site))) == count


def test_the_default_site_may_be_a_link() -> None:
    blueprint, known = _two_links()
    gateway = next(i for i in known if i.type.endswith("virtualNetworkGateways"))
    device = next(i for i in known if i.name == "lgw-berlin-lte")
    known[gateway]["properties"]["gatewayDefaultSite"] = {"id": str(device)}

    reading = read_again(Topology(name="hub", blueprints=[blueprint]), known)

    assert isinstance(reading.blueprint, SiteToSite)
    assert reading.blueprint.gateway.default_site == "berlin/lte"  # type: ignore[union-attr]


def test_a_half_that_is_left_alone_is_a_guest_of_its_gateway() -> None:
    blueprint, second = _pair_of_hubs()
    known = documents_of(blueprint)
    known[second]["properties"]["enableBgp"] = True

    reading = read_again(blueprint, known)

    assert [left.split(":")[0] for left in left_in(reading)] == [str(second)]
    assert isinstance(reading.blueprint, VnetToVnet)
    pair = reading.blueprint.pairs[0]
    assert pair.manage == "a"
    assert (pair.a.guests, pair.b.guests) == ((), ("back",))  # type: ignore[union-attr]


def test_what_one_side_alone_says_is_written(tmp_path: Path) -> None:
    blueprint, second = _pair_of_hubs()
    known = documents_of(blueprint)
    known[second]["properties"]["dpdTimeoutSeconds"] = 60

    found = read_again(blueprint, known).blueprint

    assert isinstance(found, VnetToVnet)
    assert found.pairs[0].dpd == (None, 60)
    (tmp_path / "one.py").write_text(python_text(found, "One.", {}))
    assert load(tmp_path / "one.py").blueprint == found


def test_clients_that_no_noun_takes_are_kept_as_they_are() -> None:
    blueprint, _ = _pair_of_hubs()
    known = documents_of(blueprint)
    gateway = next(i for i in known if i.name == "vgw-1")
    known[gateway]["properties"]["vpnClientConfiguration"] = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.20.0.0/24"]},
        "vpnClientRootCertificates": [{"name": "old", "properties": {"publicCertData": "bm90IG9uZQ=="}}],
    }

    reading = read_again(blueprint, known)

    assert any("not a certificate" in remark for remark in reading.remarks[gateway])
    assert isinstance(reading.blueprint, VnetToVnet)
    assert reading.blueprint.pairs[0].a.expected == ("old",)  # type: ignore[union-attr]


def test_the_group_of_a_table_and_of_a_window_has_no_case() -> None:
    """Azure shows ids of maintenance configurations in lower case."""
    table = RouteTable(name="rt-gateway", routes=[Route(name="red", prefix="10.2.0.0/16", next_hop_ip="10.1.1.4")])
    network = VirtualNetwork(
        name="vnet-hub",
        location="westeurope",
        resource_group="RG-Hub",
        address_space=["10.1.0.0/16"],
        gateway_subnet=GatewaySubnet(prefix="10.1.255.0/26", route_table=table),
    )
    window = Maintenance(start="02:00", time_zone="W. Europe Standard Time")
    gateway = VpnGateway(name="vgw-hub", network=network, sku="VpnGw2AZ", maintenance=window)
    blueprint = Topology(name="hub", blueprints=[SiteToSite(name="hub", gateway=gateway)])
    known = documents_of(blueprint)
    for identity in [i for i in known if i.name == "rt-gateway" or i.type.lower().startswith("microsoft.maintenance")]:
        lower = ArmId(str(identity).lower()) if identity.names == (identity.name,) else identity
        known[lower] = {**known.pop(identity), "id": str(lower)}
    for document in known.values():
        link = document.get("properties", {})
        if "maintenanceConfigurationId" in link:
            link["maintenanceConfigurationId"] = link["maintenanceConfigurationId"].lower()

    found = read_again(blueprint, known).blueprint

    assert isinstance(found, SiteToSite)
    assert found.gateway.maintenance == window
    assert isinstance(found.gateway, VpnGateway)
    assert isinstance(found.gateway.network, VirtualNetwork)
    subnet = found.gateway.network.gateway_subnet
    assert isinstance(subnet, GatewaySubnet)
    assert isinstance(subnet.route_table, RouteTable)
    assert subnet.route_table.resource_group is None


def test_a_peering_that_is_left_alone_is_known_to_its_network() -> None:
    blueprint, _ = _pair_of_hubs()
    known = documents_of(blueprint)
    network = next(i for i in known if i.name == "vnet-2")
    remote = ArmId(f"{network}-gone")
    known[network]["properties"]["virtualNetworkPeerings"] = [{
        "id": str(network.child("virtualNetworkPeerings", "dead")), "name": "dead",
        "properties": {"remoteVirtualNetwork": {"id": str(remote)}, "allowVirtualNetworkAccess": False},
    }]  # fmt: skip

    reading = read_again(blueprint, known)

    assert [left.split("/")[-1].split(":")[0] for left in left_in(reading)] == ["dead"]
    assert reading.blueprint is not None
    compiled = {r.id: r for r in reading.blueprint.resources(SCOPE) if isinstance(r, Resource)}
    assert compiled[network].expected == ("dead",)
    assert [r.expected for i, r in compiled.items() if i.name == "vnet-1"] == [()]
