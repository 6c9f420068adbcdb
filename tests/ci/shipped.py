"""Runs the workflows that we ship: from an event, through the caller, to each job in the order of `needs`.

A job gets what GitHub would give it and nothing else: the inputs of its call, its variables, a checkout if it makes
one, a token of GitHub with its own permissions, an ID token if it may have one, with the subject that its event and
its environment make. Jobs of a run share the artifacts that they upload; beyond that there are Azure and the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ci.conftest import PULL_REQUEST, REVIEWERS, pull_request_event, push_event, schedule_event
from tests.ci.expressions import Loose, as_text, evaluate, is_true, value_of
from tests.ci.github_server import REPOSITORY, GithubServer
from tests.ci.organisation import Organisation
from tests.ci.runner import Cancel, JobSetting, Step, run_steps
from tests.cli.conftest import CANARY
from tests.test_workflows import flow

RESULTS = ("success", "failure", "cancelled", "skipped")
_CALL = frozenset({"if", "needs", "permissions", "uses", "with", "secrets"})
_JOB = frozenset(
    {"if", "needs", "runs-on", "timeout-minutes", "environment", "concurrency", "permissions", "outputs", "env",
     "steps"}
)  # fmt: skip
_LEVELS = ("", "read", "write")


@dataclass
class Job:
    """A job of a run: what it is, and how it went."""

    name: str
    result: str = ""
    """One of `RESULTS`; ``waiting`` for a reviewer; empty before its turn."""
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    subject: str = ""
    """Of its ID token; empty if it gets none."""
    group: str = ""
    """Of concurrency."""

    @property
    def text(self) -> str:
        """All that its steps said."""
        return "".join(step.out + step.err for step in self.steps)

    @property
    def page(self) -> str:
        """All that its steps wrote on the page of the run."""
        return "".join(step.page for step in self.steps)

    @property
    def code(self) -> int:
        """Exit code of its last command."""
        return self.steps[-1].code

    @property
    def told(self) -> dict[str, str]:
        """What its last command said in outputs."""
        return self.steps[-1].outputs


@dataclass
class Repository:
    """The default branch as files, its secrets, GitHub, and the organisation's Azure."""

    root: Path
    github: GithubServer
    azure: Organisation
    files: dict[str, str]
    secrets: str = f"BERLIN_PSK={CANARY}\n"
    inputs: dict[str, Any] = field(default_factory=dict)
    """What this caller gives to each call that takes it, beyond what `init --github` wrote."""
    calls: dict[str, Any] = field(default_factory=dict)
    """Jobs of the caller."""
    numbers: int = 0

    def __post_init__(self) -> None:
        """The caller as it was written, for a cloud of this machine; the environments as the hand-over says."""
        self.calls = yaml.load(self.azure.workflow, yaml.BaseLoader)["jobs"]
        self.inputs = {"cloud": self.azure.server.url, "allow-endpoint": "true"}
        for name, branches in self.azure.environments.items():
            self.guard(name, branches, [REVIEWERS] if name == "production" else [])

    def guard(self, name: str, branches: list[str], rules: list[dict[str, Any]]) -> None:
        """Rules of an environment (https://docs.github.com/rest/deployments/environments#get-an-environment)."""
        policy = {"protected_branches": False, "custom_branch_policies": True} if branches else None
        told = {"name": name, "protection_rules": rules, "deployment_branch_policy": policy}
        self.github.documents[f"environments/{name}"] = (200, told)
        policies = {"total_count": len(branches), "branch_policies": [{"name": branch} for branch in branches]}
        self.github.documents[f"environments/{name}/deployment-branch-policies"] = (200, policies)

    def plans(self, file: str) -> None:
        """The blueprint is in another file."""
        for content in self.calls.values():
            if "blueprint" in content.get("with", {}):
                content["with"]["blueprint"] = file

    def deploys_also(self, name: str, file: str, text: str) -> None:
        """One more deployment: its state is made by the owner, and each workflow is called once more, as docs say."""
        folder = self.root / name
        folder.mkdir()
        (folder / file).write_text(text, encoding="utf-8")
        self.azure.vpngw(folder, "state", "init", self.azure.state, file)
        for call, content in list(self.calls.items()):
            if call == "comment":
                content["needs"] = [*_names(content["needs"]), f"plan-{name}"]
                continue
            more = json.loads(
                json.dumps(content)
                .replace("needs.plan.", f"needs.plan-{name}.")
                .replace("needs.apply.", f"needs.apply-{name}.")
            )
            more["with"] |= {"deployment": name, "blueprint": file}
            if "needs" in more:
                more["needs"] = [f"{need}-{name}" for need in _names(more["needs"])]
            self.calls[f"{call}-{name}"] = more

    # --- events ------------------------------------------------------------------------------------------------------

    def pull_request(self, files: Mapping[str, str] | None = None, *, fork: bool = False) -> WorkflowRun:
        """Somebody proposes these files."""
        payload = pull_request_event()
        if fork:
            payload["pull_request"]["head"]["repo"] = {"full_name": "mallory/network", "fork": True}
        return self._run("pull_request", payload, files)

    def push(self, files: Mapping[str, str] | None = None, *, merged: bool = False) -> WorkflowRun:
        """These files are the default branch now; `merged` if by the pull request."""
        run = self._run("push", push_event(), files)
        self.files = run.files
        if merged:
            self.github.pulls_of[run.sha] = [{"number": PULL_REQUEST, "merged_at": "2026-11-02T08:00:00Z"}]
        return run.proceed()

    def schedule(self, cron: str) -> WorkflowRun:
        """It is time."""
        return self._run("schedule", schedule_event() | {"schedule": cron}).proceed()

    def dispatch(self, **inputs: str) -> WorkflowRun:
        """Somebody starts it by hand."""
        given = {"resend": "", "reviewed": ""} | inputs
        payload = {"inputs": given, "ref": "refs/heads/main", "repository": push_event()["repository"]}
        return self._run("workflow_dispatch", payload).proceed()

    def _run(self, event: str, payload: dict[str, Any], files: Mapping[str, str] | None = None) -> WorkflowRun:
        self.numbers += 1
        made = WorkflowRun(self, event, payload, 7000 + self.numbers, dict(self.files if files is None else files))
        branch = "site" if event == "pull_request" else "main"
        called = [{"path": content["uses"]} for content in self.calls.values()]
        self.github.runs.append(
            {
                "id": made.id, "workflow_id": 5, "run_number": self.numbers, "head_branch": branch, "conclusion": None,
                "event": event, "head_sha": made.sha, "referenced_workflows": called,
            }
        )  # fmt: skip
        return made


@dataclass
class WorkflowRun:
    """One run of the caller's workflow."""

    repository: Repository
    event: str
    payload: dict[str, Any]
    id: int
    files: dict[str, str]
    jobs: dict[str, Job] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    cancels: dict[str, Cancel] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Job:
        """The job ``CALL / JOB``."""
        return self.jobs[name]

    @property
    def sha(self) -> str:
        """The commit."""
        return f"{self.id:040x}"

    @property
    def ref(self) -> str:
        """What the run is of."""
        return f"refs/pull/{PULL_REQUEST}/merge" if self.event == "pull_request" else "refs/heads/main"

    @property
    def is_fork(self) -> bool:
        """Whether somebody without rights here has proposed it: no secrets, no right to write."""
        head = self.payload.get("pull_request", {}).get("head", {})
        return bool(head) and head["repo"]["full_name"] != REPOSITORY

    # --- what people do with it --------------------------------------------------------------------------------------

    def approve(self, environment: str, login: str) -> WorkflowRun:
        """A reviewer says yes."""
        self.approved.add(environment)
        review = {"state": "approved", "user": {"login": login}, "environments": [{"name": environment}], "comment": ""}
        self.repository.github.approvals.setdefault(self.id, []).append(review)
        return self.proceed()

    def cancel(self, job: str, at: str, just_before: Callable[[], object] = bool) -> None:
        """Somebody will cancel the run once this job says so on stderr."""
        self.cancels[job] = Cancel(at, just_before)

    def again(self, job: str) -> WorkflowRun:
        """Somebody runs this job once more, with what needs it; what it needs stays as it was."""
        self.cancels.pop(job, None)
        self.jobs[job] = Job(job)
        return self.proceed()

    def proceed(self) -> WorkflowRun:
        """Run every job whose turn has come."""
        before = None
        while before != (before := {name: job.result for name, job in self.jobs.items()}):
            for call, content in self.repository.calls.items():
                self._call(call, content)
        return self

    # --- the caller --------------------------------------------------------------------------------------------------

    def _call(self, call: str, content: Mapping[str, Any]) -> None:
        """A call of one of our workflows."""
        assert set(content) <= _CALL, set(content) - _CALL
        needs = _names(content.get("needs"))
        if any(self._result(need) in ("", "waiting") for need in needs):
            return
        workflow = flow(_shipped(content["uses"]))
        contexts = self._contexts() | {
            "needs": {need: {"outputs": self._outputs(need), "result": self._result(need)} for need in needs},
            "inputs": Loose(self.payload.get("inputs", {})),
            "vars": Loose(self.repository.azure.variables),
            "secrets": Loose() if self.is_fork else Loose(NETWORK_ENV=self.repository.secrets),
        }
        before = self._before(call)
        skipped = not _goes_on(content, contexts, before)
        given = {
            key: value_of(value, contexts) if isinstance(value, str) else value
            for key, value in (content.get("with", {}) | self._more(workflow)).items()
        }
        inside = {
            "inputs": _typed(workflow["on"]["workflow_call"].get("inputs", {}), given),
            "secrets": Loose({name: value_of(text, contexts) for name, text in content.get("secrets", {}).items()}),
            "job": dict(zip(("workflow_repository", "workflow_sha"), _source(content["uses"]), strict=True)),
        }
        for name, job in workflow["jobs"].items():
            self._job(call, name, job, None if skipped else before, content["permissions"], self._contexts() | inside)

    def _more(self, workflow: Mapping[str, Any]) -> dict[str, Any]:
        known = workflow["on"]["workflow_call"].get("inputs", {})
        return {name: value for name, value in self.repository.inputs.items() if name in known}

    def _result(self, call: str) -> str:
        """Of a call: the worst of its jobs; where all were skipped, skipped."""
        results = [job.result for job in self._of(call)]
        if not results or any(result in ("", "waiting") for result in results):
            return "waiting" if "waiting" in results else ""
        worse = [result for result in ("failure", "cancelled", "success") if result in results]
        return worse[0] if worse else "skipped"

    def _before(self, call: str) -> list[str]:
        """Results of every job of the calls that come before one, however far."""
        needs = _names(self.repository.calls[call].get("needs"))
        return [result for need in needs for result in (*self._before(need), *(job.result for job in self._of(need)))]

    def _outputs(self, call: str) -> Loose:
        workflow = flow(_shipped(self.repository.calls[call]["uses"]))
        jobs = {name: {"outputs": Loose(self.jobs[f"{call} / {name}"].outputs)} for name in workflow["jobs"]}
        told = workflow["on"]["workflow_call"].get("outputs", {})
        return Loose({name: as_text(value_of(each["value"], {"jobs": jobs})) for name, each in told.items()})

    def _of(self, call: str) -> Iterator[Job]:
        return (job for name, job in self.jobs.items() if name.startswith(f"{call} / "))

    def _contexts(self) -> dict[str, Any]:
        about = {
            "event_name": self.event, "ref": self.ref, "repository": REPOSITORY, "sha": self.sha,
            "event": Loose(self.payload),
        }  # fmt: skip
        return {"github": about}

    # --- one job -----------------------------------------------------------------------------------------------------

    def _job(
        self, call: str, name: str, content: Mapping[str, Any], before: list[str] | None, ceiling: Mapping[str, str],
        contexts: dict[str, Any],
    ) -> None:  # fmt: skip
        """One job, after what came `before` its call; None if the call is skipped."""
        assert set(content) <= _JOB, set(content) - _JOB
        job = self.jobs.setdefault(f"{call} / {name}", Job(f"{call} / {name}"))
        needs = [self.jobs[f"{call} / {need}"] for need in _names(content.get("needs"))]
        if job.result in RESULTS or any(need.result not in RESULTS for need in needs):
            return
        told = {
            need.name.rpartition(" / ")[2]: {"outputs": Loose(need.outputs), "result": need.result} for need in needs
        }
        contexts = contexts | {"needs": told}
        if before is None or not _goes_on(content, contexts, [*before, *(need.result for need in needs)]):
            job.result = "skipped"
            return
        rights = content["permissions"]
        assert all(_LEVELS.index(level) <= _LEVELS.index(ceiling.get(right, "")) for right, level in rights.items()), (
            f"{job.name} asks for more than its call grants: GitHub would not start the run"
        )
        environment = as_text(value_of(content.get("environment", ""), contexts))
        if environment and (answer := self._is_kept_back(environment)):
            job.result = answer
            return
        assert value_of(content["runs-on"], contexts) == "ubuntu-latest"
        if "concurrency" in content:
            job.group = as_text(value_of(content["concurrency"]["group"], contexts))
        job.subject = self._subject(environment) if rights.get("id-token") == "write" and not self.is_fork else ""
        run_steps(job, JobSetting(self, content, contexts, rights), self.cancels.pop(job.name, None))

    def _is_kept_back(self, environment: str) -> str:
        """``waiting`` for a reviewer, ``failure`` for a branch that may not name it, else nothing."""
        documents = self.repository.github.documents
        told = documents.get(f"environments/{environment}", (200, {}))[1]
        policies = documents.get(f"environments/{environment}/deployment-branch-policies", (200, {}))[1]
        allowed = [f"refs/heads/{policy['name']}" for policy in policies.get("branch_policies", ())]
        if allowed and self.ref not in allowed:
            return "failure"
        reviewed = any(rule["type"] == "required_reviewers" for rule in told.get("protection_rules", ()))
        return "waiting" if reviewed and environment not in self.approved else ""

    def _subject(self, environment: str) -> str:
        """https://docs.github.com/actions/reference/security/oidc#example-subject-claims"""
        if environment:
            return f"repo:{REPOSITORY}:environment:{environment}"
        return f"repo:{REPOSITORY}:" + ("pull_request" if self.event == "pull_request" else f"ref:{self.ref}")


def _goes_on(content: Mapping[str, Any], contexts: Mapping[str, Any], before: list[str]) -> bool:
    """Whether a condition holds, with the results of all that came before.

    One without a function of status holds only where every one of them has succeeded: a job of a called workflow that
    was skipped ends what comes after the call (docs/github-facts.md, running).
    """
    condition = content.get("if", "true")
    status = {"cancelled": "cancelled" in before, "failure": "failure" in before}
    goes_on = any(f"{name}()" in condition for name in status) or set(before) <= {"success"}
    return goes_on and is_true(evaluate(condition, {**contexts, "status": status}))


def _typed(interface: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a call: those that were given, else their defaults, in the type that is said."""
    assert set(given) <= set(interface), f"unknown inputs: {set(given) - set(interface)}"
    found = {}
    for name, about in interface.items():
        assert name in given or about.get("required") != "true", f"{name} is required"
        value = given.get(name, about.get("default", ""))
        found[name] = as_text(value) == "true" if about["type"] == "boolean" else as_text(value)
    return found


def _names(needs: str | list[str] | None) -> list[str]:
    return [needs] if isinstance(needs, str) else list(needs or ())


def _shipped(uses: str) -> str:
    """The name of our workflow."""
    return Path(uses.partition("@")[0]).stem


def _source(uses: str) -> tuple[str, str]:
    """Its repository and commit."""
    path, _, commit = uses.partition("@")
    return path.split("/.github/")[0], commit
