"""Point-to-site: the client configuration and the user groups of a gateway."""

from __future__ import annotations

from itertools import count

from vpngw_iac.blueprints.client import (
    Certificates,
    ClientAccess,
    EntraGroup,
    EntraId,
    Member,
    Radius,
    RadiusGroup,
)
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.plain import merged, plain
from vpngw_iac.resources import vpn_client as wire
from vpngw_iac.resources.parts import AddressSpace, IdOnly

_METHODS = {Certificates: "Certificate", Radius: "Radius", EntraId: "AAD"}

SIGN_IN = {
    "public": "https://login.microsoftonline.com",
    "usgovernment": "https://login.microsoftonline.us",
    "china": "https://login.chinacloudapi.cn",
}
"""Where users of each cloud sign in (learn.microsoft.com, point-to-site-entra-gateway)."""


def client_configuration(clients: ClientAccess, gateway: GatewayContext) -> wire.VpnClientConfiguration:
    """What the gateway offers to clients."""
    settings: dict[str, object] = {}
    for way in clients.authentication:
        match way:
            case Certificates():
                settings |= _certificates(way)
            case EntraId():
                settings |= _entra(way)
            case Radius():
                settings |= _radius(way)
    return wire.VpnClientConfiguration(
        vpn_authentication_types=tuple(_METHODS[type(way)] for way in clients.authentication) or None,
        vng_client_connection_configurations=_pools(clients, gateway) if clients.groups else None,
        **plain(clients),
        **settings,
    )


def policy_groups(clients: ClientAccess) -> tuple[wire.PolicyGroup, ...]:
    """The user groups themselves."""
    return tuple(
        wire.PolicyGroup.model_validate(
            merged(plain(group), {"properties": {"policyMembers": tuple(map(_member, group.members, count(1)))}})
        )
        for group in sorted(clients.groups, key=lambda group: group.name)
    )


def _certificates(way: Certificates) -> dict[str, object]:
    roots = sorted(way.roots, key=lambda root: root.name)
    revoked = sorted(way.own_revoked, key=lambda entry: entry.name)
    return {
        "vpn_client_root_certificates": tuple(map(plain, roots)),
        "vpn_client_revoked_certificates": tuple(map(plain, revoked)) or None,
    }


def _entra(way: EntraId) -> dict[str, object]:
    """Tenant and issuer carry the same id; the issuer ends in a slash (R-AAD-03, R-AAD-05)."""
    issuer = way.issuer or f"https://sts.windows.net/{way.tenant}/"
    return {
        "aad_tenant": f"{SIGN_IN[way.cloud]}/{way.tenant}",
        "aad_audience": way.audience,
        "aad_issuer": issuer if issuer.endswith("/") else f"{issuer}/",
    }


def _radius(way: Radius) -> dict[str, object]:
    """One server by itself, two as a list with scores (R-RAD-03)."""
    if len(way.servers) == 1 and way.servers[0].score is None:
        return plain(way.servers[0])
    return {"radius_servers": tuple(map(plain, sorted(way.servers, key=lambda server: server.address)))}


def _member(member: Member, number: int) -> wire.GroupMember:
    name = member.member_name or f"member{number}"
    if isinstance(member, EntraGroup):
        return wire.GroupMember(name=name, attribute_type="AADGroupId", attribute_value=member.id)
    if isinstance(member, RadiusGroup):
        return wire.GroupMember(name=name, attribute_type="RadiusAzureGroupId", attribute_value=member.value)
    return wire.GroupMember(name=name, attribute_type="CertificateGroupId", attribute_value=member.name)


def _pools(clients: ClientAccess, gateway: GatewayContext) -> tuple[wire.ClientConnection, ...]:
    """The connection configurations: which groups get addresses from which pool."""
    return tuple(
        wire.ClientConnection(
            name=name,
            properties=wire.ClientConnectionProperties(
                vpn_client_address_pool=AddressSpace(address_prefixes=groups[0].address_pool),
                virtual_network_gateway_policy_groups=tuple(
                    IdOnly(id=gateway.id.child("virtualNetworkGatewayPolicyGroups", group.name)) for group in groups
                ),
            ),
        )
        for name, groups in clients.configurations()
    )
