"""Point-to-site: the client configuration of a gateway. All of it is one block, owned and removed as a whole."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from vpngw_iac.field import (
    AnyCase,
    KeyedBy,
    Observed,
    Outage,
    ReadOnly,
    ServerDefault,
    Spelling,
    Transition,
    Unordered,
    Verdict,
    WriteOnly,
)
from vpngw_iac.resources.parts import AddressSpace, CertificateText, IdOnly, IpsecPolicy
from vpngw_iac.resources.wire import WireModel
from vpngw_iac.secret import SecretReference

# After a change of protocol, authentication, pool or certificates clients need a new profile (R-P2S-07).
_PROFILES = Outage("none", clients="reconfigure", profiles=True, source="R-P2S-07")
_CLIENTS = Outage("none", clients="seconds", source="R-P2S-08")
# Nobody is let in before the server knows the secret too.
_RADIUS_SECRET = Outage("none", clients="reconfigure", source="R-RAD-05", until="the RADIUS server has the new secret")
# Clients of a root that is no longer trusted are locked out (R-CERTP-08).
_OTHER_ROOT = Outage(
    "none",
    clients="reconfigure",
    profiles=True,
    source="R-CERTP-08",
    until="those with a certificate of that root have another one",
)


# A trailing slash, casing and braces mean nothing in these (R-AAD-03 to 05).
_ENTRA = Spelling(lambda text: text.strip("{} /").lower())


class RootCertificateProperties(WireModel):
    """Base-64 X.509, sent on one line (R-CERTP-02); it is public, and Azure answers it unchanged."""

    public_cert_data: Annotated[CertificateText, _OTHER_ROOT]


class RootCertificate(WireModel):
    """Clients that hold a certificate issued by this root may connect."""

    name: str
    properties: RootCertificateProperties


class RevokedCertificateProperties(WireModel):
    """SHA-1 thumbprint without spaces (R-CERTP-04)."""

    thumbprint: Annotated[str, Spelling(lambda text: re.sub(r"[\s:]", "", text).lower())]


class RevokedCertificate(WireModel):
    """A client certificate that may no longer connect."""

    name: str
    properties: RevokedCertificateProperties


class RadiusServer(WireModel):
    """One of two RADIUS servers (R-RAD-03).

    Azure echoes the secret (recording ``test_network_vnet_gateway_ipsec``); a newer contract says it stops (R-RAD-06).
    """

    radius_server_address: str
    radius_server_score: int | None = None
    radius_server_secret: Annotated[SecretReference | None, WriteOnly(), _RADIUS_SECRET] = None


class ClientConnectionProperties(WireModel):
    """Which groups get addresses from which pool."""

    vpn_client_address_pool: AddressSpace
    # Parts of this very gateway: ids without an edge.
    virtual_network_gateway_policy_groups: Annotated[tuple[IdOnly, ...], Unordered()]


class ClientConnection(WireModel):
    """Several pools on one gateway, chosen by user group."""

    name: str
    properties: ClientConnectionProperties


class VpnClientConfiguration(WireModel):
    """What clients may connect with; leaving the block out of a PUT removes point-to-site (R-P2S-08).

    The PUT answer and LIST show a block of defaults where none was sent, GET does not
    (recording ``test_network_vnet_gateway_nat_rule``).
    """

    vpn_client_address_pool: Annotated[AddressSpace | None, _PROFILES] = None
    # GET answers [SSTP, IkeV2] to [IkeV2, SSTP]: a set.
    vpn_client_protocols: Annotated[tuple[Literal["IkeV2", "SSTP", "OpenVPN"], ...] | None, Unordered(), _PROFILES] = (
        None
    )
    # Azure derives it from the other fields when it is empty or not sent (test_vpn_client_package).
    vpn_authentication_types: Annotated[
        tuple[Literal["Certificate", "Radius", "AAD"], ...] | None,
        AfterValidator(lambda types: types or None),
        Unordered(),
        _PROFILES,
    ] = None
    vpn_client_root_certificates: Annotated[
        tuple[RootCertificate, ...] | None,
        KeyedBy("name", alike=("properties.publicCertData",)),
        ServerDefault([]),
        Outage("none", profiles=True, source="R-P2S-07", removed="reconfigure", until=_OTHER_ROOT.until),
    ] = None
    vpn_client_revoked_certificates: Annotated[
        tuple[RevokedCertificate, ...] | None,
        KeyedBy("name", alike=("properties.thumbprint",)),
        ServerDefault([]),
        Outage("none", source="R-CERTP-04"),
    ] = None
    # Clearing them answers [] (recording test_network_vnet_gateway_ipsec).
    vpn_client_ipsec_policies: Annotated[
        tuple[IpsecPolicy, ...] | None,
        ServerDefault([]),
        Outage("none", clients="seconds", profiles=True, source="R-P2SPOL-01"),
    ] = None
    radius_server_address: Annotated[str | None, _CLIENTS] = None
    radius_server_secret: Annotated[SecretReference | None, WriteOnly(), _RADIUS_SECRET] = None
    radius_servers: Annotated[
        tuple[RadiusServer, ...] | None, KeyedBy("radiusServerAddress"), ServerDefault([]), _CLIENTS
    ] = None
    aad_tenant: Annotated[str | None, _ENTRA, _PROFILES] = None
    aad_audience: Annotated[str | None, _ENTRA, _PROFILES] = None
    aad_issuer: Annotated[str | None, _ENTRA, _PROFILES] = None
    vng_client_connection_configurations: Annotated[
        tuple[ClientConnection, ...] | None,
        KeyedBy("name", alike=("properties.vpnClientAddressPool",)),
        ServerDefault([]),
        _PROFILES,
    ] = None
    # A GET adds counters: volatile.
    vpn_client_connection_health: Annotated[None, ReadOnly("test_network_vnet_gateway_ipsec")] = None


def _default_group(observed: bool | None, declared: bool | None) -> Verdict:
    if observed is None or declared is None or observed == declared:
        return Verdict("in place")
    return Verdict(
        "impossible",
        "Whether a user group is the default one is decided when it is created (R-UG-03). "
        "Declare another group under a new name and remove this one.",
    )


class GroupMember(WireModel):
    """Who belongs to a group: an Entra group's object id, a certificate's domain, a RADIUS value (R-UG-06)."""

    name: str
    attribute_type: Literal["AADGroupId", "CertificateGroupId", "RadiusAzureGroupId"]
    attribute_value: Annotated[str, AnyCase()]


class PolicyGroupProperties(WireModel):
    """Lower priority wins; who matches none falls to the default group (R-UG-05)."""

    is_default: Annotated[bool, Transition(_default_group)]
    priority: int
    policy_members: Annotated[tuple[GroupMember, ...], KeyedBy("name", alike=("attributeType", "attributeValue"))]
    vng_client_connection_configurations: Observed = None


class PolicyGroup(WireModel):
    """A user group of point-to-site."""

    name: str
    properties: PolicyGroupProperties
