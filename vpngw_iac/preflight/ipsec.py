"""Custom IPsec/IKE policies and traffic selectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

FIELDS = (
    "saLifeTimeSeconds",
    "saDataSizeKilobytes",
    "ipsecEncryption",
    "ipsecIntegrity",
    "ikeEncryption",
    "ikeIntegrity",
    "dhGroup",
    "pfsGroup",
)
_SAME_GROUP = {
    "DHGroup1": "1", "PFS1": "1", "DHGroup2": "2", "PFS2": "2", "DHGroup14": "14", "DHGroup2048": "14",
    "PFS2048": "14", "PFS14": "14", "ECP256": "19", "ECP384": "20", "DHGroup24": "24", "PFS24": "24",
}  # fmt: skip


@rule(
    "R-IPSEC-01",
    level="E",
    title="Basic gateway takes no custom policy",
    source="FAQ",
    fix="Leave ipsec out, or use VpnGw1AZ.",
)
def basic_policy(topology: TopologyView) -> Iterator[Violation]:
    """Custom policies work on every SKU but Basic."""
    for connection in topology.connections:
        gateway = connection.gateway
        if connection.policies and gateway is not None and gateway.is_basic:
            yield Violation(
                connection.resource, f"{gateway.resource.address} has SKU Basic, which takes no custom IPsec policy."
            )


@rule(
    "R-IPSEC-02",
    level="E",
    title="More than one policy on a connection",
    source="FAQ",
    fix="Keep the one that the device uses.",
)
def one_policy(topology: TopologyView) -> Iterator[Violation]:
    """A connection takes exactly one policy."""
    for connection in topology.connections:
        if len(connection.policies) > 1:
            yield Violation(
                connection.resource, f"{len(connection.policies)} policies are declared; a connection takes one."
            )


@rule(
    "R-IPSEC-03",
    level="E",
    title="Custom policy is incomplete",
    source="FAQ, SDK",
    fix="Give the whole policy (all eight values), or start from IpsecPolicy.strong().",
)
def whole_policy(topology: TopologyView) -> Iterator[Violation]:
    """All eight values are needed, and lifetimes have a minimum."""
    for connection in topology.connections:
        for policy in connection.policies:
            missing = [name for name in FIELDS if policy.get(name) is None]
            if missing:
                yield Violation(
                    connection.resource,
                    f"The policy lacks {listed(missing)}.",
                    "Give the whole policy (all eight values).",
                )
            elif too_short := _lifetime(policy):
                yield Violation(
                    connection.resource, too_short, "Use 27000 seconds and 102400000 KB, or leave both out."
                )


def _lifetime(policy: Mapping[str, Any]) -> str:
    """What is wrong with the lifetimes (at least 300 s and 1024 KB; 0 KB is not a limit)."""
    seconds, size = policy.get("saLifeTimeSeconds"), policy.get("saDataSizeKilobytes")
    if isinstance(seconds, int) and seconds < 300:
        return f"A lifetime of {seconds} seconds is below the minimum of 300."
    if isinstance(size, int) and 0 < size < 1024:
        return f"A lifetime of {size} KB is below the minimum of 1024."
    return ""


@rule(
    "R-IPSEC-04",
    level="E",
    title="GCM cipher and integrity differ",
    source="FAQ",
    fix="Use the same GCMAES for encryption and integrity.",
)
def gcm_pair(topology: TopologyView) -> Iterator[Violation]:
    """With GCM encryption the integrity is the same GCM; GCM integrity needs a GCM cipher."""
    for connection in topology.connections:
        for policy in connection.policies:
            cipher, integrity = str(policy.get("ipsecEncryption")), str(policy.get("ipsecIntegrity"))
            if "GCM" in cipher + integrity and cipher != integrity:
                right = cipher if cipher.startswith("GCM") else "SHA256"
                yield Violation(
                    connection.resource,
                    f"IPsec encryption {cipher} with integrity {integrity}.",
                    f"Use ipsec_integrity={right}.",
                )


@rule(
    "R-IPSEC-06",
    level="F",
    title="Both ends of a VNet-to-VNet pair need the same policy",
    source="FAQ",
    fix="Give both connections the same policy.",
)
def equal_policies(topology: TopologyView) -> Iterator[Violation]:
    """Both connections of a pair carry the identical policy."""
    for connection in topology.connections:
        twin = connection.twin
        if not connection.is_vnet or twin is None or connection.resource.id > twin.resource.id:
            continue
        if connection.knows_policies and twin.knows_policies and _values(connection) != _values(twin):
            yield Violation(connection.resource, f"Its IPsec policy differs from that of {twin.resource.address}.")


def _values(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(policy.get(name) for name in FIELDS) for policy in connection.policies]


@rule(
    "R-IPSEC-10",
    level="E",
    title="IPsec policy on an ExpressRoute connection",
    source="FAQ",
    fix="Leave it out; to encrypt over private peering use private_ip on a site.",
)
def expressroute_policy(topology: TopologyView) -> Iterator[Violation]:
    """A circuit is not encrypted by the gateway."""
    for connection in topology.connections:
        if connection.is_expressroute and connection.policies:
            yield Violation(connection.resource, "An ExpressRoute connection takes no IPsec policy.")


@rule(
    "R-IPSEC-11",
    level="F",
    title="Proposals of both ends do not meet",
    source="FAQ, T-ERR",
    fix="Give both ends the same policy.",
)
def groups_meet(topology: TopologyView) -> Iterator[Violation]:
    """Two of our own gateways joined through local network gateways must agree on ciphers and groups.

    Devices outside are not visible here.
    """
    for connection in topology.connections:
        twin = connection.twin
        if not connection.is_site or twin is None or connection.resource.id > twin.resource.id:
            continue
        if len(connection.policies) == len(twin.policies) == 1:
            ours, theirs = connection.policies[0], twin.policies[0]
            differ = [
                name
                for name in FIELDS[2:]
                if _SAME_GROUP.get(str(ours.get(name)), ours.get(name))
                != _SAME_GROUP.get(str(theirs.get(name)), theirs.get(name))
            ]
            if differ:
                yield Violation(
                    connection.resource,
                    f"It and {twin.resource.address} propose different values of {listed(differ)} (error 13868).",
                )


@rule(
    "R-TS-01",
    level="E",
    title="Policy-based selectors need a custom policy",
    source="PBTS",
    fix="Add ipsec=IpsecPolicy.compatible() or the policy that the device uses.",
)
def selectors_need_policy(topology: TopologyView) -> Iterator[Violation]:
    """The flag usePolicyBasedTrafficSelectors goes with a whole custom policy."""
    for connection in topology.connections:
        if connection.has_policy_based_selectors and not connection.policies:
            yield Violation(
                connection.resource, "Policy-based traffic selectors are on, and there is no custom IPsec policy."
            )


@rule("R-TS-02", level="F", title="Policy-based selectors with IKEv1", source="FAQ, PBTS", fix="Use IKEv2.")
def selectors_need_ikev2(topology: TopologyView) -> Iterator[Violation]:
    """The device must speak IKEv2."""
    for connection in topology.connections:
        if connection.has_policy_based_selectors and connection.is_ikev1:
            yield Violation(
                connection.resource, "Policy-based traffic selectors work with IKEv2; this connection uses IKEv1."
            )


@rule(
    "R-TS-03",
    level="E",
    title="Custom selectors need policy-based selectors",
    source="FAQ, CTS",
    fix="Set policy_based_selectors=True.",
)
def custom_selectors(topology: TopologyView) -> Iterator[Violation]:
    """Selectors of one's own only work with usePolicyBasedTrafficSelectors."""
    for connection in topology.connections:
        if connection.selectors and connection.has_policy_based_selectors is False:
            yield Violation(
                connection.resource, "Custom traffic selectors are declared, but policy-based selectors are off."
            )


@rule(
    "R-TS-05",
    level="E",
    title="Too many traffic selectors",
    source="LIM, T-DISC, DEV",
    fix="Summarise prefixes, or join several ranges in one selector policy.",
)
def selector_count(topology: TopologyView) -> Iterator[Violation]:
    """100 selector policies per connection; with policy-based selectors at most 200 pairs of prefixes."""
    for connection in topology.connections:
        custom = connection.selectors
        if len(custom) > limits.TRAFFIC_SELECTORS:
            yield Violation(
                connection.resource,
                f"{len(custom)} selector policies; Azure takes {limits.TRAFFIC_SELECTORS}.",
                "Join prefixes; several ranges in one policy make one security association.",
            )
        gateway = connection.gateway
        if not connection.has_policy_based_selectors or custom or gateway is None or gateway.network is None:
            continue
        pairs = len(gateway.network.prefixes) * len(connection.prefixes)
        if pairs > limits.SA_PAIRS_WARN:
            yield Violation(
                connection.resource,
                f"{len(gateway.network.prefixes)} prefixes of the network times {len(connection.prefixes)} of the site "
                f"make {pairs} security associations; "
                + (f"the limit is {limits.SA_PAIRS}." if pairs > limits.SA_PAIRS else "many devices take 100."),
                "Summarise prefixes.",
                "error" if pairs > limits.SA_PAIRS else "warning",
            )
