"""What a blueprint says against itself: each contradiction is a finding that names both sides."""

from __future__ import annotations

import pytest

from tests.blueprints.samples import NETWORK, OTHER, SCOPE, gateway, network, site
from vpngw_iac import (
    Bgp,
    CircuitLink,
    EntraId,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    Nat,
    Pair,
    PointToSite,
    PublicIp,
    Secret,
    SiteToSite,
    Spoke,
    Topology,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.circuit import Circuit
from vpngw_iac.errors import BlueprintError, ExitCode

KEY = Secret.env("PSK")
OLD_GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-old"
CIRCUIT = Circuit.existing(f"{NETWORK}/expressRouteCircuits/erc")


def hub(name: str = "hub", **more: object) -> SiteToSite:
    return SiteToSite(**{"name": name, "gateway": gateway(), **more})


CASES: dict[str, tuple[Blueprint, str, str, str]] = {
    "two sites with one name": (
        hub(sites=[site("berlin"), site("Berlin")]),
        "B-SITE",
        "sites[1]",
        "sites[0] and sites[1] are both called 'Berlin'",
    ),
    "one site said twice, equally": (
        hub(sites=[site("berlin"), site("berlin")]),
        "B-SITE",
        "sites[1]",
        "both called",
    ),
    "two values for one site in two blueprints": (
        Topology(name="t", blueprints=[hub("a", sites=[site("x")]), hub("b", sites=[site("x", dpd=30)])]),
        "B-CONTRADICTION",
        "blueprints[1].sites[0]",
        "'a' at blueprints[0].sites[0] and 'b' at blueprints[1].sites[0] differ in dpd",
    ),
    "two values for one gateway": (
        Topology(name="t", blueprints=[hub("a"), hub("b", gateway=gateway(sku="VpnGw3AZ"))]),
        "B-CONTRADICTION",
        "blueprints[1].gateway",
        "sku: VpnGw2AZ against VpnGw3AZ",
    ),
    "two values for one network": (
        Topology(
            name="t",
            blueprints=[hub("a"), hub("b", gateway=gateway("vgw-2", network=network(address_space=["10.0.0.0/15"])))],
        ),
        "B-CONTRADICTION",
        "blueprints[1].gateway.network",
        "address_space: 10.1.0.0/16 against",
    ),
    "two client configurations on one gateway": (
        Topology(
            name="t",
            blueprints=[
                PointToSite(
                    name=n,
                    gateway=gateway(),
                    protocols=["OpenVPN"],
                    address_pool=[pool],
                    authentication=[EntraId(tenant=OTHER)],
                )
                for n, pool in (("a", "172.20.0.0/24"), ("b", "172.21.0.0/24"))
            ],
        ),
        "B-CONTRADICTION",
        "blueprints[1].protocols",
        "address_pool: 172.20.0.0/24 against 172.21.0.0/24",
    ),
    "two tags on one gateway": (
        Topology(name="t", blueprints=[hub("a", tags={"Env": "dev"}), hub("b", tags={"env": "prod"})]),
        "B-CONTRADICTION",
        "blueprints[1].gateway",
        "the tag 'env' two values",
    ),
    "two NAT rules with one name": (
        hub(
            sites=[
                site("a", nat=Nat.egress(name="out", internal="10.1.0.0/24", external="100.64.0.0/24")),
                site(
                    "b",
                    public_ip="203.0.113.11",
                    nat=Nat.egress(name="out", internal="10.1.0.0/24", external="100.64.9.0/24"),
                ),
            ]
        ),
        "B-CONTRADICTION",
        "",
        "NatRule/vgw-hub/out is declared twice",
    ),
    "two gateways of one name in two groups": (
        Topology(
            name="t",
            blueprints=[hub("a"), hub("b", gateway=gateway(resource_group="rg-other", network=network("vnet-2")))],
        ),
        "B-ADDRESS",
        "",
        "label=",
    ),
    "two things with one name in Azure": (
        Topology(
            name="t",
            blueprints=[
                hub("a", sites=[site()]),
                hub("b", gateway=gateway("vgw-2", network=network("vnet-2")), sites=[site()]),
            ],
        ),
        "B-NAME",
        "",
        "would both be",
    ),
    "no GatewaySubnet": (
        hub(gateway=gateway(network=network(gateway_subnet=None))),
        "B-GATEWAY-SUBNET",
        "gateway.network",
        "Add gateway_subnet=",
    ),
    "no resource group": (
        hub(gateway=gateway(network=network(resource_group=None))),
        "B-GROUP",
        "gateway.network",
        "-g NAME",
    ),
    "a default site that does not exist": (
        hub(gateway=gateway(default_site="berlim"), sites=[site()]),
        "B-DEFAULT-SITE",
        "gateway.default_site",
        "the sites of vgw-hub are: berlin",
    ),
    "a failover path of nothing": (
        hub(sites=[site(), site("prague", public_ip="203.0.113.20", backup_of="berlim")]),
        "B-BACKUP",
        "sites[1].backup_of",
        "Did you mean 'berlin'?",
    ),
    "sites on an existing gateway of unknown region": (
        hub(gateway=VpnGateway.existing(OLD_GATEWAY), sites=[site()]),
        "B-LOCATION",
        "gateway",
        "location=",
    ),
    "a gateway in an existing network of unknown region": (
        hub(gateway=gateway(network=VirtualNetwork.existing(f"{NETWORK}/virtualNetworks/vnet-old"))),
        "B-LOCATION",
        "gateway",
        "VirtualNetwork.existing(..., location=...)",
    ),
    "a pair whose far connection is ours and of unknown region": (
        VnetToVnet(name="v", pairs=[Pair(a=gateway(), b=VpnGateway.existing(OLD_GATEWAY), shared_key=KEY, manage="b")]),
        "B-LOCATION",
        "pairs[0]",
        "VpnGateway.existing(..., location=...)",
    ),
    "an IPsec pair whose near side is of unknown region": (
        VnetToVnet(
            name="v",
            pairs=[Pair(a=gateway(), b=VpnGateway.existing(OLD_GATEWAY), shared_key=KEY, manage="b", via="ipsec")],
        ),
        "B-LOCATION",
        "pairs[0]",
        "VpnGateway.existing(..., location=...)",
    ),
    "circuits on an existing gateway of unknown region": (
        ExpressRouteCoexistence(
            name="c",
            vpn=gateway(),
            expressroute=ExpressRouteGateway.existing(f"{NETWORK}/virtualNetworkGateways/ergw-old"),
            circuits=[CircuitLink(name="x", circuit=CIRCUIT)],
        ),
        "B-LOCATION",
        "expressroute",
        "location=",
    ),
    "two facts about one existing gateway": (
        Topology(
            name="t",
            blueprints=[
                hub("a", gateway=VpnGateway.existing(OLD_GATEWAY, asn=65010)),
                hub("b", gateway=VpnGateway.existing(OLD_GATEWAY, asn=65011)),
            ],
        ),
        "B-CONTRADICTION",
        "blueprints[1].gateway",
        "asn: 65010 against 65011",
    ),
    "clients on a gateway that is not ours": (
        PointToSite(
            name="p",
            gateway=VpnGateway.existing(OLD_GATEWAY, location="westeurope"),
            protocols=["OpenVPN"],
            address_pool=["172.20.0.0/24"],
            authentication=[EntraId(tenant=OTHER)],
        ),
        "B-CLIENTS",
        "gateway",
        "--adopt",
    ),
    "spokes of an existing gateway of unknown network": (
        hub(gateway=VpnGateway.existing(OLD_GATEWAY), spokes=[Spoke(network=network("vnet-a", gateway_subnet=None))]),
        "B-HUB",
        "spokes[0]",
        "network=VirtualNetwork.existing",
    ),
    "coexisting gateways in two networks": (
        ExpressRouteCoexistence(
            name="c",
            vpn=gateway(),
            expressroute=ExpressRouteGateway(name="er", network=network("vnet-2"), sku="ErGw1AZ"),
            circuits=[CircuitLink(name="x", circuit=CIRCUIT)],
        ),
        "B-COEXISTENCE",
        "expressroute.network",
        "vgw-hub is in vnet-hub, er in vnet-2",
    ),
    "an IPsec pair with an existing gateway that says nothing": (
        VnetToVnet(
            name="v",
            pairs=[
                Pair(
                    a=gateway(),
                    b=VpnGateway.existing(OLD_GATEWAY, location="westeurope"),
                    shared_key=KEY,
                    via="ipsec",
                    manage="a",
                )
            ],
        ),
        "B-PAIR",
        "pairs[0]",
        "public_ips=[PublicIp.existing(...)] and network=VirtualNetwork.existing",
    ),
    "an IPsec pair with BGP and a gateway without": (
        VnetToVnet(
            name="v",
            pairs=[
                Pair(
                    a=gateway(bgp=Bgp(asn=65010)),
                    b=gateway("vgw-2", network=network("vnet-2")),
                    shared_key=KEY,
                    via="ipsec",
                    bgp=True,
                )
            ],
        ),
        "B-PAIR",
        "pairs[0]",
        "bgp=Bgp(asn=...)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_one_finding_that_names_both_sides(name: str) -> None:
    blueprint, rule, where, words = CASES[name]

    findings = blueprint.findings(SCOPE)

    assert rule in {finding.rule for finding in findings}, findings
    finding = next(finding for finding in findings if (finding.rule, finding.location) == (rule, where))
    assert words in f"{finding.detail} {finding.advice}"
    assert finding.blocks
    with pytest.raises(BlueprintError) as caught:
        blueprint.resources(SCOPE)
    assert caught.value.exit_code == ExitCode.REFUSED
    assert finding in caught.value.findings


def test_one_site_said_equally_by_two_blueprints_is_one_site() -> None:
    blueprint = Topology(name="t", blueprints=[hub("a", sites=[site()]), hub("b", sites=[site()])])

    assert blueprint.findings() == ()


def test_two_sites_of_one_name_on_two_gateways_are_two_sites_if_their_resources_are_named() -> None:
    second = gateway("vgw-2", network=network("vnet-2", resource_group="rg-2"))
    blueprint = Topology(name="t", blueprints=[hub("a", sites=[site()]), hub("b", gateway=second, sites=[site()])])

    assert blueprint.findings() == ()


def test_a_network_that_one_blueprint_manages_may_be_existing_for_another() -> None:
    same = VirtualNetwork.existing(
        f"/subscriptions/{SCOPE.subscription}/resourceGroups/RG-HUB/providers/Microsoft.Network/virtualNetworks/vnet-hub",
        location="westeurope",
    )
    other = ExpressRouteGateway(name="er", network=same, sku="ErGw1AZ", resource_group="rg-hub")
    blueprint = Topology(
        name="t",
        blueprints=[hub("a"), ExpressRouteCoexistence(name="b", vpn=gateway("vgw-hub"), expressroute=other)],
    )

    findings = [finding for finding in blueprint.findings(SCOPE) if finding.rule != "B-COEXISTENCE"]

    assert findings == []


def test_facts_of_an_existing_gateway_add_up_over_blueprints() -> None:
    one = VpnGateway.existing(OLD_GATEWAY, location="westeurope")
    two = VpnGateway.existing(OLD_GATEWAY, asn=65010, public_ips=[PublicIp.existing(f"{NETWORK}/publicIPAddresses/p")])
    blueprint = Topology(name="t", blueprints=[hub("a", gateway=one), hub("b", gateway=two, sites=[site()])])

    found = {item.address: item for item in blueprint.resources(SCOPE)}

    assert {"westeurope", 65010} <= set(found["VpnGateway/vgw-old"].facts.values())  # type: ignore[union-attr]
    assert found["VpnConnection/vgw-old/berlin"].location == "westeurope"  # type: ignore[union-attr]


def test_the_waivers_of_a_blueprint_and_of_its_parts_are_told_apart_by_their_path() -> None:
    prague = site("prague", public_ip="203.0.113.20", waive={"R-LNG-06": "translated"})
    blueprint = Topology(name="t", waive={"R-SEC-03": "lab"}, blueprints=[hub("a", sites=[site(), prague])])

    waivers = [(waiver.rule, waiver.reason, waiver.path) for waiver in blueprint.waivers()]

    assert waivers == [("R-SEC-03", "lab", ""), ("R-LNG-06", "translated", "blueprints[0].sites[1]")]


def test_two_hubs_that_borrow_from_each_other_are_told_what_differs_and_the_way_out() -> None:
    one, two = gateway("vgw-1", network=network("vnet-1")), gateway("vgw-2", network=network("vnet-2"))
    blueprint = Topology(
        name="loop",
        blueprints=[
            hub("a", gateway=one, spokes=[Spoke(network=two.network)]),
            hub("b", gateway=two, spokes=[Spoke(network=one.network)]),
        ],
    )

    found = [finding for finding in blueprint.findings(SCOPE) if finding.rule == "B-CONTRADICTION"]

    assert [finding.address for finding in found] == ["Peering/vnet-1/vnet-2", "Peering/vnet-2/vnet-1"]
    assert all("differ in allowGatewayTransit, useRemoteGateways" in finding.detail for finding in found)
    assert all("gateway_transit=False" in finding.advice for finding in found)
