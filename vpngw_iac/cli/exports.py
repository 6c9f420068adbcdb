"""The command that leads out: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode

Format = Annotated[Literal["arm", "bicep", "terraform"], typer.Option("--format", help="What to write: arm.")]
Folder = Annotated[
    str | None, typer.Option("--output", "-o", metavar="DIR", help="The folder to write into; stdout if none is given.")
]
Vaults = Annotated[
    list[str] | None,
    typer.Option("--vault", metavar="ID", help="Whole id of a key vault that holds secrets (repeatable)."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app)(export)


def export(run: Run, file: opt.Blueprint, format: Format = "arm", output: Folder = None, vault: Vaults = None) -> int:
    """Write an ARM template of a blueprint, offline; what no template can say or Azure would refuse is told (2)."""
    from vpngw_iac.report.json import export_document
    from vpngw_iac.report.text.exported import exported_text, refusals_text, unsaid_text
    from vpngw_iac.usecases import exporter

    exporter.check_format(format)
    loaded = run.load(file)
    exported = exporter.export_blueprint(run.offline.beside(loaded), loaded.blueprint, vault or (), output or "")
    written = exporter.write(exported, Path(output)) if output else ()
    if written or run.settings.json_output:
        run.answer([export_document(exported, written)], exported_text(exported, written))
    else:
        for template in exporter.printed(exported):
            run.emit(template)
        run.talk(exported_text(exported, written))
    for told in filter(None, (unsaid_text(exported, run.talk_style), refusals_text(exported, run.talk_style))):
        run.talk(told)
    return ExitCode.CHANGES if exported.unsaid or exported.refusals else ExitCode.DONE
