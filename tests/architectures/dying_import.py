"""An import that is killed when it makes its nth file durable: run by a test in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from vpngw_iac.usecases.importer import Importer, Wanted
from vpngw_iac.usecases.workspace import Workspace

left = int(sys.argv[1])
durable = os.fsync


def dying(descriptor: Any) -> None:
    """Nothing after the nth flush is done."""
    global left  # noqa: PLW0603 - one process, one death
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    durable(descriptor)


os.fsync = dying
directory = Path(os.environ["WORLD"])
workspace = Workspace("simulator", directory=directory, environment={})
Importer(workspace, "multi-site").run(Wanted(groups=("rg-hub",), file=directory / "blueprint.py"))
