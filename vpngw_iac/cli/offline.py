"""The commands that need no cloud: validate, compile, graph, role, rule, schema."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from vpngw_iac.cli import options as opt
from vpngw_iac.cli.options import command
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, UsageError
from vpngw_iac.report import formats


class Picture(StrEnum):
    """What `graph` draws."""

    TOPOLOGY = "topology"
    OPERATIONS = "operations"


class Schema(StrEnum):
    """What a schema describes."""

    BLUEPRINT = "blueprint"
    SETTINGS = "settings"


if TYPE_CHECKING:
    FindingsFormat: TypeAlias = str
    PictureFormat: TypeAlias = str
else:
    FindingsFormat = Literal[formats("findings", "text")]
    PictureFormat = Literal[formats("pictures", "mermaid")]

Save = Annotated[
    str | None,
    typer.Option("--save", metavar="graph.json", help="Write the declared graph, for a plan that runs no blueprint."),
]
RoleOf = Annotated[
    Literal["planner", "verifier", "operator"] | None,
    typer.Option("--for", help="Print this definition alone, as `az role definition create` takes it."),
]
KeysToo = Annotated[bool, typer.Option("--verify-keys", help="Planning may read shared keys (`plan --verify-keys`).")]
RuleId = Annotated[str | None, typer.Argument(metavar="[ID]", help="For example R-SUBNET-02, or R-SUBNET for an area.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program, in the order of the help."""
    for function in (validate, compile, graph, role, rule, schema):
        command(app)(function)


def validate(
    run: Run,
    files: opt.Blueprints,
    format: Annotated[FindingsFormat, typer.Option("--format", help="How to answer.")] = "text",
    profile: opt.Profile = None,
) -> int:
    """Check blueprints offline: all that Azure would refuse."""
    from vpngw_iac.cli.check import findings_of, tell_findings

    return tell_findings(run, findings_of(run, files, profile), files, format)


def compile(run: Run, file: opt.Blueprint, save: Save = None) -> int:
    """Show the Azure operations in their order, offline.

    With --save also write the declared graph, which `vpngw plan` takes in place of the blueprint.
    """
    from vpngw_iac.cli.check import save_graph
    from vpngw_iac.report.json import compile_document
    from vpngw_iac.report.text.schedule import schedule_text

    workspace, blueprints = run.at(file)
    made = [workspace.compile(blueprint) for blueprint in blueprints]
    if save is not None:
        save_graph(run, file, save)
    documents = [compile_document(one.deployment, one.schedule, one.graph) for one in made]
    run.answer(documents, "\n".join(schedule_text(one.deployment, one.schedule, run.style) for one in made))
    return ExitCode.DONE


def graph(
    run: Run,
    file: opt.Blueprint,
    of: Annotated[Picture, typer.Option("--of", help="What to draw.")] = Picture.TOPOLOGY,
    format: Annotated[PictureFormat, typer.Option("--format", help="How to draw it.")] = "mermaid",
) -> int:
    """Draw the topology, or the operations in their order."""
    from vpngw_iac.report.json_documents import document
    from vpngw_iac.report.pictures import draw

    made = run.workspace.compile(run.load(file).blueprint)
    picture = draw(made.deployment, made.graph, made.schedule, of=of.value, format=format)
    run.answer([document("graph", of=of.value, picture_format=format, picture=picture)], picture)
    return ExitCode.DONE


def role(run: Run, file: opt.Blueprint, of: RoleOf = None, verify_keys: KeysToo = False) -> int:
    """Print minimal Azure roles: who plans, who verifies, who operates.

    With --for one of them as a file for `az role definition create`.
    """
    from vpngw_iac.engine.ask.roles import minimal_roles
    from vpngw_iac.report.json_documents import document, dumps

    made = run.at(file)[0].require_subscription().compile(run.load(file).blueprint)
    roles = minimal_roles(made.graph, made.deployment, verify_keys=verify_keys)
    if of is not None:
        run.emit(dumps(next(each for each in roles if each.word == of).definition()))
        return ExitCode.DONE
    told = [{"role": each.word, "definition": each.definition()} for each in roles]
    text = "".join(f"# {each.word}\n{dumps(each.definition())}" for each in roles)
    run.answer([document("role", deployment=made.deployment, roles=told)], text)
    return ExitCode.DONE


def rule(run: Run, rule_id: RuleId = None) -> int:
    """Explain the id of a finding; without ID list them all."""
    from vpngw_iac.preflight.catalogue import area_of, find, rules
    from vpngw_iac.preflight.vpngw_rules import vpngw_rules
    from vpngw_iac.report.json_documents import rule_document
    from vpngw_iac.report.text.rules import rules_text

    wanted = (rule_id or "").upper().rstrip("-")
    one = find(wanted)
    every = (*rules(), *vpngw_rules())
    found = (
        [one] if one else [r for r in every if not wanted or wanted == area_of(r.id) or r.id.startswith(f"{wanted}-")]
    )
    if not found:
        raise UsageError(f"There is no rule {rule_id}.", advice="`vpngw rule` lists them all.")
    run.answer([rule_document(found)], rules_text(found, run.style, whole=one is not None))
    return ExitCode.DONE


def schema(
    run: Run,
    of: Annotated[Schema, typer.Option("--of", help="Blueprints, or vpngw.toml.")] = Schema.BLUEPRINT,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there; its folder is made.")
    ] = None,
) -> int:
    """Print the JSON Schema of blueprints or of settings, for editors."""
    from vpngw_iac.report.json_documents import dumps
    from vpngw_iac.usecases.editor_schemas import schema_of, write_schema

    if output is None:
        run.emit(dumps(schema_of(of.value)))
    else:
        write_schema(output, schema_of(of.value))
        run.say(f"{output} was written.")
    return ExitCode.DONE
