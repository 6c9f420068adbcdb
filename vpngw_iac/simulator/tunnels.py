"""A connection's tunnels: whether they are up (R-OPS-11), what they negotiated, and what a device must know of them."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

from vpngw_iac.simulator import other_end
from vpngw_iac.simulator.checks import network
from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView, as_id
from vpngw_iac.simulator.document import SUCCEEDED, Document
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import network_of, prefixes_of
from vpngw_iac.simulator.wire import Json

EVERY = "0.0.0.0-255.255.255.255"
"""The traffic selector of a route-based tunnel."""
_BYTES_A_SECOND = 1000
_OVERLAP = 30.0
"""Seconds for which an association is still there after its successor was made."""


def status_of(cloud: CloudView, connection: Document) -> str:
    """Unknown directly after creation, then what the two ends make of it: Connected while any tunnel is up."""
    if connection.state != SUCCEEDED or cloud.now - connection.changed < other_end.UNKNOWN_FOR:
        return "Unknown"
    if connection.properties["connectionType"] == "ExpressRoute":
        return "Connected"
    if any(other_end.up_since(cloud, connection, one) is not None for one in other_end.instances_of(cloud, connection)):
        return "Connected"
    return _down(cloud, connection)


def _down(cloud: CloudView, connection: Document) -> str:
    """What Azure says of a tunnel that is not up: the other side answers, or it does not."""
    return "Connecting" if other_end.other_end(cloud, connection).packets else "NotConnected"


def ends_of(gateway: Document | None) -> list[str]:
    """Public addresses at which a gateway ends tunnels: two when it is active-active."""
    if gateway is None:
        return []
    entries = (gateway.properties.get("bgpSettings") or {}).get("bgpPeeringAddresses") or []
    found = [text for entry in entries for text in entry.get("tunnelIpAddresses", [])]
    return found[: 2 if gateway.properties["activeActive"] else 1]


def tunnels_of(cloud: CloudView, connection: Document) -> list[Json]:
    """One entry per tunnel: an active-active gateway has two."""
    if connection.properties["connectionType"] == "ExpressRoute":
        return []
    gateway = cloud.find(as_id(connection.properties.get("virtualNetworkGateway1")))
    return [_tunnel(cloud, connection, number, address) for number, address in enumerate(ends_of(gateway))]


def _tunnel(cloud: CloudView, connection: Document, instance: int, address: str) -> Json:
    up = other_end.up_since(cloud, connection, instance)
    established = other_end.last_established(cloud, connection, instance)
    travelled = travelled_in(cloud, connection, instance)
    return {
        "tunnel": f"{connection.name}_{address}",
        "connectionStatus": "Connected" if up is not None else _down(cloud, connection),
        "ingressBytesTransferred": travelled,
        "egressBytesTransferred": travelled,
        "lastConnectionEstablishedUtcTime": "" if established is None else f"{utc(established):%m/%d/%Y %H:%M:%S}",
    }


def travelled_in(cloud: CloudView, connection: Document, instance: int) -> int:
    """Bytes in each direction since the tunnel came up; an idle one has none, and nobody counted what was loaded."""
    up = other_end.up_since(cloud, connection, instance)
    if up is None or connection.changed < 0 or not other_end.other_end(cloud, connection).traffic:
        return 0
    return int(cloud.now - up) * _BYTES_A_SECOND


def travelled(cloud: CloudView, connection: Document) -> int:
    """The same of all tunnels of a connection."""
    return sum(travelled_in(cloud, connection, one) for one in other_end.instances_of(cloud, connection))


def ike_sas(cloud: CloudView, connection: Document) -> str:
    """What was negotiated, one entry per tunnel, as the JSON text that Azure answers inside JSON.

    Evidence: azure-rest-api-specs pull request 11572 (a text without a model); what is offered without a policy begins
    with AES256, SHA1 and DHGroup2 (page "About cryptographic requirements"). The first child of an IKEv2 association
    is made without PFS, whatever the policy says; a rekey has it (RFC 7296; seen with strongSwan).
    """
    properties = connection.properties
    theirs = cloud.find(as_id(properties.get("localNetworkGateway2")))
    site = theirs.properties if theirs is not None else {}
    address = site.get("gatewayIpAddress") or site.get("fqdn")
    remotes = [str(address)] if address else ends_of(cloud.find(as_id(properties.get("virtualNetworkGateway2"))))
    locals_ = ends_of(cloud.find(as_id(properties.get("virtualNetworkGateway1"))))
    pairs = [(instance, local, remote) for instance, local in enumerate(locals_) for remote in remotes]
    found = [_association(cloud, connection, number, *pair) for number, pair in enumerate(pairs)]
    return json.dumps({"IkeSAs": [one for one in found if one is not None]})


def _pfs(connection: Document, policy: Json, *, is_first: bool) -> str:
    """The group of a child: the first of an IKEv2 association has none (RFC 7296); IKEv1 negotiates it for each."""
    if is_first and connection.properties.get("connectionProtocol") != "IKEv1":
        return "None"
    group = policy.get("pfsGroup", "None")
    return str(policy.get("dhGroup", group) if group == "PFSMM" else group)


def _association(
    cloud: CloudView, connection: Document, number: int, instance: int, local: str, remote: str
) -> Json | None:
    known = other_end.association(cloud, connection, instance)
    if known is None:
        return None
    began, rekeyed, policy = known
    children = [rekeyed] if rekeyed == began or cloud.now - rekeyed > _OVERLAP else [began, rekeyed]
    return {
        "LocalEndpoint": local,
        "RemoteEndpoint": remote,
        "InitiatorCookie": number * 2 + 1,
        "ResponderCookie": number * 2 + 2,
        "LocalUdpEncapsulationPort": 0,
        "RemoteUdpEncapsulationPort": 0,
        "Encryption": policy.get("ikeEncryption", "AES256"),
        "Integrity": policy.get("ikeIntegrity", "SHA1"),
        "DhGroup": policy.get("dhGroup", "DHGroup2"),
        "LifeTimeSeconds": 28810,
        "IsSaInitiator": True,
        "ElapsedTimeInseconds": int(cloud.now - began),
        "QuickModeSAs": [
            {
                "LocalEndpoint": local,
                "RemoteEndpoint": remote,
                "Encryption": policy.get("ipsecEncryption", "GCMAES256"),
                "Integrity": policy.get("ipsecIntegrity", "GCMAES256"),
                "PfsGroupId": _pfs(connection, policy, is_first=child == began),
                "InboundSPI": number + 1,
                "OutboundSPI": number + 101,
                "LocalTrafficSelectors": [mine],
                "RemoteTrafficSelectors": [yours],
                "LifetimeKilobytes": policy.get("saDataSizeKilobytes", 102400000),
                "LifetimeSeconds": policy.get("saLifeTimeSeconds", other_end.LIFETIME),
                "IsSaInitiator": True,
                "ElapsedTimeInseconds": int(cloud.now - child),
            }
            for child in children
            for mine, yours in _selectors(cloud, connection)
        ],
    }


def _selectors(cloud: CloudView, connection: Document) -> Iterator[tuple[str, str]]:
    """Any to any; of a policy-based tunnel the pairs that carry traffic, which nobody carries while it is idle."""
    properties = connection.properties
    if not properties.get("usePolicyBasedTrafficSelectors"):
        yield EVERY, EVERY
        return
    if not other_end.other_end(cloud, connection).traffic:
        return
    gateway, site = _both(cloud, connection)
    home = network_of(gateway) if gateway is not None else None
    said = properties.get("trafficSelectorPolicies") or [
        {"localAddressRanges": prefixes_of(cloud.find(home)), "remoteAddressRanges": prefixes_of(site)}
    ]
    for policy in said:
        for mine in policy.get("localAddressRanges") or []:
            for yours in policy.get("remoteAddressRanges") or []:
                yield _range(mine), _range(yours)


def _both(cloud: CloudView, connection: Document) -> tuple[Document | None, Document | None]:
    """The gateway and the site that a connection joins."""
    ends = ("virtualNetworkGateway1", "localNetworkGateway2")
    gateway, site = (cloud.find(as_id(connection.properties.get(end))) for end in ends)
    return gateway, site


def _range(prefix: str) -> str:
    parsed = network(prefix)
    if parsed is None:
        return prefix
    first, last = parsed.network_address, parsed.broadcast_address
    return f"{ipaddress.ip_address(first)}-{ipaddress.ip_address(last)}"


DEVICES = {"Cisco": {"Cisco-ISR(IOS)": ["Cisco-ISR-15.x--IKEv2+BGP"], "Cisco-IOS (ISR, ASR)": ["15.x (IKEv2)"]}}
"""Vendor, family and firmware: some of those that ``test_network_vnet_gateway_ipsec`` tells."""


def devices() -> str:
    """The list of devices for which there are scripts, in XML (``test_network_vnet_gateway_ipsec``)."""
    inner = "".join(
        f'<Vendor name="{vendor}"><DeviceFamily name="{family}">'
        + "".join(f'<FirmwareVersion name="{version}" />' for version in versions)
        + "</DeviceFamily></Vendor>"
        for vendor, families in DEVICES.items()
        for family, versions in families.items()
    )
    return f'<?xml version="1.0" encoding="utf-8"?><rpvpndevicelist version="1.0">{inner}</rpvpndevicelist>'


def device_script(cloud: CloudView, connection: Document, asked: Json) -> str:
    """The parameters of a device script in the places of ``test_network_vpn_connection_ipsec``, its key in clear.

    The commands for the device that follow there are Microsoft's, and not here.
    """
    versions = DEVICES.get(str(asked.get("vendor")), {}).get(str(asked.get("deviceFamily")), [])
    if asked.get("firmwareVersion") not in versions:
        raise refuse("VpnDeviceConfigurationScriptNotFound", f"There is no script for {asked}.")  # not recorded
    properties, policy = connection.properties, other_end.policy_of(connection)
    gateway, site = _both(cloud, connection)
    theirs = site.properties if site is not None else {}
    speaks = bool(properties["enableBgp"] and gateway is not None and theirs.get("bgpSettings"))
    ours = (gateway.properties.get("bgpSettings") or {}) if gateway is not None else {}
    told = {
        "CONNECTION_NAME": connection.name,
        "VNG_NAME": gateway.name if gateway is not None else "",
        "LNG_NAME": site.name if site is not None else "",
        "VNG_GATEWAYIP": ", ".join(ends_of(gateway)),
        "LNG_GATEWAYIP": theirs.get("gatewayIpAddress") or theirs.get("fqdn"),
        "OnPremiseSubnets": ", ".join(prefixes_of(site)),
        "IKE_ENCRYPTION_1": policy.get("ikeEncryption", "AES256"),
        "IKE_INTEGRITY_1": policy.get("ikeIntegrity", "SHA256"),
        "IKE_DHGROUP_1": policy.get("dhGroup", "DHGroup2"),
        "IKE_SALIFETIME_1": 28800,
        "IPsec_ENCRYPTION_1": policy.get("ipsecEncryption", "AES256"),
        "IPsec_INTEGRITY_1": policy.get("ipsecIntegrity", "SHA256"),
        "IPsec_PFSGROUP_1": policy.get("pfsGroup", "None"),
        "IPsec_SALIFETIME": policy.get("saLifeTimeSeconds", 3600),
        "IPsec_KB_SALIFETIME": policy.get("saDataSizeKilobytes", 102400000),
        "CONNECTION_PSK": connection.hidden.get("sharedKey", ""),
        "CONNECTION_BGP_ENABLED": speaks,
        "VNG_ASN": ours.get("asn") if speaks else "VNG_ASN",
        "VNG_BGPIP": ours.get("bgpPeeringAddress") if speaks else "VNG_BGPIP",
        "LNG_ASN": theirs["bgpSettings"].get("asn") if speaks else "LNG_ASN",
        "LNG_BGPIP": theirs["bgpSettings"].get("bgpPeeringAddress") if speaks else "LNG_BGPIP",
    }
    return "\r\n".join(f"/Data/{name} = {value}" for name, value in told.items()) + "\r\n"
