"""The network whose state, journal and plan lie beside this file: as it was deployed, and as it was edited then.

Written for the version that made them; a later version still loads it and has nothing to change.
"""

from __future__ import annotations

from vpngw_iac import (
    Bgp,
    BgpPeer,
    IpsecPolicy,
    Nat,
    PointToSite,
    Radius,
    RadiusServer,
    Secret,
    Site,
    SiteToSite,
    Spoke,
    Topology,
    VirtualNetwork,
    VpnGateway,
)

KEYS = {f"{name}_PSK": f"0123456789abc{name}" for name in ("BERLIN", "PARIS", "ROME", "OSLO", "MADRID")} | {
    "RADIUS_SECRET": "0123456789abcRADIUS"
}
"""What the secret references resolve to. None of these is a secret of anybody."""
ROTATED = KEYS | {"ROME_PSK": "0123456789abcROTATED"}

_HUB = VirtualNetwork(
    name="vnet-hub",
    location="westeurope",
    resource_group="rg-hub",
    address_space=["10.1.0.0/16"],
    gateway_subnet="10.1.255.0/27",
    subnets={"workload": "10.1.1.0/24"},
    tags={"owner": "network"},
)
_SPOKE = VirtualNetwork(
    name="vnet-spoke", location="westeurope", resource_group="rg-spoke", address_space=["10.2.0.0/16"]
)
_GATEWAY = VpnGateway(
    name="vgw-hub", network=_HUB, sku="VpnGw2AZ", active_active=True, bgp=Bgp(asn=65010), guests=["con-guest"]
)


def _site(name: str, number: int, **more: object) -> Site:
    given: dict[str, object] = {
        "name": name,
        "public_ip": f"203.0.113.{number}",
        "prefixes": [f"192.168.{number}.0/24"],
        "shared_key": Secret.env(f"{name.upper()}_PSK"),
    }
    return Site.model_validate(given | more)


_BERLIN = _site(
    "berlin",
    10,
    ipsec=IpsecPolicy.strong(),
    nat=[Nat.ingress(name="berlin", internal="192.168.10.0/24", external="100.64.10.0/24")],
    protect=True,
)
_PARIS = _site(
    "paris",
    20,
    prefixes=None,
    bgp=BgpPeer(asn=65020, address="169.254.21.6", azure_address=["169.254.21.5", "169.254.22.5"]),
    on_removal="forget",
)
_ROME, _OSLO, _MADRID = (_site(name, 30 + at) for at, name in enumerate(("rome", "oslo", "madrid")))


def _topology(*sites: Site) -> Topology:
    clients = PointToSite(
        name="clients",
        gateway=_GATEWAY,
        protocols=["OpenVPN"],
        address_pool="172.16.0.0/24",
        authentication=[Radius(servers=[RadiusServer(address="10.1.1.4", secret=Secret.env("RADIUS_SECRET"))])],
    )
    hub = SiteToSite(name="sites", gateway=_GATEWAY, sites=sites, spokes=[Spoke(network=_SPOKE)])
    return Topology(name="contoso", blueprints=[hub, clients])


deployed = _topology(_BERLIN, _PARIS, _ROME, _OSLO)
"""What was applied."""
edited = _topology(_BERLIN, _PARIS.model_copy(update={"tags": {"cost": "42"}}), _ROME, _MADRID)
"""The edit that was planned, and that a run was in the middle of: a tag, a rotated key, one site less and one more."""
