"""One fresh runner with one job: its steps, each command a process that begins as GitHub's shell begins it.

Of a composite action (ours) the commands run too, but for the one that installs the package: it is there already.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.ci.expressions import Loose, evaluate, filled, is_true
from tests.ci.github_server import REPOSITORY, TOKEN
from tests.cli.conftest import CANARY, ROOT
from tests.hostile import harm_in

if TYPE_CHECKING:
    from tests.ci.shipped import Job, WorkflowRun

PROGRAM = f'#!/bin/sh\nexec "{sys.executable}" -m vpngw_iac "$@"\n'
ISSUER, AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"
TERMINATE, KILL = 7.5, 10.0
"""Seconds from the cancellation (docs/github-facts.md)."""
_SHELLS = {"": ("bash", "-e"), "sh": ("sh", "-e")}
"""https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell"""


@dataclass(frozen=True)
class Cancel:
    """Somebody cancels the run once a command says this on stderr; `just_before`, something happens."""

    at: str
    just_before: Callable[[], object] = bool


@dataclass
class Step:
    """A command that has ended."""

    name: str
    code: int
    out: str
    err: str
    outputs: dict[str, str] = field(default_factory=dict)
    page: str = ""

    @property
    def everything(self) -> str:
        """All that anybody can read of it, without what tells the runner to mask a value."""
        shown = [line for line in (self.out + self.err).splitlines() if not line.startswith("::add-mask::")]
        return "\n".join([*shown, self.page, *self.outputs.values()])


@dataclass
class JobSetting:
    """A job as it stands in its workflow, and what its expressions see."""

    run: WorkflowRun
    content: Mapping[str, Any]
    contexts: dict[str, Any]
    rights: Mapping[str, str]


def run_steps(job: Job, setting: JobSetting, cancel: Cancel | None) -> None:
    """Run the steps in order, until one fails."""
    runner = _Runner(job, setting)
    runner.cancel = cancel
    outputs: dict[str, Any] = {}
    setting.contexts["steps"] = outputs
    outputs |= {step["id"]: {"outputs": Loose()} for step in setting.content["steps"] if "id" in step}
    job.result = "success"
    for step in setting.content["steps"]:
        if not is_true(evaluate(step.get("if", "true"), setting.contexts)):
            continue
        went_well = runner.use(step) if "uses" in step else runner.command(step)
        if "id" in step:
            outputs[step["id"]] = {"outputs": Loose(job.steps[-1].outputs)}
        if not went_well:
            job.result = "cancelled" if runner.cancelled else "failure"
            break
    told = setting.content.get("outputs", {})
    job.outputs = {name: filled(text, setting.contexts) for name, text in told.items()}


LEFT = 'state = "azblob://evil/of/another/job"\n'
"""What an earlier job has left in the workspace of a runner that is not thrown away; a checkout removes it."""


class _Runner:
    def __init__(self, job: Job, setting: JobSetting) -> None:
        self.job, self.setting, self.run = job, setting, setting.run
        self.repository = setting.run.repository
        self.cancel: Cancel | None = None
        self.cancelled = False
        number = len(list(self.repository.root.glob("runner-*")))
        self.folder = self.repository.root / f"runner-{number}-{job.name.replace(' / ', '-')}"
        self.work, self.temporary, self.programs = (self.folder / part for part in ("work", "temp", "bin"))
        for place in (self.work, self.temporary, self.programs):
            place.mkdir(parents=True)
        (self.work / "vpngw.toml").write_text(LEFT, encoding="utf-8")
        (self.folder / "event.json").write_text(json.dumps(self.run.payload), encoding="utf-8")
        self.exported: dict[str, str] = {}
        token = f"{TOKEN}{number}"
        self.repository.github.tokens[token] = dict(setting.rights)
        setting.contexts["github"] = setting.contexts["github"] | {"token": token, "workspace": str(self.work)}
        setting.contexts["runner"] = {"temp": str(self.temporary)}
        self.variables = self._of_the_runner() | self._values(setting.content.get("env", {}), setting.contexts)

    def _of_the_runner(self) -> dict[str, str]:
        """What a runner says to every command, and an organisation to every runner."""
        found = {
            "PATH": f"{self.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT), "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_EVENT_NAME": self.run.event,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"), "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REF": self.run.ref, "GITHUB_SHA": self.run.sha, "GITHUB_RUN_ID": str(self.run.id),
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_API_URL": self.repository.github.url,
            "GITHUB_WORKSPACE": str(self.work), "GITHUB_ACTOR": "alice", "RUNNER_TEMP": str(self.temporary),
            **self.repository.azure.trust,
        }  # fmt: skip
        if self.job.subject:
            bearer = f"runtime-of-{self.folder.name}"
            self.repository.github.id_tokens[bearer] = _id_token(self.job.subject)
            found["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{self.repository.github.url}/id-token?api-version=2.0"
            found["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = bearer
        return found

    def _values(self, env: Mapping[str, str], contexts: Mapping[str, Any]) -> dict[str, str]:
        return {name: filled(str(value), contexts) for name, value in env.items()}

    # --- actions -----------------------------------------------------------------------------------------------------

    def use(self, step: Mapping[str, Any]) -> bool:
        """Run an action; whether it went well."""
        given = self._values(step.get("with", {}), self.setting.contexts)
        name = step["uses"].partition("@")[0]
        known = {
            "actions/checkout": self._checkout, "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download, "./.vpngw-source": self._set_up,
        }  # fmt: skip
        return known[name](given)

    def _checkout(self, given: Mapping[str, str]) -> bool:
        """The commit of the run; or ours, of which a folder tells that it was fetched."""
        if "repository" in given:
            source = self.setting.contexts["job"]
            meant = self.setting.contexts["inputs"]["version"] or source["workflow_sha"]
            assert given["repository"] == source["workflow_repository"]
            assert given["ref"].removeprefix("refs/tags/") == meant
            (self.work / given["path"]).mkdir()
            return True
        (self.work / "vpngw.toml").unlink()
        for name, text in self.run.files.items():
            place = self.work / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        return True

    def _set_up(self, given: Mapping[str, str]) -> bool:
        """Our own action, at the root of the commit that was fetched."""
        assert (self.work / ".vpngw-source").is_dir()
        action = yaml.load((ROOT / "action.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
        inputs = {name: about.get("default", "") for name, about in action["inputs"].items()} | given
        contexts = {"inputs": inputs, "github": {"action_path": str(ROOT)}, "env": Loose(self.variables)}
        for step in action["runs"]["steps"]:
            if step["name"] == "Install vpngw":
                (self.programs / "vpngw").write_text(PROGRAM, encoding="utf-8")
                (self.programs / "vpngw").chmod(0o755)
            elif (
                "run" in step and is_true(evaluate(step.get("if", "true"), contexts)) and not self._run(step, contexts)
            ):
                return False
        return True

    def _upload(self, given: Mapping[str, str]) -> bool:
        """Files below the folder that they have in common; v4 refuses a name that this run has already."""
        files = [file for file in map(Path, given["path"].split()) if file.exists()]
        if not files:
            return given.get("if-no-files-found", "warn") != "error"
        place = self._artifacts / given["name"]
        place.mkdir(parents=True)
        for file in files:
            shutil.copy(file, place / file.name)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as kept:
            for file in files:
                kept.write(file, file.name)
        self.repository.github.keep(self.run.id, given["name"], archive.getvalue())
        return True

    def _download(self, given: Mapping[str, str]) -> bool:
        """One by its name into the folder; those of a pattern into a folder each (docs/github-facts.md)."""
        if "name" in given:
            found = self._artifacts / given["name"]
            if found.exists():
                shutil.copytree(found, given["path"])
            return found.exists()
        for found in sorted(self._artifacts.glob(given["pattern"])):
            shutil.copytree(found, Path(given["path"]) / found.name)
        return True

    @property
    def _artifacts(self) -> Path:
        return self.repository.root / "artifacts" / str(self.run.id)

    # --- commands ----------------------------------------------------------------------------------------------------

    def command(self, step: Mapping[str, Any]) -> bool:
        """Run a command of the job; whether it ended well."""
        return self._run(step, self.setting.contexts)

    def _run(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> bool:
        number = len(self.job.steps)
        files = {name: self.folder / f"{name}-{number}" for name in ("output", "page", "env", "path")}
        for file in files.values():
            file.touch()
        environment = self.variables | self.exported | self._values(step.get("env", {}), contexts)
        environment |= {
            "GITHUB_OUTPUT": str(files["output"]), "GITHUB_STEP_SUMMARY": str(files["page"]),
            "GITHUB_ENV": str(files["env"]), "GITHUB_PATH": str(files["path"]),
        }  # fmt: skip
        script = self.folder / f"script-{number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        folder = filled(str(step.get("working-directory", "")), contexts) or self.work
        process = subprocess.Popen(
            [*_SHELLS[step.get("shell", "")], str(script)], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        ended = self._watched(process, step.get("name", ""))
        ended.outputs, self.exported = _pairs(files["output"]), self.exported | _pairs(files["env"])
        ended.page = files["page"].read_text(encoding="utf-8")
        self.job.steps.append(ended)
        for secret in (TOKEN, CANARY, CANARY[::-1]):
            assert secret not in ended.everything, f"{self.job.name}: {ended.name} tells a secret"
        assert harm_in(ended.page) == []
        return ended.code == 0

    def _watched(self, process: subprocess.Popen[str], name: str) -> Step:
        """Until it ends; if somebody cancels, with the signals that GitHub sends to this process alone."""
        if self.cancel is None:
            out, err = process.communicate(timeout=180)
            return Step(name, process.returncode, out, err)
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.append(str(process.stdout and process.stdout.read())))
        reader.start()
        assert process.stderr is not None
        err = ""
        timers = [
            threading.Timer(TERMINATE, process.send_signal, [signal.SIGTERM]),
            threading.Timer(KILL, os.killpg, [process.pid, signal.SIGKILL]),
        ]
        for line in process.stderr:
            err += line
            if not self.cancelled and self.cancel.at in line:
                self.cancel.just_before()
                self.cancelled = True
                process.send_signal(signal.SIGINT)
                for timer in timers:
                    timer.start()
        process.wait(timeout=180)
        reader.join()
        process.stderr.close()
        assert process.stdout is not None
        process.stdout.close()
        for timer in timers:
            timer.cancel()
        return Step(name, process.returncode, said[0], err)


def _pairs(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())


def _id_token(subject: str) -> str:
    """What GitHub's issuer would sign (https://docs.github.com/actions/reference/security/oidc)."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "nbf": now, "exp": now + 300}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims, {"signature": "of GitHub"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
