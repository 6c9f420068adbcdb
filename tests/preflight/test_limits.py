"""`validate` and `plan` refuse at the same number: just over each limit, and not at it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from vpngw_iac import (
    Bgp,
    BgpPeer,
    IpsecPolicy,
    Nat,
    Secret,
    Site,
    SiteToSite,
    TrafficSelector,
    VirtualNetwork,
    VpnGateway,
    Workspace,
)


def _networks(first: str, number: int, bits: int) -> list[str]:
    """So many networks of equal size, one after the other."""
    return [f"{ip_address(first) + (i << (32 - bits))}/{bits}" for i in range(number)]


def _site(index: int = 0, **fields: Any) -> Site:
    usual = {"name": f"s{index}", "public_ip": f"{ip_address('20.0.0.5') + 256 * index}", "ipsec": IpsecPolicy.strong()}
    usual |= {"prefixes": [f"{ip_address('172.16.0.0') + 256 * index}/24"], "shared_key": Secret.env("PSK")}
    return Site(**(usual | fields))


def _hub(*sites: Site, sku: str = "VpnGw2AZ", space: list[str] | None = None, **fields: Any) -> SiteToSite:
    network = VirtualNetwork(
        name="vnet", location="westeurope", resource_group="rg", address_space=["10.1.0.0/16", *(space or ())],
        gateway_subnet="10.1.255.0/26",
    )  # fmt: skip
    return SiteToSite(name="case", gateway=VpnGateway(name="vgw", network=network, sku=sku, **fields), sites=sites)


def _rules(number: int) -> list[Nat]:
    pairs = zip(_networks("10.1.0.0", number, 28), _networks("100.64.0.0", number, 28), strict=True)
    return [Nat.egress(f"r{i}", *pair) for i, pair in enumerate(pairs)]


def _speakers(number: int) -> list[Site]:
    peers = [(f"{ip_address('169.254.21.2') + 4 * i}", f"{ip_address('169.254.21.1') + 4 * i}") for i in range(number)]
    return [
        _site(i, prefixes=None, bgp=BgpPeer(asn=65100 + i, address=theirs, azure_address=ours))
        for i, (theirs, ours) in enumerate(peers)
    ]


def _selected(prefixes: list[str], **fields: Any) -> SiteToSite:
    return _hub(_site(prefixes=prefixes, policy_based_selectors=True, **fields))


LIMITS: dict[str, tuple[str, int, Callable[[int], SiteToSite]]] = {
    "connections of VpnGw1AZ": ("R-SKU-13", 30, lambda n: _hub(*map(_site, range(n)), sku="VpnGw1AZ")),
    "connections of VpnGw4AZ": ("R-SKU-13", 100, lambda n: _hub(*map(_site, range(n)), sku="VpnGw4AZ")),
    "connections of Basic": ("R-SKU-13", 10, lambda n: _hub(*(_site(i, ipsec=None) for i in range(n)), sku="Basic")),
    "prefixes of a site": ("R-LNG-05", 1000, lambda n: _hub(_site(prefixes=_networks("172.16.0.0", n, 24)))),
    "prefixes of a network": ("R-BGP-13", 600, lambda n: _hub(_site(), space=_networks("11.0.0.0", n - 1, 24))),
    "NAT rules": ("R-NAT-03", 500, lambda n: _hub(_site(nat=_rules(n)))),
    "APIPA addresses": (
        "R-BGP-08", 32, lambda n: _hub(*_speakers(n), sku="VpnGw4AZ", bgp=Bgp(asn=65010))
    ),
    "selector policies": (
        "R-TS-05",
        100,
        lambda n: _selected(
            _networks("172.16.0.0", n, 24),
            traffic_selectors=[
                TrafficSelector(local=["10.1.0.0/16"], remote=[p]) for p in _networks("172.16.0.0", n, 24)
            ],
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "limit", "made"), LIMITS.values(), ids=LIMITS.keys())
def test_validate_and_plan_agree_on_a_limit(
    rule: str, limit: int, made: Callable[[int], SiteToSite], tmp_path: Path
) -> None:
    workspace = Workspace("simulator", directory=tmp_path, environment={"PSK": "Abcdefgh1234567890AbcdefGH12"})

    for number in (limit, limit + 1):
        blueprint = made(number)
        told = [
            {(f.rule, f.level) for f in findings if f.level != "info"}
            for findings in (workspace.validate(blueprint).findings, workspace.plan(blueprint).findings)
        ]
        assert told[0] == told[1]
        assert (rule in {name for name, _ in told[0]}) == (number > limit)
