"""Public IPs of gateways: SKU, zones, how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vpngw_iac.blueprints.regions import WITHOUT_ZONES
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, rule
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
    level="E",
    when="create",
    title="Public IP must be Standard and static",
    source="SKU, CONS, BPIP, FIELD",
    see=("PSRule:AZR-000158", "APRL:5cea1501-6fe4-4ec4-ac8f-f72320eb18d3"),
    fix="Use a public IP of SKU Standard with static allocation.",
)
def standard_static(topology: TopologyView) -> Iterator[Violation]:
    """Every new VPN gateway, Basic included, needs Standard static addresses."""
    for gateway in topology.vpn_gateways:
        for public_ip in gateway.public_ips:
            if _is_basic(public_ip):
                said = "has SKU Basic (PublicIpWithBasicSkuNotAllowedOnVPNGateways)"
            elif _is_dynamic(public_ip):
                said = "is allocated dynamically"
            else:
                continue
            yield Violation(gateway.resource, f"{public_ip.address} {said}.")


def _is_zonal(sku: str | None) -> bool:
    return sku is not None and sku.startswith("VpnGw") and sku.endswith("AZ")


@rule(
    "R-PIP-02",
    level="E",
    when="create",
    title="Public IP of a zonal gateway has no zones",
    source="GH, FIELD",
    see=(
        "PSRule:AZR-000157",
        "APRL:4bae5a28-5cf4-40d9-bcf1-623d28f6d917",
        "APRL:c63b81fb-7afc-894c-a840-91bb8a8dcfaf",
    ),
    fix='Give it zones ["1", "2", "3"].',
)
def zones_missing(topology: TopologyView) -> Iterator[Violation]:
    """AZ SKUs refuse Standard addresses without zones where the region has zones; the list of regions ages.

    An address in an edge zone has no zones to give.
    """
    for gateway in topology.vpn_gateways:
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
    level="E",
    when="create",
    title="Public IP of a regional gateway has zones",
    source="GH",
    fix="Use the AZ SKU, or an address without zones.",
)
def zones_forbidden(topology: TopologyView) -> Iterator[Violation]:
    """Non-AZ SKUs refuse addresses with zones."""
    for gateway in topology.vpn_gateways:
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
    level="E",
    when="create",
    title="Active-active gateway needs two public IPs",
    source="AA",
    fix="Give it a second public IP, or active_active=False.",
)
def two_addresses(topology: TopologyView) -> Iterator[Violation]:
    """One address per instance."""
    for gateway in topology.vpn_gateways:
        distinct = {instance.public_ip for instance in gateway.instances if instance.public_ip}
        if gateway.active_active and gateway.resource.is_managed and len(distinct) < 2:
            yield Violation(
                gateway.resource, f"An active-active gateway has two instances; it has {len(distinct)} public IP(s)."
            )


@rule(
    "R-PIP-07",
    level="E",
    when="create",
    title="Active-active point-to-site needs a third public IP",
    source="PIP3, P2SC",
    fix="Give it a third public IP, or take one of the two away.",
)
def third_address(topology: TopologyView) -> Iterator[Violation]:
    """Clients of an active-active gateway arrive at a third address."""
    for gateway in topology.vpn_gateways:
        distinct = {instance.public_ip for instance in gateway.instances if instance.public_ip}
        if gateway.resource.is_managed and _needed(gateway) == 3 and len(distinct) == 2:
            yield Violation(gateway.resource, "It is active-active and has point-to-site clients, but two public IPs.")


@rule(
    "R-PIP-08",
    level="W",
    when="create",
    title="Public IPs of one gateway differ in zones",
    source="BPIP",
    fix="Give all public IPs of a gateway the same zones.",
)
def equal_zones(topology: TopologyView) -> Iterator[Violation]:
    """All addresses of one gateway are configured alike."""
    for gateway in topology.vpn_gateways:
        zones = {frozenset(ip.texts("zones")) for ip in gateway.public_ips if ip.knows("zones")}
        if len(zones) > 1:
            yield Violation(gateway.resource, f"{named(gateway.public_ips)} do not have the same zones.")


@rule(
    "R-PIP-10",
    level="E",
    when="create",
    title="ExpressRoute gateway with a Basic public IP",
    source="ERADD",
    see=("PSRule:AZR-000158", "APRL:5cea1501-6fe4-4ec4-ac8f-f72320eb18d3"),
    fix="Leave the public IP out: Azure gives an ExpressRoute gateway its own.",
)
def expressroute_basic(topology: TopologyView) -> Iterator[Violation]:
    """ExpressRoute gateways take no Basic addresses any more."""
    for gateway in topology.expressroute_gateways:
        basic = [ip for ip in gateway.public_ips if _is_basic(ip)]
        if basic and gateway.sku != "ErGwScale":
            yield Violation(gateway.resource, f"{named(basic)} has SKU Basic.")


@rule(
    "R-PIP-11",
    level="E",
    when="create",
    title="ExpressRoute gateway brings its own public IP",
    source="ERGW, TF",
    fix="Leave the public IP out.",
)
def expressroute_address(topology: TopologyView) -> Iterator[Violation]:
    """Azure gives such a gateway an address of its own; one that is declared is at best unused."""
    for gateway in topology.expressroute_gateways:
        if any(instance.public_ip for instance in gateway.instances):
            yield Violation(
                gateway.resource,
                "A public IP is declared for an ExpressRoute gateway; Azure gives it one of its own.",
                level="warning",
            )


@rule(
    "R-PIP-15",
    level="W",
    title="Basic public IP on a gateway",
    source="BPIP, NEW",
    see=("PSRule:AZR-000158", "APRL:5cea1501-6fe4-4ec4-ac8f-f72320eb18d3"),
    ages=True,
    fix="Migrate it now, at a time of your choice.",
)
def basic_address(topology: TopologyView) -> Iterator[Violation]:
    """Microsoft migrates what is left since August 2026 without further notice."""
    for gateway in topology.vpn_gateways:
        basic = [ip for ip in gateway.basic_ips if not _is_new(ip)]
        if basic and not gateway.is_basic:
            yield Violation(
                gateway.resource,
                f"{named(basic)} has SKU Basic, which is retired; Microsoft migrates it at a time of its own choice.",
            )


@rule(
    "R-PIP-16",
    level="W",
    title="Migration of the public IP may break this gateway",
    source="BPIP",
    ages=True,
    fix="Migrate it in a window of your own, and test that part afterwards.",
)
def risky_migration(topology: TopologyView) -> Iterator[Violation]:
    """Microsoft names what its own migration may break."""
    for gateway in topology.vpn_gateways:
        if not any(not _is_new(ip) for ip in gateway.basic_ips):
            continue
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
            yield Violation(
                gateway.resource,
                f"It stands on a Basic public IP and uses {', '.join(risks)}, which the migration may break.",
            )


def _is_new(public_ip: ResourceView) -> bool:
    return public_ip.is_managed and public_ip.seen is None


@rule(
    "R-PIP-21",
    level="W",
    title="Many public IPs in one region",
    source="VNLIM",
    fix="Look at the quota of the subscription; support raises it.",
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
    level="E",
    when="change",
    title="Two public IPs of one region have the same DNS label",
    source="DNSU",
    fix="Give each its own label; others of the region may have taken it too.",
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


@rule(
    "R-PIP-23",
    level="W",
    title="Coexisting gateways on Basic public IPs",
    source="BPIP",
    ages=True,
    fix="Migrate the VPN gateway first.",
)
def migration_order(topology: TopologyView) -> Iterator[Violation]:
    """Where both gateways stand on Basic addresses the VPN gateway migrates first."""
    for gateway in topology.vpn_gateways:
        others = gateway.others
        if gateway.basic_ips and any(other.basic_ips for other in others):
            yield Violation(
                gateway.resource, f"This gateway and {others[0].resource.address} both stand on Basic public IPs."
            )
