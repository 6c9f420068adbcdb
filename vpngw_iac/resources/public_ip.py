"""Public IP addresses. Deleting one loses its address for good (R-PIP-14)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from vpngw_iac.field import AnyCase, Block, Immutable, KeyedBy, Observed, ReadOnly, ServerDefault, Unordered
from vpngw_iac.resources.base import Durations, Resource, Role
from vpngw_iac.resources.parts import ExtendedLocation, IdOnly
from vpngw_iac.resources.wire import WireModel


class PublicIpSku(WireModel):
    """SKU of a public IP; changing it means another address (R-PIP-22)."""

    name: Annotated[
        Literal["Basic", "Standard", "StandardV2"], Immutable("a public IP keeps what it was created with (R-PIP-22)")
    ]
    # Recording test_network_public_ip: "Regional" is added.
    tier: Annotated[
        Literal["Regional", "Global"] | None,
        Immutable("a public IP keeps what it was created with (R-PIP-22)"),
        ServerDefault("Regional"),
    ] = None


class DnsSettings(WireModel):
    """DNS name of a public IP."""

    domain_name_label: Annotated[str | None, AnyCase()] = None
    # With a scope the name carries a hash (recording test_network_public_ip).
    domain_name_label_scope: Literal["TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "NoReuse"] | None = None
    reverse_fqdn: str | None = None
    # Azure computes it from the label (recording test_network_public_ip).
    fqdn: Annotated[None, ReadOnly("test_network_public_ip")] = None


class DdosSettings(WireModel):
    """DDoS protection of a public IP."""

    protection_mode: Annotated[
        Literal["VirtualNetworkInherited", "Enabled", "Disabled"] | None, ServerDefault("VirtualNetworkInherited")
    ] = None
    ddos_protection_plan: IdOnly | None = None
    ddos_custom_policy: IdOnly | None = None


class IpTag(WireModel):
    """A tag such as ``RoutingPreference``."""

    ip_tag_type: str
    tag: str
    first_party_service_tag_id: str | None = None


class PublicIpProperties(WireModel):
    """Properties of a public IP address."""

    # Recording test_network_public_ip: Dynamic, IPv4 and 4 are added. A gateway needs Static (R-PIP-01).
    public_ip_allocation_method: Annotated[
        Literal["Static", "Dynamic"] | None,
        Immutable("a public IP keeps what it was created with (R-PIP-22)"),
        ServerDefault("Dynamic"),
        Field(alias="publicIPAllocationMethod"),
    ] = None
    public_ip_address_version: Annotated[
        Literal["IPv4", "IPv6"] | None,
        Immutable("a public IP keeps what it was created with (R-PIP-22)"),
        ServerDefault("IPv4"),
        Field(alias="publicIPAddressVersion"),
    ] = None
    idle_timeout_in_minutes: Annotated[int | None, ServerDefault(4)] = None
    dns_settings: Annotated[DnsSettings | None, Block()] = None
    # Recording test_network_public_ip (2022 and later): protectionMode VirtualNetworkInherited is added.
    ddos_settings: DdosSettings | None = None
    # Terraform's azurerm_public_ip makes another address for another tag, too. One that a policy adds is not ours.
    ip_tags: Annotated[
        tuple[IpTag, ...] | None,
        Immutable("a public IP keeps what it was created with (R-PIP-22)"),
        KeyedBy("ipTagType"),
        ServerDefault([]),
    ] = None
    public_ip_prefix: Annotated[
        IdOnly | None, Immutable("a public IP keeps what it was created with (R-PIP-22)"), Field(alias="publicIPPrefix")
    ] = None
    nat_gateway: IdOnly | None = None
    delete_option: Literal["Delete", "Detach"] | None = None

    # The address is Azure's choice (R-PIP-14); known as soon as a static one exists (R-PIP-12).
    ip_address: Annotated[None, ReadOnly("test_network_public_ip; R-PIP-14")] = None
    ip_configuration: Observed = None
    upgraded_to_v2: Observed = None
    # States of the migration tools, not settings.
    migration_phase: Annotated[None, ReadOnly("R-PIP-18")] = None
    service_public_ip_address: Annotated[None, ReadOnly("R-PIP-18"), Field(alias="servicePublicIPAddress")] = None
    linked_public_ip_address: Annotated[None, ReadOnly("R-PIP-18"), Field(alias="linkedPublicIPAddress")] = None


class PublicIp(Resource):
    """A public IP address."""

    arm_type: ClassVar[str] = "Microsoft.Network/publicIPAddresses"
    kind: ClassVar[str] = "PublicIp"
    sdk: ClassVar[str] = "network.public_ip_addresses"
    durations: ClassVar[Durations] = Durations(create=3, update=3, delete=5)
    needs_replace_flag: ClassVar[bool] = True
    role: ClassVar[Role] = "public ip"
    facts: ClassVar[Mapping[str, str]] = {"ip_address": "properties.ipAddress", "zones": "zones"}
    join_action: ClassVar[str] = "Microsoft.Network/publicIPAddresses/join/action"
    keepable: ClassVar[bool] = True

    # Azure takes a body without it (recording net_VirtualNetworkGateway_CreateUpdate).
    properties: PublicIpProperties = Field(default_factory=PublicIpProperties)
    sku: Annotated[PublicIpSku | None, Immutable("a public IP keeps what it was created with (R-PIP-22)")] = None
    zones: Annotated[
        tuple[str, ...] | None, Immutable("a public IP keeps what it was created with (R-PIP-22)"), Unordered()
    ] = None
    extended_location: Annotated[ExtendedLocation | None, Immutable()] = None

    @classmethod
    def quotas(cls, document: Mapping[str, Any]) -> tuple[str, ...]:
        """By SKU, and those that are static; the SKU's name has changed (R-PIP-21)."""
        sku = str((document.get("sku") or {}).get("name") or "Basic").lower()
        names = ("publicipaddresses", f"{sku}skupublicipaddresses", f"ipv4{sku}skupublicipaddresses")
        static = (document.get("properties") or {}).get("publicIPAllocationMethod") == "Static"
        return (*names, "staticpublicipaddresses") if static else names

    @classmethod
    def lost_with(cls, document: Mapping[str, Any]) -> str:
        """Its address."""
        return str((document.get("properties") or {}).get("ipAddress") or "")
