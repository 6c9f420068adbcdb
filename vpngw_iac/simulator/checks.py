"""Checks of addresses and prefixes that several types share, with Azure's own codes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.refusal import Refusal, refuse

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_address(text: str) -> bool:
    """Whether the text is one IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def network(text: object) -> Network | None:
    """A prefix with its length written out; none when it is not one."""
    if "/" not in str(text):
        return None
    try:
        return ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return None


def check_prefixes(prefixes: Iterable[object], owner: ArmId) -> list[Network]:
    """Recorded in ``xplat_arm-network-vnet-tests-generated`` and the local gateway's twin."""
    found = []
    for prefix in prefixes:
        parsed = network(prefix)
        if parsed is None:
            raise refuse(
                "InvalidAddressPrefixFormat",
                f"Address prefix {prefix} of resource {owner} is not formatted correctly. It should follow CIDR "
                "notation, for example 10.0.0.0/24.",
            )
        found.append(parsed)
    return found


def is_inside(inner: Network, outers: Iterable[Network]) -> bool:
    """Whether a network lies in one of the others."""
    return any(inner.version == outer.version and inner.subnet_of(outer) for outer in outers)  # type: ignore[arg-type]


def overlap(first: Iterable[Network], second: Iterable[Network]) -> tuple[Network, Network] | None:
    """The first pair that overlaps."""
    others = list(second)
    return next(((a, b) for a in first for b in others if a.version == b.version and a.overlaps(b)), None)


def invalid_subnet(subnet: str, network: str) -> Refusal:
    """A subnet outside of its network's space (recordings, section (e))."""
    return refuse("NetcfgInvalidSubnet", f"Subnet '{subnet}' is not valid in virtual network '{network}'.")


def subnets_overlap(subnet: str, other: str) -> Refusal:
    """Two subnets share addresses."""
    return refuse(
        "NetcfgSubnetRangesOverlap",
        f"Subnet '{subnet}' is not valid because its IP address range overlaps with "
        f"that of an existing subnet in virtual network '{other}'.",
    )
