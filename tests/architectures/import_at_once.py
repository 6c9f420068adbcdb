"""An import that waits, when it has read everything, until the other one has too: run by a test, twice at once.

Arguments: the deployment and the file to write. Exits with the import's code.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from vpngw_iac.errors import VpngwError
from vpngw_iac.usecases.import_run import ImportRun, _Proof
from vpngw_iac.usecases.imported import Wanted
from vpngw_iac.usecases.importer import Importer
from vpngw_iac.usecases.workspace import Workspace

deployment, name = sys.argv[1:]
directory = Path(os.environ["WORLD"])
meeting = directory / "meeting"
prove = ImportRun._proved


def _together(self: ImportRun, folder: Path) -> _Proof:
    proof = prove(self, folder)
    (meeting / str(os.getpid())).touch()
    for _ in range(600):
        if len(list(meeting.iterdir())) == 2:
            break
        time.sleep(0.05)
    return proof


ImportRun._proved = _together  # type: ignore[method-assign]
workspace = Workspace("simulator", directory=directory, environment={})
wanted = Wanted(groups=("rg-hub",), file=directory / name)
try:
    code = Importer(workspace, deployment).run(wanted).exit_code
except VpngwError as error:
    code = error.exit_code
sys.exit(int(code))
