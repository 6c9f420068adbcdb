"""Custom IPsec/IKE policies and traffic selectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, connections, each, rule
from vpngw_iac.preflight.view.connection import Connection
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


@rule("R-IPSEC-01", "E", "Basic gateway takes no custom policy", "FAQ", "Leave ipsec out, or use VpnGw1AZ.")
@each(connections)
def basic_policy(connection: Connection) -> Iterator[str]:
    """Custom policies work on every SKU but Basic."""
    gateway = connection.gateway
    if connection.policies and gateway is not None and gateway.is_basic:
        yield f"{gateway.resource.address} has SKU Basic, which takes no custom IPsec policy."


@rule("R-IPSEC-02", "E", "More than one policy on a connection", "FAQ", "Keep the one that the device uses.")
@each(connections)
def one_policy(connection: Connection) -> Iterator[str]:
    """A connection takes exactly one policy."""
    if len(connection.policies) > 1:
        yield f"{len(connection.policies)} policies are declared; a connection takes one."


@rule(
    "R-IPSEC-03",
    "E",
    "Custom policy is incomplete",
    "FAQ, SDK",
    "Give the whole policy (all eight values), or start from IpsecPolicy.strong().",
)
@each(connections)
def whole_policy(connection: Connection) -> Iterator[Violation]:
    """All eight values are needed, and lifetimes have a minimum."""
    for policy in connection.policies:
        missing = [name for name in FIELDS if policy.get(name) is None]
        if missing:
            yield Violation(
                connection.resource, f"The policy lacks {listed(missing)}.", "Give the whole policy (all eight values)."
            )
        elif too_short := _lifetime(policy):
            yield Violation(connection.resource, too_short, "Use 27000 seconds and 102400000 KB, or leave both out.")


def _lifetime(policy: Mapping[str, Any]) -> str:
    """What is wrong with the lifetimes (at least 300 s and 1024 KB; 0 KB is not a limit)."""
    seconds, size = policy.get("saLifeTimeSeconds"), policy.get("saDataSizeKilobytes")
    if isinstance(seconds, int) and seconds < 300:
        return f"A lifetime of {seconds} seconds is below the minimum of 300."
    if isinstance(size, int) and 0 < size < 1024:
        return f"A lifetime of {size} KB is below the minimum of 1024."
    return ""


@rule("R-IPSEC-04", "E", "GCM cipher and integrity differ", "FAQ", "Use the same GCMAES for encryption and integrity.")
@each(connections)
def gcm_pair(connection: Connection) -> Iterator[Violation]:
    """With GCM encryption the integrity is the same GCM; GCM integrity needs a GCM cipher."""
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
    "F",
    "Both ends of a VNet-to-VNet pair need the same policy",
    "FAQ",
    "Give both connections the same policy.",
)
@each(connections)
def equal_policies(connection: Connection) -> Iterator[str]:
    """Both connections of a pair carry the identical policy."""
    twin = connection.twin
    if not connection.is_vnet or twin is None or connection.resource.id > twin.resource.id:
        return
    if connection.knows_policies and twin.knows_policies and _values(connection) != _values(twin):
        yield f"Its IPsec policy differs from that of {twin.resource.address}."


def _values(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(policy.get(name) for name in FIELDS) for policy in connection.policies]


@rule(
    "R-IPSEC-10",
    "E",
    "IPsec policy on an ExpressRoute connection",
    "FAQ",
    "Leave it out; to encrypt over private peering use private_ip on a site.",
)
@each(connections)
def expressroute_policy(connection: Connection) -> Iterator[str]:
    """A circuit is not encrypted by the gateway."""
    if connection.is_expressroute and connection.policies:
        yield "An ExpressRoute connection takes no IPsec policy."


@rule("R-IPSEC-11", "F", "Proposals of both ends do not meet", "FAQ, T-ERR", "Give both ends the same policy.")
@each(connections)
def groups_meet(connection: Connection) -> Iterator[str]:
    """Two of our own gateways joined through local network gateways must agree on ciphers and groups.

    Devices outside are not visible here.
    """
    twin = connection.twin
    if not connection.is_site or twin is None or connection.resource.id > twin.resource.id:
        return
    if len(connection.policies) == len(twin.policies) == 1:
        ours, theirs = connection.policies[0], twin.policies[0]
        differ = [
            name
            for name in FIELDS[2:]
            if _SAME_GROUP.get(str(ours.get(name)), ours.get(name))
            != _SAME_GROUP.get(str(theirs.get(name)), theirs.get(name))
        ]
        if differ:
            yield f"It and {twin.resource.address} propose different values of {listed(differ)} (error 13868)."


@rule(
    "R-TS-01",
    "E",
    "Policy-based selectors need a custom policy",
    "PBTS",
    "Add ipsec=IpsecPolicy.compatible() or the policy that the device uses.",
)
@each(connections)
def selectors_need_policy(connection: Connection) -> Iterator[str]:
    """The flag usePolicyBasedTrafficSelectors goes with a whole custom policy."""
    if connection.has_policy_based_selectors and not connection.policies:
        yield "Policy-based traffic selectors are on, and there is no custom IPsec policy."


@rule("R-TS-02", "F", "Policy-based selectors with IKEv1", "FAQ, PBTS", "Use IKEv2.")
@each(connections)
def selectors_need_ikev2(connection: Connection) -> Iterator[str]:
    """The device must speak IKEv2."""
    if connection.has_policy_based_selectors and connection.is_ikev1:
        yield "Policy-based traffic selectors work with IKEv2; this connection uses IKEv1."


@rule("R-TS-03", "E", "Custom selectors need policy-based selectors", "FAQ, CTS", "Set policy_based_selectors=True.")
@each(connections)
def custom_selectors(connection: Connection) -> Iterator[str]:
    """Selectors of one's own only work with usePolicyBasedTrafficSelectors."""
    if connection.selectors and connection.has_policy_based_selectors is False:
        yield "Custom traffic selectors are declared, but policy-based selectors are off."


@rule(
    "R-TS-05",
    "E",
    "Too many traffic selectors",
    "LIM, T-DISC, DEV",
    "Summarise prefixes, or join several ranges in one selector policy.",
)
@each(connections)
def selector_count(connection: Connection) -> Iterator[Violation]:
    """100 selector policies per connection; with policy-based selectors at most 200 pairs of prefixes."""
    custom = connection.selectors
    if len(custom) > limits.TRAFFIC_SELECTORS:
        yield Violation(
            connection.resource,
            f"{len(custom)} selector policies; Azure takes {limits.TRAFFIC_SELECTORS}.",
            "Join prefixes; several ranges in one policy make one security association.",
        )
    gateway = connection.gateway
    if not connection.has_policy_based_selectors or custom or gateway is None or gateway.network is None:
        return
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
