"""Point-to-site: what a gateway offers to clients."""

from __future__ import annotations

import re
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.client import (
    CertificateDomain,
    Certificates,
    ClientAccess,
    EntraGroup,
    EntraId,
    Radius,
    RadiusGroup,
    RadiusServer,
    RevokedCertificate,
    RootCertificate,
    UserGroup,
)
from vpngw_iac.blueprints.compiling.clients import SIGN_IN
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.documents import GATEWAYS, Seen
from vpngw_iac.blueprints.reading.notes import Notes
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import type_of
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Output

_CONFIGURATION = "properties.vpnClientConfiguration"
_MEMBERS: dict[str, tuple[type[Part], str]] = {
    "aadgroupid": (EntraGroup, "id"),
    "certificategroupid": (CertificateDomain, "name"),
    "radiusazuregroupid": (RadiusGroup, "value"),
}


def client_access(notes: Notes, gateway: ArmId, seen: Seen) -> ClientAccess | None:
    """What clients are offered; None where nothing is, or nothing that a noun says."""
    configuration = value_at(seen, _CONFIGURATION)
    if not _serves(configuration):
        return None
    groups = _groups(seen, configuration)
    ways = _ways(notes, gateway, configuration)
    return made(
        ClientAccess,
        authentication=ways,
        groups=groups,
        custom_routes=tuple(value_at(seen, "properties.customRoutes.addressPrefixes") or ()),
        **said(ClientAccess, configuration, _shape("")),
    )


def _serves(configuration: Any) -> bool:
    """Azure fills in a block of defaults where nobody asked for clients: without any address."""
    if not configuration:
        return False
    pool = value_at(configuration, "vpnClientAddressPool.addressPrefixes")
    return bool(pool or configuration.get("vngClientConnectionConfigurations"))


def _shape(path: str) -> Shape:
    model = type_of(GATEWAYS)
    shape = shape_of(model).at("properties").at("vpnClientConfiguration") if model else UNKNOWN
    for step in filter(None, path.split(".")):
        shape = shape.at(step).item or shape.at(step)
    return shape


def _ways(notes: Notes, gateway: ArmId, configuration: Seen) -> tuple[Any, ...]:
    """By what is configured; the list of types says the order."""
    found = {
        "certificate": _certificates(configuration),
        "aad": _entra(configuration),
        "radius": _radius(notes, gateway, configuration),
    }
    order = [str(kind).lower() for kind in configuration.get("vpnAuthenticationTypes") or ()]
    order += [kind for kind in found if kind not in order]
    return tuple(way for kind in order if (way := found.get(kind)) is not None)


def _certificates(configuration: Seen) -> Certificates | None:
    roots = objects(configuration.get("vpnClientRootCertificates"))
    if not roots:
        return None
    return made(
        Certificates,
        roots=tuple(_root(item) for item in roots),
        revoked=tuple(
            made(RevokedCertificate, **said(RevokedCertificate, item, UNKNOWN))
            for item in objects(configuration.get("vpnClientRevokedCertificates"))
        ),
    )


def _root(item: Seen) -> RootCertificate:
    """Portals keep the blanks of a pasted text; the certificate is the same without them."""
    data = re.sub(r"\s+", "", str(value_at(item, "properties.publicCertData") or ""))
    return made(RootCertificate, name=str(item.get("name")), data=data)


def _entra(configuration: Seen) -> EntraId | None:
    address = str(configuration.get("aadTenant") or "").rstrip("/")
    if not address:
        return None
    host, _, tenant = address.rpartition("/")
    cloud = next((name for name, known in SIGN_IN.items() if known.lower() == host.lower()), None)
    if cloud is None:
        raise Unsaid(f"its users sign in at {host or address}, which is not an address of Microsoft's")
    issuer = str(configuration.get("aadIssuer") or "")
    usual = f"https://sts.windows.net/{tenant}/".lower()
    return made(
        EntraId,
        tenant=tenant,
        cloud=cloud,
        issuer=None if not issuer or issuer.rstrip("/").lower() == usual.rstrip("/") else issuer,
        **said(EntraId, configuration, _shape("")),
    )


def _radius(notes: Notes, gateway: ArmId, configuration: Seen) -> Radius | None:
    listed = objects(configuration.get("radiusServers"))
    alone = {"radiusServerAddress": configuration.get("radiusServerAddress")}
    servers = listed or ([alone] if alone["radiusServerAddress"] else [])
    if not servers:
        return None
    shape = _shape("radiusServers")
    places = [f".radiusServers[{number}]" if listed else "" for number in range(len(servers))]
    return made(
        Radius,
        servers=tuple(
            made(
                RadiusServer,
                secret=notes.secret(
                    f"{gateway.name}_RADIUS_SECRET",
                    f"secret of the RADIUS server {item.get('radiusServerAddress')}",
                    Output(gateway, f"{_CONFIGURATION}{place}.radiusServerSecret", secret=True),
                ),
                **said(RadiusServer, item, shape),
            )
            for item, place in zip(servers, places, strict=True)
        ),
    )


def _groups(seen: Seen, configuration: Seen) -> tuple[UserGroup, ...]:
    """User groups with the pool of the connection configuration that names them."""
    pools: dict[str, tuple[str, tuple[str, ...]]] = {}
    for item in objects(configuration.get("vngClientConnectionConfigurations")):
        prefixes = tuple(value_at(item, "properties.vpnClientAddressPool.addressPrefixes") or ())
        for group in objects(value_at(item, "properties.virtualNetworkGatewayPolicyGroups")):
            if (identity := ArmId.of(group.get("id"))) is not None:
                pools[identity.name.lower()] = (str(item.get("name")), prefixes)
    groups = objects(value_at(seen, "properties.virtualNetworkGatewayPolicyGroups"))
    if not groups:
        return ()
    if lost := [str(group.get("name")) for group in groups if str(group.get("name")).lower() not in pools]:
        raise Unsaid(f"the user groups {', '.join(lost)} have no address pool")
    found = [_group(group, *pools[str(group.get("name")).lower()]) for group in groups]
    return _named_configurations(sorted(found, key=lambda group: (group.priority, group.name)))


def _group(item: Seen, configuration: str, pool: tuple[str, ...]) -> UserGroup:
    members = objects(value_at(item, "properties.policyMembers"))
    return made(
        UserGroup,
        address_pool=pool,
        members=tuple(_member(member, number) for number, member in enumerate(members, start=1)),
        configuration=configuration,
        **said(UserGroup, item, UNKNOWN),
    )


def _member(item: Seen, number: int) -> Any:
    kind, field = _MEMBERS.get(str(item.get("attributeType")).lower(), (None, ""))
    if kind is None:
        raise Unsaid(f"a member of a user group is a {item.get('attributeType')}")
    name = str(item.get("name"))
    return made(kind, **{field: item.get("attributeValue")}, member_name=None if name == f"member{number}" else name)


def _named_configurations(groups: list[UserGroup]) -> tuple[UserGroup, ...]:
    """A configuration is named once, by the first of its groups, and only if it is not called like that one."""
    told: set[str] = set()
    found = []
    for group in groups:
        name = group.configuration or ""
        is_derived = name in told or name == group.name
        told.add(name)
        found.append(group.model_copy(update={"configuration": None}) if is_derived else group)
    return tuple(found)
