"""The command that takes over what exists: import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run

DEFAULTS = {False: "blueprint.py", True: "blueprint.yaml"}

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


Wide = Annotated[
    bool, typer.Option("--subscription-wide", help="Every group of the subscription that holds a gateway or a circuit.")
]
Terraform = Annotated[
    str | None,
    typer.Option("--terraform-state", metavar="FILE", help="Gateways and names of an azurerm state, to hand over."),
]
FromJson = Annotated[
    list[str] | None,
    typer.Option("--from-json", metavar="FILE", help="Documents as az prints them, offline; no state (repeatable)."),
]
Yaml = Annotated[bool, typer.Option("--yaml", help="Write YAML.")]
Vault = Annotated[
    str | None,
    typer.Option("--read-secrets", metavar="VAULT", help="Read the keys once and keep them in this Key Vault."),
]
Csv = Annotated[bool, typer.Option("--csv", help="Keep twelve alike sites or more in sites.csv beside the blueprint.")]
Scan = Annotated[bool, typer.Option("--scan", help="Only write a file of names, to be edited and given with --names.")]
Names = Annotated[str | None, typer.Option("--names", metavar="FILE", help="Names to use, and what to skip.")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "import")(import_)


def named(words: Sequence[str], groups: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Groups and gateways: behind ``-g`` a word that is no id is one more group, as in ``-g rg-a rg-b``."""
    more = [word for word in words if groups and "/" not in word]
    return (*groups, *more), tuple(word for word in words if word not in more)


def import_(
    run: Run,
    gateways: Gateways = None,
    resource_group: Groups = None,
    subscription_wide: Wide = False,
    terraform_state: Terraform = None,
    from_json: FromJson = None,
    output: Output = None,
    into: Into = None,
    read_secrets: Vault = None,
    yaml: Yaml = False,
    csv: Csv = False,
    scan: Scan = False,
    names: Names = None,
) -> int:
    """Write a blueprint of what exists, and a state; a plan of it changes nothing, or this says what differs (2).

    Reads only; nothing in Azure is changed.
    """
    from vpngw_iac.report.json import import_document
    from vpngw_iac.report.text.imported import imported_text
    from vpngw_iac.usecases.imported import Wanted
    from vpngw_iac.usecases.importer import Importer

    groups, ids = named(gateways or (), resource_group or ())
    wanted = Wanted(
        groups=groups,
        gateways=ids,
        files=tuple(from_json or ()),
        whole_subscription=subscription_wide,
        terraform_state=terraform_state or "",
        names_file=names or "",
        vault=read_secrets or "",
        scan=scan,
        yaml=yaml,
        csv=csv,
        file=Path(output or (names if scan and names else "import-names.yaml" if scan else DEFAULTS[yaml])),
        into=Path(into) if into else None,
    )
    imported = Importer(run.workspace, run.settings.deployment).run(wanted)
    if imported.text and not imported.written and not run.settings.json_output:
        run.emit(imported.text)
        run.talk(imported_text(imported, run.talk_style))
    else:
        run.answer([import_document(imported)], imported_text(imported, run.style))
    return imported.exit_code
