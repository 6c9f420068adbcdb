"""What Azure refuses about a virtual network gateway before it begins to build one.

Codes come from recordings or the field where they are known; a code marked *assumed* is ours.
"""

from __future__ import annotations

from vpngw_iac.simulator import instance_checks, skus
from vpngw_iac.simulator.checks import check_prefixes, network
from vpngw_iac.simulator.cloud_view import as_id, same
from vpngw_iac.simulator.document import FAILED, Document
from vpngw_iac.simulator.kind import PutRequest, normal
from vpngw_iac.simulator.refusal import invalid_reference, not_provisioned, not_simulated, refuse
from vpngw_iac.simulator.relations import PEERINGS, connections_of, gateways_in, users_of
from vpngw_iac.simulator.types.route_table import default_routes
from vpngw_iac.simulator.wire import Json


def check(change: PutRequest, properties: Json) -> None:
    """Raise the first thing that Azure would refuse."""
    check_sku(change, properties)
    subnets, addresses = _references(change, properties)
    _check_subnets(change, properties, subnets)
    _check_alone(change, properties, subnets)
    if properties["gatewayType"] == "Vpn":
        _check_addresses(change, properties, addresses)
        _check_features(change, properties)
        check_clients(change, properties)
        instance_checks.check(change, properties)
    check_routes(change, properties)
    if change.before is not None:
        _check_update(change, properties, change.before)


def check_sku(change: PutRequest, properties: Json) -> None:
    """The SKU must exist for the type, and must not be retired (R-SKU-01, R-SKU-03, R-SKU-10, R-SKU-11)."""
    kind, sku = properties["gatewayType"], str(properties["sku"]["name"])
    if kind == "LocalGateway":
        raise not_simulated("gateways of type LocalGateway")
    if not sku:
        raise refuse("GatewaySkuMissing", f"Gateway {change.id} has no SKU.")
    known = {"Vpn": set(skus.VPN), "ExpressRoute": set(skus.EXPRESS_ROUTE)}.get(kind, set(skus.VPN))
    if sku not in known:
        raise refuse(
            "InvalidGatewaySkuSpecifiedForGatewayDeploymentType",  # test_network_vpn_gateway
            f"Virtual network gateway Sku specified is not valid for gateway {change.id} with DeploymentType "
            f"VMScaleSet. The allowed Skus are {', '.join(sorted(known))}.",
        )
    if kind != "Vpn":
        return
    _check_retired(change, sku)
    generation = properties["vpnGatewayGeneration"]
    if generation != "None" and not skus.is_pair(sku, generation):
        raise refuse(
            "VpnGatewayGenerationNotSupportedForSku",  # assumed
            f"Gateway {change.id}: SKU {sku} does not exist in {generation}.",
        )
    if properties["vpnType"] == "PolicyBased" and sku != "Basic":
        raise refuse(
            "PolicyBasedVpnTypeNotSupportedForSku",  # assumed
            f"Gateway {change.id}: VpnType PolicyBased is only supported with SKU Basic.",
        )


def _check_retired(change: PutRequest, sku: str) -> None:
    if change.cloud.switches.allow_retired:
        return
    if skus.is_blocked(sku):
        raise refuse(
            "NonAzSkusNotAllowedForVPNGateway",  # R-SKU-01, R-SKU-04
            f"VpnGw1-5 non-AZ SKUs are no longer supported for VPN gateways. Use an AZ SKU for gateway {change.id}.",
        )
    if sku in skus.LEGACY_VPN and change.before is None:
        raise refuse(
            "LegacySkusNotAllowedForVPNGateway",  # R-SKU-03; assumed
            f"SKU {sku} can no longer be used for new VPN gateways ({change.id}).",
        )


def _references(change: PutRequest, properties: Json) -> tuple[list[Document], list[Document]]:
    """Subnets and public addresses of the ipConfigurations; all must be there and Succeeded."""
    configurations = properties.get("ipConfigurations") or []
    if not configurations:
        raise refuse(
            "VirtualNetworkGatewayIpConfigurationMissing",  # assumed
            f"Virtual network gateway {change.id} must have at least one ipConfiguration.",
        )
    subnets, addresses = [], []
    for configuration in configurations:
        inner = configuration["properties"]
        subnets.append(change.cloud.refer(inner.get("subnet"), change.id))
        if inner.get("publicIPAddress"):
            address = change.cloud.refer(inner["publicIPAddress"], change.id)
            _check_region(change, address)
            addresses.append(address)
        elif properties["gatewayType"] == "Vpn":
            raise refuse(
                "VirtualNetworkGatewayIpConfigurationMissingPublicIpAddress",  # assumed
                f"ipConfiguration {configuration.get('name')} of gateway {change.id} has no public IP address.",
            )
    return subnets, addresses


def _check_region(change: PutRequest, address: Document) -> None:
    """Gateway and public IP share subscription and region (R-SCOPE-01)."""
    here = normal(str(change.body.get("location", "")))
    if address.body["location"] != here or address.arm_id.subscription.lower() != change.id.subscription.lower():
        raise invalid_reference(address.id, str(change.id))


def _check_subnets(change: PutRequest, properties: Json, subnets: list[Document]) -> None:
    """Name (R-SUBNET-01) and size (R-SUBNET-02, R-SUBNET-03) of the GatewaySubnet; codes assumed."""
    retired = change.cloud.switches.allow_retired
    smallest = 29 if properties["sku"]["name"] == "Basic" or retired else 27
    for subnet in subnets:
        if subnet.name.lower() != "gatewaysubnet":
            raise refuse(
                "VirtualNetworkGatewaySubnetNameInvalid",
                f"Subnet {subnet.id} referenced by gateway {change.id} must be named GatewaySubnet.",
            )
        listed = subnet.properties.get("addressPrefixes") or [subnet.properties.get("addressPrefix")]
        lengths = [parsed.prefixlen for parsed in map(network, listed) if parsed is not None and parsed.version == 4]
        if change.before is None and lengths and min(lengths) > smallest:
            raise refuse(
                "GatewaySubnetTooSmall",
                f"GatewaySubnet {subnet.id} is /{min(lengths)}; gateway {change.id} needs /{smallest} or larger.",
            )
        if change.before is None:
            _check_routes(change, subnet)


def _check_routes(change: PutRequest, subnet: Document) -> None:
    """No gateway is created behind a route for 0.0.0.0/0 (R-SUBNET-11); the code is assumed."""
    table = change.cloud.find(as_id(subnet.properties.get("routeTable")))
    for name in default_routes(table) if table is not None else ():
        raise refuse(
            "GatewaySubnetHasDefaultRoute",
            f"Route {name} of {subnet.properties['routeTable']['id']} covers 0.0.0.0/0; gateway {change.id} cannot be "
            f"created in {subnet.id}.",
        )


def _check_alone(change: PutRequest, properties: Json, subnets: list[Document]) -> None:
    """One gateway of a type per network (R-SKU-19), and none where a peering uses a remote one (R-PEER-02).

    Of ExpressRoute two: ``adminState`` says which of them serves (azure-mgmt-network, VirtualNetworkGateway).
    """
    for network_id in {subnet.arm_id.parent for subnet in subnets}:
        alike = [
            other
            for other in gateways_in(change.cloud, str(network_id))
            if other.key != change.id.key and other.properties["gatewayType"] == properties["gatewayType"]
        ]
        for other in alike:
            if properties["gatewayType"] == "Vpn" or len(alike) > 1:
                raise refuse(
                    "MaxGatewayCountInVnetReached",
                    f"Virtual network {network_id} already has gateway {other.id} of type {properties['gatewayType']}.",
                )
        for peering in change.cloud.children(str(network_id), PEERINGS):
            if peering.properties.get("useRemoteGateways"):
                raise refuse(
                    "VnetHasPeeringThatUsesRemoteGateways",  # assumed
                    f"Gateway {change.id} cannot be created because peering {peering.id} uses remote gateways.",
                )


def _check_addresses(change: PutRequest, properties: Json, addresses: list[Document]) -> None:
    """Public IPs: SKU and zones (R-PIP-01 to 03), number (R-PIP-06, R-PIP-07), and not another's."""
    sku = str(properties["sku"]["name"])
    for address in addresses:
        _check_free(change, address)
        if change.cloud.switches.allow_retired or change.before is not None:
            continue
        if address.body["sku"]["name"] != "Standard":
            raise refuse(
                "PublicIpWithBasicSkuNotAllowedOnVPNGateways",
                f"Basic SKU public IP {address.id} is not allowed on VPN gateway {change.id}.",
            )
        zones = address.body.get("zones")
        # azurerm, test edgeZone of azurerm_virtual_network_gateway: an AZ SKU in an edge zone, which has no zones.
        zoned = address.body["location"] not in skus.ZONELESS and not change.body.get("extendedLocation")
        if skus.is_zonal(sku) and not zones and zoned:
            raise refuse(
                "VmssVpnGatewayPublicIpsMustHaveZonesConfigured",
                f"Standard public IPs of VPN gateway {change.id} with AZ SKU must have zones configured: {address.id}.",
            )
        if not skus.is_zonal(sku) and sku != "Basic" and zones:
            raise refuse(
                "RegionalVmssVpnGatewayPublicIpsMustNotHaveZonesConfigured",
                f"Public IPs of regional VPN gateway {change.id} must not have zones configured: {address.id}.",
            )
    if len({address.key for address in addresses}) != len(addresses):
        raise refuse("PublicIPAddressInUse", f"Gateway {change.id} names one public IP address twice.")
    needed = 1 + bool(properties["activeActive"]) + bool(properties["activeActive"] and _serves_clients(properties))
    retired = change.cloud.switches.allow_retired and needed == 3
    if len(addresses) < needed and not retired:
        raise refuse(
            "ActiveActiveGatewayIpConfigurationCountInvalid",  # assumed
            f"Gateway {change.id} needs {needed} ipConfigurations with distinct public IP addresses, "
            f"it has {len(addresses)}.",
        )


def _check_free(change: PutRequest, address: Document) -> None:
    for user in users_of(change.cloud, address.id, "publicIPAddress"):
        if not user.lower().startswith(change.id.key + "/"):
            raise refuse(
                "PublicIPAddressInUse",
                f"Resource {change.id} is referencing public IP address {address.id} that is already allocated to "
                f"resource {user}.",
            )


def _serves_clients(properties: Json) -> bool:
    pool = (properties.get("vpnClientConfiguration") or {}).get("vpnClientAddressPool") or {}
    return bool(pool.get("addressPrefixes"))


def _check_features(change: PutRequest, properties: Json) -> None:
    """What a SKU or type cannot do (R-BGP-01, R-AA-01, R-NAT-01, R-P2S-01); codes assumed."""
    sku = str(properties["sku"]["name"])
    simple = sku == "Basic" or properties["vpnType"] == "PolicyBased"
    # azurerm, active_active of azurerm_virtual_network_gateway: of the legacy SKUs only HighPerformance has it.
    asked = {
        "BGP": simple and properties.get("enableBgp"),
        "Active-active": (simple or sku == "Standard") and properties.get("activeActive"),
    }
    for feature, is_asked in asked.items():
        if is_asked:
            raise refuse(
                "FeatureNotSupportedOnGatewaySku", f"{feature} is not supported on gateway {change.id} with SKU {sku}."
            )
    if change.sent.get("natRules") and sku not in skus.NAT:
        raise refuse("NatRulesNotSupportedOnGatewaySku", f"NAT rules are not supported with SKU {sku} ({change.id}).")
    if properties["vpnType"] == "PolicyBased" and _serves_clients(properties):
        raise refuse("FeatureNotSupportedOnGatewaySku", f"Point-to-site needs a route-based gateway ({change.id}).")


def check_clients(change: PutRequest, properties: Json) -> None:
    """The point-to-site block (R-POOL-01, R-P2S-04, R-CERTP-02, R-CERTP-03).

    Blanks in the data of a certificate are accepted, although the documents forbid them: line breaks in
    ``net_VirtualNetworkGateway_CanCreatePointToSiteConfigurtation``, both in what gateways hold.
    """
    clients = properties.get("vpnClientConfiguration")
    if not clients:
        return
    for prefix in (clients.get("vpnClientAddressPool") or {}).get("addressPrefixes", []):
        if network(prefix) is None:
            raise refuse(
                "InvalidVpnClientAddressPrefixOrCidr",  # recordings, section (e)
                f"The VpnClientAddressPool prefix {prefix} of gateway {change.id} is not a valid CIDR.",
            )
    protocols = set(clients.get("vpnClientProtocols") or [])
    if {"SSTP", "OpenVPN"} <= protocols:
        raise refuse(
            "VpnClientProtocolCombinationNotSupported",  # assumed
            f"Gateway {change.id} cannot have both SSTP and OpenVPN.",
        )
    for certificate in clients.get("vpnClientRootCertificates") or []:
        data = str((certificate.get("properties") or {}).get("publicCertData", ""))
        if not data or "BEGIN" in data:
            raise refuse(
                "VpnClientRootCertificateDataInvalid",  # assumed
                f"Data for certificate {certificate.get('name')} is invalid.",
            )
        if " " in str(certificate.get("name", " ")):
            raise refuse("InvalidResourceName", f"Resource name {certificate.get('name')} is invalid.")


def _check_update(change: PutRequest, properties: Json, before: Document) -> None:
    """What stays as it was created (R-IKE-09, R-SKU-10, R-HB-01), and Failed dependants (R-OPS-04)."""
    for name in ("gatewayType", "vpnType"):
        if change.earlier.get(name) != properties.get(name):
            raise refuse(
                "VirtualNetworkGatewayPropertyCannotBeChanged",  # assumed
                f"Property {name} of gateway {change.id} cannot be changed after creation.",
            )
    old, new = change.earlier["sku"]["name"], properties["sku"]["name"]
    may = skus.may_follow if properties["gatewayType"] == "Vpn" else skus.er_may_follow
    if not may(old, new):
        raise refuse(
            "GatewaySkuResizeNotSupported",  # assumed; the field shows CrossSeries…ResizeNotSupported
            f"Gateway {change.id} cannot be resized from {old} to {new}.",
        )
    for connection in connections_of(change.cloud, before.id):
        if connection.state == FAILED:
            raise not_provisioned(connection.id, str(change.id), FAILED)
    site = properties.get("gatewayDefaultSite")
    if as_id(site) is not None and not same(site, change.earlier.get("gatewayDefaultSite")):
        change.cloud.refer(site, change.id)


def check_routes(change: PutRequest, properties: Json) -> None:
    """Custom routes are prefixes (R-CR-01)."""
    check_prefixes((properties.get("customRoutes") or {}).get("addressPrefixes", []), change.id)
