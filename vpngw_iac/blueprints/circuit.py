"""ExpressRoute circuits, their peerings, and how a gateway is linked to them."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.network import Prefixes
from vpngw_iac.blueprints.operations_settings import Access, AnyLock, ManyDiagnostics
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
    SecretField,
    Tags,
    Waive,
    ids_only,
    listed,
)
from vpngw_iac.blueprints.site import Routing
from vpngw_iac.field import Asn, Cidr, GroupName, Guid, Region, Wire, rule_error
from vpngw_iac.secret import SecretReference


class PrivatePeering(Part):
    """Private peering of a circuit: the routes between Azure and the site (R-ER-24).

    ``PrivatePeering(asn=64512, primary="10.9.0.0/30", secondary="10.9.0.4/30", vlan=100)``
    """

    stands: ClassVar[str] = "CircuitPeering"

    asn: Annotated[Asn, Wire("properties.peerASN")]
    """AS number on the site's side."""
    primary: Annotated[Cidr, Wire("properties.primaryPeerAddressPrefix")]
    """/30 of the primary link; Azure takes its second address."""
    secondary: Annotated[Cidr, Wire("properties.secondaryPeerAddressPrefix")]
    """/30 of the secondary link."""
    vlan: Annotated[int, Field(ge=1, le=4094), Wire("properties.vlanId")]
    """VLAN id, unique on the circuit."""
    shared_key: Annotated[SecretField | None, Wire("properties.sharedKey")] = None
    """MD5 key of the BGP sessions."""
    primary_ipv6: Annotated[Cidr | None, Wire("properties.ipv6PeeringConfig.primaryPeerAddressPrefix")] = None
    """/126 of the primary link."""
    secondary_ipv6: Annotated[Cidr | None, Wire("properties.ipv6PeeringConfig.secondaryPeerAddressPrefix")] = None
    """/126 of the secondary link."""

    @model_validator(mode="after")
    def _both_or_none(self) -> "PrivatePeering":
        _check_ipv6(self, wanted=False)
        return self


def _check_ipv6(part: "PrivatePeering | MicrosoftPeering", wanted: bool) -> None:
    if (part.primary_ipv6 is None) != (part.secondary_ipv6 is None) or (wanted and part.primary_ipv6 is None):
        raise rule_error("R-ER-24", "Give primary_ipv6 and secondary_ipv6 together, or neither.")


class PrefixValidation(Part):
    """How a public prefix of a Microsoft peering is proven to be yours.

    ``PrefixValidation(prefix="198.51.100.0/24", validation_id="hub")``
    """

    stands: ClassVar[str] = "CircuitPeering: properties.microsoftPeeringConfig.advertisedPublicPrefixInfo[0]"

    prefix: Annotated[Cidr, Wire("prefix")]
    """One of the advertised prefixes."""
    validation_id: Annotated[str | None, Wire("validationId")] = None
    """Id under which the prefix is registered for validation."""
    signature: Annotated[str | None, Wire("signature")] = None
    """Signature over the validation id."""


class MicrosoftPeering(Part):
    """Microsoft peering of a circuit: public services; it has no VPN failover (R-ER-05).

    ``MicrosoftPeering(asn=64512, primary="203.0.113.0/30", secondary="203.0.113.4/30", vlan=200,
    advertised_prefixes="198.51.100.0/24")``
    """

    stands: ClassVar[str] = "CircuitPeering"

    asn: Annotated[Asn, Wire("properties.peerASN")]
    """AS number on the site's side."""
    primary: Annotated[Cidr, Wire("properties.primaryPeerAddressPrefix")]
    """/30 of the primary link."""
    secondary: Annotated[Cidr, Wire("properties.secondaryPeerAddressPrefix")]
    """/30 of the secondary link."""
    vlan: Annotated[int, Field(ge=1, le=4094), Wire("properties.vlanId")]
    advertised_prefixes: Annotated[
        Prefixes, Field(min_length=1), Wire("properties.microsoftPeeringConfig.advertisedPublicPrefixes")
    ]
    """Public prefixes of yours."""
    customer_asn: Annotated[Asn | None, Wire("properties.microsoftPeeringConfig.customerASN")] = None
    """AS number that the prefixes are registered to, if not `asn`."""
    routing_registry: Annotated[str | None, Wire("properties.microsoftPeeringConfig.routingRegistryName")] = None
    """Registry of AS number and prefixes: ARIN, RIPENCC and so on."""
    route_filter: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/routeFilters"))] | None,
        Wire("properties.routeFilter.id"),
    ] = None
    """Id of an existing route filter."""
    validations: Annotated[
        Many[PrefixValidation], listed, Wire("properties.microsoftPeeringConfig.advertisedPublicPrefixInfo")
    ] = ()
    """Proofs that prefixes are yours, where a registry does not say so."""
    primary_ipv6: Annotated[Cidr | None, Wire("properties.ipv6PeeringConfig.primaryPeerAddressPrefix")] = None
    """/126 of the primary link."""
    secondary_ipv6: Annotated[Cidr | None, Wire("properties.ipv6PeeringConfig.secondaryPeerAddressPrefix")] = None
    """/126 of the secondary link."""
    advertised_prefixes_ipv6: Annotated[
        Prefixes, Wire("properties.ipv6PeeringConfig.microsoftPeeringConfig.advertisedPublicPrefixes")
    ] = ()
    """Public IPv6 prefixes of yours."""
    customer_asn_ipv6: Annotated[
        Asn | None, Wire("properties.ipv6PeeringConfig.microsoftPeeringConfig.customerASN")
    ] = None
    """AS number that the IPv6 prefixes are registered to, if not `asn`."""
    routing_registry_ipv6: Annotated[
        str | None, Wire("properties.ipv6PeeringConfig.microsoftPeeringConfig.routingRegistryName")
    ] = None
    """Registry of AS number and IPv6 prefixes."""
    route_filter_ipv6: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/routeFilters"))] | None,
        Wire("properties.ipv6PeeringConfig.routeFilter.id"),
    ] = None
    """Id of an existing route filter for IPv6."""
    shared_key: Annotated[SecretField | None, Wire("properties.sharedKey")] = None
    """MD5 key of the BGP sessions."""

    @model_validator(mode="after")
    def _whole_ipv6(self) -> "MicrosoftPeering":
        _check_ipv6(self, bool(self.advertised_prefixes_ipv6))
        return self


class Circuit(NamedPart, Part):
    """An ExpressRoute circuit that is ours; `existing` uses one that is not. It is billed once it exists (R-ER-11).

    ``Circuit(name="er-hub", location="westeurope", provider="Equinix", peering_location="Frankfurt", bandwidth=50)``
    """

    stands: ClassVar[str] = "Circuit"

    name: Name
    location: Annotated[Region, Wire("location")]
    resource_group: GroupName | None = None
    """Created if absent. Default: the resource group given with ``-g``."""
    provider: Annotated[str | None, Wire("properties.serviceProviderProperties.serviceProviderName")] = None
    """Connectivity provider as Azure spells it, for example ``Equinix``."""
    peering_location: Annotated[str | None, Wire("properties.serviceProviderProperties.peeringLocation")] = None
    """Peering location as Azure spells it, for example ``Frankfurt``."""
    port: Annotated[
        Annotated[AnyId, AfterValidator(ids_only("Microsoft.Network/expressRoutePorts"))] | None,
        Wire("properties.expressRoutePort.id"),
    ] = None
    """Id of an ExpressRoute Direct port instead of a provider."""
    port_authorization: Annotated[SecretField | None, Wire("properties.authorizationKey")] = None
    """Where the authorization key of a Direct port in another subscription is found."""
    partner_account: Annotated[str | None, Wire("properties.partnerAccountId")] = None
    """Account with a partner that the circuit is ordered through. It cannot change later."""
    activation_key: Annotated[SecretField | None, Wire("properties.activationKey")] = None
    """Where the partner's activation key is found."""
    bandwidth: Annotated[int, Field(ge=1), Wire("properties.serviceProviderProperties.bandwidthInMbps", by_code=True)]
    """Mbps, 50 to 10000 as providers sell them (R-ER-29); on a Direct port whole Gbps, 1000 Mbps each. It only
    grows."""
    sku: Annotated[
        str, Field(pattern=r"^(Standard|Premium|Local)_(MeteredData|UnlimitedData)$"), Wire("sku.name", by_code=True)
    ] = "Standard_MeteredData"
    """Tier and billing: ``Standard_MeteredData``, ``Premium_UnlimitedData`` and so on (R-ER-17, R-ER-18, R-ER-29). No
    circuit becomes Local (R-ER-30)."""
    private_peering: PrivatePeering | None = None
    """Left out: the provider configures it (a layer 3 service)."""
    microsoft_peering: MicrosoftPeering | None = None
    """Left out: none."""
    authorizations: Annotated[Many[Name], Wire("", of="CircuitAuthorization", by_code=True)] = ()
    """Authorizations for gateways of others; those of our own gateways in other subscriptions are made anyway."""
    rate_limit: Annotated[bool | None, Wire("properties.enableDirectPortRateLimit")] = None
    """Limit the rate of a circuit on a Direct port. Default off."""
    subscription: Guid | None = None
    """Default: the subscription of the run."""
    tenant: Guid | None = None
    diagnostics: ManyDiagnostics = ()
    """Where its logs and metrics go: one setting or several."""
    lock: AnyLock | None = None
    """Management lock of the circuit."""
    access: Access = ()
    """Role assignments on the circuit."""
    label: Name | None = None
    """Name in addresses and reports."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _provider_or_port(self) -> "Circuit":
        by_provider = self.provider is not None and self.peering_location is not None
        if by_provider == (self.port is not None) or (self.port is not None and self.provider is not None):
            raise rule_error("T-CIRCUIT", "Give provider and peering_location, or the id of a Direct port.")
        if self.port is not None and self.bandwidth % 1000:
            raise rule_error("T-CIRCUIT", "On a Direct port the bandwidth is whole Gbps: 1000, 2000, 5000 and so on.")
        return self

    @classmethod
    def existing(
        cls,
        id: str | ArmId,
        *,
        authorization: SecretReference | None = None,
        location: str | None = None,
        peering_location: str | None = None,
        sku: str | None = None,
        bandwidth: int | None = None,
        tenant: str | None = None,
        label: str | None = None,
    ) -> "ExistingCircuit":
        """Use a circuit that is managed elsewhere; `authorization` names the key if it is another subscription's."""
        facts = {"location": location, "peering_location": peering_location, "sku": sku, "bandwidth": bandwidth}
        return ExistingCircuit.model_validate(
            {"existing": id, "authorization": authorization, "tenant": tenant, "label": label, **facts}
        )


class ExistingCircuit(ExistingPart, Part):
    """A circuit that is only used. It has no gate: its connection is tried."""

    existing: Annotated[ArmId, AfterValidator(ids_only("Microsoft.Network/expressRouteCircuits"))]
    authorization: SecretField | None = None
    """Where the authorization key is found (R-ER-12)."""
    location: Region | None = None
    peering_location: str | None = None
    sku: str | None = None
    bandwidth: int | None = None
    tenant: Guid | None = None
    label: Name | None = None
    waive: Waive = Field(default_factory=dict)


AnyCircuit = Annotated[
    OursOrExisting[Circuit, ExistingCircuit],
    Named("circuits", "Circuit(...)"),
]
"""A circuit: ours, or only used."""


class CircuitLink(Part):
    """The connection of a gateway to a circuit: ``CircuitLink(name="frankfurt", circuit=circuit, weight=10)``."""

    stands: ClassVar[str] = "ExpressRouteConnection"

    name: Name
    circuit: Annotated[AnyCircuit, Wire("properties.peer", by_code=True)]
    weight: Annotated[Annotated[int, Field(ge=0, le=32_000)] | None, Wire("properties.routingWeight")] = None
    """Routing weight, the higher wins (R-ER-14). Default 0."""
    fast_path: Annotated[bool | None, Wire("properties.expressRouteGatewayBypass")] = None
    """FastPath: traffic passes the gateway by (R-ER-20). Default off."""
    private_link_fast_path: Annotated[bool | None, Wire("properties.enablePrivateLinkFastPath")] = None
    """FastPath to private endpoints too; needs `fast_path` (R-ER-21). Default off."""
    routing: Annotated[Routing | None, Wire("properties.routingConfiguration")] = None
    """Route tables and route maps of the connection."""
    connection_name: Name | None = None
    """Name of the connection. Default: derived."""
    resource_group: GroupName | None = None
    """Group of the connection. Default: the gateway's."""
    lock: AnyLock | None = None
    """Management lock of the connection."""
    access: Access = ()
    """Role assignments on the connection."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fast_path_first(self) -> "CircuitLink":
        if self.private_link_fast_path and not self.fast_path:
            raise rule_error("R-ER-21", "private_link_fast_path needs fast_path=True.")
        return self


class GlobalReach(Part):
    """Two circuits joined, so that the sites behind them reach each other over Microsoft's network.

    Both have private peering. Microsoft: "Configure ExpressRoute Global Reach".

    ``GlobalReach(a=circuit, b=Circuit.existing(partner_circuit), prefix="192.168.8.0/29")``
    """

    stands: ClassVar[str] = "GlobalReach"

    a: Annotated[AnyCircuit, Wire("properties.expressRouteCircuitPeering", by_code=True)]
    """The circuit that the connection hangs on."""
    b: Annotated[AnyCircuit, Wire("properties.peerExpressRouteCircuitPeering", by_code=True)]
    """The other circuit; in another subscription it needs an authorization, as for a gateway (R-ER-12)."""
    prefix: Annotated[Cidr, Wire("properties.addressPrefix")]
    """/29 of IPv4 that nothing else uses, for the tunnel between the circuits. It cannot change in place."""
    prefix_ipv6: Annotated[Cidr | None, Wire("properties.ipv6CircuitConnectionConfig.addressPrefix")] = None
    """/125 of IPv6, for circuits with IPv6 private peering."""
    name: Name | None = None
    """Name of the connection. Default: derived."""
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _joins_two(self) -> "GlobalReach":
        if self.a == self.b:
            raise rule_error("T-REACH", "Global Reach joins two different circuits; a and b are the same one.")
        if ":" in self.prefix or not self.prefix.endswith("/29"):
            raise rule_error("T-REACH", "prefix is a /29 of IPv4, as 192.168.8.0/29.")
        if self.prefix_ipv6 is not None and not (":" in self.prefix_ipv6 and self.prefix_ipv6.endswith("/125")):
            raise rule_error("T-REACH", "prefix_ipv6 is a /125 of IPv6, as aa:bb::/125.")
        return self
