"""Sites, their links, and what a tunnel is made of: policy, NAT, BGP peer, traffic selectors."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.network import Prefixes
from vpngw_iac.blueprints.operations_settings import Access, AnyLock
from vpngw_iac.blueprints.part import (
    AnyId,
    ExistingPart,
    Many,
    Name,
    Named,
    NamedPart,
    OnRemoval,
    OursOrExisting,
    Part,
    Rotation,
    SecretField,
    Short,
    Tags,
    Waive,
    ids_only,
    listed,
)
from vpngw_iac.field import Asn, Cidr, Fqdn, GroupName, IpAddress, Ipv4, PortRange, Region, Wire, rule_error
from vpngw_iac.resources.parts import (
    DhGroup,
    IkeEncryption,
    IkeIntegrity,
    IpsecEncryption,
    IpsecIntegrity,
    PfsGroup,
)
from vpngw_iac.text import suggestion

ConnectionMode = Literal["default", "initiator-only", "responder-only"]
MODES: Final = {"default": "Default", "initiator-only": "InitiatorOnly", "responder-only": "ResponderOnly"}


class IpsecPolicy(Part):
    """A whole IKE and IPsec policy (R-IPSEC-03); it replaces Azure's proposals in both directions (R-IPSEC-05).

    ``IpsecPolicy.strong()``
    """

    stands: ClassVar[str] = "VpnConnection: properties.ipsecPolicies[0]"
    instead: ClassVar[str] = "IpsecPolicy.strong()"

    ike_encryption: Annotated[IkeEncryption, Wire("ikeEncryption")]
    """Phase 1 cipher."""
    ike_integrity: Annotated[IkeIntegrity, Wire("ikeIntegrity")]
    """Phase 1 hash."""
    dh_group: Annotated[DhGroup, Wire("dhGroup")]
    """Phase 1 key exchange. ECP384 is group 20, ECP256 group 19, DHGroup14 is 2048 bits."""
    ipsec_encryption: Annotated[IpsecEncryption, Wire("ipsecEncryption")]
    """Phase 2 cipher."""
    ipsec_integrity: Annotated[IpsecIntegrity, Wire("ipsecIntegrity")]
    """Phase 2 hash; with a GCM cipher the same GCM (R-IPSEC-04)."""
    pfs_group: Annotated[PfsGroup, Wire("pfsGroup")]
    """Perfect forward secrecy group of phase 2."""
    sa_seconds: Annotated[int, Field(ge=300, le=172_799), Wire("saLifeTimeSeconds")] = 27_000
    """Lifetime of a phase 2 association in seconds; local, need not match the peer (R-IPSEC-09)."""
    sa_kilobytes: Annotated[int, Field(ge=0, le=2_147_483_647), Wire("saDataSizeKilobytes")] = 102_400_000
    """Lifetime of a phase 2 association in kilobytes."""

    @classmethod
    def strong(cls) -> "IpsecPolicy":
        """GCMAES256 with SHA384 and ECP384 throughout. This value never changes within a major version."""
        return cls(
            ike_encryption="GCMAES256", ike_integrity="SHA384", dh_group="ECP384",
            ipsec_encryption="GCMAES256", ipsec_integrity="GCMAES256", pfs_group="ECP384",
        )  # fmt: skip

    @classmethod
    def compatible(cls) -> "IpsecPolicy":
        """AES256, SHA256 and group 14: what nearly every device of the last ten years speaks. Never changes."""
        return cls(
            ike_encryption="AES256", ike_integrity="SHA256", dh_group="DHGroup14",
            ipsec_encryption="AES256", ipsec_integrity="SHA256", pfs_group="PFS2048",
        )  # fmt: skip

    @classmethod
    def cnsa(cls) -> "IpsecPolicy":
        """The suite of CNSA 1.0 as far as Azure offers it: AES-256, SHA-384, P-384. Never changes."""
        return cls(
            ike_encryption="AES256", ike_integrity="SHA384", dh_group="ECP384",
            ipsec_encryption="GCMAES256", ipsec_integrity="GCMAES256", pfs_group="ECP384",
        )  # fmt: skip


def _preset(value: Any) -> Any:
    """``strong`` is `IpsecPolicy.strong`."""
    if not isinstance(value, str):
        return value
    if value.lower() not in _PRESETS:
        hint = suggestion(value, _PRESETS) or f"It is one of {', '.join(_PRESETS)}, or a whole policy."
        raise rule_error("T-CHOICE", f"There is no IPsec policy of that name. {hint}")
    return _PRESETS[value.lower()]()


_PRESETS = {"strong": IpsecPolicy.strong, "compatible": IpsecPolicy.compatible, "cnsa": IpsecPolicy.cnsa}

if TYPE_CHECKING:
    AnyIpsecPolicy = IpsecPolicy
else:
    AnyIpsecPolicy = Annotated[IpsecPolicy, Short(_preset, {"enum": list(_PRESETS)})]
"""A policy, or the name of one of ours."""


class NatMapping(Part):
    """Another mapping of a NAT rule; of a dynamic one each side may have more than the other.

    ``NatMapping(internal="192.168.11.0/24", external="10.200.11.0/24")``
    """

    internal: Cidr | None = None
    """The addresses as they really are."""
    external: Cidr | None = None
    """The addresses that the other side sees."""
    internal_ports: PortRange | None = None
    """Port range of the internal side."""
    external_ports: PortRange | None = None
    """Port range of the external side."""


class Nat(Part):
    """A NAT rule; equal values are one rule, made once per instance on an active-active gateway (R-NAT-11).

    ``Nat.ingress("berlin", internal="192.168.10.0/24", external="10.200.10.0/24")``
    """

    stands: ClassVar[str] = "NatRule"

    direction: Annotated[
        Literal["ingress", "egress"], Wire("properties.mode", values={"ingress": "IngressSnat", "egress": "EgressSnat"})
    ]
    """Ingress translates the site's addresses, egress those of Azure (R-NAT-09)."""
    name: Name
    internal: Annotated[Cidr, Wire("properties.internalMappings[0].addressSpace")]
    """The addresses as they really are, on the side that is translated."""
    external: Annotated[Cidr, Wire("properties.externalMappings[0].addressSpace")]
    """The addresses that the other side sees."""
    dynamic: Annotated[bool, Wire("properties.type", values={True: "Dynamic", False: "Static"})] = False
    """Many to few, in one direction only (R-NAT-07). Default: static, one to one, equal prefix lengths (R-NAT-06)."""
    internal_ports: Annotated[PortRange | None, Wire("properties.internalMappings[0].portRange")] = None
    """Port range ``100-200`` of the internal side (R-NAT-18)."""
    external_ports: Annotated[PortRange | None, Wire("properties.externalMappings[0].portRange")] = None
    """Port range of the external side."""

    mappings: Annotated[Many[NatMapping], listed, Wire("properties.internalMappings", by_code=True)] = ()
    """Further mappings of the rule."""
    instance: Annotated[Literal["each", "none", 0, 1], Wire("properties.ipConfigurationId", by_code=True)] = "each"
    """Of an active-active gateway: ``each`` makes the rule once for each instance under a name of its own, ``0`` or
    ``1`` binds the one rule to that instance, ``none`` to no instance (R-NAT-11). A rule that is bound stays so when
    ``none`` is said later."""

    @classmethod
    def ingress(cls, name: str, internal: str, external: str, **more: Any) -> "Nat":
        """Translate what comes from the site."""
        return cls(direction="ingress", name=name, internal=internal, external=external, **more)

    @classmethod
    def egress(cls, name: str, internal: str, external: str, **more: Any) -> "Nat":
        """Translate what goes to the site."""
        return cls(direction="egress", name=name, internal=internal, external=external, **more)


class BgpPeer(Part):
    """The BGP speaker on the other side: ``BgpPeer(asn=64512, address="192.168.10.1")``."""

    stands: ClassVar[str] = "LocalNetworkGateway: properties.bgpSettings"

    asn: Annotated[Asn, Wire("asn")]
    """AS number of the device, different from the gateway's (R-BGP-06)."""
    address: Annotated[IpAddress, Wire("bgpPeeringAddress")]
    """BGP address of the device: not its public IP (R-BGP-07); 169.254.21.0 to 169.254.22.255 for APIPA."""
    azure_address: Annotated[
        Many[IpAddress],
        listed,
        Field(max_length=2),
        Wire("properties.gatewayCustomBgpIpAddresses", of="VpnConnection", by_code=True),
    ] = ()
    """APIPA address of the gateway that this link uses (R-BGP-08). On an active-active gateway each instance wants a
    link of its own; two addresses on one link, one per instance, get one session of two (R-BGP-26)."""
    peer_weight: Annotated[Annotated[int, Field(ge=0, le=100)] | None, Wire("peerWeight")] = None
    """Weight of routes learned from this peer. Default 0."""


class LocalGateway(NamedPart, Part):
    """A local network gateway by itself: for sites of several gateways, or without a connection.

    ``LocalGateway(name="lgw-berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"])``
    """

    stands: ClassVar[str] = "LocalNetworkGateway"

    name: Name
    public_ip: Annotated[Ipv4 | None, Wire("properties.gatewayIpAddress")] = None
    """Public address of the device as Azure sees it (R-LNG-02)."""
    fqdn: Annotated[Fqdn | None, Wire("properties.fqdn")] = None
    """Name of the device instead of its address (R-LNG-04)."""
    prefixes: Annotated[Prefixes, Wire("properties.localNetworkAddressSpace.addressPrefixes")] = ()
    """What lies behind the device. May be left out with BGP (R-LNG-08)."""
    bgp: Annotated[BgpPeer | None, Wire("properties.bgpSettings")] = None
    """The device's BGP speaker. Connections to it speak BGP unless they say ``bgp=False``."""
    location: Annotated[Region | None, Wire("location", by_code=True)] = None
    """Default: the region of the VPN gateway; any region will do."""
    resource_group: GroupName | None = None
    """Default: the VPN gateway's."""
    label: Name | None = None
    """Name in addresses and reports."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_endpoint(self) -> "LocalGateway":
        if (self.public_ip is None) == (self.fqdn is None):
            raise rule_error("R-LNG-01", "Give exactly one of public_ip and fqdn.")
        return self

    @classmethod
    def existing(
        cls,
        id: str | ArmId,
        *,
        public_ip: str | None = None,
        fqdn: str | None = None,
        prefixes: Iterable[str] | str | None = None,
        asn: int | None = None,
        label: str | None = None,
    ) -> "ExistingLocalGateway":
        """Use a local network gateway that is managed elsewhere; the facts are for checks without Azure."""
        facts = {"public_ip": public_ip, "fqdn": fqdn, "prefixes": prefixes, "asn": asn, "label": label}
        return ExistingLocalGateway.model_validate({"existing": id, **facts})


class ExistingLocalGateway(ExistingPart, Part):
    """A local network gateway that is only used. Facts not given are read at plan."""

    existing: Annotated[ArmId, AfterValidator(ids_only("Microsoft.Network/localNetworkGateways"))]
    public_ip: Ipv4 | None = None
    """Public address of the device."""
    fqdn: Fqdn | None = None
    """Name of the device."""
    prefixes: Prefixes | None = None
    """What lies behind the device."""
    asn: Asn | None = None
    """AS number of its BGP speaker."""
    label: Name | None = None
    waive: Waive = Field(default_factory=dict)


AnyLocalGateway = Annotated[
    OursOrExisting[LocalGateway, ExistingLocalGateway],
    Named("local_gateways", "LocalGateway(...)"),
]
"""A local network gateway: ours, or only used."""


class TrafficSelector(Part):
    """A custom traffic selector (R-TS-03); Azure proposes it only when it initiates (R-TS-04).

    ``TrafficSelector(local="10.10.1.0/24", remote="192.168.10.0/24")``
    """

    stands: ClassVar[str] = "VpnConnection: properties.trafficSelectorPolicies[0]"

    local: Annotated[Prefixes, Field(min_length=1), Wire("localAddressRanges")]
    """Prefixes on the Azure side."""
    remote: Annotated[Prefixes, Field(min_length=1), Wire("remoteAddressRanges")]
    """Prefixes on the site's side."""


class CertificateKey(Part):
    """Authentication by certificate instead of a shared key (R-CERT-01 to R-CERT-05).

    ``CertificateKey(outbound="https://kv-hub.vault.azure.net/secrets/vpn", inbound_subject="berlin.example.com",
    inbound_chain=chain)``
    """

    stands: ClassVar[str] = "VpnConnection: properties.certificateAuthentication"

    outbound: Annotated[str, Wire("outboundAuthCertificate")]
    """Key Vault secret URL of the certificate that Azure shows, ``https://VAULT.vault.azure.net/secrets/NAME``."""
    inbound_subject: Annotated[str, Wire("inboundAuthCertificateSubjectName")]
    """Subject of the certificate that the device shows."""
    inbound_chain: Annotated[Many[str], listed, Field(min_length=1), Wire("inboundAuthCertificateChain")]
    """Public certificates of its issuer, unencrypted Base-64 X.509 without header lines."""


class Tunnel(Part):
    """Addresses of one tunnel of a link, where the device gives each tunnel its own.

    ``Tunnel(address="203.0.113.11")``
    """

    stands: ClassVar[str] = "VpnConnection: properties.tunnelProperties[0]"

    address: Annotated[Ipv4, Wire("tunnelIpAddress")]
    """Tunnel address of the device."""
    bgp_address: Annotated[IpAddress | None, Wire("bgpPeeringAddress")] = None
    """BGP address of the device in this tunnel."""


class Routing(Part):
    """Route tables and route maps of a connection, by id: ``Routing(labels=["default"])``."""

    stands: ClassVar[str] = "VpnConnection: properties.routingConfiguration"

    route_table: Annotated[AnyId | None, Wire("associatedRouteTable.id")] = None
    """The route table that the connection uses."""
    propagates_to: Annotated[Many[AnyId], listed, Wire("propagatedRouteTables.ids[*].id")] = ()
    """Route tables that learn its routes."""
    labels: Annotated[Many[str], listed, Wire("propagatedRouteTables.labels")] = ()
    """Labels of route tables that learn its routes."""
    inbound_map: Annotated[AnyId | None, Wire("inboundRouteMap.id")] = None
    """The route map for what comes in."""
    outbound_map: Annotated[AnyId | None, Wire("outboundRouteMap.id")] = None
    """The route map for what goes out."""


PeerOrSwitch = Annotated[
    Annotated[BgpPeer, Tag("<asn>")] | Annotated[bool, Tag("<switch>")],
    Discriminator(lambda value: "<switch>" if isinstance(value, bool) else "<asn>"),
]


class LinkSettings(Part):
    """What can be said about one link, or on a site for all of its links."""

    stands: ClassVar[str] = "VpnConnection"

    prefixes: Annotated[
        Prefixes | None, Wire("properties.localNetworkAddressSpace.addressPrefixes", of="LocalNetworkGateway")
    ] = None
    """What lies behind the device. May be left out with BGP (R-LNG-08); at least one without (R-LNG-09)."""
    shared_key: Annotated[SecretField | None, Wire("properties.sharedKey")] = None
    """Where the pre-shared key is found: ``Secret.env("BERLIN_PSK")``. 1 to 128 characters without space and ~
    (R-PSK-01, R-PSK-02)."""
    rotation: Rotation | None = None
    """When the key was rotated, in words of your own: ``"2026-11"``. Another text sets the key again, wherever it comes
    from, so that a rotation is an edit which a plan shows."""
    certificate: Annotated[CertificateKey | None, Wire("properties.certificateAuthentication")] = None
    """Certificates instead of a shared key."""
    bgp: Annotated[PeerOrSwitch | None, Wire("properties.bgpSettings", of="LocalNetworkGateway")] = None
    """The device's BGP speaker; turns BGP on for the connection (R-BGP-17). With a `local_gateway` that has a speaker
    ``False`` keeps BGP off, and with one that exists ``True`` turns it on."""
    ipsec: Annotated[AnyIpsecPolicy | None, Wire("properties.ipsecPolicies[0]")] = None
    """Left out: Azure's own proposals, which include weak ones (R-SEC-03)."""
    nat: Annotated[Annotated[Many[Nat], listed] | None, Wire("properties.ingressNatRules", by_code=True)] = None
    """NAT rules that this link uses."""
    protocol: Annotated[Literal["IKEv1", "IKEv2"] | None, Wire("properties.connectionProtocol")] = None
    """Default IKEv2 (R-IKE-04). Cannot change in place (R-IKE-03)."""
    mode: Annotated[ConnectionMode | None, Wire("properties.connectionMode", values=MODES)] = None
    """Who starts the first IKE exchange (R-CMODE-01)."""
    dpd: Annotated[Annotated[int, Field(ge=9, le=3600)] | None, Wire("properties.dpdTimeoutSeconds")] = None
    """Dead peer detection timeout in seconds, default 45 (R-DPD-01)."""
    policy_based_selectors: Annotated[bool | None, Wire("properties.usePolicyBasedTrafficSelectors")] = None
    """Traffic selectors per pair of prefixes, for policy-based devices; needs `ipsec` (R-TS-01)."""
    traffic_selectors: Annotated[
        Annotated[Many[TrafficSelector], listed] | None, Wire("properties.trafficSelectorPolicies")
    ] = None
    """Custom selectors; they need `policy_based_selectors` (R-TS-03)."""
    private_ip: Annotated[bool | None, Wire("properties.useLocalAzureIpAddress")] = None
    """Start the tunnel at the gateway's private address, over ExpressRoute private peering (R-PRIV-02)."""
    weight: Annotated[Annotated[int, Field(ge=0, le=32_000)] | None, Wire("properties.routingWeight")] = None
    """Routing weight. Microsoft documents it for ExpressRoute only (R-BGP-19)."""
    tunnels: Annotated[Annotated[Many[Tunnel], Field(max_length=2)] | None, Wire("properties.tunnelProperties")] = None
    """Own addresses per tunnel, where the device needs them."""
    routing: Annotated[Routing | None, Wire("properties.routingConfiguration")] = None
    """Route tables and route maps of the connection."""
    local_gateway_group: GroupName | None = None
    """Group of the local network gateway. Default: the site's, else the gateway's."""
    location: Annotated[Region | None, Wire("location", of="LocalNetworkGateway", by_code=True)] = None
    """Region of the local network gateway. Default: the gateway's, where the connection always is (R-SCOPE-02)."""
    local_gateway_name: Name | None = None
    """Name of the local network gateway. Default: derived."""
    connection_name: Name | None = None
    """Name of the connection. Default: derived."""
    lock: AnyLock | None = None
    """Management lock of the connection."""
    access: Access | None = None
    """Role assignments on the connection."""


class Link(LinkSettings):
    """One tunnel end of a site: one local network gateway and one connection with a key of its own (R-LNG-10).

    ``Link(name="dsl", public_ip="203.0.113.10", shared_key=Secret.env("BERLIN_DSL_PSK"))``
    """

    name: Name
    public_ip: Annotated[Ipv4 | None, Wire("properties.gatewayIpAddress", of="LocalNetworkGateway")] = None
    """Public address of the device as Azure sees it (R-LNG-02)."""
    fqdn: Annotated[Fqdn | None, Wire("properties.fqdn", of="LocalNetworkGateway")] = None
    """Name of the device instead of its address; one IPv4 address behind it (R-LNG-04)."""
    local_gateway: AnyLocalGateway | None = None
    """As on `Site`."""
    resource_group: GroupName | None = None
    """Group of the connection. Default: the site's, else the gateway's."""
    instance: Annotated[Literal[0, 1] | None, Wire("properties.gatewayCustomBgpIpAddresses", by_code=True)] = None
    """The one instance of an active-active gateway that this link is built to; the other tunnel is expected down.
    Left out: both."""

    @model_validator(mode="after")
    def _one_endpoint(self) -> "Link":
        _check_endpoint(self)
        return self

    @property
    def peer(self) -> BgpPeer | None:
        """The BGP speaker on the other side, wherever it is said."""
        if isinstance(self.bgp, BgpPeer):
            return self.bgp
        return self.local_gateway.bgp if isinstance(self.local_gateway, LocalGateway) else None

    @property
    def speaks_bgp(self) -> bool:
        """Whether BGP is on for the connection."""
        return bool(self.bgp) or (self.bgp is None and self.peer is not None)


class Site(LinkSettings):
    """A place outside Azure.

    One device: give its address here. Several: give `links`; what is said on the site holds for each link that does
    not say it itself.

    ``Site(name="berlin", public_ip="203.0.113.10", prefixes="192.168.10.0/24", shared_key=Secret.env("BERLIN_PSK"))``
    """

    name: Name
    public_ip: Annotated[Ipv4 | None, Wire("properties.gatewayIpAddress", of="LocalNetworkGateway")] = None
    """Public address of the only device (R-LNG-02)."""
    fqdn: Annotated[Fqdn | None, Wire("properties.fqdn", of="LocalNetworkGateway")] = None
    """Name of the only device instead of its address (R-LNG-04)."""
    local_gateway: AnyLocalGateway | None = None
    """A `LocalGateway` that says the device: shared with another gateway, or with settings of its own; or
    ``LocalGateway.existing(...)``."""
    resource_group: GroupName | None = None
    """Group of the local network gateways and, unless a link says another, of the connections. Default: the
    gateway's."""
    instance: Literal[0, 1] | None = None
    """As on `Link`."""
    links: Many[Link] = ()
    backup_of: Name | None = None
    """Name of the site or circuit for which this site is the failover path: equal prefixes are then intended."""
    expects: Prefixes = ()
    """Prefixes that the site must announce by BGP, as `vpngw verify` looks for them; under NAT the external ones."""
    live: bool = True
    """Whether it counts when `vpngw verify` decides; a site that is not live yet is reported and never an alarm."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> "Site":
        if self.links:
            if self.public_ip or self.fqdn or self.local_gateway or self.instance is not None:
                raise rule_error(
                    "T-SITE",
                    "A site has either links or an address of its own. Move public_ip, fqdn, local_gateway, instance "
                    "to a link.",
                )
            if self.local_gateway_name or self.connection_name:
                raise rule_error("T-SITE", "Give local_gateway_name and connection_name on the links of this site.")
            _distinct_links(self.links)
        else:
            _check_endpoint(self)
        for link in self.effective_links():
            _one_key(self, link)
        return self

    def effective_links(self) -> tuple[Link, ...]:
        """The links with what the site says filled in; the short form is one link with the site's name."""
        said = {name: value for name in _INHERITED if (value := getattr(self, name)) is not None}
        if not self.links:
            return (
                Link.model_construct(
                    **{**_UNSAID, **said},
                    name=self.name,
                    **{name: getattr(self, name) for name in ("public_ip", "fqdn", "local_gateway", "instance")},
                ),
            )
        return tuple(_completed(link, said) for link in self.links)


_INHERITED = (*LinkSettings.model_fields, "resource_group")
_UNSAID: dict[str, Any] = dict.fromkeys(_INHERITED)


def _completed(link: Link, said: dict[str, Any]) -> Link:
    missing = {name: value for name, value in said.items() if getattr(link, name) is None}
    # A link that chose one kind of authentication does not inherit the other.
    if link.certificate is not None:
        missing.pop("shared_key", None)
    if link.shared_key is not None:
        missing.pop("certificate", None)
    return link.model_copy(update=missing) if missing else link


_OF_LOCAL_GATEWAY = ("public_ip", "fqdn", "prefixes", "location", "local_gateway_group", "local_gateway_name")


def _check_endpoint(part: Link | Site) -> None:
    """Address, name or a local network gateway; what belongs to the latter is said there."""
    if part.local_gateway is None:
        if (part.public_ip is None) == (part.fqdn is None):
            given = part.given_as_none("public_ip", "fqdn")
            raise rule_error("R-LNG-01", f"Give exactly one of public_ip and fqdn (or links, on a site){given}.")
        if isinstance(part.bgp, bool):
            raise rule_error("T-LNG", "bgp=True and bgp=False go with local_gateway=...; write bgp=BgpPeer(...).")
        return
    if twice := [name for name in _OF_LOCAL_GATEWAY if getattr(part, name) is not None]:
        raise rule_error("T-LNG", f"Say {', '.join(twice)} in the LocalGateway that {part.name!r} names.")
    if isinstance(part.local_gateway, LocalGateway):
        if isinstance(part.bgp, BgpPeer):
            raise rule_error("T-LNG", f"Say bgp=BgpPeer(...) in the LocalGateway that {part.name!r} names.")
        if part.bgp and part.local_gateway.bgp is None:
            raise rule_error("T-LNG", f"bgp=True needs a BgpPeer in the LocalGateway that {part.name!r} names.")


def _distinct_links(links: Sequence[Link]) -> None:
    seen: set[str] = set()
    for link in links:
        if link.name.lower() in seen:
            raise rule_error("T-LINK", f"Two links are called {link.name!r}. Give each link of a site its own name.")
        seen.add(link.name.lower())


def _one_key(site: Site, link: Link) -> None:
    where = f"Site {site.name!r}" if link.name == site.name else f"Link {link.name!r} of site {site.name!r}"
    if (link.shared_key is None) == (link.certificate is None):
        given = site.given_as_none("shared_key", "certificate")
        raise rule_error(
            "R-PSK-04",
            f'{where} needs exactly one of shared_key and certificate{given}: write shared_key=Secret.env("NAME"). '
            "Without a key Azure would invent one that the device does not know.",
        )
