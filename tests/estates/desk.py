"""An estate in the simulator, and a workspace on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.simulator import Simulator, VirtualTime
from vpngw_iac.usecases.imported import Imported, Wanted
from vpngw_iac.usecases.importer import Importer
from vpngw_iac.usecases.workspace import Workspace

SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"


class Desk:
    """An estate in the simulator, and a workspace on it."""

    def __init__(self, folder: Path, content: dict[str, Any]) -> None:
        self.folder, self.content, clock, time = folder, content, VirtualClock(), VirtualTime()
        self.simulator = Simulator(time=time)
        clock.on_advance(time.advance_to)
        self.simulator.load(content["documents"], content["secrets"])
        self.clock = clock
        self.environment: dict[str, str] = {}
        self.documents = {ArmId(document["id"]): document for document in content["documents"]}

    @property
    def workspace(self) -> Workspace:
        return Workspace(
            "simulator",
            subscription=SUBSCRIPTION,
            directory=self.folder,
            environment=self.environment,
            clock=self.clock,
            simulator=self.simulator,
            secret_directory=self.folder,
        )

    @property
    def file(self) -> Path:
        return self.folder / "blueprint.py"

    def take(self, **wanted: Any) -> Imported:
        groups = tuple(sorted(str(i) for i in self.documents if not i.names))
        return Importer(self.workspace, None).run(Wanted(**{"groups": groups, "file": self.file, **wanted}))

    def blueprint(self) -> Blueprint:
        return load(self.file).blueprint
