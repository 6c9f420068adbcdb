"""What the FILEs of a command line stand for: one deployment, or a fleet of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vpngw_iac.blueprints.fleet_files import files_of, is_several
from vpngw_iac.blueprints.load import saved_graph, saved_plan
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import listed
from vpngw_iac.usecases.fleet import PARALLEL, Fleet, FleetMember, members_of

if TYPE_CHECKING:
    from vpngw_iac.usecases.session import Deployable
    from vpngw_iac.usecases.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Targets:
    """The deployments of a command, and whether they are told of as a fleet."""

    fleet: Fleet
    is_fleet: bool

    @property
    def only(self) -> tuple[Workspace, Deployable]:
        """The one deployment, where it is no fleet."""
        member = self.fleet.members[0]
        return member.workspace, member.deployable()


def targets_of(
    run: Run, files: Sequence[str], parallel: int | None = None, *, plans: bool = False, graphs: bool = False
) -> Targets:
    """The deployments in files, folders and patterns; `plans`: saved plans are welcome, `graphs`: a saved graph is.

    A folder, a pattern, several files, and a file with several blueprints are a fleet. Raises what keeps a single file
    from being loaded; in a fleet that is the failure of one deployment. Raises `UsageError` for a saved plan beside a
    blueprint, or where none is welcome, and if ``--deployment`` should name several.
    """
    if len(files) == 1 and not is_several(files[0]):
        if plans and (document := saved_plan(files[0])) is not None:
            name = str(document.get("deployment") or files[0])
            return Targets(Fleet([FleetMember(name, run.workspace, file=files[0], saved=document)]), is_fleet=False)
        if graphs and (document := saved_graph(files[0])) is not None:
            graph = run.workspace.load_graph(document)
            return Targets(Fleet([FleetMember(graph.name, run.workspace, graph, files[0])]), is_fleet=False)
        workspace, blueprints = run.at(files[0])
        members = [FleetMember(workspace.name_of(one), workspace, one, files[0]) for one in blueprints]
        return Targets(Fleet(members, parallel=parallel or PARALLEL), is_fleet=len(members) > 1)
    found = files_of(files)
    if run.settings.deployment and len(found) > 1:
        advice = f"Leave it out, or name one of {listed(found)}."
        raise UsageError("--deployment names one deployment, these are several.", advice=advice)
    members = members_of(run.workspace, *found)
    saved = [member for member in members if member.saved is not None]
    if saved and not plans:
        raise UsageError(
            f"{saved[0].file} is a saved plan.", advice="Saved plans go to `vpngw apply` and `vpngw show`."
        )
    if saved and len(saved) < len(members):
        other = next(member for member in members if member.saved is None)
        advice = "Apply the plans, or the blueprints; keep plans in a folder of their own."
        raise UsageError(f"{saved[0].file} is a saved plan, {other.file} is none.", advice=advice)
    return Targets(Fleet(members, parallel=parallel or PARALLEL), is_fleet=True)
