"""Random deployments with everything that hangs on gateways: what reading must find again."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.blueprints.strategies import networks, sites, topologies
from tests.preflight.certificates import certificate
from vpngw_iac import (
    Bgp,
    BgpPeer,
    CertificateDomain,
    Certificates,
    Circuit,
    CircuitLink,
    Diagnostics,
    EntraGroup,
    EntraId,
    ExpressRoute,
    ExpressRouteGateway,
    GlobalReach,
    LocalGateway,
    Lock,
    Maintenance,
    MicrosoftPeering,
    Nat,
    NatMapping,
    PointToSite,
    PrivatePeering,
    PublicIp,
    Radius,
    RadiusGroup,
    RadiusServer,
    RevokedCertificate,
    RootCertificate,
    Secret,
    Site,
    SiteToSite,
    Topology,
    UserGroup,
    VpnGateway,
)

_SINKS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ops/providers"
_WORKSPACE = f"{_SINKS}/Microsoft.OperationalInsights/workspaces/law"
_STORAGE = f"{_SINKS}/Microsoft.Storage/storageAccounts/stlogs"

LOCKS = st.sampled_from([None, "CanNotDelete", Lock(level="ReadOnly", notes="theirs", name="stay")])
TAGS = st.sampled_from([{}, {"owner": "net"}, {"owner": "net", "Cost Center": "42"}])


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """Lock, window and settings of a gateway."""
    alone = Diagnostics(workspace=_WORKSPACE, logs=draw(st.sampled_from(["all", ["TunnelDiagnosticLog"]])))
    kept = Diagnostics(name="keep", storage=_STORAGE, metrics=draw(st.booleans()))
    return {
        "lock": draw(LOCKS),
        "maintenance": draw(
            st.sampled_from([
                None, Maintenance(start="02:00"),
                Maintenance(start="22:30", hours=6, time_zone="W. Europe Standard Time", name="night"),
            ])
        ),
        "diagnostics": draw(st.sampled_from([[], [alone], [kept], [alone, kept]])),
        "tags": draw(TAGS),
    }  # fmt: skip


@st.composite
def nat_rules(draw: st.DrawFn, name: str, number: int, *, both: bool) -> Nat:
    """Static, dynamic, with ports, with several mappings; on each instance of `both`, on one, on none."""
    make = draw(st.sampled_from([Nat.ingress, Nat.egress]))
    instance = draw(st.sampled_from(["each", 0, 1, "none"] if both else ["each"]))
    form = draw(st.sampled_from(["static", "dynamic", "ports", "several"]))
    inside, outside = f"192.168.{number}.0/24", f"100.64.{number}.0/24"
    if form == "dynamic":
        return make(name, inside, f"100.64.{number}.0/30", dynamic=True, instance=instance)
    if form == "ports":
        ports = {"internal_ports": "100-200", "external_ports": "300-400"}
        return make(name, f"192.168.{number}.1/32", f"100.64.{number}.1/32", **ports, instance=instance)
    if form == "several":
        more = NatMapping(internal=f"192.169.{number}.0/24", external=f"100.65.{number}.0/24")
        return make(name, inside, outside, mappings=[more], instance=instance)
    return make(name, inside, outside, instance=instance)


@st.composite
def vpn_gateways(draw: st.DrawFn, name: str, number: int) -> VpnGateway:
    both = draw(st.booleans())
    rules = [draw(nat_rules(f"spare{i}", 10 * number + i, both=both)) for i in range(draw(st.integers(0, 2)))]
    return VpnGateway(
        name=f"vgw-{name}",
        network=draw(networks(name)),
        sku="VpnGw2AZ",
        active_active=both,
        bgp=draw(st.sampled_from([None, Bgp(asn=65010 + number, translate_nat_routes=True), Bgp(peer_weight=7)])),
        nat_rules=rules,
        custom_routes=draw(st.sampled_from([[], ["10.99.0.0/16"]])),
        public_ips=draw(st.sampled_from([[], [PublicIp(name=f"pip-{name}", tags={"owner": "net"})]])),
        **draw(operations()),
    )


@st.composite
def shared_sites(draw: st.DrawFn) -> tuple[Site, Site]:
    """One device for two gateways."""
    peer = draw(st.sampled_from([None, BgpPeer(asn=65200, address="192.168.210.1")]))
    device = LocalGateway(
        name="lgw-shared",
        public_ip="203.0.113.210",
        prefixes=["192.168.210.0/24"],
        bgp=peer,
        resource_group=draw(st.sampled_from(["rg-devices", "rg-shared"])),
        location="westeurope",
        tags=draw(TAGS),
    )
    bgp = draw(st.sampled_from([None, False]))
    one, two = (
        Site(
            name=f"shared-{side}",
            local_gateway=device,
            bgp=bgp if peer else None,
            shared_key=Secret.env(f"SHARED_{side.upper()}"),
            lock=draw(LOCKS),
            weight=draw(st.sampled_from([None, 10])),
        )
        for side in ("one", "two")
    )
    return one, two


@st.composite
def clients(draw: st.DrawFn, gateway: VpnGateway) -> PointToSite:
    """Ways to sign in, groups and pools."""
    roots = [RootCertificate.base64(f"root-{kind}", certificate(kind)) for kind in ("rsa", "ecc")]
    ways = [
        Certificates(roots=roots[: draw(st.integers(1, 2))], revoked=draw(st.sampled_from([[], [_LOST]]))),
        EntraId(tenant="11111111-1111-4111-8111-111111111111", cloud=draw(st.sampled_from(["public", "usgovernment"]))),
        Radius(
            servers=[
                RadiusServer(address="10.77.0.4", secret=Secret.env("RADIUS_ONE"), score=30),
                RadiusServer(address="10.77.0.5", secret=Secret.env("RADIUS_TWO"), score=10),
            ][: draw(st.integers(1, 2))]
        ),
    ]
    chosen = draw(st.lists(st.sampled_from(ways), unique_by=lambda way: type(way).__name__, min_size=1))
    members = {
        Certificates: CertificateDomain(name="lab.example.com"),
        EntraId: EntraGroup(id="33333333-3333-4333-8333-333333333333", member_name="us"),
        Radius: RadiusGroup(value="6ad1bd08"),
    }
    groups = draw(st.sampled_from(["none", "two", "one pool"]))
    second = "172.18.0.0/24" if groups == "one pool" else "172.19.0.0/24"
    return PointToSite(
        name="people",
        gateway=gateway,
        protocols=draw(st.sampled_from([["OpenVPN"], ["IKEv2"], ["IKEv2", "OpenVPN"]])),
        address_pool=["172.20.0.0/24", "172.21.0.0/24"][: draw(st.integers(1, 2))],
        authentication=chosen,
        groups=[]
        if groups == "none"
        else [
            UserGroup(name="staff", priority=0, default=True, address_pool=["172.18.0.0/24"]),
            UserGroup(name="lab", priority=5, address_pool=[second], members=[members[type(chosen[0])]]),
        ],
        custom_routes=draw(st.sampled_from([[], ["10.98.0.0/16"]])),
    )


_LOST = RevokedCertificate(name="lost", thumbprint="0123456789" * 4)


@st.composite
def circuits(draw: st.DrawFn, name: str, number: int) -> Circuit:
    private = PrivatePeering(
        asn=64512, primary=f"10.9.{number}.0/30", secondary=f"10.9.{number}.4/30", vlan=100 + number
    )  # its key is never shown
    public = MicrosoftPeering(
        asn=64512, primary=f"203.0.113.{8 * number}/30", secondary=f"203.0.113.{8 * number + 4}/30", vlan=200,
        advertised_prefixes=["198.51.100.0/24"], routing_registry=draw(st.sampled_from([None, "RIPENCC"])),
    )  # fmt: skip
    return Circuit(
        name=f"erc-{name}",
        location="westeurope",
        resource_group=draw(st.sampled_from(["rg-circuits", "rg-shared"])),
        provider="Colt",
        peering_location="Frankfurt",
        bandwidth=draw(st.sampled_from([50, 1000])),
        sku=draw(st.sampled_from(["Standard_MeteredData", "Premium_UnlimitedData"])),
        private_peering=private,
        microsoft_peering=draw(st.sampled_from([None, public])),
        authorizations=draw(st.sampled_from([[], ["partner", "another"]])),
        lock=draw(LOCKS),
        tags=draw(TAGS),
    )


@st.composite
def expressroute(draw: st.DrawFn) -> ExpressRoute:
    """A gateway with links, circuits alone, and Global Reach."""
    one, two = draw(circuits("one", 1)), draw(circuits("two", 2))
    gateway = ExpressRouteGateway(name="ergw", network=draw(networks("f")), sku="ErGw1AZ", **draw(operations()))
    link = CircuitLink(
        name="frankfurt",
        circuit=one,
        weight=draw(st.sampled_from([None, 10])),
        resource_group=draw(st.sampled_from([None, "rg-links"])),
        lock=draw(LOCKS),
        tags=draw(TAGS),
    )
    reach = GlobalReach(a=one, b=two, prefix="10.10.10.0/29")
    return ExpressRoute(
        name="er",
        gateway=gateway,
        circuits=draw(st.sampled_from([[], [link], [link, two]])),
        global_reach=draw(st.sampled_from([[], [reach]])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Topology:
    """Two gateways that share a device, rules of every form, clients, circuits, and what hangs on all of it."""
    if draw(st.integers(0, 4)) == 0:
        return draw(topologies())
    one, two = draw(vpn_gateways("d", 4)), draw(vpn_gateways("e", 5))
    shared = draw(shared_sites())
    rules = [draw(nat_rules(f"of-site{i}", 70 + i, both=one.active_active)) for i in range(draw(st.integers(0, 2)))]
    translated = Site(
        name="translated",
        public_ip="203.0.113.99",
        prefixes=["192.168.99.0/24"],
        shared_key=Secret.env("TRANSLATED"),
        nat=rules,
        lock=draw(LOCKS),
        tags=draw(TAGS),
        dpd=draw(st.sampled_from([None, 30])),
        mode=draw(st.sampled_from([None, "responder-only"])),
    )
    own = [draw(sites(name)) for name in draw(st.lists(st.sampled_from("gh"), unique=True))]
    spare = LocalGateway(name="lgw-spare", public_ip="203.0.113.211", prefixes=["192.168.211.0/24"])
    parts = [
        SiteToSite(
            name="hub-d", gateway=one, sites=[shared[0], translated, *own],
            local_gateways=draw(st.sampled_from([[], [spare]])),
        ),
        SiteToSite(name="hub-e", gateway=two, sites=[shared[1]]),
        draw(clients(one)),
        draw(expressroute()),
    ]  # fmt: skip
    chosen = draw(st.lists(st.sampled_from(parts), unique_by=lambda part: part.name, min_size=1))
    return Topology(name="world", blueprints=chosen)
