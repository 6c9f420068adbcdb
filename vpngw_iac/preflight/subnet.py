"""The GatewaySubnet: its name, its size, what may be in it."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight.prefixes import Network as Prefix
from vpngw_iac.preflight.registry import Violation, each, expressroute_gateways, gateways, rule, vpn_gateways
from vpngw_iac.preflight.view.gateway import GATEWAY_SUBNET, Gateway, subnet_prefixes
from vpngw_iac.preflight.view.resource_view import ResourceView, arm_id
from vpngw_iac.preflight.view.topology import GATEWAY, SUBNET, TopologyView
from vpngw_iac.text import listed


def _ipv4(subnet: ResourceView | None) -> tuple[Prefix, ...]:
    return tuple(prefix for prefix in subnet_prefixes(subnet) if prefix.version == 4)


def _too_small(gateway: Gateway, longest: int) -> Prefix | None:
    """The largest prefix of a gateway's subnet, if even that is smaller than /`longest`."""
    largest = min(_ipv4(gateway.subnet), key=lambda prefix: prefix.prefixlen, default=None)
    return largest if largest is not None and largest.prefixlen > longest else None


def gateway_subnets(topology: TopologyView) -> tuple[ResourceView, ...]:
    """Every GatewaySubnet in the file."""
    return tuple(s for s in topology.of_type(SUBNET) if s.name.lower() == GATEWAY_SUBNET.lower())


@rule(
    "R-SUBNET-01",
    "E",
    "Gateway does not stand in GatewaySubnet",
    "FAQ, SET, PBTS",
    "Use gateway_subnet=... of the network.",
)
@each(gateways)
def subnet_name(gateway: Gateway) -> Iterator[str]:
    """Azure builds gateways in a subnet of exactly this name."""
    wrong = sorted({i.subnet for i in gateway.instances if i.subnet and i.subnet.name != GATEWAY_SUBNET})
    if wrong:
        yield f"It is placed in the subnet {wrong[0].name}; Azure builds gateways in GatewaySubnet only."


@rule("R-SUBNET-02", "E", "GatewaySubnet is too small", "SET, FAQ", "Widen it to /27 or more.", when="create")
@each(vpn_gateways)
def vpn_size(gateway: Gateway) -> Iterator[Violation]:
    """/27 or larger; /29 or larger for Basic."""
    longest = 29 if gateway.is_basic else 27
    small = _too_small(gateway, longest)
    if small is not None and gateway.sku is not None:
        yield Violation(
            gateway.resource,
            f"GatewaySubnet is {small}; a {gateway.sku} gateway needs /{longest} or larger.",
            f"Widen it, for example to {small.supernet(new_prefix=longest)}.",
        )


@rule(
    "R-SUBNET-03",
    "E",
    "GatewaySubnet is too small for ExpressRoute",
    "ERADD",
    "Widen it to /27 or more.",
    when="create",
)
@each(expressroute_gateways)
def expressroute_size(gateway: Gateway) -> Iterator[Violation]:
    """ExpressRoute gateways need /27 or larger."""
    small = _too_small(gateway, 27)
    if small is not None and not gateway.coexists:
        yield Violation(
            gateway.resource,
            f"GatewaySubnet is {small}; an ExpressRoute gateway needs /27 or larger.",
            f"Widen it, for example to {small.supernet(new_prefix=27)}.",
        )


@rule(
    "R-SUBNET-04",
    "E",
    "GatewaySubnet is too small for two gateways",
    "COEX, COEXP",
    "Widen it to /27 or more.",
    when="create",
)
@each(expressroute_gateways)
def coexistence_size(gateway: Gateway) -> Iterator[Violation]:
    """A VPN and an ExpressRoute gateway share a /27 or larger."""
    small = _too_small(gateway, 27)
    if small is not None and gateway.coexists:
        yield Violation(
            gateway.resource,
            f"GatewaySubnet is {small}; a VPN and an ExpressRoute gateway together need /27 or larger.",
            f"Widen it, for example to {small.supernet(new_prefix=27)}.",
        )


@rule("R-SUBNET-05", "E", "GatewaySubnet is too small for sixteen circuits", "ERGW, ERADD", "Widen it to /26 or more.")
@each(expressroute_gateways)
def many_circuits_size(gateway: Gateway) -> Iterator[Violation]:
    """Sixteen circuits need /26 or larger."""
    circuits = {c.circuit_id for c in gateway.connections if c.circuit_id is not None}
    small = _too_small(gateway, 26)
    if len(circuits) >= 16 and small is not None:
        yield Violation(
            gateway.resource,
            f"{len(circuits)} circuits on one gateway and a GatewaySubnet of {small}.",
            f"Widen it, for example to {small.supernet(new_prefix=26)}.",
        )


@rule("R-SUBNET-06", "W", "GatewaySubnet is narrow for high-bandwidth tunnels", "HBT", "Widen it to /26 or more.")
@each(vpn_gateways)
def high_bandwidth_size(gateway: Gateway) -> Iterator[Violation]:
    """Microsoft plans a /26 for high-bandwidth VPN beside ExpressRoute."""
    small = _too_small(gateway, 26)
    if gateway.is_high_bandwidth and small is not None:
        yield Violation(
            gateway.resource,
            f"GatewaySubnet is {small}; plan /26 for high-bandwidth tunnels beside ExpressRoute.",
            f"Widen it, for example to {small.supernet(new_prefix=26)}.",
        )


@rule(
    "R-SUBNET-07",
    "W",
    "GatewaySubnet leaves no room for migrations",
    "BPIP",
    "Use a /27 if you can; the subnet cannot grow while a gateway stands in it.",
    when="create",
)
@each(vpn_gateways)
def migration_room(gateway: Gateway) -> Iterator[Violation]:
    """Migrations of SKU and public IP want three free addresses; /28 may be too little."""
    small = _too_small(gateway, 27)
    if gateway.is_basic and small is not None:
        yield Violation(
            gateway.resource,
            f"GatewaySubnet is {small}: it suffices for Basic, but no migration to another SKU fits into it.",
            f"Use {small.supernet(new_prefix=27)} if you can; the subnet cannot grow while a gateway stands in it.",
        )


@rule(
    "R-SUBNET-08",
    "W",
    "GatewaySubnet has no IPv6 prefix",
    "ERGW, IPV6",
    "Add a /64 to the GatewaySubnet if IPv6 shall pass; there is no way back (R-V6-02).",
)
@each(vpn_gateways)
def dual_stack(gateway: Gateway) -> Iterator[Violation]:
    """In a dual-stack network the gateway carries IPv6 only if its subnet has a prefix."""
    network = gateway.network
    if network is None or gateway.subnet is None or gateway.is_basic or gateway.is_dual_stack:
        return
    if any(prefix.version == 6 for prefix in network.prefixes) and _ipv4(gateway.subnet):
        yield Violation(
            gateway.subnet,
            f"{network.resource.address} has IPv6, its GatewaySubnet has not: the gateway carries IPv4 only.",
        )


@rule("R-SUBNET-09", "F", "Something else lives in GatewaySubnet", "FAQ, SET", "Move it to a subnet of its own.")
def only_gateways(topology: TopologyView) -> Iterator[Violation]:
    """Only gateways belong there; judged by what is declared and by what Azure shows."""
    for subnet in gateway_subnets(topology):
        strangers = [f"a delegation to {name}" for name in _delegations(subnet)]
        strangers += [found.name for found in _tenants(subnet)]
        if strangers:
            yield Violation(subnet, f"GatewaySubnet also holds {listed(strangers)}.")


def _delegations(subnet: ResourceView) -> Iterator[str]:
    for item in (
        *subnet.items("properties.delegations"),
        *ResourceView.items(_as_seen(subnet), "properties.delegations"),
    ):
        yield str(value_at(item, "properties.serviceName") or item.get("name"))


def _tenants(subnet: ResourceView) -> Iterator[ResourceView]:
    """What Azure shows in the subnet beside gateways and Route Server."""
    for path in ("properties.ipConfigurations", "properties.privateEndpoints"):
        for item in _as_seen(subnet).items(path):
            found = arm_id(item)
            while found is not None and len(found.names) > 1 and found.parent is not None:
                found = found.parent
            if found is not None and found.type.lower() not in (GATEWAY, "microsoft.network/virtualhubs"):
                yield ResourceView(found.name, found, {}, is_managed=False)


def _as_seen(subnet: ResourceView) -> ResourceView:
    """The subnet as Azure answered it; empty if it was not asked."""
    return ResourceView(subnet.address, subnet.id, subnet.seen or {}, is_managed=True)


@rule(
    "R-SUBNET-10",
    "F",
    "Network security group on GatewaySubnet",
    "UDR, ERGW",
    "Detach it; filter traffic on the workload subnets.",
    see=("AzurePolicy:35f9c03a-cc27-418e-9c0c-539ff999d010",),
)
def security_group(topology: TopologyView) -> Iterator[Violation]:
    """Unsupported: the gateway may stop working. A policy may have set it, so it warns."""
    for subnet in gateway_subnets(topology):
        group = subnet.ref("properties.networkSecurityGroup") or _as_seen(subnet).ref("properties.networkSecurityGroup")
        if group is not None:
            yield Violation(subnet, f"The network security group {group.name} is attached to GatewaySubnet.")


@rule(
    "R-SUBNET-18",
    "W",
    "GatewaySubnet has several prefixes",
    "MPFX, BPIP, ERMIG",
    "Use one larger prefix, or register AllowMultipleAddressPrefixesOnSubnet in the subscription.",
)
def several_prefixes(topology: TopologyView) -> Iterator[Violation]:
    """A preview that needs feature flags; never mixed with the single form."""
    for subnet in gateway_subnets(topology):
        many = subnet.texts("properties.addressPrefixes")
        if subnet.is_managed and many and subnet.text("properties.addressPrefix"):
            yield Violation(
                subnet,
                "addressPrefix and addressPrefixes are both set; Azure takes one of them.",
                "Declare addressPrefixes alone.",
                "error",
            )
        elif len(_ipv4(subnet)) > 1 and subnet.is_managed:
            yield Violation(
                subnet,
                "Several IPv4 prefixes on a GatewaySubnet are a preview feature.",
                "Register AllowMultipleAddressPrefixesOnSubnet in the subscription, or use one larger prefix.",
            )
