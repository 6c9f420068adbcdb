"""Steps of a pipeline: environments as a runner makes them, a repository in a folder, a GitHub on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.ci.github_server import REPOSITORY, TOKEN, GithubServer, serving
from tests.ci.organisation import Organisation, organised
from tests.cli.conftest import CANARY, HUB, SPEED, Answer
from vpngw_iac.cli.app import run

PULL_REQUEST = 12
REVIEWERS = {"type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": {"login": "carol"}}]}


def pull_request_event(number: int = PULL_REQUEST, title: str = "Another site") -> dict[str, Any]:
    """The payload of ``pull_request`` (https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request;
    octokit/webhooks, payload-examples/api.github.com/pull_request/synchronize.payload.json), as far as it is read."""
    return {
        "action": "synchronize",
        "number": number,
        "pull_request": {
            "number": number, "title": title, "state": "open",
            "head": {"ref": "site", "sha": "a" * 40, "repo": {"full_name": REPOSITORY, "fork": False}},
            "base": {"ref": "main", "sha": "b" * 40, "repo": {"full_name": REPOSITORY}},
        },
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "sender": {"login": "alice", "type": "User"},
    }  # fmt: skip


def push_event() -> dict[str, Any]:
    """The payload of ``push`` (https://docs.github.com/webhooks/webhook-events-and-payloads#push;
    octokit/webhooks, payload-examples/api.github.com/push/payload.json), as far as it is read."""
    return {
        "ref": "refs/heads/main",
        "before": "b" * 40,
        "after": "c" * 40,
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "sender": {"login": "alice", "type": "User"},
    }


def schedule_event() -> dict[str, Any]:
    """What a scheduled run is given: the cron line and the repository
    (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule)."""
    return {"schedule": "17 5 * * *", "repository": {"full_name": REPOSITORY, "default_branch": "main"}}


@dataclass
class Step:
    """Runs steps of one job in this process; `variables` are the job's own."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int | None = None, **variables: str) -> Answer:
        self.capture.readouterr()
        before = dict(os.environ)
        for place in (self.output, self.page):
            place.unlink(missing_ok=True)
        os.environ.update({**self.variables, **variables})
        try:
            given = run(("ci", *arguments))
        finally:
            os.environ.clear()
            os.environ.update(before)
        answer = Answer(given, *self.capture.readouterr())
        assert code is None or given == code, f"{arguments}\n{answer.out}\n{answer.err}"
        return answer

    @property
    def output(self) -> Path:
        return self.folder / "github_output"

    @property
    def page(self) -> Path:
        return self.folder / "summary.md"

    @property
    def outputs(self) -> dict[str, str]:
        """What the last step said in $GITHUB_OUTPUT."""
        if not self.output.exists():
            return {}
        return dict(line.split("=", 1) for line in self.output.read_text(encoding="utf-8").splitlines())

    @property
    def summary(self) -> str:
        """What the last step wrote on the page of its run."""
        return self.page.read_text(encoding="utf-8") if self.page.exists() else ""

    def on(self, name: str, payload: dict[str, Any], ref: str, sha: str = "c" * 40) -> None:
        """What started the workflow."""
        place = self.folder / "event.json"
        place.write_text(json.dumps(payload), encoding="utf-8")
        self.variables |= {
            "GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(place), "GITHUB_REF": ref, "GITHUB_SHA": sha
        }  # fmt: skip


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """Azure of an organisation that was set up for pipelines."""
    with organised(tmp_path_factory.mktemp("organisation")) as made:
        yield made


@pytest.fixture
def github() -> Iterator[GithubServer]:
    """GitHub."""
    with serving() as server:
        yield server


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Step:
    """Steps of a job on the default branch, with no token, in a folder that holds ``hub.yaml``."""
    for name in list(os.environ):
        if name.startswith(("VPNGW_", "AZURE_", "ARM_", "GITHUB_", "RUNNER_", "BUILD_")) or name in ("CI", "NO_COLOR"):
            monkeypatch.delenv(name)
    work, temporary = tmp_path / "work", tmp_path / "runner"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(work)
    (work / "hub.yaml").write_text(HUB, encoding="utf-8")
    made = Step(temporary, capsys)
    made.variables = {
        "VPNGW_CLOUD": "simulator", "VPNGW_SIMULATOR_SPEED": SPEED, "GITHUB_ACTIONS": "true", "CI": "true",
        "GITHUB_OUTPUT": str(made.output), "GITHUB_STEP_SUMMARY": str(made.page), "RUNNER_TEMP": str(temporary),
        "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "7001",
        "GITHUB_WORKSPACE": str(work), "GITHUB_ACTOR": "alice", "BLUEPRINT": "hub.yaml",
        "SECRETS": f"BERLIN_PSK={CANARY}\n",
    }  # fmt: skip
    made.on("push", push_event(), "refs/heads/main")
    return made


@pytest.fixture
def with_token(step: Step, github: GithubServer) -> Step:
    """The same with the token of a job, and this run known to GitHub."""
    step.variables |= {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url}
    github.runs.append({"id": 7001, "workflow_id": 5, "run_number": 40, "head_branch": "main", "conclusion": None})
    return step
