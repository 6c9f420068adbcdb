"""Wire values that several ARM types share: address spaces, BGP settings, IPsec policies, ids without an edge.

Knows no resource type. Literals hold Azure's own spelling, which a contract test holds against the SDK's enums.
"""

import base64
import binascii
import re
from typing import Annotated, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Cidr, KeyedBy, Observed, Outage, ReadOnly, ServerDefault, Spelling, Unordered
from vpngw_iac.resources.wire import Output, WireModel


def der_of(text: str) -> bytes | None:
    """The certificate in Base-64 text, with or without blanks, line breaks and header lines; None if it is none."""
    try:
        return base64.b64decode(re.sub(r"-----[A-Z ]+-----|\s", "", text), validate=True)
    except (binascii.Error, ValueError):
        return None


CertificateText = Annotated[str, Spelling(lambda text: der_of(text) or text)]
"""Base-64 X.509: Azure keeps blanks and line breaks (net_VirtualNetworkGateway_CanCreatePointToSiteConfigurtation)."""


class IdOnly(WireModel):
    """``{"id": ...}`` of something that orders nothing: not managed here, or a part of the resource itself."""

    id: ArmId


class PoolPrefixes(WireModel):
    """Addresses that an IPAM pool hands out; which ones is Azure's choice."""

    pool: IdOnly
    number_of_ip_addresses: str | None = None
    allocated_address_prefixes: Observed = None


class AddressSpace(WireModel):
    """A set of prefixes; Azure answers them as sent (recording ``test_network_local_gateway``)."""

    # Ours as a whole: the prefixes of a network, a site, a client pool or of custom routes together say what is
    # reachable there, and no resource of others refers to one of them. Left out where a pool hands them out.
    address_prefixes: Annotated[tuple[Cidr, ...] | None, Unordered()] = None
    # Recording test_network_vnet (answers of 2024): [] is added.
    ipam_pool_prefix_allocations: Annotated[tuple[PoolPrefixes, ...] | None, Unordered(), ServerDefault([])] = None


class ExtendedLocation(WireModel):
    """An edge zone (recording ``test_network_vnet_gateway_edge_zone``)."""

    name: str
    type: Literal["EdgeZone"] = "EdgeZone"


class PeerBgpSettings(WireModel):
    """BGP of the other side, on a local network gateway."""

    # Changes in place; the tunnel is established again (R-LNG-12).
    asn: Annotated[int | Output, Outage("seconds", source="R-LNG-12")]
    bgp_peering_address: str | Output
    # peerWeight 0 is added as soon as the block is sent (recording test_network_local_gateway).
    peer_weight: Annotated[int | None, ServerDefault(0)] = None
    bgp_peering_addresses: Annotated[None, ReadOnly("only an Azure gateway has instances")] = None


IkeEncryption = Literal["DES", "DES3", "AES128", "AES192", "AES256", "GCMAES128", "GCMAES256"]
IkeIntegrity = Literal["MD5", "SHA1", "SHA256", "SHA384", "GCMAES128", "GCMAES256"]
DhGroup = Literal["None", "DHGroup1", "DHGroup2", "DHGroup14", "DHGroup2048", "ECP256", "ECP384", "DHGroup24"]
IpsecEncryption = Literal["None", "DES", "DES3", "AES128", "AES192", "AES256", "GCMAES128", "GCMAES192", "GCMAES256"]
IpsecIntegrity = Literal["MD5", "SHA1", "SHA256", "GCMAES128", "GCMAES192", "GCMAES256"]
PfsGroup = Literal["None", "PFS1", "PFS2", "PFS2048", "ECP256", "ECP384", "PFS24", "PFS14", "PFSMM"]


class IpsecPolicy(WireModel):
    """A whole IPsec/IKE policy; all eight fields are required (R-IPSEC-03)."""

    sa_life_time_seconds: int
    sa_data_size_kilobytes: int
    ipsec_encryption: IpsecEncryption
    ipsec_integrity: IpsecIntegrity
    ike_encryption: IkeEncryption
    ike_integrity: IkeIntegrity
    dh_group: DhGroup
    pfs_group: PfsGroup


class UserAssignedIdentity(WireModel):
    """Azure adds its ids to the empty object that was sent."""

    principal_id: Observed = None
    client_id: Observed = None


class ManagedIdentity(WireModel):
    """Identities of a resource; a gateway needs a user-assigned one for certificates (R-CERT-02)."""

    type: Literal["SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "None"]
    user_assigned_identities: Annotated[dict[str, UserAssignedIdentity] | None, KeyedBy("")] = None
    principal_id: Observed = None
    tenant_id: Observed = None
