"""Each ready-to-apply blueprint on a fresh simulator in virtual time, through the real SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.settings import read_env_file
from vpngw_iac.usecases.workspace import Workspace

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "blueprints"
FILES = tuple(sorted(p.relative_to(FOLDER).as_posix() for s in ("py", "yaml") for p in FOLDER.glob(f"*.{s}")))


@dataclass
class World:
    """A simulator, a workspace on it, and the counts that laws speak of."""

    directory: Path
    environment: dict[str, str]
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.simulator = open_simulator(SessionSettings("simulator", directory=self.directory), self.clock)
        self.workspace = Workspace(
            "simulator",
            directory=self.directory,
            environment=self.environment,
            clock=self.clock,
            simulator=self.simulator,
            secret_directory=FOLDER,
        )

    def plan(self, blueprint: Any, **options: Any) -> Plan:
        return self.workspace.plan(blueprint, Options(**options))

    def apply(self, blueprint: Any, **options: Any) -> Outcome:
        """Apply; where a provider must act, let it act and apply again."""
        outcome = self.workspace.apply(blueprint, options=Options(**options))
        if outcome.outcome == "waiting":
            for identifier in self.ids("/expressRouteCircuits/"):
                self.simulator.provision_circuit(identifier)
            outcome = self.workspace.apply(blueprint, options=Options(**options))
        return outcome

    def ids(self, part: str = "") -> tuple[str, ...]:
        return tuple(i for i in self.simulator.documents() if part.lower() in i.lower() and not _is_below(i, part))

    def writes(self) -> list[tuple[str, str]]:
        return [(r.method, r.path) for r in self.simulator.requests if r.method in ("PUT", "PATCH", "DELETE")]

    def release_circuits(self) -> None:
        """What a provider does before a circuit may be deleted (R-ER-11)."""
        for identifier in self.ids("/expressRouteCircuits/"):
            self.simulator.provision_circuit(identifier, "NotProvisioned")


def _is_below(identifier: str, part: str) -> bool:
    tail = identifier.lower().partition(part.lower())[2] if part else ""
    return "/" in tail


@pytest.fixture
def environment() -> Mapping[str, str]:
    return read_env_file(FOLDER / "example.env")


@pytest.fixture
def world(tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return World(tmp_path, dict(environment))


def differences_of(plan: Plan) -> list[str]:
    """What a plan says, for assertion messages."""
    return [
        f"{c.action} {c.address}: "
        + ", ".join(f"{d.path} ({d.cause}) {d.observed!r} -> {d.declared!r}" for d in c.differences)
        for c in plan.changes
    ]
