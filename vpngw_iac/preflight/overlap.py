"""Address plans: what every gateway connects, and where two of those claim the same addresses.

All claims around a gateway are swept once (see `prefixes.overlaps`); each rule then takes the pairs that are its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from vpngw_iac.errors import Level
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import value_at
from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.prefixes import Span
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.network import Network
from vpngw_iac.preflight.view.resource_view import ResourceView
from vpngw_iac.preflight.view.topology import TopologyView

Kind = Literal["own", "peered", "linked", "far", "site", "nat", "pool", "group"]
"""The gateway's network; networks peered with it; networks over VNet-to-VNet, and what lies behind those (their spokes
and, with BGP, their clients); sites; translated prefixes of sites; the client pool; pools of user groups."""


@dataclass(frozen=True, slots=True)
class AddressUser:
    """Somebody who uses addresses behind a gateway."""

    kind: Kind
    who: str
    """Claims of one owner do not disturb each other: two links of one site, one network reached twice."""
    label: str
    resource: ResourceView
    has_bgp: bool = False
    """A site whose routes come and go by BGP."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two claims to the same addresses; `inner` lies in `outer` or equals it."""

    gateway: Gateway
    inner: Span[AddressUser]
    outer: Span[AddressUser]

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of both claims."""
        return frozenset({self.inner.owner.kind, self.outer.owner.kind})

    @property
    def is_equal(self) -> bool:
        """Whether both claim the same prefix."""
        return self.inner.prefix == self.outer.prefix

    @property
    def is_failover(self) -> bool:
        """Whether two sites offer one prefix over BGP: Azure takes the better path, and the other if that is lost."""
        return self.is_equal and self.inner.owner.has_bgp and self.outer.owner.has_bgp

    def of(self, kind: Kind) -> Span[AddressUser]:
        """The claim of a kind."""
        return self.inner if self.inner.owner.kind == kind else self.outer

    @property
    def sentence(self) -> str:
        """What overlaps what."""
        inner, outer = self.inner, self.outer
        if self.is_equal:
            return f"{inner.owner.label} and {outer.owner.label} both have {inner.prefix}."
        return f"{inner.prefix} of {inner.owner.label} lies inside {outer.prefix} of {outer.owner.label}."


def clashes(topology: TopologyView) -> tuple[Clash, ...]:
    """Every overlap around every gateway."""
    return topology.memo("clashes", lambda: tuple(_clashes(topology)))


def _clashes(topology: TopologyView) -> Iterator[Clash]:
    for gateway in topology.gateways:
        spans = [Span(prefix, claim) for claim, found in claims(gateway) for prefix in found]
        for inner, outer in prefixes.overlaps(spans, lambda one, other: one.who != other.who):
            clash = Clash(gateway, inner, outer)
            if not _is_default_route(clash):
                yield clash


def claims(gateway: Gateway) -> Iterator[tuple[AddressUser, tuple[prefixes.Network, ...]]]:
    """Who uses which addresses around a gateway, as the gateway sees them (after ingress NAT)."""
    network = gateway.network
    if network is not None:
        yield _network("own", network), network.prefixes
        for spoke in network.reach:
            yield _network("peered", spoke), spoke.prefixes
    for connection in gateway.tunnels:
        if connection.is_vnet and connection.remote is not None and connection.remote.network is not None:
            yield from _remote_claims(connection, connection.remote, connection.remote.network)
        elif connection.is_site:
            kind: Kind = "nat" if connection.ingress else "site"
            label = f"site {connection.place}" if connection.resource.affects else connection.resource.address
            who = f"site {gateway.topology.place_behind(connection.place)}"
            yield AddressUser(kind, who, label, connection.resource, bool(connection.has_bgp)), connection.translated
    yield from _client_claims(gateway)


def _remote_claims(
    connection: Connection, remote: Gateway, network: Network
) -> Iterator[tuple[AddressUser, tuple[prefixes.Network, ...]]]:
    """The network on the other side of a VNet-to-VNet connection and what is reached through it."""
    yield _network("linked", network), network.prefixes
    for spoke in network.reach:
        yield _network("far", spoke), spoke.prefixes
    if connection.has_bgp:
        who = f"{remote.resource.address}'s client pool"
        yield AddressUser("far", f"pool {remote.resource.id.key}", who, connection.resource), remote.pool


def _network(kind: Kind, network: Network) -> AddressUser:
    return AddressUser(kind, network.resource.id.key, network.resource.address, network.resource)


def _client_claims(gateway: Gateway) -> Iterator[tuple[AddressUser, tuple[prefixes.Network, ...]]]:
    who = f"{gateway.resource.address}'s client pool"
    yield AddressUser("pool", f"pool {gateway.resource.id.key}", who, gateway.resource), gateway.pool
    for name, pool in group_pools(gateway):
        label = f"pool of {name}"
        yield AddressUser("group", f"{gateway.resource.id.key} {name}", label, gateway.resource), pool


def group_pools(gateway: Gateway) -> tuple[tuple[str, tuple[prefixes.Network, ...]], ...]:
    """Pools of user groups by the name of their client configuration."""
    if gateway.clients is None:
        return ()
    found = []
    for item in gateway.group_pools:
        pool = value_at(item, "properties.vpnClientAddressPool.addressPrefixes")
        texts = pool if isinstance(pool, list | tuple) else ()
        found.append((str(item.get("name")), prefixes.networks(texts)))
    return tuple(found)


def _is_default_route(clash: Clash) -> bool:
    """Whether a site takes (nearly) everything on purpose: forced tunnelling (R-FT-01)."""
    return clash.outer.owner.kind in ("site", "nat") and clash.outer.prefix.prefixlen < 8 and not clash.is_equal


def _local_level(clash: Clash) -> Level:
    """A site that contains a network routes around it: longest prefix wins. Equal or inside is ambiguous."""
    return "error" if clash.is_equal or clash.inner.owner.kind in ("site", "nat") else "warning"


@rule(
    "R-LNG-06",
    "F",
    "Prefixes of a site overlap something else behind the gateway",
    "FAQ, LNGI",
    "Correct the prefix, or translate the site with Nat.ingress(...).",
)
def site_prefixes(topology: TopologyView) -> Iterator[Violation]:
    """A site's prefixes against the gateway's network, its peered networks and its other sites."""
    for clash in clashes(topology):
        kinds = clash.kinds
        if "site" not in kinds or not kinds <= {"site", "own", "peered"}:
            continue
        between_sites = kinds == {"site"}
        ambiguous = clash.is_equal and not clash.is_failover
        level = ("error" if ambiguous else "warning") if between_sites else _local_level(clash)
        wins = "the better BGP path wins" if clash.is_failover else "the longer prefix wins"
        yield Violation(
            clash.of("site").owner.resource if not between_sites else clash.inner.owner.resource,
            f"{clash.sentence} {clash.gateway.resource.address} cannot tell which side traffic is meant for"
            + (f": {wins}." if level == "warning" else "."),
            _way_out(clash, between_sites=between_sites),
            level,
        )


def _way_out(clash: Clash, *, between_sites: bool) -> str:
    if clash.is_failover:
        return "Say backup_of=... on the site that stands in for the other, if that is meant."
    if between_sites and clash.is_equal:
        return (
            "Correct the prefix, say backup_of=... on the site that stands in for the other, or translate one of them "
            "with Nat.ingress(...)."
        )
    also = "." if between_sites else " (and the network with Nat.egress(...))."
    return f"Correct the prefix, or translate the site with Nat.ingress(...){also}"


@rule(
    "R-V2V-04",
    "F",
    "Networks joined by VNet-to-VNet overlap",
    "FAQ",
    "Give one of them another address space; NAT does not work on VNet-to-VNet (R-V2V-09).",
)
def joined_networks(topology: TopologyView) -> Iterator[Violation]:
    """The network on the other side of VNet-to-VNet, and its spokes, against all that this gateway connects.

    Spokes of both sides that overlap only warn: without transit they never meet.
    """
    told: set[frozenset[str]] = set()
    for clash in clashes(topology):
        pair = frozenset({clash.inner.owner.who, clash.outer.owner.who})
        remote = clash.kinds & {"linked", "far"}
        if not remote or clash.kinds & {"pool", "group"} or pair in told:
            continue
        told.add(pair)
        contains = clash.outer.owner.kind in ("site", "nat") and not clash.is_equal
        level: Level = "warning" if contains or "far" in clash.kinds else "error"
        yield Violation(
            clash.of("far" if "far" in remote else "linked").owner.resource,
            f"{clash.sentence} Traffic between them never enters the tunnel.",
            level=level,
        )


@rule(
    "R-NAT-08",
    "F",
    "Translated prefixes overlap something else behind the gateway",
    "FAQ, NATO",
    "Translate the site to a range that nothing else behind this gateway uses.",
)
def translated_prefixes(topology: TopologyView) -> Iterator[Violation]:
    """What sites look like after ingress NAT, against networks and other sites; egress rules among themselves."""
    for clash in clashes(topology):
        kinds = clash.kinds
        if "nat" in kinds and kinds <= {"nat", "site", "own", "peered"}:
            yield Violation(clash.of("nat").owner.resource, f"After NAT, {clash.sentence}")
    for gateway in topology.vpn_gateways:
        yield from _egress_clashes(gateway)


def _egress_clashes(gateway: Gateway) -> Iterator[Violation]:
    """Egress rules that map different networks to the same addresses, or a network to addresses of its own site."""
    for connection in gateway.sites:
        own = [p for rule in connection.egress for p in rule.external if prefixes.is_within(p, connection.prefixes)]
        if own:
            yield Violation(
                connection.resource,
                f"Its egress rule shows Azure as {_texts(own)}, which the site has itself: it will not answer.",
                "Give the egress rule external addresses that the site does not have.",
            )
    spans = [Span(prefix, rule) for rule in gateway.nat_rules if not rule.is_ingress for prefix in rule.external]
    told: set[frozenset[str]] = set()
    pairs = prefixes.overlaps(
        spans, lambda one, other: one.internal != other.internal and not (one.is_dynamic or other.is_dynamic)
    )
    for inner, outer in pairs:
        names = frozenset({inner.owner.resource.address, outer.owner.resource.address})
        if names not in told:
            told.add(names)
            yield Violation(
                inner.owner.resource,
                f"{inner.owner.resource.address} maps {_texts(inner.owner.internal)} and "
                f"{outer.owner.resource.address} maps {_texts(outer.owner.internal)} to the same addresses "
                f"({inner.prefix}).",
                "Give each rule external addresses of its own.",
            )


@rule(
    "R-POOL-02",
    "F",
    "Client pool overlaps something else behind the gateway",
    "POOL, FAQ",
    "Choose a pool that nothing behind this gateway uses, from the ranges of RFC 1918.",
)
def client_pool(topology: TopologyView) -> Iterator[Violation]:
    """The pool against networks and sites; a pool outside the private ranges is worth a second look."""
    for clash in clashes(topology):
        if "pool" not in clash.kinds or "group" in clash.kinds:
            continue
        pool_is_outer = clash.outer.owner.kind == "pool"
        contained = not clash.is_equal and not pool_is_outer and clash.outer.owner.kind in ("site", "nat")
        yield Violation(
            clash.of("pool").owner.resource,
            f"{clash.sentence} Answers to those clients may go elsewhere.",
            "Choose a pool that nothing behind this gateway uses.",
            "warning" if contained or "far" in clash.kinds else "error",
        )
    for gateway in topology.vpn_gateways:
        outside = [prefix for prefix in gateway.pool if not prefixes.is_private(prefix)]
        if outside:
            yield Violation(
                gateway.resource,
                f"The client pool {_texts(outside)} is not a private range.",
                "Make sure that you own these addresses, or use a range of RFC 1918.",
            )


@rule(
    "R-UG-04",
    "F",
    "Pool of a user group is too small or overlaps",
    "UG",
    "Give every group a /24 or larger that nothing else behind this gateway uses.",
)
def group_pool(topology: TopologyView) -> Iterator[Violation]:
    """Each group's pool is a /24 at least and shares no address; acceptance tests of other tools do without."""
    for gateway in topology.vpn_gateways:
        for name, pool in group_pools(gateway):
            if small := [prefix for prefix in pool if prefix.version == 4 and prefix.prefixlen > 24]:
                yield Violation(
                    gateway.resource,
                    f"The pool {_texts(small)} of {name} is smaller than /24.",
                    "Give every group a /24 or larger.",
                )
    for clash in clashes(topology):
        if "group" in clash.kinds:
            yield Violation(
                clash.of("group").owner.resource,
                clash.sentence,
                "Give every group a range that nothing else behind this gateway uses.",
            )


def _texts(found: Iterable[prefixes.Network]) -> str:
    return ", ".join(str(prefix) for prefix in found)


def unreachable(address: prefixes.Address, gateway: Gateway) -> bool:
    """Whether no network and no site behind a gateway holds an address, as far as all of them are known."""
    around = [found for claim, found in claims(gateway) if claim.kind not in ("pool", "group")]
    return not any(prefixes.is_within(address, found) for found in around)


def shares_place(one: Connection, other: Connection) -> bool:
    """Whether two connections lead to the same site."""
    return one.place == other.place
