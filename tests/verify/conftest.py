"""A hub that is applied on a simulator in virtual time, up for a while, and asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vpngw_iac import Bgp, BgpPeer, IpsecPolicy, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.workspace import Workspace
from vpngw_iac.verify.verdict import SubjectVerdict, Verification

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
BERLIN = f"{NETWORK}/connections/con-berlin"
PRAGUE = f"{NETWORK}/connections/con-prague"
AN_HOUR = 3600.0
Words = dict[str, str]


def hub(**changes: Any) -> VpnGateway:
    network = VirtualNetwork(
        name="vnet-hub", location="westeurope", resource_group="rg-hub", address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )  # fmt: skip
    return VpnGateway(**{"name": "vgw-hub", "network": network, "sku": "VpnGw2AZ", "bgp": Bgp(asn=65010), **changes})


def site(name: str, number: int, **changes: Any) -> Site:
    return Site(
        **{
            "name": name,
            "public_ip": f"203.0.113.{number}",
            "prefixes": [f"192.168.{number}.0/24"],
            "shared_key": Secret.env("BERLIN_PSK"),
            "ipsec": IpsecPolicy.strong(),
            **changes,
        }
    )


def speaking(name: str, number: int, **changes: Any) -> Site:
    peer = BgpPeer(asn=65100 + number, address=f"192.168.{number}.1")
    return site(name, number, **{"bgp": peer, "prefixes": None, **changes})


class Hub:
    """The applied hub, and what is counted."""

    def __init__(self, directory: Path) -> None:
        self.clock = VirtualClock()
        self.simulator = open_simulator(SessionSettings("simulator", directory=directory), self.clock)
        self.workspace = Workspace(
            "simulator",
            directory=directory,
            environment={"BERLIN_PSK": "p" * 20},
            clock=self.clock,
            simulator=self.simulator,
        )
        self.blueprint: Any = None

    def apply(self, *sites: Site, gateway: VpnGateway | None = None, then: float = AN_HOUR) -> Hub:
        self.blueprint = SiteToSite(name="hub", gateway=gateway or hub(), sites=list(sites))
        outcome = self.workspace.apply(self.blueprint)
        assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
        self.clock.advance(then)
        return self

    def set(self, identifier: str, **values: Any) -> None:
        self.simulator.set(identifier, {name.replace("_", "-"): value for name, value in values.items()})

    def verify(self, *names: str, **options: Any) -> Verification:
        return self.workspace.verify(self.blueprint, names, **options)

    def words(self, *names: str, **options: Any) -> Words:
        return {one.name: one.word for one in self.verify(*names, **options).subjects}

    def verdict(self, name: str, *names: str, **options: Any) -> SubjectVerdict:
        return next(one for one in self.verify(*names, **options).subjects if one.name == name)

    def calls(self, work: Callable[[], object]) -> list[tuple[str, str, float]]:
        before = len(self.simulator.requests)
        work()
        return [(one.method, one.path, one.moment) for one in list(self.simulator.requests)[before:]]


@pytest.fixture
def world(tmp_path: Path) -> Hub:
    return Hub(tmp_path)
