"""What started a workflow: the payload of its event, of which strangers write parts; every value is checked.

Payloads are those of webhooks (https://docs.github.com/webhooks/webhook-events-and-payloads); which event starts what,
and with which ref and commit: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vpngw_iac.files import UnreadableFile, read_text
from vpngw_iac.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class GithubEvent:
    """The event of a workflow run, as the runner gives it to a step."""

    name: str = ""
    """``pull_request``, ``push``, ``schedule``, ``workflow_dispatch``."""
    pull_request: int | None = None
    """Number of the pull request, of an event of one."""
    head: str = ""
    """Its commit at the time of the event; empty for an event of none."""
    default_branch: str = ""
    """As the payload says; empty where it does not."""
    branch: str = ""
    """The branch of the run; empty for a tag and for the merge of a pull request."""
    commit: str = ""
    repository: str = ""
    server: str = ""
    run: str = ""
    """Id of the workflow run, equal in every attempt of it."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> GithubEvent:
        """Read the variables and the payload of a step; what is missing or no payload is told by empty fields."""
        payload = _payload(environment.get("GITHUB_EVENT_PATH", ""))
        ref = environment.get("GITHUB_REF", "")
        return cls(
            name=environment.get("GITHUB_EVENT_NAME", ""),
            pull_request=_number(payload),
            head=_text(payload, "pull_request", "head", "sha"),
            default_branch=_text(payload, "repository", "default_branch"),
            branch=ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else "",
            commit=environment.get("GITHUB_SHA", ""),
            repository=environment.get("GITHUB_REPOSITORY", ""),
            server=environment.get("GITHUB_SERVER_URL", ""),
            run=environment.get("GITHUB_RUN_ID", ""),
        )

    @property
    def run_url(self) -> str:
        """Address of the workflow run; empty outside of GitHub."""
        whole = self.server and self.repository and self.run
        return f"{self.server}/{self.repository}/actions/runs/{self.run}" if whole else ""

    def pull_request_url(self, number: int) -> str:
        """Address of a pull request of this repository."""
        return f"{self.server}/{self.repository}/pull/{number}"


def _payload(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        found = json.loads(read_text(Path(path)))
    except (ValueError, UnreadableFile, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(payload: Mapping[str, Any]) -> int | None:
    """Of `pull_request`, and of an `issue_comment` on one."""
    found = payload.get("pull_request")
    number = found.get("number") if isinstance(found, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _text(payload: Mapping[str, Any], *steps: str) -> str:
    found: Any = payload
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
