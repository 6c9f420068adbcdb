"""NAT rules: where they work, how they map, which connections may share them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.registry import Violation, connections, each, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection, NatRule
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import named
from vpngw_iac.preflight.view.topology import NAT_RULE, TopologyView
from vpngw_iac.text import listed


def _rules(topology: TopologyView) -> tuple[NatRule, ...]:
    return tuple(NatRule(resource, topology) for resource in topology.of_type(NAT_RULE))


@rule("R-NAT-01", "E", "SKU has no NAT", "FAQ", "Use VpnGw2AZ or larger.")
@each(vpn_gateways)
def nat_sku(gateway: Gateway) -> Iterator[str]:
    """NAT starts at VpnGw2."""
    if gateway.nat_rules and gateway.sku in limits.TUNNELS and gateway.sku not in limits.NAT_SKUS:
        yield f"{gateway.sku} has no NAT; {len(gateway.nat_rules)} NAT rule(s) are declared."


@rule("R-NAT-02", "E", "NAT works on site-to-site connections only", "FAQ", "Unlink them.")
@each(connections)
def nat_on_sites(connection: Connection) -> Iterator[str]:
    """Not on ExpressRoute connections; VNet-to-VNet is R-V2V-09."""
    if connection.has_nat and connection.is_expressroute:
        yield "An ExpressRoute connection is linked to NAT rules."


@rule("R-NAT-03", "E", "Too many NAT rules on a gateway", "FAQ", "Join rules, or spread the sites over two gateways.")
@each(vpn_gateways)
def nat_count(gateway: Gateway) -> Iterator[str]:
    """500 rules, ingress and egress together."""
    if len(gateway.nat_rules) > limits.NAT_RULES:
        yield f"{len(gateway.nat_rules)} NAT rules; a gateway takes {limits.NAT_RULES}."


@rule("R-NAT-04", "E", "NAT rule has a slash in its name", "FAQ", "Rename it.")
def nat_name(topology: TopologyView) -> Iterator[Violation]:
    """A rule shown inside its gateway may bear a name that its id cannot."""
    for gateway in topology.vpn_gateways:
        for item in gateway.resource.items("properties.natRules"):
            name = item.get("name")
            if isinstance(name, str) and "/" in name:
                yield Violation(gateway.resource, f"The NAT rule {name!r} has a '/' in its name.")
    for found in _rules(topology):
        if "%2f" in found.resource.name.lower():
            yield Violation(found.resource, f"The NAT rule {found.resource.name!r} has a '/' in its name.")


@rule(
    "R-NAT-06",
    "F",
    "NAT rule maps unequal prefixes",
    "FAQ",
    "Write one rule per prefix, both sides of one length; or dynamic=True for many to few.",
)
@each(_rules)
def nat_lengths(found: NatRule) -> Iterator[Violation]:
    """One prefix on each side; of a static rule both are equally long."""
    inside, outside = found.internal, found.external
    if len(inside) > 1 or len(outside) > 1:
        yield Violation(
            found.resource,
            f"{len(inside)} internal and {len(outside)} external prefixes; a rule takes one of each.",
            "Write one rule per prefix.",
        )
    elif not found.is_dynamic and [p.prefixlen for p in inside] != [p.prefixlen for p in outside]:
        yield Violation(
            found.resource,
            f"A static rule maps {listed(inside)} to {listed(outside)}: their lengths differ.",
            "Use prefixes of one length, or dynamic=True for many to few.",
        )
    elif {p.version for p in (*inside, *outside)} == {4, 6}:
        yield Violation(found.resource, "The rule maps IPv4 to IPv6; there is no NAT64.", "Use one address family.")


@rule(
    "R-NAT-07",
    "F",
    "Dynamic NAT does not map many to few",
    "NATO",
    "Use a static rule if both sides shall start connections.",
)
@each(_rules)
def nat_dynamic(found: NatRule) -> Iterator[str]:
    """Dynamic rules map to a smaller pool, in one direction only; equal sizes may be meant."""
    if found.is_dynamic and found.internal and found.external:
        inside = sum(p.num_addresses for p in found.internal)
        outside = sum(p.num_addresses for p in found.external)
        if outside >= inside:
            yield f"A dynamic rule maps {inside} addresses to {outside}; it works in one direction only."


@rule(
    "R-NAT-17",
    "E",
    "Dynamic NAT maps to more than a /26",
    "NATX",
    "Give the rule external addresses of a /26 or smaller; many connections share an address by their ports.",
    when="change",
)
@each(_rules)
def nat_pool(found: NatRule) -> Iterator[Violation]:
    """Azure refuses the gateway: "Maximum external mapping subnet size for Dynamic NAT is /26"."""
    wide = [p for p in found.external if found.is_dynamic and p.num_addresses > limits.DYNAMIC_NAT]
    if wide:
        yield Violation(
            found.resource,
            f"A dynamic rule maps to {listed(wide)}; Azure takes {limits.DYNAMIC_NAT} addresses, a /26.",
            block="properties.externalMappings",
        )


@rule(
    "R-NAT-19",
    "F",
    "NAT rules of one connection do not go together",
    "NATC, FAQ",
    "Give each connection one dynamic rule, or static rules whose prefixes do not overlap.",
)
@each(connections)
def nat_together(connection: Connection) -> Iterator[str]:
    """A second dynamic rule, or a dynamic beside a static one, was refused as an overlap; no page of Microsoft says so.

    The same rule on two instances is one rule.
    """
    told: set[frozenset[tuple[object, ...]]] = set()
    for one, other in itertools.combinations(connection.nat_rules, 2):
        pair = frozenset((one.value, other.value))
        if one.instance == other.instance and pair not in told and (why := _disagreement(one, other)):
            told.add(pair)
            yield f"{named((one.resource, other.resource))} {why}."


def _disagreement(one: NatRule, other: NatRule) -> str:
    """Why two rules of one connection do not go together; empty if they do."""
    if one.is_dynamic and other.is_dynamic:
        return "are both dynamic; Azure has linked one dynamic rule to a connection only"
    if one.is_dynamic != other.is_dynamic:
        return "are a dynamic and a static one; Azure has not linked both kinds to one connection"
    if one.is_ingress == other.is_ingress:
        sides = (("translate", one.internal, other.internal), ("map to", one.external, other.external))
        for side, ours, theirs in sides:
            if both := [p for p in ours if any(prefixes.relation(p, q) for q in theirs)]:
                return f"both {side} {listed(both)}"
    return ""


@rule(
    "R-NAT-09",
    "F",
    "Overlapping site needs NAT in both directions",
    "FAQ",
    "Add Nat.egress(...) for the network on this site.",
)
@each(connections)
def nat_both_ways(connection: Connection) -> Iterator[str]:
    """If a site really has the network's own addresses, each side must see the other translated."""
    network = None if connection.gateway is None else connection.gateway.network
    if network is None or not connection.is_site or not connection.ingress or connection.egress:
        return
    same = [
        p
        for rule_ in connection.ingress
        for p in rule_.internal
        if any(prefixes.relation(p, n) for n in network.prefixes)
    ]
    if same:
        yield (
            f"The site really has {listed(dict.fromkeys(same))}, which {network.resource.address} has too. Only "
            "the site is translated, so it cannot answer."
        )


@rule(
    "R-NAT-10",
    "F",
    "Ingress NAT rule is shared by different sites",
    "FAQ",
    "Give each site an ingress rule with external addresses of its own.",
)
def nat_sharing(topology: TopologyView) -> Iterator[Violation]:
    """An ingress rule belongs to one site; egress rules may be shared freely."""
    users: dict[str, list[Connection]] = {}
    for connection in topology.connections:
        for found in connection.ingress:
            users.setdefault(found.resource.id.key, []).append(connection)
    for key in sorted(users):
        sharing = users[key]
        if len({connection.place for connection in sharing}) > 1:
            rule_ = next(r for r in sharing[0].ingress if r.resource.id.key == key)
            yield Violation(
                rule_.resource, f"{named(c.resource for c in sharing)} lead to different sites and share this rule."
            )


@rule("R-NAT-11", "F", "NAT rule is missing on one instance", "FAQ", "Make the rule once per instance and link both.")
@each(connections)
def nat_instances(connection: Connection) -> Iterator[str]:
    """On active-active each rule binds to one instance; a connection to both needs it twice.

    A connection whose rules are all bound to one instance is meant for that instance.
    """
    if connection.gateway is None or not connection.gateway.active_active:
        return
    by_value: dict[tuple[object, ...], set[ArmId | None]] = {}
    for found in connection.nat_rules:
        by_value.setdefault(found.value, set()).add(found.instance)
    everywhere = set().union(*by_value.values())
    for value, bound in sorted(by_value.items(), key=str):
        if None in bound:
            detail = f"The NAT rule for {listed(_prefixes(value))} is bound to no instance."
        elif bound < everywhere:
            detail = f"The NAT rule for {listed(_prefixes(value))} exists on one of the two instances only."
        else:
            continue
        yield detail


def _prefixes(value: tuple[object, ...]) -> tuple[object, ...]:
    internal = value[2]
    return internal if isinstance(internal, tuple) else ()


@rule(
    "R-NAT-12",
    "F",
    "BGP routes are not translated",
    "FAQ",
    "Set bgp=Bgp(translate_nat_routes=True), unless the device advertises translated prefixes itself.",
)
@each(vpn_gateways)
def nat_bgp(gateway: Gateway) -> Iterator[str]:
    """With BGP and NAT either Azure translates the routes or the device already advertises translated ones."""
    if gateway.resource.flag("properties.enableBgpRouteTranslationForNat") is not False:
        return
    with_both = [c for c in gateway.sites if c.has_bgp and c.has_nat]
    if with_both:
        yield f"{named(c.resource for c in with_both)} use BGP and NAT, and route translation is off."


@rule(
    "R-NAT-13",
    "F",
    "NAT with an APIPA peer",
    "FAQ, NATO",
    "Use an ordinary address for the BGP peer, or take NAT off this connection.",
)
@each(connections)
def nat_apipa(connection: Connection) -> Iterator[str]:
    """NAT is not supported on a connection whose BGP peer has a link-local address."""
    peer = prefixes.address(connection.peer_address)
    if connection.has_nat and peer is not None and prefixes.is_apipa(peer):
        yield f"Its BGP peer {peer} is an APIPA address, and it is linked to NAT rules."


@rule("R-NAT-14", "F", "BGP peer has an address of the network", "FAQ", "Write the peer's address after NAT.")
@each(connections)
def nat_peer(connection: Connection) -> Iterator[Violation]:
    """A peer that collides with the network is written with its address after NAT."""
    network = None if connection.gateway is None else connection.gateway.network
    peer = prefixes.address(connection.peer_address)
    if network is None or peer is None or connection.local is None or not connection.ingress:
        return
    if prefixes.is_within(peer, network.prefixes):
        yield Violation(
            connection.local.resource,
            f"The BGP peer {peer} lies in {network.resource.address}, although the site is translated.",
        )


@rule(
    "R-NAT-20",
    "F",
    "BGP peer is written with its address before NAT",
    "FAQ, NATC",
    "Write the peer's address after NAT; give it a static rule of its own where the site's rule is dynamic.",
)
@each(connections)
def nat_peer_address(connection: Connection) -> Iterator[Violation]:
    """Azure meets the peer at its translated address, and dynamic NAT gives it none that stays. See R-NAT-14 too."""
    peer, local = prefixes.address(connection.peer_address), connection.local
    network = None if connection.gateway is None else connection.gateway.network
    if peer is None or local is None or (network is not None and prefixes.is_within(peer, network.prefixes)):
        return
    lengths = {p.prefixlen: r for r in connection.ingress for p in r.internal if prefixes.is_within(peer, (p,))}
    found = lengths[max(lengths)] if lengths else None
    pools = [p for r in connection.ingress if r.is_dynamic for p in r.external if prefixes.is_within(peer, (p,))]
    if pools or (found is not None and found.is_dynamic):
        yield Violation(
            local.resource,
            f"The BGP peer {peer} lies in a prefix of a dynamic NAT rule, which gives it no address that stays.",
            "Translate the peer with a static rule of its own, and write its address after NAT.",
        )
    elif found is not None and (seen := found.translated(peer)) not in (None, peer):
        yield Violation(
            local.resource,
            f"{found.resource.address} translates the BGP peer {peer}; Azure sees it as {seen}.",
            f"Write {seen}, the address after NAT.",
        )
