"""Deployments that run everywhere and that a literal reading of some page would refuse: none of them is an error.

Written as people write them, and judged by `validate` and by a plan on an empty simulator. Cases about what exists
already stand in tests/cases/findings, because only a plan knows them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.preflight.certificates import certificate
from vpngw_iac import (
    Bgp,
    BgpPeer,
    Certificates,
    Circuit,
    CircuitLink,
    EntraId,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    IpsecPolicy,
    Link,
    Maintenance,
    Nat,
    Pair,
    PointToSite,
    RootCertificate,
    Secret,
    Site,
    SiteToSite,
    Sku,
    Spoke,
    Topology,
    TrafficSelector,
    UserGroup,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.circuit import PrivatePeering
from vpngw_iac.blueprints.client import CertificateDomain
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.workspace import Workspace

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
OTHERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-others/providers"
TENANT = "11111111-2222-3333-4444-555555555555"
GENERAL = {"R-SEC-03", "R-LNG-04"}
"""Warnings by design that no case is about."""


def network(number: int = 1, **more: Any) -> VirtualNetwork:
    said: dict[str, Any] = {
        "name": f"vnet-{number}",
        "location": "westeurope",
        "resource_group": f"rg-{number}",
        "address_space": [f"10.{number}.0.0/16"],
        "gateway_subnet": f"10.{number}.255.0/26",
    }
    return VirtualNetwork(**(said | more))


def vpn(number: int = 1, **more: Any) -> VpnGateway:
    return VpnGateway(**({"name": f"vgw-{number}", "network": network(number), "sku": "VpnGw2AZ"} | more))


def site(name: str = "berlin", *prefixes: str, **more: Any) -> Site:
    said: dict[str, Any] = {"prefixes": prefixes, "shared_key": Secret.env("PSK"), "ipsec": IpsecPolicy.strong()}
    if "links" not in more and "fqdn" not in more:
        said["public_ip"] = f"203.0.113.{sum(name.encode()) % 250 + 1}"
    return Site(name=name, **(said | more))


def hub(*sites: Site, gateway: VpnGateway | None = None, **more: Any) -> SiteToSite:
    return SiteToSite(**({"name": "hub", "gateway": gateway or vpn(), "sites": sites} | more))


def clients(*sign_ins: Any, gateway: VpnGateway | None = None, **more: Any) -> PointToSite:
    said: dict[str, Any] = {
        "name": "clients",
        "gateway": gateway or vpn(),
        "protocols": ["OpenVPN"],
        "address_pool": ["172.16.0.0/24"],
        "authentication": sign_ins or [EntraId(tenant=TENANT)],
    }
    return PointToSite(**(said | more))


def circuit(**more: Any) -> Circuit:
    said: dict[str, Any] = {
        "name": "erc-ams",
        "location": "westeurope",
        "resource_group": "rg-1",
        "provider": "Equinix",
        "peering_location": "Amsterdam",
        "bandwidth": 1000,
        "private_peering": PrivatePeering(asn=65300, vlan=100, primary="10.99.0.0/30", secondary="10.99.0.4/30"),
    }
    return Circuit(**(said | more))


def waiting() -> ExpressRouteGateway:
    return ExpressRouteGateway(name="ergw-2", network=network(), sku="ErGw1AZ", admin_state="disabled")


def both(
    *sites: Site, name: str = "both", gateway: Any = None, expressroute: Any = None, link: Any = None
) -> ExpressRouteCoexistence:
    return ExpressRouteCoexistence(
        name=name,
        vpn=gateway or vpn(),
        expressroute=expressroute or ExpressRouteGateway(name="ergw", network=network(), sku="ErGw1AZ"),
        circuits=[link or CircuitLink(name="ams", circuit=circuit())],
        sites=sites,
    )


def many(count: int) -> list[Site]:
    return [site(f"s{n}", f"192.168.{n}.0/24", public_ip=f"198.51.100.{n + 1}") for n in range(count)]


def aws() -> Site:
    """Two tunnels, each to one instance, with an APIPA /30 of its own."""
    links = [
        Link(
            name=f"t{n}",
            public_ip=f"203.0.113.{60 + n}",
            instance=n,
            bgp=BgpPeer(asn=64512, address=f"169.254.21.{4 * n + 1}", azure_address=f"169.254.21.{4 * n + 2}"),
        )
        for n in range(2)
    ]
    return site("aws", links=links)


def ecc_root() -> RootCertificate:
    return RootCertificate.base64("root", certificate("ecc"))


Case = tuple[str, str, Callable[[], Blueprint], set[str]]

LEGITIMATE: tuple[Case, ...] = (
    (
        "R-LNG-02",
        "documentation ranges are private in Python",
        lambda: hub(
            site("berlin", "192.168.1.0/24", public_ip="203.0.113.9"),
            site("oslo", "192.168.2.0/24", public_ip="198.51.100.9"),
        ),
        set(),
    ),
    (
        "R-LNG-02",
        "a private address over private peering",
        lambda: both(
            site("berlin", "192.168.1.0/24", public_ip="10.200.0.1", private_ip=True), gateway=vpn(private_ip=True)
        ),
        set(),
    ),
    (
        "R-BGP-02",
        "a Virtual WAN hub speaks as 65515",
        lambda: hub(site("vwan", bgp=BgpPeer(asn=65515, address="10.200.0.12")), gateway=vpn(bgp=Bgp(asn=65010))),
        set(),
    ),
    (
        "R-BGP-06",
        "two gateways left at 65515 that do not speak BGP to each other",
        lambda: VnetToVnet(
            name="pair",
            pairs=[
                Pair(a=vpn(1, bgp=Bgp()), b=vpn(2, bgp=Bgp()), shared_key=Secret.env("PSK"), ipsec=IpsecPolicy.strong())
            ],
        ),
        {"R-V2V-10"},
    ),
    ("R-LNG-06", "a site summary contains the network", lambda: hub(site("berlin", "10.0.0.0/8")), {"R-LNG-06"}),
    (
        "R-LNG-06",
        "two links of one site have equal prefixes",
        lambda: hub(
            site(
                "berlin",
                "192.168.1.0/24",
                links=[Link(name="a", public_ip="203.0.113.1"), Link(name="b", public_ip="203.0.113.2")],
            ),
        ),
        {"R-BGP-18"},
    ),
    (
        "R-LNG-06",
        "a site that stands in for another has its prefixes",
        lambda: hub(site("berlin", "192.168.1.0/24"), site("lte", "192.168.1.0/24", backup_of="berlin")),
        set(),
    ),
    (
        "R-LNG-06",
        "a translated site has the network's own prefixes",
        lambda: hub(
            site(
                "berlin",
                "10.1.0.0/24",
                nat=[
                    Nat.ingress(name="in", internal="10.1.0.0/24", external="172.20.0.0/24"),
                    Nat.egress(name="out", internal="10.1.0.0/16", external="172.21.0.0/16"),
                ],
            )
        ),
        set(),
    ),
    ("R-LNG-07", "forced tunnelling by prefix", lambda: hub(site("berlin", "0.0.0.0/0")), set()),
    ("R-LNG-07", "forced tunnelling in two halves", lambda: hub(site("berlin", "0.0.0.0/1", "128.0.0.0/1")), set()),
    (
        "R-LNG-09",
        "a policy-based device with selectors",
        lambda: hub(
            site(
                "berlin",
                "192.168.1.0/24",
                policy_based_selectors=True,
                traffic_selectors=[TrafficSelector(local=["10.1.0.0/16"], remote=["192.168.1.0/24"])],
            )
        ),
        set(),
    ),
    (
        "R-LNG-09",
        "BGP at the site serves its links",
        lambda: hub(
            site(
                "berlin", bgp=BgpPeer(asn=65020, address="192.168.9.1"), links=[Link(name="a", public_ip="203.0.113.1")]
            ),
            gateway=vpn(bgp=Bgp(asn=65010)),
        ),
        set(),
    ),
    (
        "R-SKU-13",
        "sixty links to two instances each",
        lambda: hub(*many(60), gateway=vpn(sku="VpnGw4AZ", active_active=True)),
        {"R-SKU-13"},
    ),
    (
        "R-AA-02",
        "an AWS device with a tunnel to each instance",
        lambda: hub(aws(), gateway=vpn(active_active=True, bgp=Bgp(asn=65010))),
        set(),
    ),
    (
        "R-ER-02",
        "coexistence with an AS number of one's own",
        lambda: both(gateway=vpn(bgp=Bgp(asn=65010))),
        {"R-ER-02"},
    ),
    (
        "R-ER-15",
        "a circuit of others says neither place nor tier",
        lambda: both(
            link=CircuitLink(
                name="ams", circuit=Circuit.existing(f"{OTHERS}/Microsoft.Network/expressRouteCircuits/erc")
            )
        ),
        set(),
    ),
    (
        "R-SKU-22",
        "a scalable gateway where the list has none",
        lambda: both(
            expressroute=ExpressRouteGateway(name="ergw", network=network(), sku="ErGwScale", scale_units=(2, 10))
        ),
        {"R-SKU-22"},
    ),
    (
        "R-SKU-22",
        "a SKU that came after this version",
        lambda: hub(site("berlin", "192.168.1.0/24"), gateway=vpn(sku=Sku.other("VpnGw9AZ"))),
        set(),
    ),
    (
        "R-SKU-23",
        "VPN over private peering of a scalable gateway",
        lambda: both(
            site("berlin", "192.168.1.0/24", private_ip=True, public_ip="10.200.0.1"),
            gateway=vpn(private_ip=True),
            expressroute=ExpressRouteGateway(name="ergw", network=network(), sku="ErGwScale", scale_units=(2, 10)),
        ),
        {"R-SKU-22", "R-SKU-23"},
    ),
    (
        "R-ER-20",
        "FastPath at ten scale units, where high-bandwidth tunnels would need twenty",
        lambda: both(
            expressroute=ExpressRouteGateway(name="ergw", network=network(), sku="ErGwScale", scale_units=(10, 20)),
            link=CircuitLink(name="ams", circuit=circuit(), fast_path=True),
        ),
        {"R-SKU-22"},
    ),
    (
        "R-NAT-07",
        "a dynamic rule between equal prefixes",
        lambda: hub(
            site(
                "berlin",
                "192.168.1.0/26",
                nat=[Nat.ingress(name="in", internal="192.168.1.0/26", external="172.20.0.0/26", dynamic=True)],
            )
        ),
        {"R-NAT-07"},
    ),
    (
        "R-NAT-08",
        "one rule on two instances, and one egress rule for two sites",
        lambda: hub(
            *[
                site(
                    name,
                    prefix,
                    nat=[
                        Nat.ingress(name=f"in-{name}", internal=prefix, external=outside),
                        Nat.egress(name="out", internal="10.1.0.0/16", external="172.21.0.0/16"),
                    ],
                )
                for name, prefix, outside in (
                    ("berlin", "10.1.0.0/24", "172.20.0.0/24"),
                    ("oslo", "10.1.1.0/24", "172.20.1.0/24"),
                )
            ],
            gateway=vpn(active_active=True),
        ),
        set(),
    ),
    (
        "R-NAT-13",
        "NAT on one site and APIPA on another",
        lambda: hub(
            aws(),
            site(
                "berlin",
                "10.1.0.0/24",
                nat=[
                    Nat.ingress(name="in", internal="10.1.0.0/24", external="172.20.0.0/24"),
                    Nat.egress(name="out", internal="10.1.0.0/16", external="172.21.0.0/16"),
                ],
            ),
            gateway=vpn(active_active=True, bgp=Bgp(asn=65010)),
        ),
        set(),
    ),
    (
        "R-NAT-12",
        "the device announces translated prefixes itself",
        lambda: hub(
            site(
                "berlin",
                bgp=BgpPeer(asn=65020, address="192.168.9.1"),
                nat=[Nat.ingress(name="in", internal="192.168.1.0/24", external="172.20.0.0/24")],
            ),
            gateway=vpn(bgp=Bgp(asn=65010)),
        ),
        {"R-NAT-12"},
    ),
    (
        "R-BGP-07",
        "the peer is the device's LAN address",
        lambda: hub(
            site("berlin", "192.168.1.0/24", bgp=BgpPeer(asn=65020, address="192.168.1.1")),
            gateway=vpn(bgp=Bgp(asn=65010)),
        ),
        set(),
    ),
    (
        "R-BGP-08",
        "gateways that are not joined use the same APIPA addresses",
        lambda: Topology(
            name="two",
            blueprints=[
                hub(aws(), name="one", gateway=vpn(1, active_active=True, bgp=Bgp(asn=65010))),
                hub(aws(), name="other", gateway=vpn(2, active_active=True, bgp=Bgp(asn=65011))),
            ],
        ),
        set(),
    ),
    (
        "R-BGP-18",
        "two static links while a site moves",
        lambda: hub(
            site(
                "berlin",
                "192.168.1.0/24",
                links=[Link(name="old", public_ip="203.0.113.1"), Link(name="new", public_ip="203.0.113.2")],
            )
        ),
        {"R-BGP-18"},
    ),
    (
        "R-TS-05",
        "many prefixes on an ordinary connection",
        lambda: hub(site("berlin", *(f"192.168.{n}.0/24" for n in range(250)))),
        set(),
    ),
    ("R-POOL-02", "shared address space as pool", lambda: clients(address_pool=["100.64.0.0/20"]), {"R-POOL-02"}),
    (
        "R-POOL-01",
        "a pool of several small prefixes",
        lambda: clients(address_pool=["172.16.0.0/30", "172.16.0.4/30", "172.16.0.8/29"]),
        {"R-POOL-01"},
    ),
    (
        "R-UG-04",
        "a group's pool of two halves",
        lambda: clients(
            Certificates(roots=[RootCertificate.base64("root", certificate("rsa"))]),
            groups=[
                UserGroup(name="all", priority=0, default=True, address_pool=["172.18.0.0/25", "172.18.0.128/25"]),
                UserGroup(
                    name="lab",
                    priority=1,
                    address_pool=["172.19.0.0/24"],
                    members=[CertificateDomain(name="lab.example.com")],
                ),
            ],
        ),
        {"R-UG-04"},
    ),
    ("R-CERTP-05", "an elliptic root with OpenVPN alone", lambda: clients(Certificates(roots=[ecc_root()])), set()),
    (
        "R-AAD-02",
        "an application of one's own, in capitals and braces",
        lambda: clients(EntraId(tenant=f"{{{TENANT.upper()}}}", audience="{ABCDEF01-2345-6789-ABCD-EF0123456789}")),
        set(),
    ),
    (
        "R-AAD-03",
        "an issuer without its last slash",
        lambda: clients(EntraId(tenant=TENANT, issuer=f"https://sts.windows.net/{TENANT}")),
        set(),
    ),
    (
        "R-PEER-02",
        "the far side of a spoke belongs to others",
        lambda: hub(
            spokes=[
                Spoke(
                    network=VirtualNetwork.existing(
                        f"{OTHERS}/Microsoft.Network/virtualNetworks/spoke",
                        location="westeurope",
                        address_space=["10.8.0.0/16"],
                    ),
                    manage="hub",
                )
            ]
        ),
        set(),
    ),
    (
        "R-PIP-21",
        "more addresses than a fresh subscription has",
        lambda: Topology(
            name="fleet", blueprints=[hub(name=f"hub-{n}", gateway=vpn(n, active_active=True)) for n in range(1, 7)]
        ),
        {"R-PIP-21"},
    ),
    (
        "R-V2V-10",
        "two networks of one region joined by tunnels, as designed",
        lambda: VnetToVnet(
            name="pair", pairs=[Pair(a=vpn(1), b=vpn(2), shared_key=Secret.env("PSK"), ipsec=IpsecPolicy.strong())]
        ),
        {"R-V2V-10"},
    ),
    *[
        (
            "R-PIP-02",
            f"{sku} in an edge zone, whose addresses have no zones",
            lambda sku=sku: hub(gateway=vpn(sku=sku, network=network(edge_zone="miami"), edge_zone="miami")),
            {"R-SKU-01"} if sku == "VpnGw2" else set(),
        )
        for sku in ("Basic", "VpnGw1AZ", "VpnGw2", "VpnGw5AZ")
    ],
    (
        "R-SKU-19",
        "two gateways for circuits, one of which waits",
        lambda: Topology(name="two", blueprints=[both(), both(name="two", expressroute=waiting())]),
        set(),
    ),
    ("R-SEC-03", "Azure's own proposals", lambda: hub(site("berlin", "192.168.1.0/24", ipsec=None)), {"R-SEC-03"}),
    (
        "R-MNT-01",
        "a window of another team, by its id alone",
        lambda: hub(
            gateway=vpn(
                maintenance=Maintenance.existing(f"{OTHERS}/Microsoft.Maintenance/maintenanceConfigurations/mc")
            )
        ),
        set(),
    ),
)


@pytest.fixture
def harness(tmp_path: Path) -> Workspace:
    clock = VirtualClock()
    simulator = open_simulator(SessionSettings("simulator", directory=tmp_path), clock)
    environment = {"PSK": "0123456789abcdefghijABCDEFGHIJ"}
    return Workspace("simulator", directory=tmp_path, clock=clock, simulator=simulator, environment=environment)


@pytest.mark.parametrize(
    ("rule", "reason", "make", "warnings"), LEGITIMATE, ids=[f"{rule}: {reason}" for rule, reason, _, _ in LEGITIMATE]
)
def test_a_legitimate_deployment_is_not_refused(
    rule: str, reason: str, make: Callable[[], Blueprint], warnings: set[str], harness: Workspace
) -> None:
    blueprint = make()

    found = harness.validate(blueprint).findings
    planned = [f for f in harness.plan(blueprint).blocking if not f.rule.startswith("V-EXIST")]

    assert [finding for finding in found if finding.level == "error"] == []
    assert {finding.rule for finding in found if finding.level == "warning"} <= warnings | GENERAL
    assert warnings <= {finding.rule for finding in found if finding.level == "warning"}
    assert planned == []


def test_an_unknown_sku_is_refused_with_a_suggestion_and_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"VpnGw2AZ.*Sku\.other\('VpnGw2AX'\)"):
        vpn(sku="VpnGw2AX")


def test_an_issuer_without_its_slash_gets_it(harness: Workspace) -> None:
    blueprint = clients(EntraId(tenant=TENANT, issuer=f"https://sts.windows.net/{TENANT}"))

    gateway = harness.compile(blueprint).graph.resources["VpnGateway/vgw-1"]

    sent = gateway.body()["properties"]["vpnClientConfiguration"]
    assert sent["aadIssuer"] == f"https://sts.windows.net/{TENANT}/"
