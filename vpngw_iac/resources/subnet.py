"""Subnets, among them the one that must be called GatewaySubnet (R-SUBNET-01)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from vpngw_iac.arm import ArmId
from vpngw_iac.field import AlsoAs, Cidr, Detachable, KeyedBy, Observed, ReadOnly, ServerDefault, Unordered, Verdict
from vpngw_iac.resources.base import ChildResource, Durations, OperationLock, Role
from vpngw_iac.resources.parts import IdOnly, PoolPrefixes
from vpngw_iac.resources.virtual_network import GATEWAY_SUBNET, SUBNETS, table_of
from vpngw_iac.resources.wire import Ref, WireModel, elsewhere

if TYPE_CHECKING:
    from vpngw_iac.resources.network_security_group import NetworkSecurityGroup
    from vpngw_iac.resources.route_table import RouteTable
else:
    NetworkSecurityGroup = elsewhere("Microsoft.Network/networkSecurityGroups")
    RouteTable = elsewhere("Microsoft.Network/routeTables")


class ServiceEndpoint(WireModel):
    """A service that is reached over Azure's backbone."""

    service: str
    # None, sent as [] or not at all, leaves the choice to Azure: it fills in the region and its
    # twin (azure-libraries-for-net recording Network/CreateUpdateSubnetServiceAccess).
    locations: Annotated[tuple[str, ...] | None, AfterValidator(lambda chosen: chosen or None), Unordered()] = None
    network_identifier: IdOnly | None = None
    provisioning_state: Observed = None


class DelegationProperties(WireModel):
    """The service a subnet is delegated to."""

    service_name: str
    actions: Observed = None


class Delegation(WireModel):
    """A delegation, by name."""

    name: str
    properties: DelegationProperties


class SubnetProperties(WireModel):
    """Properties of a subnet; what is left out of a PUT is removed (R-OPS-06)."""

    # Azure shows one of the two, whichever form the last client wrote (azure-sdk-for-java issue 40562).
    address_prefix: Annotated[Cidr | None, AlsoAs("addressPrefixes")] = None
    # Several prefixes are a preview; never mixed with addressPrefix (R-SUBNET-18).
    address_prefixes: Annotated[tuple[Cidr, ...] | None, Unordered(), AlsoAs("addressPrefix")] = None
    network_security_group: Annotated[Ref[NetworkSecurityGroup] | None, Detachable()] = None
    # Put without it while the table is made again.
    route_table: Annotated[Ref[RouteTable] | None, Detachable()] = None
    nat_gateway: IdOnly | None = None
    service_endpoints: Annotated[tuple[ServiceEndpoint, ...] | None, KeyedBy("service"), ServerDefault([])] = None
    # Recording test_network_vnet: [] is added.
    delegations: Annotated[tuple[Delegation, ...] | None, KeyedBy("name"), ServerDefault([])] = None
    # Recording test_network_vnet: "Disabled" and "Enabled" are added.
    private_endpoint_network_policies: Annotated[
        Literal["Enabled", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled"] | None,
        ServerDefault("Disabled"),
    ] = None
    private_link_service_network_policies: Annotated[
        Literal["Enabled", "Disabled"] | None, ServerDefault("Enabled")
    ] = None
    default_outbound_access: bool | None = None
    sharing_scope: Literal["Tenant", "DelegatedServices"] | None = None
    service_endpoint_policies: Annotated[tuple[IdOnly, ...] | None, Unordered(), ServerDefault([])] = None
    service_gateway: IdOnly | None = None
    ip_allocations: Annotated[tuple[IdOnly, ...] | None, Unordered(), ServerDefault([])] = None
    # Recording test_network_vnet (answers of 2024): [] is added.
    ipam_pool_prefix_allocations: Annotated[tuple[PoolPrefixes, ...] | None, Unordered(), ServerDefault([])] = None

    # Appears once a gateway exists, in another casing, and must not be sent back (R-SUBNET-19).
    ip_configurations: Observed = None
    ip_configuration_profiles: Observed = None
    private_endpoints: Observed = None
    resource_navigation_links: Observed = None
    service_association_links: Observed = None
    purpose: Observed = None
    subnet_id: Annotated[None, ReadOnly("java_testManageVpnGatewaySite2SiteConnection"), Field(alias="subnetID")] = None


class Subnet(ChildResource):
    """A subnet of a virtual network, put as a child so that its neighbours are never touched (R-SUBNET-19)."""

    arm_type: ClassVar[str] = SUBNETS
    kind: ClassVar[str] = "Subnet"
    sdk: ClassVar[str] = "network.subnets"
    durations: ClassVar[Durations] = Durations(create=2, update=2, delete=5)
    # Under the same etag both are equal (recording ``test_network_virtual_hub_router_scenario``).
    shown_in_parent: ClassVar[str] = "properties.subnets"
    role: ClassVar[Role] = "subnet"
    join_action: ClassVar[str] = f"{SUBNETS}/join/action"

    properties: SubnetProperties

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Writes to subnets of one network are refused while another (R-OPS-02) or its route table is written.

        https://github.com/hashicorp/terraform/pull/13791
        """
        return (*super().locks(resource_id, body, verb), *(OperationLock(table.key) for table in table_of(body)))

    @classmethod
    def looks_at(
        cls, resource_id: ArmId, document: Mapping[str, Any], said: Literal["declared", "applied", "observed"]
    ) -> Iterator[ArmId]:
        """The route table that it declares, and that of a GatewaySubnet: some stop a gateway (R-SUBNET-11 to 16)."""
        if said == "declared" or (said == "observed" and cls.must_be_named(resource_id)):
            yield from table_of(document)

    @classmethod
    def must_be_named(cls, resource_id: ArmId) -> bool:
        """Replacing the GatewaySubnet rebuilds every gateway in it."""
        return resource_id.name.lower() == GATEWAY_SUBNET.lower()

    @classmethod
    def judge(cls, declared: Mapping[str, Any], observed: Mapping[str, Any]) -> Verdict:
        """The prefix of a subnet in use cannot change (R-SUBNET-17); another can be added to it (R-SUBNET-18)."""
        now, wanted = _prefixes(observed), _prefixes(declared)
        users = (observed.get("properties") or {}).get("ipConfigurations") or ()
        if not now or not wanted or now <= wanted or not users:
            return Verdict("in place")
        if (
            any(map(_is_ipv6, now))
            and not any(map(_is_ipv6, wanted))
            and any("/virtualnetworkgateways/" in str(user.get("id")).lower() for user in users)
        ):
            return Verdict(
                "impossible",
                "A gateway that is dual stack cannot go back to IPv4 alone (R-V6-02). Keep the IPv6 prefix, or remove "
                "the gateway first and declare a new one afterwards.",
            )
        return Verdict(
            "replace",
            f"{', '.join(sorted(now))} is in use, and the prefix of a subnet in use cannot change (R-SUBNET-17). "
            "What stands in it is deleted first and built again afterwards.",
            "minutes",
        )


def _is_ipv6(prefix: str) -> bool:
    return ":" in prefix


def _prefixes(document: Mapping[str, Any]) -> frozenset[str]:
    """The prefixes of a subnet, in whichever of the two forms they are said."""
    properties = document.get("properties") or {}
    several = properties.get("addressPrefixes") or (properties.get("addressPrefix"),)
    return frozenset(prefix for prefix in several if prefix)
