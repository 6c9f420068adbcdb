"""A workspace on the simulator in virtual time: the real SDK, no sleep, a new process at each call."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import Deployment
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.execute.event import Event, Outcome
from vpngw_iac.engine.plan.change import Change
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.result import Drift
from vpngw_iac.simulator import Fault, Simulator, Switches, VirtualTime
from vpngw_iac.usecases.workspace import Workspace

_QUESTIONS = ("/checkpolicyrestrictions", "/listkeys")
"""POSTs that change nothing."""


class Killed(BaseException):
    """The process ends here."""


class MortalClock(VirtualClock):
    """Virtual time whose coordinating thread dies when it looks at the time of day for the nth time.

    It looks before each journal record and each event, so that every moment that matters is one of these.
    """

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.dies_at: int | None = None

    def utc(self) -> str:
        if threading.current_thread() is not threading.main_thread():
            return super().utc()
        self.looks += 1
        if self.dies_at is not None and self.looks >= self.dies_at:
            self.dies_at = None
            raise Killed
        return super().utc()


class Harness:
    """What one operator has: a cloud, a folder, an environment. Every use opens a new workspace."""

    def __init__(self, folder: Path, **switches: Any) -> None:
        self.folder = folder
        self.clock = MortalClock()
        time = VirtualTime()
        self.simulator = Simulator(time=time, switches=Switches(**switches))
        self.clock.on_advance(time.advance_to)
        self.environment = {f"PSK_{site}": f"0123456789abc{site}" for site in ("BERLIN", "PARIS", "ROME", "OSLO")}
        self.events: list[Event] = []
        self._mark = 0

    def workspace(self, cloud: str = "simulator", **settings: Any) -> Workspace:
        given: dict[str, Any] = {
            "directory": self.folder,
            "environment": self.environment,
            "clock": self.clock,
            "simulator": self.simulator,
        }
        return Workspace(cloud, **(given | settings))

    # -- use-cases

    def plan(self, deployment: Deployment, **options: Any) -> Plan:
        return self.workspace().plan(deployment, Options(**options))

    def changes(self, deployment: Deployment, **options: Any) -> dict[str, str]:
        """Action of each change by address."""
        return {change.address: str(change.action) for change in self.plan(deployment, **options).changes}

    def change(self, deployment: Deployment, address: str, **options: Any) -> Change:
        return next(c for c in self.plan(deployment, **options).changes if c.address == address)

    def apply(self, deployment: Any, *, run: dict[str, Any] | None = None, **options: Any) -> Outcome:
        chosen = Options(**options) if options else None
        return self.workspace().apply(deployment, options=chosen, **({"on_event": self.events.append} | (run or {})))

    def destroy(self, deployment: Deployment, *, run: dict[str, Any] | None = None, **options: Any) -> Outcome:
        return self.workspace().destroy(deployment, options=Options(**options) if options else None, **(run or {}))

    def wait(self, deployment: Deployment, **run: Any) -> Outcome:
        return self.workspace().wait(deployment, **run)

    def drift(self, deployment: Deployment, **options: Any) -> Drift:
        return self.workspace().drift(deployment, **options)

    def create(self, deployment: Deployment) -> Deployment:
        """Apply what must succeed, and begin to count requests."""
        outcome = self.apply(deployment)
        assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
        self.mark()
        return deployment

    def converge(self, deployment: Deployment, **options: Any) -> Outcome:
        """Apply what must succeed; afterwards there is nothing left to do."""
        outcome = self.apply(deployment, **options)
        assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
        left = self.plan(deployment)
        assert left.changes == ()
        assert left.state_only_updates == ()
        return outcome

    # -- what Azure was asked

    def mark(self) -> None:
        """Count requests from here."""
        self._mark = len(self.simulator.requests)

    def reads(self) -> list[str]:
        """Paths of every GET since the mark."""
        return [logged.path for logged in list(self.simulator.requests)[self._mark :] if logged.method == "GET"]

    def writes(self, pattern: str = "*") -> list[str]:
        """``METHOD type/name`` of every write since the mark, in order."""
        found = []
        for logged in list(self.simulator.requests)[self._mark :]:
            asks = logged.path.lower().partition("?")[0].endswith(_QUESTIONS)
            if logged.method != "GET" and not asks and fnmatch.fnmatch(logged.path.lower(), pattern.lower()):
                parts = logged.path.split("?")[0].split("/")
                found.append(f"{logged.method} {'/'.join(parts[-2:])}")
        return found

    def fault(self, effect: Any, **which: Any) -> None:
        self.simulator.faults.add(Fault(effect=effect, **which))

    # -- what Azure has

    def document(self, identity: ArmId) -> dict[str, Any]:
        found = {ArmId(text): value for text, value in self.simulator.documents().items()}
        return found[identity]

    def exists(self, identity: ArmId) -> bool:
        return identity in {ArmId(text) for text in self.simulator.documents()}

    def entries(self, deployment: Deployment) -> dict[str, Any]:
        loaded = self.workspace().session(deployment).store().load()
        assert loaded is not None
        assert loaded.state.check() == ()
        return dict(loaded.state.entries)


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


@pytest.fixture
def new_harness(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Harness]:
    """More than one harness, or one with switches."""

    def make(**switches: Any) -> Harness:
        return Harness(tmp_path_factory.mktemp("desk"), **switches)

    return make
