"""What was reviewed and what is about to be applied: the pull request of a commit, and plans that came later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.engine.plan.decisions import decision_digest, line_of
from vpngw_iac.errors import PlanError, Refused, StalePlan
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.usecases.comment_marks import Decided, decided_in
from vpngw_iac.usecases.github import Github, GithubError
from vpngw_iac.usecases.github_event import GithubEvent

COMMENTER = "github-actions[bot]"
"""Who writes with the token of a job: comments of others are not ours, whatever they hide."""

_OVER = ("cancelled", "failure", "startup_failure", "timed_out")


@dataclass(frozen=True, slots=True)
class Review:
    """The plan of a pull request beside the plan of now."""

    number: int
    url: str
    seen: Decided
    now: Decided

    @property
    def is_same(self) -> bool:
        """Whether both decide the same."""
        return self.seen.digest == self.now.digest

    @property
    def sentence(self) -> str:
        """The verdict."""
        same = "Same decisions as in" if self.is_same else "Not the decisions of"
        return f"{same} pull request {self.number}."

    @property
    def only_there(self) -> tuple[str, ...]:
        """What the pull request's plan decided, and this one does not."""
        return tuple(line for line in self.seen.lines if line not in self.now.lines)

    @property
    def only_here(self) -> tuple[str, ...]:
        """What this plan decides, and the pull request's did not."""
        return tuple(line for line in self.now.lines if line not in self.seen.lines) if self.seen.lines else ()


def decided_by(document: Mapping[str, Any]) -> Decided:
    """What a plan file decides, by its decisions alone; raises `PlanError` if it holds none."""
    basis = document.get("basis")
    decisions = basis.get("decisions") if isinstance(basis, dict) else None
    try:
        lines = tuple(line_of(item) for item in decisions or ())
        return Decided(str(document["deployment"]), decision_digest(decisions or ()), lines)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise PlanError("The plan file is damaged: its decisions.", advice="Make the plan again.") from None


def review_of(github: Github, event: GithubEvent, now: Decided, commenter: str = COMMENTER) -> Review | None:
    """The pull request that brought the commit of this run, if its plan of the deployment was told in a comment."""
    for number in _pull_requests(github, event):
        found = [d for item in own_comments(github, number, commenter) for d in decided_in(body_of(item))]
        of_it = [decided for decided in found if decided.deployment == now.deployment]
        if of_it:
            return Review(number, event.pull_request_url(number), of_it[-1], now)
    return None


def _pull_requests(github: Github, event: GithubEvent) -> Iterator[int]:
    """Those that were merged with this commit (https://docs.github.com/rest/commits/commits)."""
    for found in github.pages(f"commits/{event.commit}/pulls") if event.commit else ():
        if found.get("merged_at") and isinstance(number := found.get("number"), int):
            yield number


def own_comments(github: Github, number: int, commenter: str) -> Iterator[Mapping[str, Any]]:
    """The comments that a job of ours wrote."""
    return (comment for comment in github.pages(f"issues/{number}/comments") if _is_by(comment, commenter))


def body_of(item: Mapping[str, Any]) -> str:
    """The text of a comment or an issue."""
    return str(item.get("body") or "")


def _is_by(item: Mapping[str, Any], commenter: str) -> bool:
    user = item.get("user")
    return isinstance(user, dict) and str(user.get("login", "")).lower() == commenter.lower()


def later_head(github: Github, event: GithubEvent) -> str:
    """The commit that the pull request of this event is at, if it is another one by now; else empty.

    A run that was overtaken, or an old one that somebody has started again, shows what nobody proposes any more
    (https://docs.github.com/rest/pulls/pulls#get-a-pull-request).
    """
    if event.pull_request is None or not event.head:
        return ""
    head = github.get(f"pulls/{event.pull_request}").get("head")
    found = str(head.get("sha", "")) if isinstance(head, dict) else ""
    return found if found != event.head else ""


def require_reviewed(digest: str, now: str) -> None:
    """Raise `StalePlan` if the decision digest that somebody reviewed and typed in is another one."""
    if digest and digest.strip().lower() != now:
        raise StalePlan(
            f"Reviewed were the decisions {digest.strip()}, and this plan decides {now}.",
            advice="Review the plan of this run, and start it again with its digest.",
        )


def require_own(document: Mapping[str, Any], origin: Mapping[str, str]) -> None:
    """Raise `Refused` for a plan that another run of a pipeline has made, or none."""
    made = document.get("pipeline")
    if origin and made != dict(origin):
        other = made.get("run") if isinstance(made, dict) else None
        raise Refused(
            f"The plan was made by {f'run {other}' if other else 'no run of a pipeline'}, and this is another one.",
            advice="Take the artifact that `vpngw ci plan` has made in this very run.",
        )


def require_default_branch(event: GithubEvent, github: Github | None) -> None:
    """Raise `Refused` anywhere but on the default branch, and where nobody says which one that is."""
    known = event.default_branch or (github.default_branch() if github else "")
    if not known:
        raise Refused("Which branch is the default one is not known.", advice="Give the step GITHUB_TOKEN.")
    if event.branch != known:
        where = f"this is {event.branch}" if event.branch else "this is no branch"
        raise Refused(f"Changes are applied on the default branch, {known}, and {where}.", advice="Merge first.")


def newer_plan(github: Github, event: GithubEvent, artifact: str, run: str = "") -> str:
    """Address of a later run than `run` of its workflow that has planned the deployment again; empty if there is none.

    Without `run` it is the one of this step.

    A later run counts from the moment its plan is kept as an artifact of the same name, unless it ended without an
    apply (https://docs.github.com/rest/actions/artifacts, https://docs.github.com/rest/actions/workflow-runs). Asked
    is for that artifact, not for runs: a schedule starts thousands of these while an approval waits.
    """
    ours = github.get(f"actions/runs/{run or event.run}")
    workflow, number = ours.get("workflow_id"), ours.get("run_number")
    if not isinstance(workflow, int) or not isinstance(number, int):
        raise GithubError("GitHub does not tell which workflow this run is of.")
    for identifier in _later_keepers(github, artifact, event.branch, ours):
        other = github.get(f"actions/runs/{identifier}")
        later = isinstance(other.get("run_number"), int) and other["run_number"] > number
        if later and other.get("workflow_id") == workflow and _may_be_applied(other):
            return f"{event.server}/{event.repository}/actions/runs/{identifier}"
    return ""


def _may_be_applied(run: Mapping[str, Any]) -> bool:
    """Whether a plan that this run has kept is, or was, about to be applied: a pull request's never is.

    A fork may call its branch as it likes, and keep artifacts of any name.
    """
    return run.get("conclusion") not in _OVER and not str(run.get("event", "")).startswith("pull_request")


def _later_keepers(github: Github, artifact: str, branch: str, ours: Mapping[str, Any]) -> Iterator[int]:
    """Ids of other runs of the branch that have kept an artifact of that name since a run began."""
    begun, seen = str(ours.get("created_at") or ""), {ours.get("id")}
    for item in github.pages("actions/artifacts", "artifacts", name=artifact):
        run = item.get("workflow_run")
        if not isinstance(run, dict) or item.get("name") != artifact or run.get("head_branch") != branch:
            continue
        identifier = run.get("id")
        if isinstance(identifier, int) and identifier not in seen and str(item.get("created_at") or "~") >= begun:
            seen.add(identifier)
            yield identifier


def require_newest(github: Github, event: GithubEvent, artifact: str) -> None:
    """Raise `StalePlan` if a later run has planned this deployment again: the older plan is superseded."""
    if newer := newer_plan(github, event, artifact):
        raise StalePlan(
            f"This plan is superseded: a later run has planned the deployment again, {newer}.",
            advice="Approve the later run, and reject this one.",
        )


def approver_of(github: Github, event: GithubEvent) -> str:
    """Who approved this run's deployment, separated by commas; empty where nobody had to.

    https://docs.github.com/rest/actions/workflow-runs, get the review history for a workflow run.
    """
    found = list(github.pages(f"actions/runs/{event.run}/approvals"))
    users = (item.get("user") for item in found if item.get("state") == "approved")
    return ", ".join(
        dict.fromkeys(str(user["login"]) for user in users if isinstance(user, dict) and user.get("login"))
    )


_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def changed_lines(github: Github, number: int) -> dict[str, set[int]]:
    """The lines that a pull request adds or changes, by file (https://docs.github.com/rest/pulls/pulls, list files)."""
    files = github.pages(f"pulls/{number}/files")
    return {str(item.get("filename")): set(_added(str(item.get("patch") or ""))) for item in files}


def _added(patch: str) -> Iterator[int]:
    line = 0
    for text in patch.split("\n"):
        if match := _HUNK.match(text):
            line = int(match[1])
        elif text.startswith("+"):
            yield line
            line += 1
        elif not text.startswith(("-", "\\")):
            line += 1
