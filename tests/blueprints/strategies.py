"""Random blueprints that are legal: what the laws of compiling are tried on."""

from __future__ import annotations

from hypothesis import strategies as st

from vpngw_iac import (
    Bgp,
    BgpPeer,
    EntraId,
    IpsecPolicy,
    Link,
    Nat,
    Pair,
    PointToSite,
    Secret,
    Site,
    SiteToSite,
    Spoke,
    Topology,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)

REGIONS = st.sampled_from(["westeurope", "northeurope", "westus"])
LETTERS = "abcdefgh"


def _number(name: str) -> int:
    return LETTERS.index(name[0])


@st.composite
def networks(draw: st.DrawFn, name: str) -> VirtualNetwork:
    number = 1 + _number(name) + 10 * (name[1:] == "s")
    return VirtualNetwork(
        name=f"vnet-{name}",
        location=draw(REGIONS),
        resource_group=draw(st.sampled_from([f"rg-{name}", "rg-shared"])),
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
        subscription=draw(st.sampled_from([None, "00000000-0000-0000-0000-000000000002"])),
    )


@st.composite
def gateways(draw: st.DrawFn, name: str) -> VpnGateway:
    return VpnGateway(
        name=f"vgw-{name}",
        network=draw(networks(name)),
        sku=draw(st.sampled_from(["VpnGw2AZ", "VpnGw4AZ"])),
        active_active=draw(st.booleans()),
        bgp=draw(st.sampled_from([None, Bgp(asn=65010 + _number(name))])),
        resource_group=draw(st.sampled_from([None, f"rg-gateway-{name}"])),
    )


@st.composite
def sites(draw: st.DrawFn, name: str) -> Site:
    number = _number(name)
    nat = Nat.egress(name="out", internal="10.1.0.0/24", external="100.64.0.0/24")
    peer = BgpPeer(asn=65100 + number, address=f"169.254.21.{number + 1}", azure_address=f"169.254.21.{number + 101}")
    ipsec = draw(st.sampled_from([None, IpsecPolicy.strong()]))
    rules = draw(st.sampled_from([None, (nat,)]))
    if draw(st.booleans()):
        return Site(
            name=name,
            public_ip=f"203.0.113.{number}",
            prefixes=[f"192.168.{number}.0/24"],
            shared_key=Secret.env(f"{name.upper()}_PSK"),
            ipsec=ipsec,
            nat=rules,
        )
    count = draw(st.integers(1, 2))
    links = [
        Link(
            name=f"l{i}",
            public_ip=f"203.0.113.{50 + 2 * number + i}",
            bgp=peer,
            instance=draw(st.sampled_from([None, 0, 1])),
        )
        for i in range(count)
    ]
    return Site(name=name, links=links, shared_key=Secret.env(f"{name.upper()}_PSK"), ipsec=ipsec, nat=rules)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Two gateways with sites, clients, a pair and spokes, said by several blueprints that share them."""
    one, two = draw(gateways("a")), draw(gateways("b"))
    names = draw(st.lists(st.sampled_from(LETTERS), unique=True, max_size=4))
    own = [draw(sites(name)) for name in names]
    cut = draw(st.integers(0, len(own)))
    spokes = [Spoke(network=draw(networks("cs")), manage=draw(st.sampled_from(["both", "hub"])))]
    parts = [
        SiteToSite(name="first", gateway=one, sites=own[:cut], spokes=draw(st.sampled_from([[], spokes]))),
        SiteToSite(name="second", gateway=one, sites=own[cut:]),
        PointToSite(
            name="clients",
            gateway=draw(st.sampled_from([one, two])),
            protocols=["OpenVPN"],
            address_pool=["172.20.0.0/24"],
            authentication=[EntraId(tenant="11111111-1111-4111-8111-111111111111")],
        ),
        VnetToVnet(
            name="pairs",
            pairs=[Pair(a=one, b=two, shared_key=Secret.env("PAIR"), via=draw(st.sampled_from(["vnet", "ipsec"])))],
        ),
    ]
    chosen = draw(st.lists(st.sampled_from(parts), unique_by=lambda part: part.name, min_size=1))
    return Topology(name="world", blueprints=chosen)
