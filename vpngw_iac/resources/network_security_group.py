"""Network security groups with their rules inside. A GatewaySubnet should have none (R-SUBNET-10).

Evidence: REST reference "Network Security Groups", "Security Rules".
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from vpngw_iac.field import KeyedBy, Observed, Outage, ServerDefault, Unordered
from vpngw_iac.resources.base import Durations, Resource
from vpngw_iac.resources.parts import IdOnly
from vpngw_iac.resources.wire import WireModel

_FILTERED = Outage("none", source="Network security groups")


class SecurityRuleProperties(WireModel):
    """What a rule is about; one prefix or port range stands in the singular, several in the plural."""

    description: str | None = None
    protocol: Annotated[Literal["Tcp", "Udp", "Icmp", "Esp", "*", "Ah"], _FILTERED]
    source_port_range: str | None = None
    source_port_ranges: Annotated[tuple[str, ...] | None, Unordered(), ServerDefault([])] = None
    destination_port_range: str | None = None
    destination_port_ranges: Annotated[tuple[str, ...] | None, Unordered(), ServerDefault([])] = None
    source_address_prefix: str | None = None
    source_address_prefixes: Annotated[tuple[str, ...] | None, Unordered(), ServerDefault([])] = None
    destination_address_prefix: str | None = None
    destination_address_prefixes: Annotated[tuple[str, ...] | None, Unordered(), ServerDefault([])] = None
    source_application_security_groups: Annotated[tuple[IdOnly, ...] | None, Unordered()] = None
    destination_application_security_groups: Annotated[tuple[IdOnly, ...] | None, Unordered()] = None
    access: Annotated[Literal["Allow", "Deny"], _FILTERED]
    priority: int
    direction: Literal["Inbound", "Outbound"]


class SecurityRule(WireModel):
    """A rule, by name."""

    name: str
    properties: SecurityRuleProperties


class NetworkSecurityGroupProperties(WireModel):
    """Properties of a security group. Rules that somebody else added survive."""

    security_rules: Annotated[tuple[SecurityRule, ...] | None, KeyedBy("name"), ServerDefault([])] = None
    flush_connection: bool | None = None

    default_security_rules: Observed = None
    network_interfaces: Observed = None
    subnets: Observed = None
    flow_logs: Observed = None


class NetworkSecurityGroup(Resource):
    """A network security group; the subnets that use it name it."""

    arm_type: ClassVar[str] = "Microsoft.Network/networkSecurityGroups"
    kind: ClassVar[str] = "SecurityGroup"
    sdk: ClassVar[str] = "network.network_security_groups"
    durations: ClassVar[Durations] = Durations(create=5, update=5, delete=10)
    # A subnet takes another group in place, so a renamed one is made before the old one goes.
    may_coexist: ClassVar[bool] = True
    security_paths: ClassVar[tuple[str, ...]] = ("securityRules",)
    join_action: ClassVar[str] = "Microsoft.Network/networkSecurityGroups/join/action"

    properties: NetworkSecurityGroupProperties

    @classmethod
    def quotas(cls, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Security groups of the subscription in the region."""
        return ("networksecuritygroups",)
