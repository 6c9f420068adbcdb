"""The command that takes over what exists: import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run

Gateways = Annotated[
    list[str] | None, typer.Argument(metavar="[GATEWAY_ID]...", help="Ids of gateways; or groups with -g.")
]
Groups = Annotated[
    list[str] | None,
    typer.Option("--resource-group", "-g", metavar="RG", help="Everything in this resource group (repeatable)."),
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write; blueprint.py by default.")
]
Into = Annotated[
    str | None,
    typer.Option("--into", metavar="FILE", help="Print the nouns to add to this file; write neither file nor state."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "import")(import_)


def import_(
    run: Run,
    gateways: Gateways = None,
    resource_group: Groups = None,
    output: Output = None,
    into: Into = None,
) -> int:
    """Write a blueprint of what exists, and a state; a plan of it changes nothing, or this says what differs (2).

    Reads only; nothing in Azure is changed.
    """
    from vpngw_iac.report.json import import_document
    from vpngw_iac.report.text.imported import imported_text
    from vpngw_iac.usecases.importer import Importer, Wanted

    wanted = Wanted(
        groups=tuple(resource_group or ()),
        gateways=tuple(gateways or ()),
        file=Path(output or "blueprint.py"),
        into=Path(into) if into else None,
    )
    imported = Importer(run.workspace, run.settings.deployment).run(wanted)
    if imported.text and not imported.written and not run.settings.json_output:
        run.emit(imported.text)
        run.talk(imported_text(imported, run.talk_style))
    else:
        run.answer([import_document(imported)], imported_text(imported, run.style))
    return imported.exit_code
