"""What an interrupted run of a reviewed plan has left, and where that plan is kept: an artifact of the run, on GitHub.

The journal says which run it was and what it had decided; GitHub keeps the plan file. Only a file that decides the very
same, of a run of this repository's default branch, is handed on, and its seal is judged where it is applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vpngw_iac.errors import Refused, StalePlan
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.log import LoggedRun, left_open, runs_of
from vpngw_iac.usecases.github import Github, GithubError
from vpngw_iac.usecases.github_artifact import MOST_PACKED, plan_in
from vpngw_iac.usecases.github_event import GithubEvent
from vpngw_iac.usecases.pipeline_review import decided_by
from vpngw_iac.usecases.session import Session

_GONE = (404, 410)
"""How GitHub refuses what was deleted, or has expired meanwhile; docs/github-facts.md says what is known of it."""
_APPLY = re.compile(r".*/\.github/workflows/apply\.ya?ml(@.*)?")
_AGAIN = "Plan again, and have the new plan reviewed: it holds what is left."


@dataclass(frozen=True, slots=True)
class Remainder:
    """A run that did not come to its end, and the runs of this repository's pipeline that were about the same plan."""

    deployment: str
    run: LoggedRun
    pipeline_runs: tuple[str, ...] = ()
    """Ids of workflow runs, the newest first: one that finished for another has kept no plan of its own."""
    holder: str = ""
    """Who has the lock of the state now; empty if nobody does."""

    @property
    def can_be_finished(self) -> bool:
        """Whether there may be a reviewed plan to finish it by, and nobody is at work."""
        return bool(self.pipeline_runs) and not self.holder

    @property
    def sentence(self) -> str:
        """What is left of whom, and what to do about it."""
        return self.said_of(self.run.url or f"a run of {self.run.actor}")

    def said_of(self, who: str) -> str:
        """The same with another name of the run."""
        if self.holder:
            return f"{self.holder} is at work on {self.deployment}."
        begun = f"{self.deployment} was not finished by {who} of {self.run.started[:16]}Z"
        if not self.run.digest:
            return f"{begun}, which was not of a saved plan: `vpngw plan` shows what is left."
        if not self.pipeline_runs:
            return f"{begun}, which was no run of this repository: apply its plan file again, or plan again."
        return f"{begun}: its own plan finishes it, without a new review."


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan file, and the workflow run that made it."""

    run: str
    document: Mapping[str, Any]


def remainder_of(session: Session, event: GithubEvent) -> Remainder | None:
    """What the last run that was to change something has left; None if it came to its end. Reads the journal alone."""
    store = session.store()
    told = runs_of(store.history())
    run = left_open(told)
    if run is None:
        return None
    owner = store.owner()
    found = tuple(_runs_of_plan(told, run.digest, event)) if run.digest else ()
    return Remainder(session.deployment, run, found, owner.describe() if owner else "")


def _runs_of_plan(told: Iterable[LoggedRun], digest: str, event: GithubEvent) -> Iterator[str]:
    """Ids of this repository's workflow runs that applied the plan with this digest, the newest first."""
    pattern = re.compile(rf"{re.escape(f'{event.server}/{event.repository}')}/actions/runs/(\d+)", re.IGNORECASE)
    known = [match[1] for run in told if run.digest == digest and (match := pattern.fullmatch(run.url))]
    yield from dict.fromkeys(reversed(known))


def kept_plan(github: Github, event: GithubEvent, left: Remainder, artifact: str) -> KeptPlan:
    """The plan file of the run that left something.

    Raises `StalePlan` where there is none any more, `Refused` for one of another repository, branch or workflow, and
    `PlanError` for an artifact that is not as a pipeline keeps it.
    """
    if not left.can_be_finished:
        raise StalePlan(left.sentence, advice=_AGAIN)
    expired = False
    for run in left.pipeline_runs:
        for kept in _artifacts(github, run, artifact):
            if kept.get("expired"):
                expired = True
                continue
            about = _run_of_ours(github, event, run)
            document = _document(github, kept)
            if document is not None and decided_by(document).digest == left.run.digest:
                _require_made_by(document, event, run, about)
                return KeptPlan(run, document)
    why = "has expired" if expired else "is not there any more"
    raise StalePlan(f"The artifact {artifact} of {left.run.url}, by which it would be finished, {why}.", advice=_AGAIN)


def _artifacts(github: Github, run: str, name: str) -> list[dict[str, Any]]:
    """Those of that name, the newest first: an attempt of a run may leave one beside that of an earlier attempt."""
    try:
        found = [item for item in github.pages(f"actions/runs/{run}/artifacts", "artifacts", name=name)]
    except GithubError as error:
        if error.status not in _GONE:
            raise
        return []
    ours = [item for item in found if item.get("name") == name and isinstance(item.get("id"), int)]
    return sorted(ours, key=lambda item: -int(item["id"]))


def _document(github: Github, kept: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The plan in an artifact; None if it was deleted, or has expired, in between."""
    try:
        return plan_in(github.archive(f"actions/artifacts/{kept['id']}/zip", MOST_PACKED))
    except GithubError as error:
        if error.status not in _GONE:
            raise
        return None


def _run_of_ours(github: Github, event: GithubEvent, run: str) -> Mapping[str, Any]:
    """What GitHub tells of a run; raises `Refused` unless a caller of ``apply.yml`` made it on the default branch.

    https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run
    """
    about = github.get(f"actions/runs/{run}")
    of_here = {_name(about, "repository"), _name(about, "head_repository")} == {event.repository.lower()}
    if not of_here:
        raise Refused(f"Run {run} is of another repository.", advice=_AGAIN)
    if about.get("head_branch") != event.branch or str(about.get("event", "")).startswith("pull_request"):
        raise Refused(f"Run {run} was not of the default branch, {event.branch}.", advice=_AGAIN)
    called = [str(one.get("path")) for one in about.get("referenced_workflows") or () if isinstance(one, dict)]
    if not any(map(_APPLY.fullmatch, called)):
        this = github.get(f"actions/runs/{event.run}")
        if not isinstance(this.get("workflow_id"), int) or this["workflow_id"] != about.get("workflow_id"):
            raise Refused(f"Run {run} is of a workflow that does not call apply.yml.", advice=_AGAIN)
    return dict(about)


def _name(about: Mapping[str, Any], key: str) -> str:
    found = about.get(key)
    return str(found.get("full_name", "")).lower() if isinstance(found, dict) else ""


def _require_made_by(document: Mapping[str, Any], event: GithubEvent, run: str, about: Mapping[str, Any]) -> None:
    """Raise `Refused` for a plan that another run has made: what it says of itself is within its seal."""
    made = {"repository": event.repository, "run": run, "commit": about.get("head_sha")}
    if document.get("pipeline") != made:
        raise Refused(f"The plan that run {run} keeps was not made by it.", advice=_AGAIN)
