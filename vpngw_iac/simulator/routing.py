"""What a gateway speaks with its neighbours: BGP sessions, routes learned and advertised, routes in effect.

Evidence: ``test_network_vpn_gateway`` (rows of each answer; without BGP the network's own prefix), the SDK's models
(`BgpPeerStatus`, `GatewayRoute`, `GatewayEffectiveRoute`, `EffectiveRoute`). That an active-active gateway lists its
own instances among its peers, itself as Unknown, is not recorded. Names of states: `BgpPeerState`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator import other_end
from vpngw_iac.simulator.checks import network
from vpngw_iac.simulator.cloud_view import CloudView, as_id
from vpngw_iac.simulator.document import SUCCEEDED, Document
from vpngw_iac.simulator.instance_checks import last
from vpngw_iac.simulator.relations import (
    PEERINGS,
    connections_from,
    connections_of,
    gateways_in,
    network_of,
    peerings_to,
    prefixes_of,
)
from vpngw_iac.simulator.wire import Json

_APIPA = ipaddress.ip_network("169.254.0.0/16")
_WEIGHT = 32768


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """One BGP session of one instance with one neighbour."""

    connection: Document
    instance: int
    local: str
    neighbour: str
    asn: int
    since: float | None
    """When it came up; none while it is down."""
    announced: tuple[str, ...]
    """What arrives over it."""


def peers(cloud: CloudView, gateway: Document) -> list[Json]:
    """One row for each local address and neighbour, and those between the two instances."""
    found = [_peer_row(cloud, one) for one in sessions(cloud, gateway)]
    own, asn = _own_addresses(gateway), (gateway.properties.get("bgpSettings") or {}).get("asn")
    if len(own) > 1 and found:
        found += [_own_row(cloud, gateway, local, neighbour, asn) for local in own for neighbour in own]
    return found


def sessions(cloud: CloudView, gateway: Document) -> list[SimulatedSession]:
    """Every session that is configured, up or not."""
    return [
        session
        for connection in connections_from(cloud, gateway.id)
        if connection.properties.get("enableBgp")
        for session in _of_connection(cloud, gateway, connection)
    ]


def learned(cloud: CloudView, gateway: Document) -> list[Json]:
    """The networks that it serves, by each instance itself, and what it hears.

    Evidence: printed tables of ``Get-AzVirtualNetworkGatewayLearnedRoute`` have the gateway's own network and its
    spokes, with origin Network, no next hop, and the gateway's own address as the peer.
    """
    home = networks(cloud, gateway)
    own = [_row(one, prefix, "", "Network", "", one) for one in _own_addresses(gateway) for prefix in home]
    return own + _heard(cloud, gateway)


def _heard(cloud: CloudView, gateway: Document) -> list[Json]:
    """The prefixes of static sites, and what neighbours announce: from each instance that hears it, and its twin."""
    own = _own_addresses(gateway)
    found = [_row(",".join(own), prefix, "", "Network", "") for prefix in _static(cloud, gateway)]
    spoken = [one for one in sessions(cloud, gateway) if one.since is not None]
    for session in spoken:
        found += [
            _row(session.local, prefix, session.neighbour, "EBgp", str(session.asn)) for prefix in session.announced
        ]
    heard = {(one.instance, prefix) for one in spoken for prefix in one.announced}
    for session in spoken if len(own) > 1 else ():
        other = 1 - session.instance
        found += [
            _row(own[other], prefix, own[session.instance], "IBgp", str(session.asn))
            for prefix in session.announced
            if (other, prefix) not in heard
        ]
    return found


def advertised(cloud: CloudView, gateway: Document, peer: str) -> list[Json]:
    """What a neighbour is told: the networks, and what others announce, but no default route (R-BGP-16).

    Without BGP the network's own prefix, as recorded.
    """
    every = sessions(cloud, gateway)
    if not every:
        return [
            {"localAddress": "", "network": prefix, "nextHop": "Virtual Network", "origin": "Network", "weight": 0}
            for prefix in prefixes_of(cloud.find(network_of(gateway)))
        ]
    asn = str((gateway.properties.get("bgpSettings") or {}).get("asn"))
    found = []
    for session in every:
        if session.neighbour != peer or session.since is None:
            continue
        others = {p for one in every if one.neighbour != peer and one.since is not None for p in one.announced}
        told = [*networks(cloud, gateway), *sorted(others - {"0.0.0.0/0"})]
        found += [_row(session.local, prefix, session.local, "Igp", asn, peer, 0) for prefix in dict.fromkeys(told)]
    return found


def effective(cloud: CloudView, gateway: Document) -> list[Json]:
    """`getEffectiveRoutes`: which way the gateway itself sends what."""
    own = _own_addresses(gateway)
    rows = [
        {"localAddress": own[0] if own else "", "addressPrefixes": [prefix], "nextHopType": "VirtualNetwork"}
        for prefix in networks(cloud, gateway)
    ]
    for route in _heard(cloud, gateway):
        rows.append(
            {
                "localAddress": route["localAddress"],
                "addressPrefixes": [route["network"]],
                "nextHopIpAddress": route["nextHop"],
                "nextHopType": "Tunnel",
            }
        )
    return rows


def seen_from(cloud: CloudView, home: Document) -> list[Json]:
    """The routes of a machine in that network: its own, and those of the gateways that it uses.

    A circuit's win over a tunnel's for equal prefixes (page "ExpressRoute and VPN coexist").
    """
    found = [_effective("Default", prefix, "VnetLocal", "") for prefix in prefixes_of(home)]
    taken: set[str] = set()
    for gateway in sorted(_gateways_of(cloud, home), key=lambda one: one.properties["gatewayType"]):
        routes = _circuit_routes(cloud, gateway) if gateway.properties["gatewayType"] == "ExpressRoute" else None
        if routes is None:
            own = _own_addresses(gateway)
            routes = {row["network"]: own[0] if own else "" for row in _heard(cloud, gateway)}
        for prefix, hop in routes.items():
            if prefix not in taken:
                found.append(_effective("VirtualNetworkGateway", prefix, "VirtualNetworkGateway", hop))
        taken |= set(routes)
    return found


def circuit_prefixes(circuit: Document) -> list[str]:
    """What the other side of a circuit announces: a prefix for documentation unless somebody said something."""
    return other_end.announced(circuit, ["198.51.100.0/24"])


def path_state(cloud: CloudView, circuit: Document | None, path: str) -> str:
    """``up``, ``no-arp`` or ``no-bgp``, of the primary or the secondary path of a circuit."""
    away = other_end.away_of(circuit)
    if path == "primary" and away is not None and away[0] <= cloud.now < away[1]:
        return "no-bgp"
    word = other_end.said_of(circuit) if circuit is not None else "up"
    for both in ("up", "no-arp", "no-bgp"):
        if word in (both, f"{path}-{both}"):
            return both
    return "up"


def _of_connection(cloud: CloudView, gateway: Document, connection: Document) -> Iterator[SimulatedSession]:
    other = _neighbour(cloud, connection)
    if other is None:
        return
    block = other.properties["bgpSettings"]
    neighbours = [one for one in str(block.get("bgpPeeringAddress") or "").split(",") if one]
    end = other_end.other_end(cloud, connection)
    locals_ = _local_addresses(gateway, connection)
    apart = _apart(locals_, neighbours)
    default = _announces(cloud, other)
    for instance, local in enumerate(locals_):
        up = other_end.up_since(cloud, connection, instance) if end.session else None
        for neighbour in neighbours:
            since = None if (local, neighbour) in apart else up
            told = tuple(other_end.announced(connection, default)) if end.routes else ()
            yield SimulatedSession(connection, instance, local, neighbour, int(block.get("asn") or 0), since, told)


def _apart(locals_: list[str], neighbours: list[str]) -> set[tuple[str, str]]:
    """Pairs that cannot speak: a link-local neighbour is near one instance only (azure-docs issue 112249)."""
    found = set()
    for neighbour in neighbours:
        address = ipaddress.ip_address(neighbour)
        if address not in _APIPA:
            continue
        near = [one for one in locals_ if ipaddress.ip_address(one) in ipaddress.ip_network(f"{address}/30", False)]
        found |= {(one, neighbour) for one in locals_ if one not in (near or locals_[:1])}
    return found


def _announces(cloud: CloudView, other: Document) -> list[str]:
    """A device tells the prefixes of its local network gateway, another gateway those of its networks."""
    if "gatewayType" in other.properties:
        return networks(cloud, other)
    return [prefix for prefix in prefixes_of(other) if not str(prefix).endswith("/32")]


def _neighbour(cloud: CloudView, connection: Document) -> Document | None:
    for member in ("localNetworkGateway2", "virtualNetworkGateway2"):
        other = cloud.find(as_id(connection.properties.get(member)))
        if other is not None and other.properties.get("bgpSettings"):
            return other
    return None


def _local_addresses(gateway: Document, connection: Document) -> list[str]:
    """One for each instance: the one the connection chose, else the instance's own (R-BGP-10)."""
    own = _own_addresses(gateway)
    chosen = {
        last(one.get("ipConfigurationId")): str(one.get("customBgpIpAddress"))
        for one in connection.properties.get("gatewayCustomBgpIpAddresses") or []
    }
    names = [item["name"].lower() for item in gateway.properties["ipConfigurations"]][: len(own)]
    return [chosen.get(name, address) for name, address in zip(names, own, strict=False)]


def _own_addresses(gateway: Document) -> list[str]:
    text = str((gateway.properties.get("bgpSettings") or {}).get("bgpPeeringAddress") or "")
    return [one for one in text.split(",") if one]


def _peer_row(cloud: CloudView, session: SimulatedSession) -> Json:
    up = session.since is not None
    seconds = int(cloud.now - (session.since or cloud.now))
    return {
        "localAddress": session.local,
        "neighbor": session.neighbour,
        "asn": session.asn,
        "state": "Connected" if up else "Connecting",
        "connectedDuration": _duration(seconds),
        "routesReceived": len(session.announced) if up else 0,
        "messagesSent": seconds // 60 + 10,
        "messagesReceived": seconds // 60 + 10 if up else 0,
    }


def _own_row(cloud: CloudView, gateway: Document, local: str, neighbour: str, asn: object) -> Json:
    itself = local == neighbour
    return {
        "localAddress": local,
        "neighbor": neighbour,
        "asn": asn,
        "state": "Unknown" if itself else "Connected",
        "connectedDuration": "" if itself else _duration(int(cloud.now - max(0.0, gateway.changed))),
        "routesReceived": 0,
        "messagesSent": 0,
        "messagesReceived": 0,
    }


def _duration(seconds: int) -> str:
    days, rest = divmod(max(0, seconds), 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{clock}" if days else clock


def _row(
    local: str, prefix: str, hop: str, origin: str, path: str, peer: str | None = None, weight: int = _WEIGHT
) -> Json:
    return {
        "localAddress": local,
        "network": prefix,
        "nextHop": hop,
        "origin": origin,
        "sourcePeer": hop if peer is None else peer,
        "asPath": path,
        "weight": weight,
    }


def _effective(source: str, prefix: str, kind: str, hop: str) -> Json:
    return {
        "source": source,
        "state": "Active",
        "addressPrefix": [prefix],
        "nextHopType": kind,
        "nextHopIpAddress": [hop] if hop else [],
    }


def _static(cloud: CloudView, gateway: Document) -> Iterator[str]:
    """Prefixes of sites whose tunnel is up and that speak no BGP, and what is written for those that do."""
    for connection in connections_of(cloud, gateway.id):
        site = cloud.find(as_id(connection.properties.get("localNetworkGateway2")))
        up = (other_end.up_since(cloud, connection, one) for one in other_end.instances_of(cloud, connection))
        if site is None or connection.properties.get("enableBgp") or all(one is None for one in up):
            continue
        yield from prefixes_of(site)


def networks(cloud: CloudView, gateway: Document) -> list[str]:
    """Its own network's prefixes, and those of the networks that use it by gateway transit."""
    home = network_of(gateway)
    found = prefixes_of(cloud.find(home))
    for peering in peerings_to(cloud, home) if home is not None else ():
        if peering.properties.get("useRemoteGateways"):
            found += prefixes_of(cloud.find(peering.arm_id.parent))
    return list(dict.fromkeys(found))


def _gateways_of(cloud: CloudView, home: Document) -> Iterator[Document]:
    """A network's own gateways, or those that another one lends."""
    yield from gateways_in(cloud, home.id)
    for peering in cloud.children(home.id, PEERINGS):
        lender = as_id(peering.properties.get("remoteVirtualNetwork"))
        if peering.properties.get("useRemoteGateways") and lender is not None:
            yield from gateways_in(cloud, lender)


def _circuit_routes(cloud: CloudView, gateway: Document) -> dict[str, str]:
    """What the circuits of an ExpressRoute gateway bring, while a path of them is up."""
    found = {}
    for connection in connections_of(cloud, gateway.id):
        circuit = cloud.find(as_id(connection.properties.get("peer")))
        if circuit is None or connection.state != SUCCEEDED:
            continue
        if any(path_state(cloud, circuit, path) == "up" for path in ("primary", "secondary")):
            found.update(dict.fromkeys(circuit_prefixes(circuit), "10.2.146.12"))
    return {prefix: hop for prefix, hop in found.items() if network(prefix) is not None}
