"""What answers about tunnels say, as plain values. A field may be null or missing (azure-cli issue 8544). Pure.

Shapes: ``test_network_vpn_gateway`` (BGP peers, routes), ``java_testManageVpnGatewayVNet2VNetConnection`` (bytes of a
connection that is up), azure-rest-api-specs pull request 11572 (associations: JSON as a text inside JSON), the SDK's
models for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vpngw_iac.azure.parse import count_of
from vpngw_iac.engine.ports import Observed
from vpngw_iac.paths import objects, properties_of, value_at
from vpngw_iac.times import moment_of
from vpngw_iac.verify import questions as q
from vpngw_iac.verify.expectation import policy_in

_EMPTY = q.Unknown("the answer is empty")


def connection(seen: Observed) -> q.ConnectionStatus:
    """Status, tunnels and bytes."""
    inner = properties_of(seen.document)
    tunnels = tuple(
        q.TunnelStatus(
            _text(one.get("tunnel")),
            _text(one.get("connectionStatus")) or "Unknown",
            _text(one.get("lastConnectionEstablishedUtcTime")),
            _number(one.get("ingressBytesTransferred")),
            _number(one.get("egressBytesTransferred")),
        )
        for one in objects(inner.get("tunnelConnectionStatus"))
    )
    return q.ConnectionStatus(
        seen.present,
        seen.state,
        _text(inner.get("connectionStatus")),
        tunnels,
        _number(inner.get("ingressBytesTransferred")),
        _number(inner.get("egressBytesTransferred")),
        policy_in(seen.document or {}),
    )


def gateway(seen: Observed) -> q.GatewayStatus:
    """State, BGP addresses by instance, pool and clients."""
    inner = properties_of(seen.document)
    rows = objects(value_at(inner, "bgpSettings.bgpPeeringAddresses"))
    addresses = {
        _text(row.get("ipconfigurationId")).rpartition("/")[2].lower(): (
            *_texts(row.get("defaultBgpIpAddresses")),
            *_texts(row.get("customBgpIpAddresses")),
        )
        for row in rows
    }
    count = value_at(inner, "vpnClientConfiguration.vpnClientConnectionHealth.vpnClientConnectionsCount")
    pool = value_at(inner, "vpnClientConfiguration.vpnClientAddressPool.addressPrefixes")
    return q.GatewayStatus(seen.present, seen.state, addresses, _texts(pool), count if isinstance(count, int) else None)


def neighbour(seen: Observed) -> q.Neighbour:
    """BGP address of a local network gateway."""
    return q.Neighbour(_text(value_at(properties_of(seen.document), "bgpSettings.bgpPeeringAddress")))


def circuit(seen: Observed) -> q.CircuitStatus:
    """What the provider has done."""
    return q.CircuitStatus(seen.present, _text(properties_of(seen.document).get("serviceProviderProvisioningState")))


def peering(seen: Observed) -> q.PeeringStatus:
    """State of a peering."""
    return q.PeeringStatus(seen.present, _text(properties_of(seen.document).get("state")))


def health(document: Mapping[str, Any], now: datetime) -> q.Reply:
    """What Azure says of a resource."""
    inner = document.get("properties")  # no type of ours: nobody has looked at its shape
    if not isinstance(inner, Mapping):
        return _EMPTY
    state = _text(inner.get("availabilityState"))
    if not state:
        return _EMPTY
    resolved = moment_of(value_at(inner, "recentlyResolved.resolvedTime"))
    told = _text(value_at(inner, "recentlyResolved.unavailableSummary")) if resolved else ""
    ago = None if resolved is None else max(0.0, (now - resolved).total_seconds())
    checked = moment_of(inner.get("reportedTime"))
    return q.Health(
        state,
        _text(inner.get("reasonType")),
        told or _text(inner.get("summary")),
        ago,
        None if checked is None else max(0.0, (now - checked).total_seconds()),
    )


def last_write(document: Mapping[str, Any], now: datetime) -> q.Reply:
    """The latest write that succeeded, of the rows that came."""
    moments = [
        moment
        for row in objects(document.get("value"))
        if _text(value_at(row, "operationName.value")).lower().endswith("/write")
        and _text(value_at(row, "status.value")).lower() == "succeeded"
        and (moment := moment_of(row.get("eventTimestamp"))) is not None
    ]
    return q.LastWrite(max(0.0, (now - max(moments)).total_seconds()) if moments else None)


def sessions(body: Any) -> q.Reply:
    """Rows of the peer status."""
    rows = _rows(body, "neighbor")
    if rows is None:
        return _EMPTY
    return q.Sessions(
        tuple(
            q.BgpSession(
                _text(row.get("localAddress")),
                _text(row.get("neighbor")),
                _number(row.get("asn")),
                _text(row.get("state")) or "Unknown",
                _text(row.get("connectedDuration")),
                _number(row.get("routesReceived")),
            )
            for row in rows
        )
    )


def routes(body: Any) -> q.Reply:
    """Rows of learned or advertised routes."""
    rows = _rows(body, "network")
    if rows is None:
        return _EMPTY
    return q.Routes(
        tuple(
            q.RouteRow(
                _text(row.get("network")),
                _text(row.get("localAddress")),
                _text(row.get("sourcePeer")),
                _text(row.get("origin")),
                _text(row.get("asPath")),
            )
            for row in rows
        )
    )


def associations(body: Any) -> q.Reply:
    """JSON as a text inside JSON; an object is taken too."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return q.Unknown("the answer cannot be read")
    if not isinstance(body, Mapping) or not isinstance(body.get("IkeSAs"), list):
        return _EMPTY
    return q.Associations(tuple(map(_association, objects(body["IkeSAs"]))))


def _association(row: Mapping[str, Any]) -> q.Association:
    ports = ("LocalUdpEncapsulationPort", "RemoteUdpEncapsulationPort")
    return q.Association(
        _text(row.get("LocalEndpoint")),
        _text(row.get("RemoteEndpoint")),
        _text(row.get("Encryption")),
        _text(row.get("Integrity")),
        _text(row.get("DhGroup")),
        _number(row.get("ElapsedTimeInseconds")),
        _number(row.get("LifeTimeSeconds")),
        any(_number(row.get(port)) for port in ports),
        tuple(map(_child, objects(row.get("QuickModeSAs")))),
    )


def _child(row: Mapping[str, Any]) -> q.ChildAssociation:
    return q.ChildAssociation(
        _text(row.get("Encryption")),
        _text(row.get("Integrity")),
        _text(row.get("PfsGroupId")),
        _number(row.get("ElapsedTimeInseconds")),
        _texts(row.get("LocalTrafficSelectors")),
        _texts(row.get("RemoteTrafficSelectors")),
        _number(row.get("LifetimeSeconds")),
        _number(row.get("LifetimeKilobytes")),
    )


def arp(body: Any) -> bool | q.Unknown:
    """Whether the table has a row of the customer's side; without any row nobody knows."""
    if isinstance(body, q.Unknown):
        return body
    rows = _rows(body, "interface")
    if not rows:
        return _EMPTY
    return any(_text(row.get("interface")).lower() != "microsoft" and row.get("macAddress") for row in rows)


def prefixes(body: Any) -> int | q.Unknown:
    """How many prefixes the customer announces: a number in place of the state says that the session is up."""
    if isinstance(body, q.Unknown):
        return body
    rows = _rows(body, "statePfxRcd")
    if not rows:
        return _EMPTY
    return sum(count_of(_text(row.get("statePfxRcd"))) or 0 for row in rows)


def effective_routes(body: Any) -> q.Reply:
    """Routes of a network interface that are in effect."""
    rows = _rows(body, "addressPrefix")
    if not rows:
        return _EMPTY
    active = [row for row in rows if _text(row.get("state")).lower() != "invalid"]
    return q.EffectiveRoutes(
        tuple(
            q.EffectiveRoute(prefix, _text(row.get("nextHopType")), _texts(row.get("nextHopIpAddress")))
            for row in active
            for prefix in _texts(row.get("addressPrefix"))
        )
    )


def _rows(body: Any, telling: str) -> list[dict[str, Any]] | None:
    """The rows of an answer that say `telling`: one without it proves nothing; none where there is no list of them."""
    value = body.get("value") if isinstance(body, Mapping) else None
    return [row for row in objects(value) if row.get(telling)] if isinstance(value, list) else None


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in value if _text(one)) if isinstance(value, list | tuple) else ()


def _number(value: Any) -> int:
    """A count; 0 where there is none, or none that can be."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int | float) and abs(value) < 1e18:
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 19 else 0
