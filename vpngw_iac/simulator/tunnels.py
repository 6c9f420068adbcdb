"""A connection's tunnels: whether they are up (R-OPS-11), what they negotiated, and what a device must know of them."""

from __future__ import annotations

import json

from vpngw_iac.simulator.cloud_view import CloudView, as_id, same
from vpngw_iac.simulator.document import SUCCEEDED, Document
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.wire import Json

UNKNOWN_FOR = 60.0
"""Seconds for which the status of a new connection is Unknown (``net_ManageVpnGatewaySite2SiteConnectionTest``)."""


def status_of(cloud: CloudView, connection: Document) -> str:
    """Unknown directly after creation, then what the two ends make of it."""
    if connection.state != SUCCEEDED:
        return "Unknown"
    if cloud.now - connection.changed < UNKNOWN_FOR:
        return "Unknown"
    if connection.properties["connectionType"] == "Vnet2Vnet":
        return "Connected" if _answered(cloud, connection) else "Connecting"
    return "Connected"


def _answered(cloud: CloudView, connection: Document) -> bool:
    """Whether the other side has the twin of this connection, with the same key (R-V2V-03, R-PSK-07)."""
    mine = connection.properties
    return any(
        same(other.properties.get("virtualNetworkGateway1"), mine.get("virtualNetworkGateway2"))
        and same(other.properties.get("virtualNetworkGateway2"), mine.get("virtualNetworkGateway1"))
        and other.hidden.get("sharedKey") == connection.hidden.get("sharedKey")
        and other.properties["enableBgp"] == mine["enableBgp"]
        and other.state == SUCCEEDED
        for other in cloud.of_type(CONNECTIONS)
    )


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
    status = status_of(cloud, connection)
    return [
        {
            "tunnel": f"{connection.name}_{address}",
            "connectionStatus": status,
            "ingressBytesTransferred": 0,
            "egressBytesTransferred": 0,
            "lastConnectionEstablishedUtcTime": "01/01/2026 00:00:00" if status == "Connected" else "",
        }
        for address in ends_of(cloud.find(as_id(connection.properties.get("virtualNetworkGateway1"))))
    ]


def ike_sas(cloud: CloudView, connection: Document) -> str:
    """What was negotiated, one entry per tunnel, as the JSON text that Azure answers inside JSON.

    Evidence: azure-rest-api-specs pull request 11572 (a text without a model); what is offered without a policy begins
    with AES256, SHA1 and DHGroup2 (page "About cryptographic requirements").
    """
    properties, policy = connection.properties, (connection.properties["ipsecPolicies"] or [{}])[0]
    theirs = cloud.find(as_id(properties.get("localNetworkGateway2")))
    site = theirs.properties if theirs is not None else {}
    address = site.get("gatewayIpAddress") or site.get("fqdn")
    remotes = [str(address)] if address else ends_of(cloud.find(as_id(properties.get("virtualNetworkGateway2"))))
    locals_ = ends_of(cloud.find(as_id(properties.get("virtualNetworkGateway1"))))
    connected = status_of(cloud, connection) == "Connected"
    pairs = [(local, remote) for local in locals_ for remote in remotes] if connected else []
    every = ["0.0.0.0-255.255.255.255"]
    found = [
        {
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
            "ElapsedTimeInseconds": int(cloud.now - connection.changed),
            "QuickModeSAs": [
                {
                    "LocalEndpoint": local,
                    "RemoteEndpoint": remote,
                    "Encryption": policy.get("ipsecEncryption", "GCMAES256"),
                    "Integrity": policy.get("ipsecIntegrity", "GCMAES256"),
                    "PfsGroupId": policy.get("pfsGroup", "None"),
                    "InboundSPI": number + 1,
                    "OutboundSPI": number + 101,
                    "LocalTrafficSelectors": every,
                    "RemoteTrafficSelectors": every,
                    "LifetimeKilobytes": policy.get("saDataSizeKilobytes", 102400000),
                    "LifetimeSeconds": policy.get("saLifeTimeSeconds", 27000),
                    "IsSaInitiator": True,
                    "ElapsedTimeInseconds": int(cloud.now - connection.changed),
                }
            ],
        }
        for number, (local, remote) in enumerate(pairs)
    ]
    return json.dumps({"IkeSAs": found})


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
    properties, policy = connection.properties, (connection.properties["ipsecPolicies"] or [{}])[0]
    gateway, site = (
        cloud.find(as_id(properties.get(end))) for end in ("virtualNetworkGateway1", "localNetworkGateway2")
    )
    theirs = site.properties if site is not None else {}
    speaks = bool(properties["enableBgp"] and gateway is not None and theirs.get("bgpSettings"))
    ours = (gateway.properties.get("bgpSettings") or {}) if gateway is not None else {}
    told = {
        "CONNECTION_NAME": connection.name,
        "VNG_NAME": gateway.name if gateway is not None else "",
        "LNG_NAME": site.name if site is not None else "",
        "VNG_GATEWAYIP": ", ".join(ends_of(gateway)),
        "LNG_GATEWAYIP": theirs.get("gatewayIpAddress") or theirs.get("fqdn"),
        "OnPremiseSubnets": ", ".join((theirs.get("localNetworkAddressSpace") or {}).get("addressPrefixes", [])),
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
