"""An import that is killed at the nth call of `fsync` or `link`: run by a test in a process of its own.

Arguments: the call, its number, and ``--csv`` for a table of sites.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from vpngw_iac.usecases.imported import Wanted
from vpngw_iac.usecases.importer import Importer
from vpngw_iac.usecases.workspace import Workspace

name, left = sys.argv[1], int(sys.argv[2])
does = getattr(os, name)


def dying(*arguments: Any, **more: Any) -> Any:
    """Nothing from the nth call on is done."""
    global left  # noqa: PLW0603 - one process, one death
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return does(*arguments, **more)


setattr(os, name, dying)
directory = Path(os.environ["WORLD"])
workspace = Workspace("simulator", directory=directory, environment={})
wanted = Wanted(groups=("rg-hub",), file=directory / "blueprint.py", csv="--csv" in sys.argv)
Importer(workspace, "multi-site").run(wanted)
