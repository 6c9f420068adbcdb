"""The workflows that we ship, job after job in the order of `needs`, on the simulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ci.github_server import GithubServer
from tests.ci.shipped import Repository
from tests.ci.test_environment_step import CUSTOM, REVIEWERS, guard
from tests.cli.conftest import CANARY

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def repository(tmp_path: Path, github: GithubServer) -> Repository:
    """What the example of a caller says, with a simulator for Azure."""
    guard(github, "production", [REVIEWERS], CUSTOM, "main")
    guard(github, "production-apply", [], CUSTOM, "main")
    github.runs.append({"id": 7001, "workflow_id": 5, "run_number": 40, "head_branch": "main", "conclusion": None})
    made = Repository(tmp_path, github)
    made.inputs = {
        "blueprint": "hub.yaml", "deployment": "hub", "cloud": "simulator", "state": str(tmp_path / "state"),
        "subscription": SUBSCRIPTION, "tenant-id": "33333333-3333-4333-8333-333333333333",
        "environment": "production", "apply-environment": "production-apply", "minutes": "9999999",
    }  # fmt: skip
    return made


def test_a_pull_request_is_compiled_and_planned_and_cannot_be_applied(repository: Repository) -> None:
    repository.event = "pull_request"

    compiled = repository.job("plan", "compile")
    planned = repository.job("plan", "plan")

    assert (compiled.code, planned.code) == (0, 0), compiled.text + planned.text
    assert planned.outputs["plan"]["changes"] == "true"
    assert planned.outputs["plan"]["sealed"] == "false"
    assert repository.job("comment", "comment", deployment="").code == 0
    (comment,) = repository.github.comments[12]
    assert planned.outputs["plan"]["digest"] in comment["body"]
    assert CANARY not in compiled.text + planned.text + comment["body"]
    assert repository.job("apply", "apply").code != 0


def test_the_default_branch_is_planned_approved_applied_and_verified(repository: Repository) -> None:
    done = [
        repository.job("plan", "seal"), repository.job("apply", "approve"), repository.job("apply", "apply"),
        repository.job("resume", "wait"), repository.job("verify", "verify"), repository.job("drift", "drift"),
    ]  # fmt: skip

    assert [ended.code for ended in done] == [0] * 6, "\n".join(ended.text for ended in done)
    assert done[0].outputs["plan"]["sealed"] == "true"
    assert done[2].outputs["apply"]["finished"] == "true"
    assert done[4].outputs["verify"]["verified"] == "true"
    assert done[5].outputs["drift"]["drift"] == "false"
    assert all(CANARY not in line for ended in done for line in ended.text.splitlines() if "::add-mask::" not in line)


def test_the_pull_request_and_the_default_branch_decide_the_same(repository: Repository) -> None:
    repository.event = "pull_request"
    repository.job("plan", "compile")
    shown = repository.job("plan", "plan").outputs["plan"]["digest"]
    repository.event, repository.run = "push", 7002
    repository.github.runs.append({**repository.github.runs[0], "id": 7002, "run_number": 41})

    sealed = repository.job("plan", "seal").outputs["plan"]["digest"]

    assert sealed == shown
    assert repository.job("apply", "apply", reviewed="0" * 64).code != 0
    assert repository.job("apply", "apply", reviewed=shown).code == 0


def test_code_of_a_pull_request_sees_no_identity_no_secret_and_no_token(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.event = "pull_request"
    repository.inputs["blueprint"] = "hub.py"
    seen = tmp_path / "seen"
    hostile = (
        f"import os, pathlib\npathlib.Path({str(seen)!r}).write_text(str(dict(os.environ)))\nraise SystemExit(0)\n"
    )
    from tests.ci import shipped

    original = shipped.Runner._use

    def with_hostile(self: shipped.Runner, step: dict[str, object]) -> None:
        original(self, step)
        (self.work / "hub.py").write_text(hostile, encoding="utf-8")

    monkeypatch.setattr(shipped.Runner, "_use", with_hostile)
    repository.job("plan", "compile")

    told = seen.read_text()
    assert "ACTIONS_ID_TOKEN" not in told
    assert "GITHUB_TOKEN" not in told
    assert "AZURE_CLIENT_ID" not in told
    assert CANARY not in told


def test_environments_that_nobody_guards_end_it_before_anything_is_applied(repository: Repository) -> None:
    guard(repository.github, "production", [], CUSTOM, "main")

    refused = repository.job("apply", "approve")

    assert refused.code == 4
    assert "production has no required reviewers" in refused.text
    assert repository.job("apply", "approve", unreviewed="true").code == 0
