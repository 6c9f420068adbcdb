"""The command that says why something is not up: diagnose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, UsageError
from vpngw_iac.text import listed, suggestion_among

if TYPE_CHECKING:
    from vpngw_iac.blueprints.base import Blueprint
    from vpngw_iac.usecases.workspace import Workspace
    from vpngw_iac.verify.diagnosis import DiagnosisReport

Sites = Annotated[
    list[str] | None, typer.Argument(metavar="[SITE]...", help="Sites, pairs, or links of them; what is not up.")
]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="How far back the gateway's log is read: 30m, 2d.")]
Log = Annotated[
    str | None,
    typer.Option("--log", metavar="LOG", help="Read a log that Azure's portal or a device printed; ask nobody."),
]
ForPeer = Annotated[
    bool, typer.Option("--for-peer", help="Write what the other company needs: no name of ours, no key.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app)(diagnose)


def diagnose(
    run: Run,
    file: opt.Blueprint,
    sites: Sites = None,
    since: Since = "1h",
    log: Log = None,
    for_peer: ForPeer = False,
) -> int:
    """Find out why tunnels are not up: causes, the one check that tells them apart, and the evidence.

    Changes nothing. Exit code 0 whatever it finds: it explains, `verify` judges.
    """
    from vpngw_iac.report.diagnosis_document import diagnosis_document, peer_document
    from vpngw_iac.report.text.diagnosis import diagnosis_text, peer_text

    workspace, blueprints = run.at(file)
    wanted = list(_wanted(workspace, blueprints, sites or ()))
    found = [workspace.diagnose(one, names, since=since, log=log) for one, names in wanted]
    if for_peer:
        _only_one_company(found, sites, as_text=not run.settings.json_output)
        sheets = [sheet for one in found for sheet in one.sheets]
        run.answer([peer_document(one) for one in found], peer_text(sheets) if sheets else "Everything is up.\n")
    else:
        run.answer(
            [diagnosis_document(one) for one in found], "\n".join(diagnosis_text(one, run.style) for one in found)
        )
    return ExitCode.DONE


def _only_one_company(found: Iterable[DiagnosisReport], sites: Sequence[str] | None, *, as_text: bool) -> None:
    """A text is sent on as it is: the sheets of several sites go into one only where the sites were named."""
    names = [item.name for one in found for item in one.items]
    if as_text and not sites and len(names) > 1:
        raise UsageError(
            f"Several links are not up: {listed(names)}. No company shall get the parameters of another.",
            advice="Name the site whose company it is for: vpngw diagnose FILE SITE --for-peer.",
        )


def _wanted(
    workspace: Workspace, blueprints: Iterable[Blueprint], sites: Iterable[str]
) -> Iterator[tuple[Blueprint, tuple[str, ...]]]:
    """Each blueprint that has something of what was named, with what it has."""
    every, wanted = tuple(blueprints), tuple(sites)
    known = {one.name: {name.lower() for name in workspace.diagnosable(one)} for one in every} if wanted else {}
    for name in wanted:
        if not any(name.lower() in names for names in known.values()):
            told = {name for one in every for name in workspace.diagnosable(one)}
            advice = suggestion_among(name, told, "no site")
            raise UsageError(f"The blueprint has no site {name!r}.", advice=advice)
    for one in every:
        names = tuple(name for name in wanted if name.lower() in known[one.name])
        if names or not wanted:
            yield one, names
