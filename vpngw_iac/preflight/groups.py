"""User groups of point-to-site. Their pools are in `overlap` (R-UG-04)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, each, rule, vpn_gateways
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import arm_id
from vpngw_iac.text import listed


def _uses(gateway: Gateway) -> Counter[str]:
    """How many client configurations use each group, by its name in lower case."""
    found: Counter[str] = Counter()
    for item in gateway.group_pools:
        refs = value_at(item, "properties.virtualNetworkGatewayPolicyGroups")
        ids = (arm_id(ref) for ref in refs) if isinstance(refs, list | tuple) else ()
        found.update(resource_id.name.lower() for resource_id in ids if resource_id is not None)
    return found


@rule("R-UG-01", "E", "Gateway cannot have user groups", "UG, NEW", "Use VpnGw1AZ with OpenVPN or IKEv2.")
@each(vpn_gateways)
def groups_sku(gateway: Gateway) -> Iterator[str]:
    """Not on Basic, not with SSTP."""
    if not gateway.user_groups:
        return
    if gateway.is_basic or "sstp" in gateway.protocols:
        why = "SKU Basic" if gateway.is_basic else "SSTP"
        yield f"User groups do not work with {why}."


@rule(
    "R-UG-02", "E", "Too many user groups or members", "UG", "Join groups, or use groups of your directory as members."
)
@each(vpn_gateways)
def group_count(gateway: Gateway) -> Iterator[str]:
    """90 groups and 390 members; a group counts once for every configuration that uses it."""
    groups, uses = gateway.user_groups, _uses(gateway)
    number = sum(max(uses[str(group.get("name")).lower()], 1) for group in groups)
    members = sum(len(_members(group)) for group in groups)
    if number > limits.GROUPS or members > limits.GROUP_MEMBERS:
        yield f"{number} groups with {members} members; a gateway takes {limits.GROUPS} and {limits.GROUP_MEMBERS}."


def _members(group: Mapping[str, Any]) -> tuple[Any, ...]:
    found = value_at(group, "properties.policyMembers")
    return tuple(found) if isinstance(found, list | tuple) else ()


@rule(
    "R-UG-03",
    "E",
    "User groups are ambiguous",
    "UG",
    "Give each group its own name, and mark exactly one with default=True.",
)
@each(vpn_gateways)
def one_default(gateway: Gateway) -> Iterator[Violation]:
    """Distinct names, distinct priorities, and exactly one default group."""
    groups = gateway.user_groups
    names = Counter(str(group.get("name")).lower() for group in groups)
    twice = sorted(name for name, number in names.items() if number > 1)
    defaults = [str(group.get("name")) for group in groups if value_at(group, "properties.isDefault") is True]
    if twice:
        yield Violation(gateway.resource, f"Two groups are called {listed(twice)}.", "Give each group its own name.")
    if groups and len(defaults) != 1:
        said = f"{listed(defaults)} are all the default group" if defaults else "no group is the default"
        yield Violation(gateway.resource, f"{said[0].upper()}{said[1:]}.", "Mark exactly one group with default=True.")
    told = [value_at(group, "properties.priority") for group in groups]
    ranks = Counter(rank for rank in told if isinstance(rank, int))
    shared = sorted(rank for rank, number in ranks.items() if number > 1)
    if shared:
        yield Violation(
            gateway.resource,
            f"Several groups have the priority {listed(shared)}; who belongs to two of them may land in either.",
            "Give each group a priority of its own; the lowest number wins.",
            "warning",
        )


_SIGN_IN_OF = {
    "AADGroupId": ("aad", "Microsoft Entra ID"),
    "CertificateGroupId": ("certificate", "certificates"),
    "RadiusAzureGroupId": ("radius", "RADIUS"),
}


@rule(
    "R-UG-06",
    "I",
    "Members of a user group cannot sign in",
    "UG, SDK",
    "Add that way to sign in, or take those members out of the group.",
)
@each(vpn_gateways)
def members_sign_in(gateway: Gateway) -> Iterator[Violation]:
    """Entra groups come with Entra ID, domains with certificates, RADIUS values with RADIUS; others never match."""
    for group in gateway.user_groups if gateway.sign_ins else ():
        kinds = {str(value_at(member, "attributeType")) for member in _members(group)}
        lost = sorted(
            said for kind, (way, said) in _SIGN_IN_OF.items() if kind in kinds - {""} and way not in gateway.sign_ins
        )
        if lost:
            yield Violation(
                gateway.resource,
                f"The group {group.get('name')} has members who sign in with {listed(lost)}, which is not offered.",
                level="warning",
            )
