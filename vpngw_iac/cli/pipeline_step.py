"""A step of a pipeline: where its inputs come from, and where its outputs, its summary and its annotations go.

GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands. Azure Pipelines:
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands. Elsewhere a step only writes its files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vpngw_iac.cli.run import Run
from vpngw_iac.cli.summary import CUT, add_to_summary
from vpngw_iac.errors import Finding, UsageError, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.pipeline import Home, home_of
from vpngw_iac.report.markdown_limit import SUMMARY_BYTES, in_bytes, limited
from vpngw_iac.text import logging_data, plain, plural, workflow_data
from vpngw_iac.usecases.github_event import GithubEvent

if TYPE_CHECKING:
    from vpngw_iac.usecases.github import Github

MOST_ANNOTATIONS = 10
"""GitHub shows so many of a level in a step, and drops the rest in silence
(https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md, limitations)."""

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>[1-9]\d*)")
_RANK = {"error": 0, "warning": 1}
Lines = Mapping[str, Collection[int]]
"""Changed lines by file, as paths of the repository."""


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """One step: its verb, its inputs, and the event that started it."""

    verb: str
    run: Run
    inputs: Mapping[str, str]
    """Variables of the step itself, none from an env file."""
    home: Home
    event: GithubEvent
    folder: Path
    """Where results go."""

    # --- inputs ------------------------------------------------------------------------------------------------------

    def input(self, name: str) -> str:
        """The value of a variable, on one line; empty if it is not set."""
        value = self.inputs.get(name, "").strip()
        if any(ord(character) < ord(" ") for character in value):
            raise UsageError(f"{name} holds a line break or another control character.", advice="Give one value.")
        return value

    def minutes(self, name: str) -> float | None:
        """The value as minutes. Raises `UsageError` if it is no number."""
        value = self.input(name)
        if not re.fullmatch(r"(\d+(\.\d+)?)?", value):
            raise UsageError(f"{name} {value!r} is no number of minutes.", advice="Write 300, for example.")
        return float(value) if value else None

    def target(self, file: str | None) -> str:
        """The blueprint of this step: what the command line names, else BLUEPRINT."""
        found = file or self.input("BLUEPRINT")
        if not found:
            raise UsageError("No blueprint was named.", advice=f"Write `vpngw ci {self.verb} FILE`, or set BLUEPRINT.")
        if found.startswith("-"):
            raise UsageError(f"{found!r} is no file.", advice="Write ./FILE.")
        return found

    def is_set(self, name: str) -> bool:
        """Whether an input is ``true``."""
        return self.input(name).lower() in ("true", "1", "yes", "on")

    @property
    def origin(self) -> dict[str, str]:
        """The run of the pipeline that this step belongs to; empty outside of one."""
        names = {
            "github": {"repository": "GITHUB_REPOSITORY", "run": "GITHUB_RUN_ID", "commit": "GITHUB_SHA"},
            "azure-pipelines": {"repository": "BUILD_REPOSITORY_NAME", "run": "BUILD_BUILDID"},
        }.get(self.home, {})
        return {name: self.input(variable) for name, variable in names.items()}

    def github(self) -> Github | None:
        """GitHub's API, where a token was given."""
        from vpngw_iac.usecases.github import Github

        return Github.of(self.inputs)

    def github_of_run(self) -> Github | None:
        """The same in a job of GitHub, which alone has this run; None in any other, whatever token it holds."""
        return self.github() if self.home == "github" else None

    def with_variable(self, name: str, value: str) -> PipelineStep:
        """The same step whose run sees one variable more."""
        settings = self.run.settings
        environment = {**settings.environment, name: value}
        return replace(self, run=replace(self.run, settings=settings.model_copy(update={"environment": environment})))

    # --- results -----------------------------------------------------------------------------------------------------

    def path(self, name: str) -> Path:
        """The place of a result; its folder is made."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{self.folder} cannot be made: {error.strerror}.", advice="Choose another --out."
            ) from None
        return self.folder / name

    def outputs(self, **values: str | int | bool) -> None:
        """Outputs of the step, each on one line."""
        told = {name: _word(value) for name, value in values.items()}
        if self.home == "azure-pipelines":
            for name, value in told.items():
                self._command(f"##vso[task.setvariable variable={name};isOutput=true]{_vso(value)}")
        elif place := self.inputs.get("GITHUB_OUTPUT"):
            try:
                with Path(place).open("a", encoding="utf-8") as file:
                    file.writelines(f"{name}={value}\n" for name, value in told.items())
            except OSError as error:
                raise VpngwError(f"The outputs of the step cannot be written: {error.strerror}.") from None

    def summary(self, *parts: str) -> None:
        """Markdown on the page of the run; what does not fit is cut. Nothing where there is nothing to tell."""
        if not parts:
            return
        if self.home != "azure-pipelines":
            add_to_summary(self.run, *parts)
            return
        page = self._free_page()
        page.write_text(limited("\n".join(parts), SUMMARY_BYTES, CUT, in_bytes), encoding="utf-8")
        self._command(f"##vso[task.uploadsummary]{_vso(str(page.resolve()))}")

    def _free_page(self) -> Path:
        """A page of its own for each part: the agent reads it when it has read the command, perhaps after the step."""
        page, number = self.path(f"{self.verb}-summary.md"), 1
        while page.exists():
            number += 1
            page = self.path(f"{self.verb}-summary-{number}.md")
        return page

    def annotate(self, findings: Sequence[Finding], changed: Lines | None = None) -> None:
        """Errors and warnings beside their lines, those on changed lines first; the rest is counted."""
        told = [finding for finding in findings if finding.level in _RANK and finding.waived is None]
        told.sort(key=lambda finding: (not self._is_changed(finding, changed or {}), _RANK[finding.level]))
        for finding in told[:MOST_ANNOTATIONS]:
            self.note(finding.level, f"{finding.summary}. {finding.detail} {finding.advice}", finding)
        if len(told) > MOST_ANNOTATIONS and self.home:
            rest = plural(len(told) - MOST_ANNOTATIONS, "finding")
            self.run.say(f"{rest} more: all are in the summary.")

    def note(self, level: str, text: str, finding: Finding | None = None) -> None:
        """One annotation: ``error``, ``warning`` or ``notice``."""
        file, line = self._place(finding)
        rule = finding.rule if finding else ""
        if self.home == "github":
            pairs = {"file": file, "line": line, "title": f"{rule} {finding.address}".strip() if finding else ""}
            told = ",".join(f"{name}={_property(value)}" for name, value in pairs.items() if value)
            self._command(f"::{level}{' ' if told else ''}{told}::{workflow_data(plain(text.strip()))}")
        elif self.home == "azure-pipelines" and level != "notice":
            pairs = {"type": level, "sourcepath": file, "linenumber": line, "code": rule}
            told = ";".join(f"{name}={_vso(plain(value), inside=True)}" for name, value in pairs.items() if value)
            self._command(f"##vso[task.logissue {told}]{_vso(plain(text.strip()))}")

    def _place(self, finding: Finding | None) -> tuple[str, str]:
        """File and line as the repository has them; empty for what stands in no file."""
        match = _PLACE.fullmatch(finding.location) if finding else None
        if match is None:
            return "", ""
        root = self.inputs.get("GITHUB_WORKSPACE") or self.inputs.get("BUILD_SOURCESDIRECTORY") or "."
        whole = os.path.realpath(match["file"])
        here = os.path.relpath(whole, os.path.realpath(root))
        return (match["file"] if here.startswith("..") else here.replace(os.sep, "/")), match["line"]

    def _is_changed(self, finding: Finding, changed: Lines) -> bool:
        file, line = self._place(finding)
        return bool(line) and int(line) in changed.get(file, ())

    def _command(self, line: str) -> None:
        """A command for the runner, which reads both streams; with ``--json`` stdout is one document."""
        stream: IO[str] = self.run.err if self.run.settings.json_output else self.run.out
        stream.write(f"{line}\n")
        stream.flush()


@contextmanager
def step_of(run: Run, verb: str, out: str | None = None) -> Iterator[PipelineStep]:
    """A step; what ends it without a result becomes its exit code, a summary and an annotation too."""
    step = _step(run, verb, out)
    try:
        yield step
    except VpngwError as error:
        from vpngw_iac.report.step_summary import error_markdown

        step.outputs(exitcode=int(error.exit_code))
        step.summary(error_markdown(verb, error))
        step.annotate(getattr(error, "findings", ()))
        step.note("error", error.message)
        raise


def _step(run: Run, verb: str, out: str | None) -> PipelineStep:
    filed = run.settings.env_variables
    inputs = {name: value for name, value in os.environ.items() if filed.get(name) != value}
    temporary = inputs.get("RUNNER_TEMP") or inputs.get("AGENT_TEMPDIRECTORY")
    usual = Path(temporary) / "vpngw" if temporary else Path(".vpngw/ci")
    return PipelineStep(verb, run, inputs, home_of(inputs), GithubEvent.of(inputs), Path(out) if out else usual)


def _word(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else plain(str(value))


def _property(value: str) -> str:
    """A value among the properties of a workflow command (actions/toolkit, command.ts, escapeProperty)."""
    return workflow_data(plain(value)).replace(":", "%3A").replace(",", "%2C")


def _vso(text: str, *, inside: bool = False) -> str:
    """A value of a logging command: what would end it is encoded, with ``%`` first."""
    told = logging_data(text)
    return told.replace(";", "%3B").replace("]", "%5D") if inside else told
