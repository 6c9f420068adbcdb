"""What `validate` says, in its three formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vpngw_iac.cli.run import Run
from vpngw_iac.errors import ExitCode, Findings
from vpngw_iac.report.json import dumps, validate_document
from vpngw_iac.report.text import findings_text

if TYPE_CHECKING:
    from vpngw_iac.blueprints.load import LoadedFile
    from vpngw_iac.cli.offline import ValidateFormat
    from vpngw_iac.engine.result import Validation


def tell_validation(run: Run, validation: Validation, loaded: LoadedFile, form: ValidateFormat) -> int:
    """Report findings, each with file and line where the format allows; 4 if one refuses the blueprint."""
    placed = (replace(f, location=loaded.locate(f.location) or f.location) for f in validation.findings)
    findings, file = Findings.of(placed), _short(loaded.path)
    if form.value == "sarif":
        from vpngw_iac.report.sarif import sarif

        run.emit(dumps(sarif(findings.items, file)))
    elif form.value == "json" or run.settings.json_output:
        run.emit(dumps(validate_document(findings.items)))
    else:
        run.emit(findings_text(findings.items, run.style, checked=file))
    return ExitCode.REFUSED if findings.blocking else ExitCode.DONE


def _short(path: Path) -> str:
    """Relative to the working directory if it is below it: what people and code scanners expect."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
