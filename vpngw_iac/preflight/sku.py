"""Gateway SKUs: what can be created, what belongs together, how much one carries."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.errors import Level
from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import (
    Violation,
    connections,
    each,
    expressroute_gateways,
    gateways,
    rule,
    vpn_gateways,
)
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_ZONAL = ("PSRule:AZR-000272", "APRL:5b1933a6-90e4-f642-a01f-e58594e5aab2")


@rule(
    "R-SKU-01",
    "E",
    "SKU cannot be created any more",
    "CONS, NEW, FIELD",
    "Use the AZ SKU of the same number; it works in regions without zones too.",
    when="create",
    see=_ZONAL,
)
@each(vpn_gateways)
def regional_sku(gateway: Gateway) -> Iterator[Violation]:
    """VpnGw1 to VpnGw5 are refused since November 2025 (`NonAzSkusNotAllowedForVPNGateway`).

    Whether that holds in edge zones, which have no zones, is not documented: there it warns.
    """
    if gateway.sku in limits.NON_AZ_SKUS:
        yield Violation(
            gateway.resource,
            f"Azure creates no {gateway.sku} gateway since 2025-11-01 (NonAzSkusNotAllowedForVPNGateway).",
            f"Use {gateway.sku}AZ; it works in regions without zones too.",
            "warning" if gateway.edge_zone else None,
        )


@rule(
    "R-SKU-03",
    "E",
    "Legacy SKU cannot be created any more",
    "FAQ, DEPR",
    "Use VpnGw1AZ or larger.",
    when="create",
    see=("PSRule:AZR-000269",),
)
@each(vpn_gateways)
def legacy_sku(gateway: Gateway) -> Iterator[str]:
    """VPN gateways of SKU Standard and HighPerformance are refused since December 2023."""
    if gateway.sku in limits.LEGACY_SKUS:
        yield f"Azure creates no VPN gateway of SKU {gateway.sku} since 2023-12-01."


@rule(
    "R-SKU-04",
    "E",
    "Gateway accepts no change until its SKU moves",
    "CONS",
    "Move it to the AZ SKU of the same number first; that is made in place and keeps the addresses.",
    when="change",
)
@each(vpn_gateways)
def frozen_gateway(gateway: Gateway) -> Iterator[Violation]:
    """A surviving non-AZ gateway refuses new connections and every change but the move to its AZ twin.

    Changes of its connections are warned of. On a Basic public IP even that move is left to the address's migration.
    """
    now = str(value_at(gateway.resource.seen, "properties.sku.name"))
    basic = [ip for ip in gateway.public_ips if str(value_at(ip.seen, "sku.name")).lower() == "basic"]
    if now in limits.NON_AZ_SKUS and gateway.sku not in limits.NON_AZ_SKUS and basic and gateway.resource.is_managed:
        yield Violation(
            gateway.resource,
            f"It is to become {gateway.sku}, and {basic[0].address} has SKU Basic in Azure: only the migration of "
            "the public IP moves such a gateway.",
            "Run that migration first, in the portal or by PowerShell; it keeps the address.",
            block="properties.sku",
        )
    if now not in limits.NON_AZ_SKUS or gateway.sku not in limits.NON_AZ_SKUS:
        return
    says = f"{gateway.resource.name} has SKU {now} in Azure; such gateways refuse configuration changes."
    advice = f"Move it to {now}AZ first; that is made in place and keeps the addresses."
    if gateway.resource.is_managed:
        yield Violation(gateway.resource, says, advice)
    for connection in gateway.tunnels:
        if connection.resource.is_managed:
            level: Level | None = None if connection.resource.seen is None else "warning"
            yield Violation(connection.resource, says, advice, level, otherwise=None)


@rule(
    "R-SKU-05",
    "W",
    "SKU is being retired",
    "CONS, NEW",
    "Move it to the AZ SKU of the same number.",
    see=_ZONAL,
    ages=True,
)
@each(vpn_gateways)
def retired_sku(gateway: Gateway) -> Iterator[Violation]:
    """Gateways without AZ that still exist are overdue."""
    if gateway.sku in limits.NON_AZ_SKUS and (gateway.resource.seen is not None or not gateway.resource.is_managed):
        yield Violation(
            gateway.resource,
            f"{gateway.sku} retires on 2026-09-30 (as read on {limits.READ_ON}).",
            f"Move it to {gateway.sku}AZ.",
        )


@rule(
    "R-SKU-06",
    "W",
    "Legacy SKU is being retired",
    "NEW, FAQ",
    "Run the public IP migration of this gateway yourself, at a time of your choice.",
    see=("PSRule:AZR-000269",),
    ages=True,
)
@each(vpn_gateways)
def retired_legacy_sku(gateway: Gateway) -> Iterator[str]:
    """Standard and HighPerformance VPN gateways that still exist are moved by Microsoft."""
    if gateway.sku in limits.LEGACY_SKUS and (gateway.resource.seen is not None or not gateway.resource.is_managed):
        twin = "VpnGw1AZ" if gateway.sku == "Standard" else "VpnGw2AZ"
        yield f"VPN SKU {gateway.sku} retired in June 2026; Microsoft moves what is left to {twin}."


@rule("R-SKU-09", "E", "Generation on an ExpressRoute gateway", "SDK", "Leave the generation out.")
@each(expressroute_gateways)
def expressroute_generation(gateway: Gateway) -> Iterator[str]:
    """Only VPN gateways have a generation."""
    if gateway.generation not in (None, "None"):
        yield f"{gateway.generation} is declared; an ExpressRoute gateway has no generation."


@rule(
    "R-SKU-10",
    "E",
    "SKU does not exist in this generation",
    "SKUTAB, TF",
    "Leave the generation out, or choose a SKU that exists in it.",
)
@each(vpn_gateways)
def sku_generation(gateway: Gateway) -> Iterator[Violation]:
    """Generation 1: Basic and VpnGw1 to 3; generation 2: VpnGw2 to 5."""
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
    "E",
    "Policy-based gateway needs SKU Basic",
    "FAQ, TF",
    "Make it route-based; for a policy-based device use policy_based_selectors on its site.",
)
@each(vpn_gateways)
def policy_based_sku(gateway: Gateway) -> Iterator[str]:
    """Policy-based VPN exists on Basic only."""
    if gateway.is_policy_based and gateway.sku not in (None, "Basic"):
        yield f"A policy-based gateway cannot have SKU {gateway.sku}."


def _counted(tunnels: tuple[Connection, ...]) -> int:
    """Instance tunnels: a connection on an active-active gateway makes two unless it is bound to one instance."""
    return sum(1 if tunnel.is_bound_to_one_instance else 2 for tunnel in tunnels)


@rule(
    "R-SKU-13",
    "F",
    "More tunnels than the SKU carries",
    "FAQ, SKUTAB",
    "Use VpnGw4AZ (100 tunnels), spread the sites over several gateways, or use Virtual WAN.",
)
@each(vpn_gateways)
def tunnel_count(gateway: Gateway) -> Iterator[Violation]:
    """Every site-to-site and VNet-to-VNet connection counts. Whether instances count is not documented: a warning."""
    limit = limits.TUNNELS.get(gateway.sku or "")
    tunnels = gateway.tunnels
    if limit is None or gateway.is_policy_based:
        return
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
        )


def _larger(gateway: Gateway) -> str:
    if limits.TUNNELS.get(gateway.sku or "", 0) < 100:
        return "Use VpnGw4AZ (100 tunnels) or spread the sites over two gateways."
    return "Spread the sites over several gateways, or use Virtual WAN."


@rule("R-SKU-14", "W", "So many sites belong to Virtual WAN", "SKU", "Consider Virtual WAN for more than 100 tunnels.")
@each(vpn_gateways)
def too_many_sites(gateway: Gateway) -> Iterator[str]:
    """Above 100 tunnels Microsoft advises Virtual WAN."""
    if len(gateway.sites) > limits.MANY_TUNNELS:
        yield f"{len(gateway.sites)} site-to-site connections on one gateway."


@rule(
    "R-SKU-18",
    "W",
    "Cipher limits the throughput",
    "SKU, LIM",
    "Use GCMAES256 for IPsec encryption and integrity if the device can.",
)
@each(connections)
def slow_cipher(connection: Connection) -> Iterator[str]:
    """3DES carries about 130 Mbps per tunnel on every SKU."""
    slow = [policy for policy in connection.policies if policy.get("ipsecEncryption") == "DES3"]
    if slow:
        yield "With DES3 one tunnel carries about 130 Mbps whatever the SKU."


@rule(
    "R-SKU-19",
    "E",
    "Two gateways of one type in a network",
    "SET, VNLIM, ERMIG",
    "Remove one of them, or put it into another network.",
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
    "F",
    "Scale units are out of bounds",
    "ERSC, ERMIG, TF",
    "Write for example scale_units=(2, 10), or one number for a fixed size.",
)
@each(expressroute_gateways)
def scale_units(gateway: Gateway) -> Iterator[Violation]:
    """1 to 40 units; a fixed size has equal bounds; scaling starts at 2."""
    least = gateway.least_units
    most = gateway.most_units
    if gateway.sku != "ErGwScale" or least is None or most is None:
        return
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
    "E",
    "Scale units and SKU do not belong together",
    "TF",
    'Write scale_units with sku="ErGwScale", and with no other SKU.',
)
@each(gateways)
def scale_bounds(gateway: Gateway) -> Iterator[Violation]:
    """Bounds go with ErGwScale and with nothing else."""
    bounds = gateway.resource.block("properties.autoScaleConfiguration.bounds")
    if gateway.sku is None or not gateway.resource.is_managed:
        return
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
    "W",
    "SKU may not be available in this region",
    "ERSC",
    "Look at Microsoft's page, or use ErGw1AZ to ErGw3AZ.",
    ages=True,
)
@each(expressroute_gateways)
def scalable_regions(gateway: Gateway) -> Iterator[str]:
    """ErGwScale was missing in some regions when the list was read."""
    if gateway.sku == "ErGwScale" and gateway.location in limits.NO_SCALABLE_GATEWAY:
        yield f"ErGwScale was missing in {gateway.location} in November 2025 (read on {limits.READ_ON})."


@rule(
    "R-SKU-23",
    "F",
    "VPN over private peering of a scalable gateway",
    "ERSC, HBT",
    "Use ErGw1AZ to ErGw3AZ for the ExpressRoute gateway, or ask Microsoft.",
)
@each(vpn_gateways)
def scalable_private_vpn(gateway: Gateway) -> Iterator[str]:
    """One page calls it unsupported, another requires it for high-bandwidth tunnels: a warning."""
    network = gateway.network_id
    if network is None or gateway.is_high_bandwidth:
        return
    scalable = [g for g in gateway.topology.gateways_in(network) if g.sku == "ErGwScale"]
    if scalable and any(connection.is_private for connection in gateway.sites):
        yield (
            f"A tunnel runs over the private peering of {scalable[0].resource.address} (ErGwScale), which "
            "Microsoft's page on scalable gateways does not support."
        )


@rule(
    "R-SKU-24",
    "E",
    "Scalable gateway with a Basic public IP",
    "ERSC",
    "Leave the public IP out: Azure gives an ExpressRoute gateway its own.",
    when="create",
)
@each(expressroute_gateways)
def scalable_public_ip(gateway: Gateway) -> Iterator[str]:
    """ErGwScale refuses a Basic public IP."""
    basic = gateway.basic_ips
    if gateway.sku == "ErGwScale" and basic:
        yield f"{basic[0].address} has SKU Basic."
