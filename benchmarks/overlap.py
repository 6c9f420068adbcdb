"""Address plans: how judging a file grows with the number of prefixes.

One hub whose sites announce many prefixes, all apart; then all equal; then each inside the next. Prints seconds for
finding the overlaps alone and for all rules together, and how both grow from one size to the next: a ratio near the
growth of the size means that nobody compares every pair.

Usage: ``python benchmarks/overlap.py [PREFIXES ...]`` (default 1000 10000 100000).
"""

from __future__ import annotations

import ipaddress
import sys
import time
from collections.abc import Callable, Iterator

from vpngw_iac import IpsecPolicy, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.arm import Scope
from vpngw_iac.preflight import check
from vpngw_iac.preflight.prefixes import Network, Span, network, overlaps

SCOPE = Scope("00000000-0000-0000-0000-000000000000", resource_group="rg-hub")
PER_SITE = 1000
"""A local network gateway takes a thousand prefixes (R-LNG-05)."""


def apart(number: int) -> Iterator[str]:
    """Neighbours that never meet."""
    start = int(ipaddress.IPv4Address("20.0.0.0"))
    return (f"{ipaddress.IPv4Address(start + 256 * n)}/24" for n in range(number))


def equal(number: int) -> Iterator[str]:
    """The worst case for whoever compares pairs."""
    return ("20.0.0.0/24" for _ in range(number))


def nested(number: int) -> Iterator[str]:
    """Chains of prefixes of which each lies in the one before."""
    start = int(ipaddress.IPv4Address("20.0.0.0"))
    for n in range(number):
        yield f"{ipaddress.IPv4Address(start + (n // 16) * 65536)}/{16 + n % 16}"


SHAPES: tuple[Callable[[int], Iterator[str]], ...] = (apart, equal, nested)


def hub(prefixes: list[str]) -> SiteToSite:
    """The prefixes as sites of one gateway."""
    where = VirtualNetwork(
        name="vnet-hub",
        location="westeurope",
        resource_group="rg-hub",
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    parts = [prefixes[n : n + PER_SITE] for n in range(0, len(prefixes), PER_SITE)]
    sites = [
        Site(
            name=f"site-{n}",
            public_ip=f"203.{n // 250}.113.{n % 250 + 1}",
            prefixes=part,
            shared_key=Secret.env("PSK"),
            ipsec=IpsecPolicy.strong(),
        )
        for n, part in enumerate(parts)
    ]
    return SiteToSite(name="hub", gateway=VpnGateway(name="vgw-hub", network=where, sku="VpnGw4AZ"), sites=sites)


def best(work: Callable[[], object], times: int = 3) -> float:
    """The shortest of several runs, in seconds."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def measure(prefixes: list[str]) -> tuple[float, float, int]:
    """Seconds for overlaps alone and for all rules, and how many findings that gave."""
    known: list[Network] = [found for text in prefixes if (found := network(text)) is not None]
    spans = [Span(prefix, index // PER_SITE) for index, prefix in enumerate(known)]
    items = hub(prefixes).resources(SCOPE)
    alone = best(lambda: sum(1 for _ in overlaps(spans, lambda one, other: one != other)))
    findings = check(items)
    return alone, best(lambda: check(items)), len(findings)


def main() -> None:
    """Measure each shape at each size; the first call of `check` loads the rules."""
    check([])
    sizes = [int(argument) for argument in sys.argv[1:]] or [1000, 10_000, 100_000]
    print(
        f"{'shape':8} {'prefixes':>9} {'growth':>7} {'overlaps':>9} {'ratio':>6} {'rules':>9} {'ratio':>6} {'found':>7}"
    )
    for shape in SHAPES:
        last: tuple[int, float, float] | None = None
        for size in sizes:
            alone, whole, found = measure(list(shape(size)))
            grown = [f"{now / before:.1f}" for now, before in zip((size, alone, whole), last or (), strict=False)]
            one, two, three = grown or ("", "", "")
            row = (shape.__name__, size, one, alone, two, whole, three, found)
            print("{:8} {:9d} {:>7} {:9.3f} {:>6} {:9.3f} {:>6} {:7d}".format(*row), flush=True)
            last = (size, alone, whole)


if __name__ == "__main__":
    main()
