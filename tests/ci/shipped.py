"""Runs a job of a workflow that we ship: its own steps, environment and artifacts, each command a process of bash.

Setting a runner up (checkout, our action) is done by hand; what the YAML says of it is held in tests/test_workflows.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.conftest import pull_request_event, push_event
from tests.ci.github_server import REPOSITORY, TOKEN, GithubServer
from tests.cli.conftest import CANARY, HUB, ROOT, SPEED
from tests.test_workflows import flow

PROGRAM = f'#!/bin/sh\nexec "{sys.executable}" -m vpngw_iac "$@"\n'


@dataclass
class Ended:
    """How the last command of a job ended, and what its steps said."""

    code: int
    text: str
    outputs: dict[str, dict[str, str]]
    summary: str


@dataclass
class Repository:
    """Files of a commit, GitHub, Azure and a store; `inputs` are those of the caller."""

    root: Path
    github: GithubServer
    inputs: dict[str, str] = field(default_factory=dict)
    blueprint: str = HUB
    event: str = "push"
    run: int = 7001

    def job(self, workflow: str, name: str, **inputs: str) -> Ended:
        """Run the commands of one job in order; ends with the first that fails."""
        interface = flow(workflow)["on"]["workflow_call"]["inputs"]
        defaults = {key: str(value.get("default", "")) for key, value in interface.items()}
        runner = Runner(self, flow(workflow)["jobs"][name], {**defaults, **self.inputs, **inputs}, f"{workflow}-{name}")
        return runner.run()


class Runner:
    """One fresh runner with one job."""

    def __init__(self, repository: Repository, job: Mapping[str, Any], inputs: Mapping[str, str], name: str) -> None:
        self.repository, self.job, self.inputs = repository, job, inputs
        number = len(list(repository.root.glob("runner-*")))
        self.folder = repository.root / f"runner-{number}-{name}"
        self.work, self.temporary, self.home = (self.folder / part for part in ("work", "temp", "bin"))
        for place in (self.work, self.temporary, self.home):
            place.mkdir(parents=True)
        (self.home / "vpngw").write_text(PROGRAM, encoding="utf-8")
        (self.home / "vpngw").chmod(0o755)
        payload = pull_request_event() if repository.event == "pull_request" else push_event()
        (self.folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        self.summary = self.folder / "summary.md"

    def run(self) -> Ended:
        outputs: dict[str, dict[str, str]] = {}
        code, text = 0, ""
        for number, step in enumerate(self.job["steps"]):
            if not self._is_wanted(step.get("if", "")):
                continue
            if "uses" in step:
                self._use(step)
                continue
            place = self.folder / f"output-{number}"
            done = self._command(step, place)
            text += done.stdout + done.stderr
            code = done.returncode
            if place.exists():
                lines = place.read_text(encoding="utf-8").splitlines()
                outputs[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
            if code:
                break
        page = self.summary.read_text(encoding="utf-8") if self.summary.exists() else ""
        return Ended(code, text, outputs, page)

    def _command(self, step: Mapping[str, Any], output: Path) -> subprocess.CompletedProcess[str]:
        pull = self.repository.event == "pull_request"
        said = {**self.job.get("env", {}), **step.get("env", {})}
        environment = {
            "PATH": f"{self.home}:{os.environ['PATH']}", "HOME": str(self.folder), "PYTHONPATH": str(ROOT),
            "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_EVENT_NAME": self.repository.event,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"), "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REF": "refs/pull/12/merge" if pull else "refs/heads/main", "GITHUB_SHA": "c" * 40,
            "GITHUB_RUN_ID": str(self.repository.run), "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": self.repository.github.url, "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.summary), "RUNNER_TEMP": str(self.temporary),
            "VPNGW_SIMULATOR_SPEED": SPEED, "VPNGW_SIMULATOR_DIR": str(self.repository.root / "azure"),
            **{name: self._value(str(value)) for name, value in said.items()},
        }  # fmt: skip
        return subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=self.work, env=environment, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    def _value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda match: self._expression(match[1]), text)

    def _expression(self, text: str) -> str:
        known = {
            "runner.temp": str(self.temporary), "github.token": TOKEN, "secrets.env": f"BERLIN_PSK={CANARY}",
            "secrets.webhook": "", "'*'": "*", **{f"inputs.{name}": value for name, value in self.inputs.items()},
        }  # fmt: skip
        return next((value for part in text.split(" || ") if (value := known[part])), "")

    def _is_wanted(self, condition: str) -> bool:
        return not condition or (condition == "inputs.resend == ''") == (not self.inputs.get("resend"))

    def _use(self, step: Mapping[str, Any]) -> None:
        given = step.get("with", {})
        if step["uses"].startswith("actions/checkout@") and "repository" not in given:
            (self.work / "hub.yaml").write_text(self.repository.blueprint, encoding="utf-8")
        kept = self.repository.root / "artifacts" / str(self.repository.run)
        if "upload-artifact@" in step["uses"]:
            for path in self._value(given["path"]).split():
                target = kept / self._value(given["name"])
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        if "download-artifact@" in step["uses"]:
            place = Path(self._value(given["path"]))
            if "name" in given:
                shutil.copytree(kept / self._value(given["name"]), place)
            else:
                for found in sorted(kept.glob(self._value(given["pattern"]))):
                    shutil.copytree(found, place / found.name)
