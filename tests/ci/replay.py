"""A repository with its workflow runs: each job has a folder and an environment of its own, each step is a process.

What a job shares with another one is what GitHub lets it share: artifacts, the outputs of jobs that it needs, GitHub
itself; beyond that Azure (a simulator's folder) and the store of the state.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.conftest import PULL_REQUEST, pull_request_event, push_event, schedule_event
from tests.ci.github_server import REPOSITORY, TOKEN, GithubServer
from tests.cli.conftest import CANARY, SPEED
from tests.hostile import harm_in

CLEAN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
"""What a runner has of this machine's environment."""


@dataclass
class Done:
    """A step that has ended."""

    code: int
    out: str
    err: str
    outputs: dict[str, str]
    summary: str

    @property
    def everything(self) -> str:
        """All that anybody can read of it, without what tells the runner to mask a value."""
        shown = [line for line in self.err.splitlines() if not line.startswith("::add-mask::")]
        return "\n".join([self.out, *shown, self.summary, *self.outputs.values()])


@dataclass
class Repository:
    """The default branch as files, GitHub, Azure, and the store."""

    root: Path
    github: GithubServer
    files: dict[str, str] = field(default_factory=dict)
    secrets: str = f"BERLIN_PSK={CANARY}\n"
    numbers: int = 0

    def run(self, event: str, files: Mapping[str, str] | None = None) -> WorkflowRun:
        """A workflow run on an event, with the files of its commit."""
        self.numbers += 1
        made = WorkflowRun(self, event, 7000 + self.numbers, dict(files or self.files))
        branch = "site" if event == "pull_request" else "main"
        self.github.runs.append(
            {"id": made.id, "workflow_id": 5, "run_number": self.numbers, "head_branch": branch, "conclusion": None}
        )
        return made

    def merge(self, files: Mapping[str, str], run: WorkflowRun) -> None:
        """The pull request is merged as the commit of a run."""
        self.files = dict(files)
        self.github.pulls_of[run.sha] = [{"number": PULL_REQUEST, "merged_at": "2026-11-02T08:00:00Z"}]


@dataclass
class WorkflowRun:
    """One run of the workflow; a job that is started again has the artifacts of the first attempt."""

    repository: Repository
    event: str
    id: int
    files: dict[str, str]

    @property
    def sha(self) -> str:
        """The commit."""
        return f"{self.id:040x}"

    @property
    def artifacts(self) -> Path:
        """Where artifacts of this run are kept."""
        return self.repository.root / "artifacts" / str(self.id)

    def approve(self, login: str) -> None:
        """A reviewer of the environment approves."""
        review = {"state": "approved", "user": {"login": login}, "environments": [{"name": "prod"}], "comment": ""}
        self.repository.github.approvals.setdefault(self.id, []).append(review)

    def job(self, name: str, *, checkout: bool = False, token: bool = False, secrets: bool = False) -> Job:
        """A fresh runner, with what the workflow gives to this job."""
        folder = self.repository.root / "jobs" / f"{self.id}-{name}"
        while folder.exists():
            folder = folder.with_name(f"{folder.name}-again")
        job = Job(self, name, folder)
        for each in (job.work, job.temporary):
            each.mkdir(parents=True)
        if checkout:
            for file, text in self.files.items():
                (job.work / file).write_text(text, encoding="utf-8")
        payload: dict[str, Any] = {
            "pull_request": pull_request_event, "push": push_event, "schedule": schedule_event,
            "workflow_dispatch": schedule_event,
        }[self.event]()  # fmt: skip
        (folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        job.environment = {
            **CLEAN, "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_EVENT_NAME": self.event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"), "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.id), "GITHUB_SHA": self.sha, "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REF": f"refs/pull/{PULL_REQUEST}/merge" if self.event == "pull_request" else "refs/heads/main",
            "GITHUB_WORKSPACE": str(job.work), "RUNNER_TEMP": str(job.temporary), "GITHUB_ACTOR": "alice",
            "GITHUB_API_URL": self.repository.github.url, "VPNGW_CLOUD": "simulator",
            "VPNGW_SIMULATOR_SPEED": SPEED, "VPNGW_SUBSCRIPTION": "0" * 8,
        }  # fmt: skip
        if token:
            job.environment["GITHUB_TOKEN"] = TOKEN
        if secrets:
            job.environment["SECRETS"] = self.repository.secrets
        return job


@dataclass
class Job:
    """One job on a runner of its own."""

    run: WorkflowRun
    name: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The working directory: a checkout, or empty."""
        return self.folder / "work"

    @property
    def temporary(self) -> Path:
        """$RUNNER_TEMP."""
        return self.folder / "temp"

    def signed_in(self) -> Job:
        """The job has an identity: it reaches Azure and the store."""
        root = self.run.repository.root
        self.environment |= {"VPNGW_SIMULATOR_DIR": str(root / "azure"), "VPNGW_STATE": str(root / "state")}
        return self

    def step(self, *arguments: str, code: int | None = 0, cancel_at: str = "", **variables: str) -> Done:
        """One step, ``exec vpngw ...`` in a shell of its own; `cancel_at`: SIGINT to that shell once stderr says so."""
        output, page = self.folder / "output", self.folder / "page"
        for each in (output, page):
            each.unlink(missing_ok=True)
        environment = self.environment | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(page)} | variables
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$@"', "sh", sys.executable, "-m", "vpngw_iac", *arguments],
            cwd=self.work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = ""
        if cancel_at:
            assert process.stderr is not None
            for line in process.stderr:
                said += line
                if cancel_at in line:
                    break
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        done = Done(
            process.returncode,
            out,
            said + err,
            dict(line.split("=", 1) for line in output.read_text().splitlines()) if output.exists() else {},
            page.read_text(encoding="utf-8") if page.exists() else "",
        )
        assert code is None or done.code == code, f"{self.name}: {arguments}\n{done.out}\n{done.err}"
        assert TOKEN not in done.everything
        assert CANARY not in done.everything
        assert harm_in(done.summary) == []
        return done

    def upload(self, artifact: str, file: Path) -> None:
        """actions/upload-artifact."""
        place = self.run.artifacts / artifact
        place.mkdir(parents=True)
        shutil.copy(file, place / file.name)
        self.run.repository.github.artifacts.setdefault(self.run.id, []).append(artifact)

    def download(self, artifact: str, to: Path | None = None) -> Path:
        """actions/download-artifact."""
        place = to or self.temporary / "artifact"
        shutil.copytree(self.run.artifacts / artifact, place)
        return place
