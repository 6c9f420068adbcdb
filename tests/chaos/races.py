"""Two operators who press Enter at the same moment: one works, the other is told who does."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.processes import Operator, Running, Served, Start

BLUEPRINT = """
import os
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-hub", location="westeurope", resource_group="rg-hub", address_space=["10.1.0.0/16"],
    gateway_subnet="10.1.255.0/27", tags={"round": os.environ["ROUND"]},
)
gateway = VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ")
key = Secret.env("BERLIN_PSK")
berlin = Site(name="berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"], shared_key=key)
blueprint = SiteToSite(name="hub", gateway=gateway, sites=[berlin])
"""
"""Each round changes one tag."""

STALE = "Stale lock of "


@dataclass
class Race:
    """One deployment, and two operators with one state."""

    served: Served
    start: Start
    folder: Path
    state: str = ""
    """URL of the state; a file beside the blueprint if empty."""
    variables: dict[str, str] = field(default_factory=dict)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "hub.py").write_text(BLUEPRINT)
        self.ada, self.bob = (self._operator(name) for name in ("ada", "bob"))
        self.bob.subscription = self.ada.subscription
        self._next_round()
        self.ada.run(*self._apply(), code=0)

    def _operator(self, name: str) -> Operator:
        operator = Operator(self.served, self.start, self.folder, extra=self.variables | {"GITHUB_ACTOR": name})
        operator.name = name
        return operator

    def _apply(self) -> list[str]:
        return ["apply", "hub.py", "--yes", *(["--state", self.state] if self.state else [])]

    def _next_round(self) -> None:
        self.rounds += 1
        for operator in (self.ada, self.bob):
            operator.extra["ROUND"] = str(self.rounds)

    def race(self) -> str:
        """Both at once. Returns who won; asserts that the other was told so, and that one tag was set once.

        On a busy machine one may have ended before the other begins: then that one finds nothing to do, and they race
        again.
        """
        while True:
            self._next_round()
            before = self._writes()
            runs = {"ada": self.ada.begin(*self._apply()), "bob": self.bob.begin(*self._apply())}
            codes = {name: run.wait() for name, run in runs.items()}
            if set(codes.values()) != {0}:
                break
            self._check_one_after_the_other(runs, self._writes() - before)
        assert Counter(codes.values()) == Counter({0: 1, 7: 1}), {n: (codes[n], r.said) for n, r in runs.items()}
        winner, loser = sorted(codes, key=lambda name: codes[name])
        self._check_told(runs[loser], winner, runs[winner].command.pid)
        assert self._writes() - before == Counter({"PATCH": 1})
        return winner

    def die_with_the_lock(self) -> Running:
        """Ada is killed while she holds the lock."""
        self._next_round()
        doomed = self.ada.begin(*self._apply())
        doomed.wait_for("started")
        os.kill(doomed.command.pid, signal.SIGKILL)
        doomed.wait()
        return doomed

    def succeed(self, patience: float) -> tuple[float, list[str]]:
        """Bob tries until he may; returns how long that took and what he was told meanwhile."""
        began, told = time.monotonic(), []
        while True:
            run = self.bob.run(*self._apply())
            if run.code == 0:
                return time.monotonic() - began, [*told, run.said]
            assert run.code == 7, run.said
            told.append(run.said)
            assert time.monotonic() - began < patience, run.said
            time.sleep(1.0)

    def _check_one_after_the_other(self, runs: dict[str, Running], writes: Counter[str]) -> None:
        told = {name: run.said for name, run in runs.items()}
        assert writes == Counter({"PATCH": 1}), told
        assert sum("hub: 0 operations" in said for said in told.values()) == 1, told

    def _check_told(self, loser: Running, winner: str, process: int) -> None:
        assert f"locked by {winner} on " in loser.said, loser.said
        assert f"process {process}," in loser.said, loser.said

    def _writes(self) -> Counter[str]:
        mine = self.ada.subscription
        return Counter(
            r["method"]
            for r in self.served.ask("requests")
            if mine in r["path"] and r["method"] in ("PUT", "PATCH", "DELETE") and r["status"] < 300
        )
