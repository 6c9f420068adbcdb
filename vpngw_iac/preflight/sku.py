"""Gateway SKUs: what can be created, what belongs together, how much one carries."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_ZONAL = ("PSRule:AZR-000272", "APRL:5b1933a6-90e4-f642-a01f-e58594e5aab2")


@rule(
    "R-SKU-01",
    level="E",
    when="create",
    title="SKU cannot be created any more",
    source="CONS, NEW, FIELD",
    see=_ZONAL,
    fix="Use the AZ SKU of the same number; it works in regions without zones too.",
)
def regional_sku(topology: TopologyView) -> Iterator[Violation]:
    """VpnGw1 to VpnGw5 are refused since November 2025 (`NonAzSkusNotAllowedForVPNGateway`).

    Whether that holds in edge zones, which have no zones, is not documented: there it warns.
    """
    for gateway in topology.vpn_gateways:
        if gateway.sku in limits.NON_AZ_SKUS:
            yield Violation(
                gateway.resource,
                f"Azure creates no {gateway.sku} gateway since 2025-11-01 (NonAzSkusNotAllowedForVPNGateway).",
                f"Use {gateway.sku}AZ; it works in regions without zones too.",
                "warning" if gateway.edge_zone else None,
            )


@rule(
    "R-SKU-03",
    level="E",
    when="create",
    title="Legacy SKU cannot be created any more",
    source="FAQ, DEPR",
    see=("PSRule:AZR-000269",),
    fix="Use VpnGw1AZ or larger.",
)
def legacy_sku(topology: TopologyView) -> Iterator[Violation]:
    """VPN gateways of SKU Standard and HighPerformance are refused since December 2023."""
    for gateway in topology.vpn_gateways:
        if gateway.sku in limits.LEGACY_SKUS:
            yield Violation(gateway.resource, f"Azure creates no VPN gateway of SKU {gateway.sku} since 2023-12-01.")


@rule(
    "R-SKU-04",
    level="E",
    when="change",
    title="Gateway accepts no change until its SKU moves",
    source="CONS",
    fix="Move it to the AZ SKU of the same number first; that is made in place and keeps the addresses.",
)
def frozen_gateway(topology: TopologyView) -> Iterator[Violation]:
    """A surviving non-AZ gateway refuses every change but the move to its AZ twin; its connections are warned of.

    On a Basic public IP even that move is left to the migration of the address.
    """
    for gateway in topology.vpn_gateways:
        now = str(value_at(gateway.resource.seen, "properties.sku.name"))
        basic = [ip for ip in gateway.public_ips if str(value_at(ip.seen, "sku.name")).lower() == "basic"]
        if (
            now in limits.NON_AZ_SKUS
            and gateway.sku not in limits.NON_AZ_SKUS
            and basic
            and gateway.resource.is_managed
        ):
            yield Violation(
                gateway.resource,
                f"It is to become {gateway.sku}, and {basic[0].address} has SKU Basic in Azure: only the migration of "
                "the public IP moves such a gateway.",
                "Run that migration first, in the portal or by PowerShell; it keeps the address.",
                block="properties.sku",
            )
        if now not in limits.NON_AZ_SKUS or gateway.sku not in limits.NON_AZ_SKUS:
            continue
        says = f"{gateway.resource.name} has SKU {now} in Azure; such gateways refuse configuration changes."
        advice = f"Move it to {now}AZ first; that is made in place and keeps the addresses."
        if gateway.resource.is_managed:
            yield Violation(gateway.resource, says, advice)
        for connection in gateway.tunnels:
            if connection.resource.is_managed:
                yield Violation(connection.resource, says, advice, "warning", otherwise=None)


@rule(
    "R-SKU-05",
    level="W",
    title="SKU is being retired",
    source="CONS, NEW",
    see=_ZONAL,
    ages=True,
    fix="Move it to the AZ SKU of the same number.",
)
def retired_sku(topology: TopologyView) -> Iterator[Violation]:
    """Gateways without AZ that still exist are overdue."""
    for gateway in topology.vpn_gateways:
        if gateway.sku in limits.NON_AZ_SKUS and (gateway.resource.seen is not None or not gateway.resource.is_managed):
            yield Violation(
                gateway.resource,
                f"{gateway.sku} retires on 2026-09-30 (as read on {limits.READ_ON}).",
                f"Move it to {gateway.sku}AZ.",
            )


@rule(
    "R-SKU-06",
    level="W",
    title="Legacy SKU is being retired",
    source="NEW, FAQ",
    see=("PSRule:AZR-000269",),
    ages=True,
    fix="Run the public IP migration of this gateway yourself, at a time of your choice.",
)
def retired_legacy_sku(topology: TopologyView) -> Iterator[Violation]:
    """Standard and HighPerformance VPN gateways that still exist are moved by Microsoft."""
    for gateway in topology.vpn_gateways:
        if gateway.sku in limits.LEGACY_SKUS and (gateway.resource.seen is not None or not gateway.resource.is_managed):
            twin = "VpnGw1AZ" if gateway.sku == "Standard" else "VpnGw2AZ"
            yield Violation(
                gateway.resource, f"VPN SKU {gateway.sku} retired in June 2026; Microsoft moves what is left to {twin}."
            )


@rule(
    "R-SKU-09", level="E", title="Generation on an ExpressRoute gateway", source="SDK", fix="Leave the generation out."
)
def expressroute_generation(topology: TopologyView) -> Iterator[Violation]:
    """Only VPN gateways have a generation."""
    for gateway in topology.expressroute_gateways:
        if gateway.generation not in (None, "None"):
            yield Violation(
                gateway.resource, f"{gateway.generation} is declared; an ExpressRoute gateway has no generation."
            )


@rule(
    "R-SKU-10",
    level="E",
    title="SKU does not exist in this generation",
    source="SKUTAB, TF",
    fix="Leave the generation out, or choose a SKU that exists in it.",
)
def sku_generation(topology: TopologyView) -> Iterator[Violation]:
    """Generation 1: Basic and VpnGw1 to 3; generation 2: VpnGw2 to 5."""
    for gateway in topology.vpn_gateways:
        sku, generation = gateway.sku, gateway.generation
        known = any(sku in skus for skus in limits.GENERATIONS.values())
        if sku and known and generation in limits.GENERATIONS and sku not in limits.GENERATIONS[generation]:
            other = next(name for name, skus in limits.GENERATIONS.items() if sku in skus)
            yield Violation(
                gateway.resource,
                f"{sku} does not exist in {generation}.",
                f"Use {other}, leave the generation out, or choose another SKU.",
            )


@rule(
    "R-SKU-11",
    level="E",
    title="Policy-based gateway needs SKU Basic",
    source="FAQ, TF",
    fix="Make it route-based; for a policy-based device use policy_based_selectors on its site.",
)
def policy_based_sku(topology: TopologyView) -> Iterator[Violation]:
    """Policy-based VPN exists on Basic only."""
    for gateway in topology.vpn_gateways:
        if gateway.is_policy_based and gateway.sku not in (None, "Basic"):
            yield Violation(gateway.resource, f"A policy-based gateway cannot have SKU {gateway.sku}.")


def _counted(tunnels: tuple[Connection, ...]) -> int:
    """Instance tunnels: a connection on an active-active gateway makes two unless it is bound to one instance."""
    return sum(1 if tunnel.is_bound_to_one_instance else 2 for tunnel in tunnels)


@rule(
    "R-SKU-13",
    level="F",
    title="More tunnels than the SKU carries",
    source="FAQ, SKUTAB",
    fix="Use VpnGw4AZ (100 tunnels), spread the sites over several gateways, or use Virtual WAN.",
)
def tunnel_count(topology: TopologyView) -> Iterator[Violation]:
    """Every site-to-site and VNet-to-VNet connection counts. Whether instances count is not documented: a warning."""
    for gateway in topology.vpn_gateways:
        limit = limits.TUNNELS.get(gateway.sku or "")
        tunnels = gateway.tunnels
        if limit is None or gateway.is_policy_based:
            continue
        if len(tunnels) > limit:
            yield Violation(
                gateway.resource,
                f"{len(tunnels)} connections on {gateway.sku}, which carries {limit}.",
                _larger(gateway),
                "error",
            )
        elif gateway.active_active and _counted(tunnels) > limit:
            yield Violation(
                gateway.resource,
                f"{len(tunnels)} connections make {_counted(tunnels)} tunnels on two instances; {gateway.sku} carries "
                f"{limit}, and Microsoft does not say whether instances count.",
                _larger(gateway),
                "warning",
            )


def _larger(gateway: Gateway) -> str:
    if limits.TUNNELS.get(gateway.sku or "", 0) < 100:
        return "Use VpnGw4AZ (100 tunnels) or spread the sites over two gateways."
    return "Spread the sites over several gateways, or use Virtual WAN."


@rule(
    "R-SKU-14",
    level="W",
    title="So many sites belong to Virtual WAN",
    source="SKU",
    fix="Consider Virtual WAN for more than 100 tunnels.",
)
def too_many_sites(topology: TopologyView) -> Iterator[Violation]:
    """Above 100 tunnels Microsoft advises Virtual WAN."""
    for gateway in topology.vpn_gateways:
        if len(gateway.sites) > limits.MANY_TUNNELS:
            yield Violation(gateway.resource, f"{len(gateway.sites)} site-to-site connections on one gateway.")


@rule(
    "R-SKU-18",
    level="W",
    title="Cipher limits the throughput",
    source="SKU, LIM",
    fix="Use GCMAES256 for IPsec encryption and integrity if the device can.",
)
def slow_cipher(topology: TopologyView) -> Iterator[Violation]:
    """3DES carries about 130 Mbps per tunnel on every SKU."""
    for connection in topology.connections:
        slow = [policy for policy in connection.policies if policy.get("ipsecEncryption") == "DES3"]
        if slow:
            yield Violation(connection.resource, "With DES3 one tunnel carries about 130 Mbps whatever the SKU.")


@rule(
    "R-SKU-19",
    level="E",
    title="Two gateways of one type in a network",
    source="SET, VNLIM, ERMIG",
    fix="Remove one of them, or put it into another network.",
)
def one_gateway_each(topology: TopologyView) -> Iterator[Violation]:
    """A network has one VPN gateway, and one ExpressRoute gateway that serves: a second one waits with admin_state."""
    for network_id in sorted({g.network_id for g in topology.gateways if g.network_id is not None}):
        here = topology.gateways_in(network_id)
        for most, group in ((1, [g for g in here if g.is_vpn]), (2, [g for g in here if g.is_expressroute])):
            if len(group) > most:
                others = listed(gateway.resource.address for gateway in group[:-1])
                yield Violation(
                    group[-1].resource,
                    f"{others} already stands in {network_id.name}; a network takes one gateway of each type.",
                )
            elif len(group) == 2 and all((g.admin_state or "enabled").lower() == "enabled" for g in group):
                yield Violation(
                    group[-1].resource,
                    f"{group[0].resource.address} stands in {network_id.name} too, and both serve traffic.",
                    'Write admin_state="disabled" on the one that waits.',
                    "warning",
                )


@rule(
    "R-SKU-20",
    level="F",
    title="Scale units are out of bounds",
    source="ERSC, ERMIG, TF",
    fix="Write for example scale_units=(2, 10), or one number for a fixed size.",
)
def scale_units(topology: TopologyView) -> Iterator[Violation]:
    """1 to 40 units; a fixed size has equal bounds; scaling starts at 2."""
    for gateway in topology.expressroute_gateways:
        least = gateway.least_units
        most = gateway.most_units
        if gateway.sku != "ErGwScale" or least is None or most is None:
            continue
        if not 1 <= least <= most <= 40:
            yield Violation(
                gateway.resource,
                f"Scale units {least} to {most}: allowed are 1 to 40, the smaller number first.",
                "Write for example scale_units=(2, 10).",
            )
        elif least == 1 < most:
            yield Violation(
                gateway.resource,
                f"Scale units 1 to {most}: scaling by load starts at 2 units.",
                f"Write scale_units=(2, {max(most, 2)}), or scale_units=1 for a fixed size.",
            )


@rule(
    "R-SKU-21",
    level="E",
    title="Scale units and SKU do not belong together",
    source="TF",
    fix='Write scale_units with sku="ErGwScale", and with no other SKU.',
)
def scale_bounds(topology: TopologyView) -> Iterator[Violation]:
    """Bounds go with ErGwScale and with nothing else."""
    for gateway in topology.gateways:
        bounds = gateway.resource.block("properties.autoScaleConfiguration.bounds")
        if gateway.sku is None or not gateway.resource.is_managed:
            continue
        if gateway.sku == "ErGwScale" and not (bounds and {"min", "max"} <= set(bounds)):
            yield Violation(
                gateway.resource,
                "ErGwScale needs both bounds of its scale units.",
                "Write scale_units=(2, 10), or one number for a fixed size.",
            )
        elif gateway.sku != "ErGwScale" and bounds:
            yield Violation(
                gateway.resource,
                f"Scale units are declared, but SKU {gateway.sku} does not scale.",
                'Leave scale_units out, or use sku="ErGwScale".',
            )


@rule(
    "R-SKU-22",
    level="W",
    title="SKU may not be available in this region",
    source="ERSC",
    ages=True,
    fix="Look at Microsoft's page, or use ErGw1AZ to ErGw3AZ.",
)
def scalable_regions(topology: TopologyView) -> Iterator[Violation]:
    """ErGwScale was missing in some regions when the list was read."""
    for gateway in topology.expressroute_gateways:
        if gateway.sku == "ErGwScale" and gateway.location in limits.NO_SCALABLE_GATEWAY:
            yield Violation(
                gateway.resource,
                f"ErGwScale was missing in {gateway.location} in November 2025 (read on {limits.READ_ON}).",
            )


@rule(
    "R-SKU-23",
    level="F",
    title="VPN over private peering of a scalable gateway",
    source="ERSC, HBT",
    fix="Use ErGw1AZ to ErGw3AZ for the ExpressRoute gateway, or ask Microsoft.",
)
def scalable_private_vpn(topology: TopologyView) -> Iterator[Violation]:
    """One page calls it unsupported, another requires it for high-bandwidth tunnels: a warning."""
    for gateway in topology.vpn_gateways:
        network = gateway.network_id
        if network is None or gateway.is_high_bandwidth:
            continue
        scalable = [g for g in topology.gateways_in(network) if g.sku == "ErGwScale"]
        if scalable and any(connection.is_private for connection in gateway.sites):
            yield Violation(
                gateway.resource,
                f"A tunnel runs over the private peering of {scalable[0].resource.address} (ErGwScale), which "
                "Microsoft's page on scalable gateways does not support.",
                level="warning",
            )


@rule(
    "R-SKU-24",
    level="E",
    when="create",
    title="Scalable gateway with a Basic public IP",
    source="ERSC",
    fix="Leave the public IP out: Azure gives an ExpressRoute gateway its own.",
)
def scalable_public_ip(topology: TopologyView) -> Iterator[Violation]:
    """ErGwScale refuses a Basic public IP."""
    for gateway in topology.expressroute_gateways:
        basic = gateway.basic_ips
        if gateway.sku == "ErGwScale" and basic:
            yield Violation(gateway.resource, f"{basic[0].address} has SKU Basic.")
