"""What `validate` finds and says, in the formats of `report.findings`; and the graph that `compile` saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vpngw_iac.cli.run import Run
from vpngw_iac.errors import BlueprintError, ExitCode, Finding, Findings, UsageError
from vpngw_iac.report import renderer
from vpngw_iac.report.findings import FileFindings


def findings_of(run: Run, file: str, profile: str | None = None) -> Findings:
    """Everything found in a file, each with its line where the format allows; a type error is a finding like others.

    Raises what is not a finding about a blueprint: a file that is not there, for example.
    """
    try:
        loaded = run.load(file)
        return Findings.of(run.offline.beside(loaded).validate(*loaded.blueprints, profile=profile).findings)
    except BlueprintError as error:
        if not error.findings:
            raise
        return Findings.of(error.findings)


def tell_findings(run: Run, findings: Findings, file: str, form: str) -> int:
    """Report findings in a format; 4 if one refuses the blueprint."""
    items = tuple(_relative(findings.items))
    form = "json" if form == "text" and run.settings.json_output else form
    run.emit(renderer("findings", form)(FileFindings(file, items, run.style)))
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
