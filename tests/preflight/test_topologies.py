"""Whole networks as people draw them: odd ones that are legal and are not refused, plausible ones that are wrong and
are told, over all deployments of a file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.preflight.test_legitimate import (
    OTHERS,
    TENANT,
    aws,
    both,
    circuit,
    clients,
    harness,
    hub,
    many,
    network,
    site,
    vpn,
)
from vpngw_iac import (
    Bgp,
    BgpPeer,
    Circuit,
    CircuitLink,
    EntraGroup,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    IpsecPolicy,
    Link,
    Nat,
    Pair,
    Radius,
    RadiusServer,
    Secret,
    Site,
    Spoke,
    Topology,
    UserGroup,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.usecases.workspace import Workspace

__all__ = ["harness"]
KEY = Secret.env("PSK")
WIDE = ["10.1.0.0/16", "fd00:1::/48"]


def routed(number: int = 1, **more: object) -> VpnGateway:
    return vpn(number, bgp=Bgp(asn=65000 + number), **more)


def spoke(name: str, prefix: str, **more: bool) -> Spoke:
    far = VirtualNetwork(name=name, location="westeurope", resource_group="rg-1", address_space=[prefix])
    return Spoke(network=far, **more)


def pair(a: VpnGateway, b: VpnGateway, **more: object) -> VnetToVnet:
    joined = Pair.model_validate({"a": a, "b": b, "shared_key": KEY, "ipsec": IpsecPolicy.strong(), **more})
    return VnetToVnet(name="pair", pairs=[joined])


def ring() -> VnetToVnet:
    gateways = [routed(number) for number in (1, 2, 3)]
    sides = zip(gateways, [*gateways[1:], gateways[0]], strict=True)
    return VnetToVnet(
        name="ring", pairs=[Pair(a=a, b=b, shared_key=KEY, bgp=True, ipsec=IpsecPolicy.strong()) for a, b in sides]
    )


def all_of(*blueprints: Blueprint) -> Topology:
    return Topology(name="all", blueprints=blueprints)


def peer(asn: int, address: str, azure: str = "") -> BgpPeer:
    return BgpPeer(asn=asn, address=address, azure_address=azure or ())


def translated(name: str, inside: str, outside: str, rule: str = "") -> Site:
    return site(name, inside, nat=[Nat.ingress(rule or f"in-{name}", inside, outside)])


def dual_stack() -> VpnGateway:
    subnet = ["10.1.255.0/27", "fd00:1:0:ff::/64"]
    return vpn(network=network(address_space=WIDE, gateway_subnet=subnet))


Make = Callable[[], Blueprint]

LEGAL: dict[str, tuple[Make, set[str]]] = {
    "one site on two gateways": (
        lambda: all_of(
            hub(site("berlin", "192.168.1.0/24"), name="one", gateway=vpn(1)),
            hub(site("berlin", "192.168.1.0/24", local_gateway_name="l2", connection_name="c2"), name="two",
                gateway=vpn(2)),
        ),
        set(),
    ),
    "three sites with one prefix, each translated": (
        lambda: hub(*[translated(n, "192.168.1.0/24", f"172.20.{i}.0/24") for i, n in enumerate("abc")]),
        set(),
    ),
    "a translated and an untranslated site of one prefix": (
        lambda: hub(site("a", "192.168.1.0/24"), translated("b", "192.168.1.0/24", "172.20.5.0/24")),
        set(),
    ),
    "two data centres announce one prefix over BGP": (
        lambda: hub(
            site("dc1", "10.50.0.0/16", bgp=peer(65101, "10.50.0.1")),
            site("dc2", "10.50.0.0/16", bgp=peer(65102, "10.50.0.2")),
            gateway=routed(),
        ),
        {"R-LNG-06"},
    ),
    "two ways to the internet over BGP": (
        lambda: hub(
            site("a", "0.0.0.0/0", bgp=peer(65101, "192.168.7.1")),
            site("b", "0.0.0.0/0", bgp=peer(65102, "192.168.7.2")),
            gateway=routed(),
        ),
        {"R-LNG-06"},
    ),
    "a default route beside an ordinary site": (
        lambda: hub(site("fw", "0.0.0.0/0"), site("b", "192.168.1.0/24"), gateway=vpn(default_site="fw")),
        set(),
    ),
    "a default route beside clients": (lambda: all_of(hub(site("fw", "0.0.0.0/0")), clients()), set()),
    "the BGP peer as a /32": (
        lambda: hub(site("a", "192.168.7.1/32", bgp=peer(65101, "192.168.7.1")), gateway=routed()),
        set(),
    ),
    "IPv6 inside the tunnel": (lambda: hub(site("a", "192.168.7.0/24", "fd00:7::/64"), gateway=dual_stack()), set()),
    "IPv6 for clients": (
        lambda: clients(gateway=dual_stack(), address_pool=["172.16.0.0/24", "fd00:99::/64"]),
        set(),
    ),
    "ExpressRoute and a tunnel to one place": (
        lambda: both(
            site("ams-dc", "192.168.0.0/16", bgp=peer(65300, "192.168.0.1"), backup_of="ams"),
            gateway=vpn(bgp=Bgp(asn=65515), active_active=True),
        ),
        set(),
    ),
    "a failover path of a failover path": (
        lambda: hub(
            site("a", "192.168.1.0/24"),
            site("b", "192.168.1.0/24", backup_of="a"),
            site("c", "192.168.1.0/24", backup_of="b"),
        ),
        set(),
    ),
    "a ring of networks over BGP": (ring, {"R-V2V-10"}),
    "two active-active gateways joined through local network gateways": (
        lambda: pair(routed(1, active_active=True), routed(2, active_active=True), bgp=True, via="ipsec"),
        set(),
    ),
    "hubs peered without transit": (
        lambda: all_of(
            hub(name="one", spokes=[Spoke(network=network(2), gateway_transit=False)]), hub(name="two", gateway=vpn(2))
        ),
        set(),
    ),
    "a spoke peered with two hubs, one of which lends its gateway": (
        lambda: all_of(
            hub(name="one", spokes=[spoke("s", "10.9.0.0/16")]),
            hub(name="two", gateway=vpn(2), spokes=[spoke("s", "10.9.0.0/16", gateway_transit=False)]),
            pair(vpn(1), vpn(2)),
        ),
        {"R-V2V-10"},
    ),
    "two sites of one AS number": (
        lambda: hub(
            site("a", bgp=peer(65101, "192.168.7.1")), site("b", bgp=peer(65101, "192.168.8.1")), gateway=routed()
        ),
        set(),
    ),
    "thirty sites on VpnGw2AZ": (lambda: hub(*many(30)), set()),
    "two devices on an active-active gateway": (
        lambda: hub(
            site(
                "a",
                bgp=peer(65101, "192.168.7.1"),
                links=[
                    Link(name="d1", public_ip="203.0.113.1"),
                    Link(name="d2", public_ip="203.0.113.2", bgp=peer(65101, "192.168.7.2")),
                ],
            ),
            gateway=routed(active_active=True),
        ),
        set(),
    ),
    "two clouds with APIPA tunnels on one gateway": (
        lambda: hub(
            aws(), site("gcp", bgp=peer(64600, "169.254.22.1", "169.254.22.2")),
            gateway=vpn(active_active=True, bgp=Bgp(asn=65010)),
        ),
        set(),
    ),
    "a RADIUS server behind a site": (
        lambda: all_of(
            hub(site("a", "192.168.1.0/24")),
            clients(Radius(servers=[RadiusServer(address="192.168.1.5", secret=KEY)])),
        ),
        set(),
    ),
    "translation to public addresses": (
        lambda: hub(
            site(
                "a",
                "10.1.0.0/24",
                nat=[
                    Nat.ingress("in", "10.1.0.0/24", "198.51.100.0/24"),
                    Nat.egress("out", "10.1.0.0/16", "100.64.0.0/16"),
                ],
            )
        ),
        set(),
    ),
    "a policy-based gateway with its one tunnel": (
        lambda: hub(
            site("a", "192.168.1.0/24", ipsec=None), gateway=vpn(sku="Basic", vpn_type="policy-based")
        ),
        {"R-SEC-02"},
    ),
}  # fmt: skip

WRONG: dict[str, tuple[str, str, Make]] = {
    "two sites with one prefix": (
        "R-LNG-06", "error", lambda: hub(site("a", "192.168.1.0/24"), site("b", "192.168.1.0/24"))
    ),
    "a site inside a spoke that another part declares": (
        "R-LNG-06", "error",
        lambda: all_of(hub(site("a", "10.2.5.0/24"), name="one"), hub(name="two", spokes=[spoke("s", "10.2.0.0/16")])),
    ),
    "a spoke inside the hub": ("R-PEER-05", "error", lambda: hub(spokes=[spoke("s", "10.1.0.0/24")])),
    "two spokes of one prefix": (
        "R-PEER-05", "warning", lambda: hub(spokes=[spoke("s", "10.2.0.0/16"), spoke("t", "10.2.0.0/16")])
    ),
    "joined networks of one prefix": (
        "R-V2V-04", "error",
        lambda: pair(vpn(1), vpn(2, network=network(2, address_space=["10.1.0.0/16"], gateway_subnet="10.1.9.0/26"))),
    ),
    "a spoke inside the joined network": (
        "R-V2V-04", "error", lambda: all_of(pair(vpn(1), vpn(2)), hub(spokes=[spoke("s", "10.2.9.0/24")]))
    ),
    "spokes of both sides of one prefix": (
        "R-V2V-04", "warning",
        lambda: all_of(
            pair(vpn(1), vpn(2)),
            hub(name="one", spokes=[spoke("s", "10.9.0.0/24")]),
            hub(name="two", gateway=vpn(2), spokes=[spoke("t", "10.9.0.0/24")]),
        ),
    ),
    "clients of both sides in one pool, joined by BGP": (
        "R-POOL-02", "warning",
        lambda: all_of(
            pair(routed(1), routed(2), bgp=True), clients(gateway=routed(1)), clients(name="more", gateway=routed(2))
        ),
    ),
    "gateways left at one AS number": (
        "R-BGP-06", "error", lambda: pair(vpn(1, bgp=Bgp()), vpn(2, bgp=Bgp()), bgp=True)
    ),
    "BGP over a gateway that has none": ("R-BGP-17", "warning", lambda: pair(vpn(1), routed(2), bgp=True)),
    "links and a pair beyond the SKU": (
        "R-SKU-13", "error", lambda: all_of(hub(*many(30)), pair(vpn(1), vpn(2)))
    ),
    "a spoke that borrows from two hubs": (
        "R-PEER-03", "error",
        lambda: all_of(
            hub(name="one", spokes=[spoke("s", "10.9.0.0/16")]),
            hub(name="two", gateway=vpn(2), spokes=[spoke("s", "10.9.0.0/16")]),
        ),
    ),
    "a hub that borrows from a hub": (
        "R-PEER-02", "error",
        lambda: all_of(hub(name="one", spokes=[Spoke(network=network(2))]), hub(name="two", gateway=vpn(2))),
    ),
    "two gateways in one network": (
        "R-SKU-19", "error", lambda: all_of(hub(name="one"), hub(name="two", gateway=vpn(1, name="vgw-other")))
    ),
    "clients inside the joined network": (
        "R-POOL-02", "error", lambda: all_of(pair(vpn(1), vpn(2)), clients(address_pool=["10.2.9.0/24"]))
    ),
    "two sites translated to one prefix": (
        "R-NAT-08", "warning",
        lambda: hub(*[translated(n, "192.168.1.0/24", "172.20.0.0/24") for n in "ab"]),
    ),
    "a site translated into the client pool": (
        "R-POOL-02", "error",
        lambda: all_of(hub(translated("a", "192.168.1.0/24", "172.16.0.0/24")), clients()),
    ),
    "Azure translated into the site itself": (
        "R-NAT-08", "warning",
        lambda: hub(site("a", "192.168.1.0/24", nat=[Nat.egress("out", "10.1.1.0/24", "192.168.1.0/24")])),
    ),
    "one ingress rule for two sites": (
        "R-NAT-10", "warning",
        lambda: hub(*[translated(n, "192.168.1.0/24", "172.20.0.0/24", "in") for n in "ab"]),
    ),
    "joined gateways with one APIPA address": (
        "R-BGP-08", "error",
        lambda: all_of(
            pair(routed(1), routed(2), bgp=True),
            *[
                hub(site(f"s{n}", bgp=peer(65100, "169.254.21.1", "169.254.21.2")), name=f"h{n}", gateway=routed(n))
                for n in (1, 2)
            ],
        ),
    ),
    "one BGP peer for two sites": (
        "R-BGP-23", "warning", lambda: hub(*[site(n, bgp=peer(65100, "192.168.1.1")) for n in "ab"], gateway=routed())
    ),
    "a BGP peer inside a spoke": (
        "R-BGP-07", "warning",
        lambda: hub(
            site("a", bgp=peer(65100, "10.2.3.4")), gateway=routed(), spokes=[spoke("s", "10.2.0.0/16")]
        ),
    ),
    "a device inside another site's prefix": (
        "R-LNG-07", "warning",
        lambda: hub(site("a", "192.168.1.0/24", public_ip="203.0.113.9"), site("b", "203.0.113.0/24",
                                                                             public_ip="198.51.100.7")),
    ),
    "five circuits on ErGw1AZ": (
        "R-ER-16", "error",
        lambda: ExpressRouteCoexistence(
            name="five",
            vpn=vpn(),
            expressroute=ExpressRouteGateway(name="ergw", network=network(), sku="ErGw1AZ"),
            circuits=[
                CircuitLink(name=f"c{n}", circuit=circuit(name=f"erc-{n}", peering_location=place))
                for n, place in enumerate(("Amsterdam", "Amsterdam", "Frankfurt", "London", "Paris"))
            ],
        ),
    ),
    "coexistence in a /28": (
        "R-SUBNET-04", "error",
        lambda: both(
            gateway=vpn(network=network(gateway_subnet="10.1.255.0/28")),
            expressroute=ExpressRouteGateway(
                name="ergw", network=network(gateway_subnet="10.1.255.0/28"), sku="ErGw1AZ"
            ),
        ),
    ),
    "somebody else's circuit without a key": (
        "R-ER-12", "error",
        lambda: both(
            link=CircuitLink(
                name="a",
                circuit=Circuit.existing(
                    f"{OTHERS}/Microsoft.Network/expressRouteCircuits/e".replace("0000-0000", "9999-9999", 1)
                ),
            )
        ),
    ),
    "members of a group who cannot sign in": (
        "R-UG-06", "warning",
        lambda: clients(
            Radius(servers=[RadiusServer(address="10.1.1.5", secret=KEY)]),
            groups=[
                UserGroup(name="all", priority=1, address_pool=["172.18.0.0/24"], default=True),
                UserGroup(name="lab", priority=0, address_pool=["172.19.0.0/24"], members=[EntraGroup(id=TENANT)]),
            ],
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "warnings"), LEGAL.values(), ids=LEGAL)
def test_an_odd_network_that_is_legal_is_built(make: Make, warnings: set[str], harness: Workspace) -> None:
    blueprint = make()

    found = harness.validate(blueprint).findings

    assert [finding for finding in found if finding.level == "error"] == []
    assert {finding.rule for finding in found if finding.level == "warning"} - {"R-SEC-03"} == warnings
    assert harness.plan(blueprint).blocking == ()
    assert harness.apply(blueprint).outcome in ("succeeded", "waiting")


@pytest.mark.parametrize(("rule", "level", "make"), WRONG.values(), ids=WRONG)
def test_a_plausible_network_that_is_wrong_is_told(rule: str, level: str, make: Make, harness: Workspace) -> None:
    found = {finding.rule: finding for finding in harness.validate(make()).findings if finding.level != "info"}

    assert rule in found, sorted(found)
    assert found[rule].level == level
    assert found[rule].advice
