"""Since when Azure answers what it answers: days on which a property came to all api-versions at once.

What came with an api-version the simulator knows (`Kind.since`). These came with a day, whatever the version: the first
recordings that have them are of then, and about two thousand recordings of 2015 to 2024 agree. An answer of before
that day is compared without them.
"""

from __future__ import annotations

import re

_CAME: dict[str, str] = {
    "enableBgp": "2016-04",
    "virtualNetworkPeerings": "2016-08",
    "activeActive": "2016-09",
    "lastModifiedBy": "2017-06",
    "legacyMode": "2017-06",
    "primaryAzurePort": "2017-06",
    "secondaryAzurePort": "2017-06",
    "enableDdosProtection": "2018-01",
    "gatewayManagerEtag": "2018-01",
    "ipsecPolicies": "2018-01",
    "sku": "2018-01",
    "usePolicyBasedTrafficSelectors": "2018-01",
    "ipTags": "2018-04",
    "vpnClientIpsecPolicies": "2018-04",
    "routeServiceVips": "2018-06",
    "connectionProtocol": "2018-09",
    "peeredConnections": "2019-01",
    "doNotVerifyRemoteGateways": "2019-02",
    "stag": "2019-03",
    "resourceGuid": "2019-04",
    "privateEndpointNetworkPolicies": "2019-08",
    "privateLinkServiceNetworkPolicies": "2019-08",
    "trafficSelectorPolicies": "2019-10",
    "vpnGatewayGeneration": "2019-10",
    "enablePrivateIpAddress": "2020-02",
    "useLocalAzureIpAddress": "2020-02",
    "bgpPeeringAddresses": "2020-03",
    "dpdTimeoutSeconds": "2020-05",
    "radiusServers": "2020-05",
    "connectionMode": "2020-11",
    "vpnAuthenticationTypes": "2021-03",
    "disableIPSecReplayProtection": "2021-12",
    "encryption": "2022-06",
    "isMigrateToCSES": "2022-08",
    "virtualNetworkGatewayPolicyGroups": "2022-08",
    "vngClientConnectionConfigurations": "2022-08",
    "authenticationType": "2023-12",
    "ddosSettings": "2023-12",
    "privateEndpointVNetPolicies": "2024-08",
    "adminState": "2024-11",
    "allowRemoteVnetTraffic": "2024-01",
    "allowVirtualWanTraffic": "2024-01",
    "virtualNetworkGatewayMigrationStatus": "2024-11",
}
_WENT = {
    "serviceTunnels": "2017-08",
    "allocatedIpAddresses": "2018-09",
    "purpose": "2019-06",
    "enableVmProtection": "2021-03",
    "ipamPoolPrefixAllocations": "2024-11",
}
"""Days from which on answers have no longer carried it, or only when it was sent."""
_TYPES = re.compile(r"(.+\.)?type$")
_PART = re.compile(r"[A-Za-z]\w*")


def came_later(path: str, date: str) -> bool:
    """Whether a path of our answer is younger than the answer that it is compared with."""
    if _TYPES.match(path) and date < "2018-09":
        return True  # of elements of lists, and of children
    return any(date < _CAME.get(part, "") for part in _parts(path))


def went_since(path: str, date: str) -> bool:
    """Whether a path of the recorded answer has gone since."""
    return any(date < _WENT.get(part, "") for part in _parts(path))


def _parts(path: str) -> list[str]:
    plain = re.sub(r"\[[^\]]*\]", "", path)
    return _PART.findall(plain)
