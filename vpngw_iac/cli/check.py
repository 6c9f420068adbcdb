"""What `validate` finds and says, in the formats of `report.findings`; and the graph that `compile` saves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.broken import broken
from vpngw_iac.blueprints.fleet_files import files_of
from vpngw_iac.cli.run import Run
from vpngw_iac.errors import BlueprintError, ExitCode, FileDenied, Finding, Findings, UsageError
from vpngw_iac.files import kind_of
from vpngw_iac.preflight import named_twice
from vpngw_iac.report import renderer
from vpngw_iac.report.findings import FileFindings


def findings_of(run: Run, targets: Sequence[str], profile: str | None = None) -> Findings:
    """Everything found in files, each with its line where the format allows; a type error is a finding like others.

    Of several files each is judged alone, and what one of them keeps from being read stops no other; told beside that
    is what two of them manage or are called both. Raises what is not a finding about a blueprint: a file that is not
    there, or that is the only one and may not be read.
    """
    found, blueprints, names = list[Finding](), list[Blueprint](), list[tuple[str, str]]()
    files = files_of(targets)
    for file in files:
        try:
            loaded = run.load(file)
            found += run.offline.beside(loaded).validate(*loaded.blueprints, profile=profile).findings
            blueprints += loaded.blueprints
            names += [(blueprint.name, file) for blueprint in loaded.blueprints]
        except BlueprintError as error:
            if not error.findings:
                raise
            found += error.findings
        except (FileDenied, UsageError) as error:
            if len(files) == 1 or not _is_there(file):
                raise
            found += broken(Path(file), None, error.message, advice=error.advice).findings
    both = [*run.offline.managed_twice(*blueprints), *named_twice(names)] if len(files) > 1 else ()
    return Findings.of([*found, *both])


def _is_there(target: str) -> bool:
    return "file" in (kind_of(target), kind_of(target.rpartition(":")[0]))


def tell_findings(run: Run, findings: Findings, targets: Sequence[str], form: str) -> int:
    """Report findings in a format; 4 if one refuses the blueprint."""
    items = tuple(_relative(findings.items))
    form = "json" if form == "text" and run.settings.json_output else form
    run.emit(renderer("findings", form)(FileFindings(", ".join(targets), items, run.style)))
    return ExitCode.REFUSED if findings.blocking else ExitCode.DONE


def save_graph(run: Run, file: str, out: str) -> None:
    """Write the declared graph of the only blueprint of a file."""
    from vpngw_iac.cli.common import write_file

    loaded = run.load(file)
    if len(loaded.blueprints) > 1:
        raise UsageError(f"{file} holds several blueprints; a graph file holds one.", advice=f"Use {file}:NAME.")
    write_file(out, run.workspace.beside(loaded).save_graph(loaded.blueprint, loaded), "graph", "--save")
    run.say(f"Saved to {out}. `vpngw plan {out}` plans it without running the blueprint.")


def _relative(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Paths below the working directory are told from there: what people and code scanners expect."""
    here = f"{Path.cwd()}/"
    for finding in findings:
        yield replace(finding, location=finding.location.removeprefix(here))
