"""Address arithmetic for preflight and verify: parse, classify, and find overlaps without comparing every pair.

Knows numbers only: no resource, no rule. What may overlap what is decided by those who ask.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, Literal, TypeVar

from vpngw_iac.late_dataclass import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Relation = Literal["equal", "inside", "contains"]

Owner = TypeVar("Owner", bound=Hashable)

_NOT_PUBLIC = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)
"""What can never be the internet address of a device. The documentation ranges (192.0.2.0/24 and the like) are not
here, although Python calls them private: every example in the world is written with them."""

_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))

APIPA = ipaddress.IPv4Network("169.254.0.0/16")
_AZURE_APIPA = (int(ipaddress.IPv4Address("169.254.21.0")), int(ipaddress.IPv4Address("169.254.22.255")))


def network(text: object) -> Network | None:
    """The prefix, or None if the text is not one; one address counts as a prefix of its full length."""
    if not isinstance(text, str):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def networks(texts: Iterable[object]) -> tuple[Network, ...]:
    """Those of the texts that are prefixes."""
    return tuple(found for text in texts if (found := network(text)) is not None)


def address(text: object) -> Address | None:
    """The address, or None if the text is not one."""
    if not isinstance(text, str):
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_public(value: Address) -> bool:
    """Whether a device on the internet can have this IPv4 address."""
    return isinstance(value, ipaddress.IPv4Address) and not any(value in block for block in _NOT_PUBLIC)


def is_private(value: Network) -> bool:
    """Whether a prefix lies in the private ranges of RFC 1918 or, of IPv6, of RFC 4193."""
    return is_within(value, _PRIVATE)


def is_apipa(value: Address) -> bool:
    """Whether an address is link-local (169.254.0.0/16)."""
    return isinstance(value, ipaddress.IPv4Address) and value in APIPA


def is_azure_apipa(value: Address) -> bool:
    """Whether a gateway takes this link-local address: 169.254.21.0 to 169.254.22.255 (R-BGP-08)."""
    return isinstance(value, ipaddress.IPv4Address) and _AZURE_APIPA[0] <= int(value) <= _AZURE_APIPA[1]


def is_within(value: Address | Network, blocks: Iterable[Network]) -> bool:
    """Whether an address or a prefix lies wholly in one of the blocks."""
    if isinstance(value, Address):
        return any(value.version == block.version and value in block for block in blocks)
    return any(relation(value, block) in ("equal", "inside") for block in blocks)


def relation(one: Network, other: Network) -> Relation | None:
    """How the first prefix lies to the second; prefixes nest or are disjoint, there is nothing else."""
    if one.version != other.version:
        return None
    shift = one.max_prefixlen - min(one.prefixlen, other.prefixlen)
    if int(one.network_address) >> shift != int(other.network_address) >> shift:
        return None
    if one.prefixlen == other.prefixlen:
        return "equal"
    return "inside" if one.prefixlen > other.prefixlen else "contains"


def shifted(prefix: Network, source: Network, target: Network) -> Network:
    """Where a prefix inside `source` lands under NAT; a pool of another size takes it wherever it likes."""
    if source.prefixlen != target.prefixlen or source.version != target.version:
        return target
    start = int(target.network_address) + int(prefix.network_address) - int(source.network_address)
    return type(target)((start, prefix.prefixlen))


@dataclass(frozen=True, slots=True)
class Span(Generic[Owner]):
    """A prefix and whose it is."""

    prefix: Network
    owner: Owner


def overlaps(
    spans: Iterable[Span[Owner]], conflicts: Callable[[Owner, Owner], bool]
) -> Iterator[tuple[Span[Owner], Span[Owner]]]:
    """Pairs (inner, outer) of conflicting owners whose prefixes overlap; of equal prefixes the first given is outer.

    Each prefix is told once, with the closest enclosing one of a conflicting owner: one sort and one pass, so that
    ten thousand prefixes take a moment, and ten thousand equal ones do not make fifty million pairs.
    """
    enclosing: list[Span[Owner]] = []
    for span in sorted(dict.fromkeys(spans), key=_order):
        while enclosing and relation(span.prefix, enclosing[-1].prefix) not in ("equal", "inside"):
            enclosing.pop()
        outer = next((other for other in reversed(enclosing) if conflicts(span.owner, other.owner)), None)
        if outer is not None:
            yield span, outer
        if outer is None or span.prefix != enclosing[-1].prefix:
            enclosing.append(span)


def _order(span: Span[Owner]) -> tuple[int, int, int]:
    prefix = span.prefix
    return prefix.version, int(prefix.network_address), prefix.prefixlen
