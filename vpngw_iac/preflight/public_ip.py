"""Public IPs of gateways: SKU, zones, how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vpngw_iac.blueprints.regions import WITHOUT_ZONES
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, each, expressroute_gateways, rule, vpn_gateways
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import ResourceView, named, region
from vpngw_iac.preflight.view.topology import PUBLIC_IP, TopologyView


def _is_basic(public_ip: ResourceView) -> bool:
    """Whether its SKU is Basic; Azure's default where a managed one says nothing."""
    sku = public_ip.text("sku.name")
    return sku == "Basic" or (sku is None and public_ip.is_managed)


def _is_dynamic(public_ip: ResourceView) -> bool:
    method = public_ip.text("properties.publicIPAllocationMethod")
    return method == "Dynamic" or (method is None and public_ip.is_managed)


def _needed(gateway: Gateway) -> int:
    return 1 if not gateway.active_active else 3 if gateway.clients is not None else 2


@rule(
    "R-PIP-01",
    "E",
    "Public IP must be Standard and static",
    "SKU, CONS, BPIP, FIELD",
    "Use a public IP of SKU Standard with static allocation.",
    when="create",
    see=("PSRule:AZR-000158", "APRL:5cea1501-6fe4-4ec4-ac8f-f72320eb18d3"),
)
@each(vpn_gateways)
def standard_static(gateway: Gateway) -> Iterator[str]:
    """Every new VPN gateway, Basic included, needs Standard static addresses."""
    for public_ip in gateway.public_ips:
        if _is_basic(public_ip):
            said = "has SKU Basic (PublicIpWithBasicSkuNotAllowedOnVPNGateways)"
        elif _is_dynamic(public_ip):
            said = "is allocated dynamically"
        else:
            continue
        yield f"{public_ip.address} {said}."


def _is_zonal(sku: str | None) -> bool:
    return sku is not None and sku.startswith("VpnGw") and sku.endswith("AZ")


@rule(
    "R-PIP-02",
    "E",
    "Public IP of a zonal gateway has no zones",
    "GH, FIELD",
    'Give it zones ["1", "2", "3"].',
    when="create",
    see=("PSRule:AZR-000157", "APRL:4bae5a28-5cf4-40d9-bcf1-623d28f6d917", "APRL:c63b81fb-7afc-894c-a840-91bb8a8dcfaf"),
)
@each(vpn_gateways)
def zones_missing(gateway: Gateway) -> Iterator[Violation]:
    """AZ SKUs refuse Standard addresses without zones where the region has zones; the list of regions ages.

    An address in an edge zone has no zones to give.
    """
    for public_ip in gateway.public_ips if _is_zonal(gateway.sku) and gateway.edge_zone is None else ():
        if public_ip.knows("zones") and not public_ip.texts("zones") and not _is_basic(public_ip):
            place = region(public_ip) or gateway.location
            zoned = place in limits.ZONED_REGIONS
            if not zoned and place in WITHOUT_ZONES:
                continue
            yield Violation(
                gateway.resource,
                f"{public_ip.address} has no zones; {gateway.sku} refuses that "
                "(VmssVpnGatewayPublicIpsMustHaveZonesConfigured)"
                + ("." if zoned else f" if {place} has zones, which our list of {limits.READ_ON} does not know."),
                level="error" if zoned else "warning",
            )


@rule(
    "R-PIP-03",
    "E",
    "Public IP of a regional gateway has zones",
    "GH",
    "Use the AZ SKU, or an address without zones.",
    when="create",
)
@each(vpn_gateways)
def zones_forbidden(gateway: Gateway) -> Iterator[Violation]:
    """Non-AZ SKUs refuse addresses with zones."""
    for public_ip in gateway.public_ips:
        if gateway.sku in limits.NON_AZ_SKUS and public_ip.texts("zones"):
            yield Violation(
                gateway.resource,
                f"{public_ip.address} has zones; {gateway.sku} refuses that "
                "(RegionalVmssVpnGatewayPublicIpsMustNotHaveZonesConfigured).",
                f"Use {gateway.sku}AZ, or an address without zones.",
            )


@rule(
    "R-PIP-06",
    "E",
    "Active-active gateway needs two public IPs",
    "AA",
    "Give it a second public IP, or active_active=False.",
    when="create",
)
@each(vpn_gateways)
def two_addresses(gateway: Gateway) -> Iterator[str]:
    """One address per instance."""
    distinct = {instance.public_ip for instance in gateway.instances if instance.public_ip}
    if gateway.active_active and gateway.resource.is_managed and len(distinct) < 2:
        yield f"An active-active gateway has two instances; it has {len(distinct)} public IP(s)."


@rule(
    "R-PIP-07",
    "E",
    "Active-active point-to-site needs a third public IP",
    "PIP3, P2SC",
    "Give it a third public IP, or take one of the two away.",
    when="create",
)
@each(vpn_gateways)
def third_address(gateway: Gateway) -> Iterator[str]:
    """Clients of an active-active gateway arrive at a third address."""
    distinct = {instance.public_ip for instance in gateway.instances if instance.public_ip}
    if gateway.resource.is_managed and _needed(gateway) == 3 and len(distinct) == 2:
        yield "It is active-active and has point-to-site clients, but two public IPs."


@rule(
    "R-PIP-08",
    "W",
    "Public IPs of one gateway differ in zones",
    "BPIP",
    "Give all public IPs of a gateway the same zones.",
    when="create",
)
@each(vpn_gateways)
def equal_zones(gateway: Gateway) -> Iterator[str]:
    """All addresses of one gateway are configured alike."""
    zones = {frozenset(ip.texts("zones")) for ip in gateway.public_ips if ip.knows("zones")}
    if len(zones) > 1:
        yield f"{named(gateway.public_ips)} do not have the same zones."


@rule(
    "R-PIP-10",
    "E",
    "ExpressRoute gateway with a Basic public IP",
    "ERADD",
    "Leave the public IP out: Azure gives an ExpressRoute gateway its own.",
    when="create",
    see=("PSRule:AZR-000158", "APRL:5cea1501-6fe4-4ec4-ac8f-f72320eb18d3"),
)
@each(expressroute_gateways)
def expressroute_basic(gateway: Gateway) -> Iterator[str]:
    """ExpressRoute gateways take no Basic addresses any more."""
    basic = [ip for ip in gateway.public_ips if _is_basic(ip)]
    if basic and gateway.sku != "ErGwScale":
        yield f"{named(basic)} has SKU Basic."


@rule(
    "R-PIP-11",
    "E",
    "ExpressRoute gateway brings its own public IP",
    "ERGW, TF",
    "Leave the public IP out.",
    when="create",
)
@each(expressroute_gateways)
def expressroute_address(gateway: Gateway) -> Iterator[Violation]:
    """Azure gives such a gateway an address of its own; one that is declared is at best unused."""
    if any(instance.public_ip for instance in gateway.instances):
        yield Violation(
            gateway.resource,
            "A public IP is declared for an ExpressRoute gateway; Azure gives it one of its own.",
            level="warning",
        )


@rule(
    "R-PIP-15",
    "W",
    "Basic public IP on a gateway",
    "BPIP, NEW",
    "Migrate it now, at a time of your choice.",
    see=("PSRule:AZR-000158", "APRL:5cea1501-6fe4-4ec4-ac8f-f72320eb18d3"),
    ages=True,
)
@each(vpn_gateways)
def basic_address(gateway: Gateway) -> Iterator[str]:
    """Microsoft migrates what is left since August 2026 without further notice."""
    basic = [ip for ip in gateway.basic_ips if not _is_new(ip)]
    if basic and not gateway.is_basic:
        yield f"{named(basic)} has SKU Basic, which is retired; Microsoft migrates it at a time of its own choice."


@rule(
    "R-PIP-16",
    "W",
    "Migration of the public IP may break this gateway",
    "BPIP",
    "Migrate it in a window of your own, and test that part afterwards.",
    ages=True,
)
@each(vpn_gateways)
def risky_migration(gateway: Gateway) -> Iterator[str]:
    """Microsoft names what its own migration may break."""
    if not any(not _is_new(ip) for ip in gateway.basic_ips):
        return
    risks = [
        what
        for what, holds in (
            (
                "custom traffic selectors",
                any(c.selectors for c in gateway.sites),
            ),
            ("active-active point-to-site", bool(gateway.active_active and gateway.clients)),
            ("RADIUS", "radius" in gateway.sign_ins),
        )
        if holds
    ]
    if risks:
        yield f"It stands on a Basic public IP and uses {', '.join(risks)}, which the migration may break."


def _is_new(public_ip: ResourceView) -> bool:
    return public_ip.is_managed and public_ip.seen is None


@rule(
    "R-PIP-21",
    "W",
    "Many public IPs in one region",
    "VNLIM",
    "Look at the quota of the subscription; support raises it.",
)
def address_quota(topology: TopologyView) -> Iterator[Violation]:
    """The default quota is ten Standard addresses a region; support raises it."""
    counted = Counter(
        (ip.id.subscription.lower(), region(ip) or "") for ip in topology.of_type(PUBLIC_IP) if ip.is_managed
    )
    for (subscription, place), number in sorted(counted.items()):
        if number > limits.PUBLIC_IPS_PER_REGION:
            first = next(
                ip
                for ip in topology.of_type(PUBLIC_IP)
                if ip.is_managed and ip.id.subscription.lower() == subscription and (region(ip) or "") == place
            )
            yield Violation(
                first,
                f"{number} public IPs in {place or 'one region'}; the usual quota is {limits.PUBLIC_IPS_PER_REGION}.",
            )


@rule(
    "R-PIP-25",
    "E",
    "Two public IPs of one region have the same DNS label",
    "DNSU",
    "Give each its own label; others of the region may have taken it too.",
    when="change",
)
def equal_labels(topology: TopologyView) -> Iterator[Violation]:
    """Azure answers DnsRecordInUse: label.region.cloudapp.azure.com is one address. With a scope it has a hash too."""
    taken: dict[tuple[str, str | None], ResourceView] = {}
    for ip in sorted(topology.of_type(PUBLIC_IP), key=lambda ip: (ip.is_managed, ip.address)):
        label = ip.text(f"{_DNS}.domainNameLabel")
        if label is None or ip.text(f"{_DNS}.domainNameLabelScope") is not None:
            continue
        other = taken.setdefault((label.lower(), region(ip)), ip)
        if other is not ip:
            yield Violation(ip, f"{other.address} has the DNS label {label!r} in the same region.", block=_DNS)


_DNS = "properties.dnsSettings"


@rule("R-PIP-23", "W", "Coexisting gateways on Basic public IPs", "BPIP", "Migrate the VPN gateway first.", ages=True)
@each(vpn_gateways)
def migration_order(gateway: Gateway) -> Iterator[str]:
    """Where both gateways stand on Basic addresses the VPN gateway migrates first."""
    others = gateway.others
    if gateway.basic_ips and any(other.basic_ips for other in others):
        yield f"This gateway and {others[0].resource.address} both stand on Basic public IPs."
