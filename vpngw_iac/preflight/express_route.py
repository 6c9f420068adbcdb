"""ExpressRoute: circuits, their connections, FastPath, and a VPN gateway beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, connections, each, expressroute_gateways, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.network import Network
from vpngw_iac.preflight.view.topology import CIRCUIT, TopologyView
from vpngw_iac.text import listed


def _circuits(gateway: Gateway) -> tuple[Connection, ...]:
    return tuple(c for c in gateway.connections if c.is_expressroute)


@rule(
    "R-ER-01",
    "E",
    "VPN gateway cannot stand beside ExpressRoute",
    "COEX, COEXP",
    "Use a route-based gateway of SKU VpnGw1AZ or larger.",
)
@each(vpn_gateways)
def coexistence(gateway: Gateway) -> Iterator[str]:
    """Route-based, not Basic, no Basic public IP. The subnet is R-SUBNET-04."""
    if not gateway.coexists:
        return
    wrong = [
        what
        for what, holds in (
            ("is policy-based", gateway.is_policy_based),
            ("has SKU Basic", gateway.is_basic),
            ("stands on a Basic public IP", bool(gateway.basic_ips)),
        )
        if holds
    ]
    if wrong:
        yield f"There is an ExpressRoute gateway in its network, and this one {listed(wrong)}."


@rule(
    "R-ER-02",
    "F",
    "VPN gateway beside ExpressRoute does not use AS 65515",
    "COEX",
    "Use Bgp(asn=65515) if the two shall reach each other.",
)
@each(vpn_gateways)
def coexistence_asn(gateway: Gateway) -> Iterator[str]:
    """Transit between ExpressRoute and VPN through a Route Server needs 65515; without one another number works."""
    if gateway.coexists and gateway.has_bgp and gateway.asn not in (None, limits.DEFAULT_ASN):
        yield f"Its AS number is {gateway.asn}; transit between ExpressRoute and VPN by a Route Server needs 65515."


@rule(
    "R-ER-08",
    "F",
    "Microsoft peering may swallow the tunnel",
    "COEX",
    "Pin a static route for that address to the internet on the device.",
)
@each(expressroute_gateways)
def microsoft_peering(gateway: Gateway) -> Iterator[Violation]:
    """With Microsoft peering the device may learn the gateway's public address over ExpressRoute."""
    if not gateway.coexists:
        return
    for connection in _circuits(gateway):
        circuit = connection.circuit
        if circuit is not None and "microsoftpeering" in circuit.peering_kinds:
            yield Violation(
                connection.resource,
                f"{circuit.resource.address} has Microsoft peering: the device may learn the VPN gateway's public "
                "address over it.",
            )


@rule(
    "R-ER-10",
    "E",
    "Circuit is not ready",
    "ERWF, ERLINK",
    "Hand the service key to the provider, and link the circuit when it is Provisioned and has private peering.",
    when="create",
    live=True,
)
@each(connections)
def circuit_ready(connection: Connection) -> Iterator[Violation]:
    """A circuit must be provisioned, with private peering, before it is linked. Never judged offline.

    Our own circuit is waited for. Of somebody else's only Azure's answer counts: it warns, and the connection is tried.
    """
    circuit = connection.circuit
    if circuit is None or circuit.resource.is_managed or circuit.resource.seen is None or circuit.is_direct:
        return
    state = value_at(circuit.resource.seen, "properties.serviceProviderProvisioningState")
    if isinstance(state, str) and state.lower() != "provisioned":
        yield Violation(
            connection.resource,
            f"{circuit.resource.address} is {state} at its provider; Azure refuses the connection until it is "
            "Provisioned. `apply` tries it all the same.",
            "Ask its owner to have it provisioned; then run this again.",
            "warning",
            otherwise="warning",
        )
    elif value_at(circuit.resource.seen, "properties.peerings") == []:
        yield Violation(
            connection.resource,
            f"{circuit.resource.address} has no private peering; Azure refuses the connection until it has. "
            "`apply` tries it all the same.",
            "Ask its owner for private peering; then run this again.",
            "warning",
            otherwise="warning",
        )


@rule(
    "R-ER-11",
    "E",
    "A provisioned circuit cannot be deleted",
    "ERWF",
    'Ask the provider to deprovision it first, or keep it: on_removal="forget" on the circuit.',
    live=True,
)
def circuit_in_use(topology: TopologyView) -> Iterator[Violation]:
    """Azure refuses it while the provider has the circuit: told before anything else is deleted. Direct has none."""
    for resource in topology.deleted:
        state = value_at(resource.seen, "properties.serviceProviderProvisioningState")
        is_direct = value_at(resource.seen, "properties.expressRoutePort") is not None
        if resource.type != CIRCUIT or is_direct or not isinstance(state, str) or state.lower() == "notprovisioned":
            continue
        yield Violation(
            resource, f"The circuit {resource.name} is {state} at its provider; Azure refuses to delete it."
        )


@rule(
    "R-ER-12",
    "E",
    "Circuit of another subscription without authorization",
    "ERLINK",
    'Use Circuit.existing(id, authorization=Secret.env("NAME")), with a key of its own for each connection.',
)
def authorization(topology: TopologyView) -> Iterator[Violation]:
    """Linking a circuit of another subscription needs an authorization key; one authorization serves one connection."""
    used: Counter[str] = Counter()
    for connection in topology.connections:
        circuit = connection.circuit_id
        if not connection.is_expressroute or circuit is None or not connection.resource.is_managed:
            continue
        key = connection.resource.get("properties.authorizationKey")
        if key is None and circuit.subscription.lower() != connection.resource.id.subscription.lower():
            yield Violation(
                connection.resource,
                f"The circuit {circuit.name} is in another subscription, and there is no authorization.",
                'Use Circuit.existing(id, authorization=Secret.env("NAME")), with a key that its owner gave.',
            )
        elif key is not None:
            name = repr(key)
            used[name] += 1
            if used[name] == 2:
                yield Violation(
                    connection.resource,
                    "Another connection uses the same authorization; one authorization serves one connection.",
                    "Ask for a second authorization.",
                )


@rule(
    "R-ER-13",
    "E",
    "ExpressRoute connection is incomplete",
    "ERLINK, TF",
    "Start the connection at an ExpressRoute gateway and name the circuit that it leads to.",
)
@each(connections)
def expressroute_connection(connection: Connection) -> Iterator[Violation]:
    """It needs a circuit and an ExpressRoute gateway, and no other kind of connection takes a circuit."""
    gateway = connection.gateway
    if not connection.resource.is_managed:
        return
    if connection.is_expressroute and connection.circuit_id is None:
        yield Violation(connection.resource, "There is no circuit.", "Name the circuit that it leads to.")
    elif gateway is not None and connection.kind and connection.is_expressroute != gateway.is_expressroute:
        what = "an ExpressRoute" if gateway.is_expressroute else "a VPN"
        yield Violation(
            connection.resource,
            f"It is of type {connection.kind}, and {gateway.resource.address} is {what} gateway.",
            "Start it at a gateway of its own type.",
        )
    elif not connection.is_expressroute and connection.circuit_id is not None:
        yield Violation(
            connection.resource, f"A {connection.kind} connection names a circuit.", "Leave the circuit out."
        )


@rule(
    "R-ER-14",
    "E",
    "Routing weight is out of range",
    "ERLINK, FAQ",
    "Use 0 to 32000 on ExpressRoute connections; steer site-to-site paths with BGP.",
)
@each(connections)
def routing_weight(connection: Connection) -> Iterator[Violation]:
    """0 to 32000, and it works on ExpressRoute connections only."""
    weight = connection.resource.number("properties.routingWeight")
    if weight is not None and not 0 <= weight <= 32_000:
        yield Violation(
            connection.resource, f"The weight is {weight}; Azure takes 0 to 32000.", "Use a smaller weight."
        )
    elif weight and connection.kind and not connection.is_expressroute:
        yield Violation(
            connection.resource,
            "A routing weight is set; Microsoft documents it for ExpressRoute connections only.",
            "Steer the choice of path with BGP, or leave the weight out.",
            "warning",
        )


def _spaces(network: Network) -> int:
    return len(network.prefixes) + sum(len(spoke.prefixes) for spoke in network.reach)


@rule(
    "R-ER-15",
    "E",
    "Too many address spaces for a circuit",
    "ERLINK, ERLIM",
    "Summarise address spaces, or link first and peer afterwards.",
    when="create",
)
@each(connections)
def address_spaces(connection: Connection) -> Iterator[str]:
    """200 prefixes, those of peered networks included, when a network is linked."""
    gateway = connection.gateway
    network = None if gateway is None else gateway.network
    if connection.is_expressroute and network is not None and _spaces(network) > limits.ADDRESS_SPACES_AT_LINK:
        yield (
            f"{network.resource.address} and its peers have {_spaces(network)} prefixes; a link takes "
            f"{limits.ADDRESS_SPACES_AT_LINK}."
        )


@rule(
    "R-ER-16",
    "E",
    "Too many circuits on a gateway",
    "ERGW",
    "Use a larger SKU, or order circuits at another peering location.",
)
@each(expressroute_gateways)
def circuits_per_gateway(gateway: Gateway) -> Iterator[Violation]:
    """4, 8 or 16 by SKU, and 4 from one peering location."""
    circuits = {c.circuit_id for c in _circuits(gateway) if c.circuit_id is not None}
    limit = limits.circuits_per_gateway(gateway.sku, gateway.least_units)
    if limit is not None and len(circuits) > limit:
        yield Violation(
            gateway.resource, f"{len(circuits)} circuits; a {gateway.sku} gateway takes {limit}.", "Use a larger SKU."
        )
    known = [c.circuit.location for c in _circuits(gateway) if c.circuit is not None]
    for place, number in sorted(Counter(place for place in known if place).items()):
        if number > limits.CIRCUITS_PER_LOCATION:
            yield Violation(
                gateway.resource,
                f"{number} circuits from {place}; a network takes {limits.CIRCUITS_PER_LOCATION} from one place.",
                "Order circuits at another peering location.",
            )


@rule("R-ER-17", "E", "Too many networks on a circuit", "ERLIM", "Use Premium or more bandwidth, or a second circuit.")
def links_per_circuit(topology: TopologyView) -> Iterator[Violation]:
    """10, with Premium 20 to 100 by bandwidth. Only links in this file are known."""
    linked: dict[str, set[str]] = {}
    for connection in topology.connections:
        if connection.circuit_id is not None and connection.gateway_id is not None:
            linked.setdefault(connection.circuit_id.key, set()).add(connection.gateway_id.key)
    for circuit in topology.circuits:
        limit = limits.links_per_circuit(circuit.tier, circuit.megabits)
        number = len(linked.get(circuit.resource.id.key, ()))
        if limit is not None and number > limit:
            yield Violation(
                circuit.resource, f"{number} networks are linked; a {circuit.tier} circuit of this size takes {limit}."
            )


@rule("R-ER-20", "E", "Gateway has no FastPath", "ERFP, ERGW", "Use ErGw3AZ, or ErGwScale with at least 10 units.")
@each(connections)
def fast_path(connection: Connection) -> Iterator[str]:
    """FastPath needs UltraPerformance, ErGw3AZ or ErGwScale with 10 units."""
    gateway = connection.gateway
    if gateway is None or gateway.sku is None or not connection.has_fast_path:
        return
    if gateway.sku == "ErGwScale":
        enough = gateway.least_units is None or gateway.least_units >= limits.FAST_PATH_UNITS
    else:
        enough = gateway.sku in limits.FAST_PATH_SKUS or gateway.sku not in limits.ER_SKUS
    if not enough:
        yield (
            f"FastPath is on, and {gateway.resource.address} is {gateway.sku}"
            + (f" with {gateway.least_units} units." if gateway.sku == "ErGwScale" else ".")
        )


@rule(
    "R-ER-21",
    "E",
    "Private-link FastPath without FastPath",
    "SDK, TF",
    "Turn fast_path on, or private-link FastPath off.",
)
@each(connections)
def private_link_fast_path(connection: Connection) -> Iterator[str]:
    """The flag enablePrivateLinkFastPath goes with expressRouteGatewayBypass."""
    bypass = connection.has_fast_path
    if connection.resource.flag("properties.enablePrivateLinkFastPath") and bypass is False:
        yield "FastPath itself is off."


@rule("R-ER-27", "I", "Many circuits in one subscription", "ERLIM", "Ask support for more.")
def circuit_quota(topology: TopologyView) -> Iterator[Violation]:
    """50 a subscription; support raises it."""
    ours = [circuit for circuit in topology.circuits if circuit.resource.is_managed]
    counted = Counter(circuit.resource.id.subscription.lower() for circuit in ours)
    for circuit in ours:
        number = counted.pop(circuit.resource.id.subscription.lower(), 0)
        if number > limits.CIRCUITS_PER_SUBSCRIPTION:
            yield Violation(
                circuit.resource,
                f"{number} circuits in one subscription; the usual limit is {limits.CIRCUITS_PER_SUBSCRIPTION}.",
                level="warning",
            )
