"""Bodies as Azure reads them: values of enumerations in any casing, and the texts "true" and "false" as booleans.

Evidence: the SDK compares its enumerations without case (``azure.core.CaseInsensitiveEnumMeta``); Resource Manager's
templates pass parameters of type string to boolean properties (azure-quickstart-templates, ``"enableBgp": "true"``).
What is answered is Azure's own spelling.
"""

from __future__ import annotations

from typing import Any

from vpngw_iac.simulator.skus import CIRCUITS, EXPRESS_ROUTE, VPN

_VALUES = """
    adminState Enabled Disabled
    authenticationType PSK Certificate
    connectionMode Default InitiatorOnly ResponderOnly
    connectionProtocol IKEv1 IKEv2
    connectionType IPsec Vnet2Vnet ExpressRoute VPNClient
    dhGroup None DHGroup1 DHGroup2 DHGroup14 DHGroup24 DHGroup2048 ECP256 ECP384
    enforcement AllowUnencrypted DropUnencrypted
    family MeteredData UnlimitedData
    gatewayType Vpn ExpressRoute LocalGateway
    ikeEncryption DES DES3 AES128 AES192 AES256 GCMAES128 GCMAES256
    ikeIntegrity MD5 SHA1 SHA256 SHA384 GCMAES128 GCMAES256
    ipsecEncryption None DES DES3 AES128 AES192 AES256 GCMAES128 GCMAES192 GCMAES256
    ipsecIntegrity MD5 SHA1 SHA256 GCMAES128 GCMAES192 GCMAES256
    level CanNotDelete ReadOnly
    mode EgressSnat IngressSnat
    nextHopType VirtualNetworkGateway VnetLocal Internet VirtualAppliance None
    peeringType AzurePrivatePeering AzurePublicPeering MicrosoftPeering
    pfsGroup None PFS1 PFS2 PFS14 PFS24 PFS2048 PFSMM ECP256 ECP384
    privateEndpointNetworkPolicies Enabled Disabled NetworkSecurityGroupEnabled RouteTableEnabled
    privateEndpointVNetPolicies Disabled Basic
    privateIPAllocationMethod Dynamic Static
    privateLinkServiceNetworkPolicies Enabled Disabled
    protectionMode VirtualNetworkInherited Enabled Disabled
    publicIPAddressVersion IPv4 IPv6
    publicIPAllocationMethod Dynamic Static
    resiliencyModel SingleHomed MultiHomed
    state Enabled Disabled
    type Static Dynamic EdgeZone
    vpnAuthenticationTypes Certificate Radius AAD
    vpnClientProtocols IkeV2 SSTP OpenVPN
    vpnGatewayGeneration None Generation1 Generation2
    vpnType RouteBased PolicyBased
"""
_SKU = {name.lower(): name for name in (*VPN, *EXPRESS_ROUTE, *CIRCUITS, "Premium", "Local", "Regional", "Global")}
_ENUMS = {
    words[0]: {word.lower(): word for word in words[1:]} for words in map(str.split, _VALUES.split("\n")) if words
}
_FLAGS = """
    activeActive allowClassicOperations allowForwardedTraffic allowGatewayTransit allowGlobalReach
    allowRemoteVnetTraffic allowVirtualNetworkAccess allowVirtualWanTraffic defaultOutboundAccess
    disableBgpRoutePropagation disableIPSecReplayProtection doNotVerifyRemoteGateways enableBgp
    enableBgpRouteTranslationForNat enableDdosProtection enableDnsForwarding enableHighBandwidthVpnGateway
    enablePrivateIpAddress enablePrivateLinkFastPath enableVmProtection enabled expressRouteGatewayBypass hasBgpOverride
    isDefault peerCompleteVnets useLocalAzureIpAddress usePolicyBasedTrafficSelectors useRemoteGateways
"""
_BOOLEANS = frozenset(_FLAGS.split())


def canonical(value: Any, name: str = "") -> Any:
    """A JSON value in Azure's own spelling; `name` is the property that it stands in. Tags stay as they are."""
    if isinstance(value, dict):
        if name == "sku":
            return {key: _SKU.get(str(item).lower(), item) for key, item in value.items()}
        return {key: item if key == "tags" else canonical(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item, name) for item in value]
    if _is_flag(value, name):
        return _boolean(value)
    return _ENUMS.get(name, {}).get(value.lower(), value) if isinstance(value, str) else value


def with_booleans(value: Any, name: str = "") -> Any:
    """The same value, with booleans in place of texts where one is meant; everything else stays as it was spelled."""
    if isinstance(value, dict):
        return {key: item if key == "tags" else with_booleans(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_booleans(item, name) for item in value]
    return _boolean(value) if _is_flag(value, name) else value


def _is_flag(value: Any, name: str) -> bool:
    return isinstance(value, str) and name in _BOOLEANS and value.strip().lower() in ("true", "false")


def _boolean(value: str) -> bool:
    return value.strip().lower() == "true"
