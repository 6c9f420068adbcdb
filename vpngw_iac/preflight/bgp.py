"""BGP: AS numbers, peer addresses, APIPA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vpngw_iac.field import is_reserved_by_iana
from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.overlap import shares_place
from vpngw_iac.preflight.registry import Violation, connections, each, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import ResourceView, named
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed


@rule("R-BGP-01", "E", "Gateway has no BGP", "FAQ, BGP", "Leave bgp out, or use VpnGw1AZ.")
@each(vpn_gateways)
def bgp_sku(gateway: Gateway) -> Iterator[str]:
    """Not on Basic, not on policy-based gateways."""
    speaks = gateway.has_bgp or any(connection.has_bgp for connection in gateway.tunnels)
    if speaks and (gateway.is_basic or gateway.is_policy_based):
        why = "SKU Basic" if gateway.is_basic else "a policy-based gateway"
        yield f"BGP is on; {why} has none."


@rule(
    "R-BGP-02",
    "E",
    "AS number is reserved by Azure",
    "FAQ",
    "Use 64512 to 65514, 65521 to 65534, or a number of yours.",
)
def azure_numbers(topology: TopologyView) -> Iterator[Violation]:
    """A device cannot use Azure's numbers. 65515 is another Azure gateway or Virtual WAN: see R-BGP-06.

    Of the others Microsoft says that gateways may not use them either, without saying how it ends: a warning.
    """
    for gateway in topology.vpn_gateways:
        if gateway.asn in limits.RESERVED_BY_AZURE and gateway.asn != limits.DEFAULT_ASN:
            yield Violation(
                gateway.resource, f"AS number {gateway.asn} is Azure's own; a gateway has 65515.", level="warning"
            )
    for connection in topology.connections:
        asn, local = connection.peer_asn, connection.local
        if local is not None and asn in limits.RESERVED_BY_AZURE and asn != limits.DEFAULT_ASN:
            yield Violation(local.resource, f"AS number {asn} is Azure's own.")


@rule("R-BGP-03", "E", "AS number is reserved by IANA", "FAQ", "Use 64512 to 65514 or 65521 to 65534.")
def iana_numbers(topology: TopologyView) -> Iterator[Violation]:
    """23456, the documentation ranges, and the last number."""
    resources: list[tuple[ResourceView, int | None]] = [(local.resource, local.asn) for local in topology.locals]
    resources += [(gateway.resource, gateway.asn) for gateway in topology.vpn_gateways]
    for resource, asn in resources:
        if asn is not None and is_reserved_by_iana(asn):
            yield Violation(resource, f"AS number {asn} is reserved.")


@rule("R-BGP-05", "I", "AS number 65516 is undocumented", "FAQ, BGP", "Use 65010.")
@each(vpn_gateways)
def odd_number(gateway: Gateway) -> Iterator[Violation]:
    """65516 is neither free nor reserved in Microsoft's list."""
    if gateway.asn == 65516:
        yield Violation(gateway.resource, "65516 is not in Microsoft's list of free numbers.", level="warning")


@rule(
    "R-BGP-06",
    "F",
    "Both ends of a BGP session have one AS number",
    "FAQ, BGP",
    "Give one of them a number that nobody else has; 64512 to 65514 are free for private use (R-BGP-04).",
)
@each(connections)
def equal_numbers(connection: Connection) -> Iterator[Violation]:
    """The ends of a BGP connection need different numbers, also two gateways left at 65515."""
    gateway, peer = connection.gateway, connection.peer_asn
    twin = connection.twin
    if gateway is None or peer is None or (connection.is_vnet and twin and connection.resource.id > twin.resource.id):
        return
    if gateway.asn == peer:
        other = connection.local or connection.remote or connection
        yield Violation(
            connection.resource,
            f"{gateway.resource.address} and {other.resource.address} both have AS number {peer}.",
            level="error",
        )


@rule(
    "R-BGP-07", "F", "BGP peer has an address that cannot work", "FAQ", "Use a loopback or APIPA address of the device."
)
@each(connections)
def peer_address(connection: Connection) -> Iterator[Violation]:
    """Not the device's public address; not inside the network or a peered one, unless NAT is at work (R-NAT-14)."""
    peer, local = prefixes.address(connection.peer_address), connection.local
    network = None if connection.gateway is None else connection.gateway.network
    if peer is None or local is None:
        return
    if connection.peer_address == local.ip:
        yield Violation(
            local.resource,
            f"The BGP peer {peer} is the device's public address.",
            "Use a loopback or APIPA address of it.",
        )
    elif network is not None and not connection.has_nat:
        for near in (network, *network.reach):
            if prefixes.is_within(peer, near.prefixes):
                yield Violation(
                    local.resource,
                    f"The BGP peer {peer} lies in {near.resource.address}.",
                    "Use an address of the site, or an APIPA address.",
                )


def _custom(gateway: Gateway) -> Iterator[tuple[str, str]]:
    """Custom addresses of a gateway, with the instance."""
    for instance, addresses in sorted(gateway.apipa.items()):
        for found in addresses:
            yield instance, found


@rule(
    "R-BGP-08",
    "E",
    "Custom BGP address is not usable",
    "BGP, T-BGP, LIM",
    "Choose addresses of 169.254.21.0 to 169.254.22.255, a /30 for each tunnel, each address once.",
)
def custom_addresses(topology: TopologyView) -> Iterator[Violation]:
    """169.254.21.0 to 169.254.22.255, each once among gateways and devices that are connected, 32 at most."""
    for gateway in topology.vpn_gateways:
        custom = list(_custom(gateway))
        outside = [text for _, text in custom if not _is_azure_apipa(text)]
        twice = sorted({text for _, text in custom if [t for _, t in custom].count(text) > 1})
        if outside:
            yield Violation(
                gateway.resource,
                f"Custom BGP address {listed(outside)} is outside 169.254.21.0 to 169.254.22.255.",
                "Choose addresses of that range, a /30 for each tunnel.",
            )
        elif twice:
            yield Violation(
                gateway.resource, f"Custom BGP address {listed(twice)} is on both instances.", "Use each address once."
            )
        if len(custom) > limits.CUSTOM_APIPA:
            yield Violation(
                gateway.resource,
                f"{len(custom)} custom BGP addresses; Azure takes {limits.CUSTOM_APIPA}.",
                "Use fewer.",
            )
    yield from _shared_addresses(topology)


def _shared_addresses(topology: TopologyView) -> Iterator[Violation]:
    """Addresses that a gateway shares with a device or a gateway that it is connected to."""
    for connection in topology.connections:
        gateway, peer = connection.gateway, connection.peer_address
        own = {text for _, text in _custom(gateway)} if gateway is not None else set()
        if gateway is not None and connection.local is not None and peer in own:
            yield Violation(
                connection.local.resource,
                f"{peer} is an address of {gateway.resource.address} too.",
                "Give the device the other address of the /30.",
            )
        remote, twin = connection.remote, connection.twin
        if gateway is None or remote is None or (twin is not None and connection.resource.id > twin.resource.id):
            continue
        both = sorted(own & {text for _, text in _custom(remote)})
        if both and connection.has_bgp:
            yield Violation(
                connection.resource,
                f"{gateway.resource.address} and {remote.resource.address} both use {listed(both)}.",
                "Use each custom BGP address once among connected gateways.",
            )


def _is_azure_apipa(text: str) -> bool:
    found = prefixes.address(text)
    return found is not None and prefixes.is_azure_apipa(found)


@rule(
    "R-BGP-09",
    "F",
    "Gateway has no address for its APIPA peer",
    "BGP, FAQ",
    "Give the link azure_address=... from the same /30.",
)
@each(connections)
def apipa_match(connection: Connection) -> Iterator[Violation]:
    """A device with an APIPA address meets a gateway that has one in the same /30."""
    gateway, peer = connection.gateway, prefixes.address(connection.peer_address)
    if gateway is None or peer is None or connection.local is None or not prefixes.is_apipa(peer):
        return
    if not gateway.resource.knows("properties.bgpSettings.bgpPeeringAddresses"):
        return
    own = [text for _, text in _custom(gateway)]
    block = prefixes.networks((f"{peer}/30",))
    if not any(_in_one_block(peer, found) for found in map(prefixes.address, own) if found):
        yield Violation(
            connection.local.resource,
            f"The BGP peer {peer} is an APIPA address; {gateway.resource.address} has "
            + (f"{listed(own)}, none of it in {block[0]}." if own else "no custom BGP address."),
        )


@rule(
    "R-BGP-10",
    "I",
    "Connection chooses a BGP address that the gateway has not",
    "TF, SDK",
    "Choose one of the gateway's own addresses, for each instance.",
)
@each(connections)
def chosen_addresses(connection: Connection) -> Iterator[Violation]:
    """A chosen address is a custom one of that instance, and every instance of active-active is named."""
    gateway, chosen = connection.gateway, connection.chosen_apipa
    if gateway is None or not chosen or not gateway.resource.is_managed:
        return
    missing = [text for instance, text in sorted(chosen.items()) if text not in gateway.apipa.get(instance, ())]
    if missing:
        yield Violation(
            connection.resource,
            f"{listed(missing)} is not a custom BGP address of that instance of {gateway.resource.address}.",
            "Choose one of the gateway's addresses.",
            "error",
        )
    elif gateway.active_active and len(chosen) < 2:
        yield Violation(
            connection.resource,
            "It chooses an address for one instance only; Azure wants one for each.",
            "Choose an address for the other instance too.",
            "warning",
        )


@rule("R-BGP-15", "F", "Site announces the network's own prefix", "FAQ, T-BGP", "Announce a supernet instead.")
@each(connections)
def filtered_prefixes(connection: Connection) -> Iterator[Violation]:
    """With gateway transit Azure filters routes that equal a network's prefix; during migrations it may be meant."""
    gateway = connection.gateway
    network = None if gateway is None else gateway.network
    if network is None or not connection.has_bgp or not connection.is_site:
        return
    own = {prefix for near in (network, *network.reach) for prefix in near.prefixes}
    same = [prefix for prefix in connection.prefixes if prefix in own]
    if same and network.reach:
        yield Violation(
            connection.resource,
            f"{listed(same)} is a prefix of the network or a peered one: Azure filters it from BGP.",
            level="info",
        )


@rule(
    "R-BGP-17",
    "F",
    "BGP is on at one side only",
    "BGP",
    "Give the gateway bgp=Bgp(asn=...) and the site bgp=BgpPeer(asn, address).",
)
@each(connections)
def half_bgp(connection: Connection) -> Iterator[Violation]:
    """A connection with BGP needs BGP on its gateway and a BGP peer."""
    gateway, local = connection.gateway, connection.local
    if not connection.has_bgp or connection.is_expressroute:
        return
    if gateway is not None and gateway.has_bgp is False and not gateway.is_basic and not gateway.is_policy_based:
        yield Violation(
            connection.resource,
            f"BGP is on here and off on {gateway.resource.address}.",
            "Add bgp=Bgp(asn=...) to the gateway.",
        )
    elif local is not None and local.resource.knows_all and local.resource.block("properties.bgpSettings") is None:
        yield Violation(
            connection.resource,
            f"BGP is on, and {local.resource.address} has no BGP peer.",
            "Add bgp=BgpPeer(asn, address) to the site.",
        )


@rule("R-BGP-18", "F", "Several static tunnels to one site", "FAQ", "Use BGP on every link of the site.")
@each(vpn_gateways)
def redundant_tunnels(gateway: Gateway) -> Iterator[Violation]:
    """Two tunnels to one site need BGP on both; during a migration it may be meant."""
    by_place: dict[str, list[Connection]] = {}
    for connection in gateway.sites:
        by_place.setdefault(connection.place, []).append(connection)
    for place, tunnels in sorted(by_place.items()):
        static = [tunnel for tunnel in tunnels if tunnel.has_bgp is False]
        if len(tunnels) > 1 and static and all(shares_place(tunnels[0], tunnel) for tunnel in tunnels):
            yield Violation(
                static[0].resource,
                f"{named(t.resource for t in tunnels)} lead to {place}; without BGP on all of them Azure does not "
                "notice which one works.",
            )


@rule(
    "R-BGP-23",
    "W",
    "The same BGP peer twice on one gateway",
    "BGP, T-BGP",
    "Give each device a BGP address of its own.",
)
@each(vpn_gateways)
def same_peer(gateway: Gateway) -> Iterator[Violation]:
    """A gateway speaks to each BGP address once."""
    by_peer: dict[str, dict[ResourceView, None]] = {}
    for connection in gateway.sites:
        if connection.peer_address is not None and connection.local is not None:
            by_peer.setdefault(connection.peer_address, {})[connection.local.resource] = None
    for peer, locals_ in sorted(by_peer.items()):
        if len(locals_) > 1:
            yield Violation(list(locals_)[-1], f"{named(locals_)} all have the BGP address {peer}.")


def _in_one_block(own: prefixes.Address, peer: prefixes.Address) -> bool:
    """Whether two addresses are the ends of one tunnel: they share a /30."""
    return prefixes.is_within(peer, prefixes.networks((f"{own}/30",)))


def _apipa_peers(gateway: Gateway) -> Iterator[Connection]:
    for connection in gateway.sites:
        peer = prefixes.address(connection.peer_address)
        if peer is not None and prefixes.is_apipa(peer):
            yield connection


@rule("R-BGP-24", "W", "Connection does not choose its APIPA address", "BGP, TF", "Give the link azure_address=...")
@each(vpn_gateways)
def unchosen_apipa(gateway: Gateway) -> Iterator[Violation]:
    """With several custom addresses a connection to an APIPA peer says which one it uses."""
    if any(len(addresses) > 1 for addresses in gateway.apipa.values()):
        for connection in _apipa_peers(gateway):
            if not connection.chosen_apipa:
                yield Violation(
                    connection.resource,
                    f"{gateway.resource.address} has several custom BGP addresses, and this connection names none.",
                )


@rule(
    "R-BGP-25",
    "W",
    "Several APIPA addresses on an active-standby gateway",
    "BGP",
    "Use one custom address, or make the gateway active-active.",
)
@each(vpn_gateways)
def apipa_on_standby(gateway: Gateway) -> Iterator[str]:
    """An active-standby gateway is documented with one custom address."""
    many: Mapping[str, tuple[str, ...]] = {k: v for k, v in gateway.apipa.items() if len(v) > 1}
    if many and gateway.active_active is False:
        yield f"It has {listed(next(iter(many.values())))} on its one instance."


@rule(
    "R-BGP-26",
    "W",
    "APIPA link over both instances gets one session of two",
    "BGPX, BGP",
    "Make a link for each instance (instance=0, instance=1) with an APIPA address of its own, or peer with a loopback "
    "address of the device that both tunnels reach.",
)
@each(vpn_gateways)
def half_of_the_sessions(gateway: Gateway) -> Iterator[Violation]:
    """A local network gateway has one BGP address, and an APIPA one is in the /30 of one instance.

    The tunnel of the other instance comes up without a session: when its twin goes, so do the routes. Nothing is said
    where several connections name an address: they do so only since Azure wants one for each instance (R-BGP-10).
    """
    if not gateway.active_active:
        return
    links = [connection for connection in gateway.sites if connection.peer_address is not None]
    peers = [found for c in links if (found := prefixes.address(c.peer_address)) is not None]
    named = [text for connection in links for text in connection.chosen_apipa.values()]
    for connection in _apipa_peers(gateway):
        chosen = list(connection.chosen_apipa.values())
        alone = [text for text in chosen if named.count(text) == 1 and not _has_peer(text, peers)]
        if len(chosen) > 1 and alone:
            yield Violation(
                connection.resource,
                f"It chooses {listed(chosen)}, one for each instance; its peer {connection.peer_address} shares a /30 "
                f"with only one of them, and no other link has a peer beside {listed(alone)}.",
            )


def _has_peer(text: str, peers: list[prefixes.Address]) -> bool:
    own = prefixes.address(text)
    return own is not None and any(_in_one_block(own, peer) for peer in peers)
