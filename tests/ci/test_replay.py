"""The life of a repository: every job of the pipeline in its order, each step a process, with that job's means alone.

Jobs and their means are those of the workflows: `compile` has a checkout and no identity, `plan` of a pull request an
identity and no checkout, `comment` a token alone; on the default branch `plan` and `apply` have both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.ci.conftest import PULL_REQUEST
from tests.ci.github_server import TOKEN, GithubServer
from tests.ci.replay import Done, Repository, WorkflowRun
from tests.cli.conftest import CANARY, HUB
from vpngw_iac.cli.app import run

KEY = "shared_key: {source: env, name: BERLIN_PSK}}"


@pytest.fixture
def repository(tmp_path: Path, github: GithubServer) -> Repository:
    return Repository(tmp_path, github, {"hub.yaml": HUB})


def pull_request(repository: Repository, files: Mapping[str, str], name: str = "hub") -> Done:
    """compile, plan, comment."""
    run = repository.run("pull_request", files)
    job = run.job("compile", checkout=True)
    file = next(file for file in files if file.startswith(name))
    job.step("compile", file, "--save", "graph.json")
    job.upload(f"vpngw-graph-{name}", job.work / "graph.json")
    job = run.job("plan", token=True).signed_in()
    graph = job.download(f"vpngw-graph-{name}") / "graph.json"
    planned = job.step("ci", "plan", str(graph))
    assert planned.outputs["sealed"] == "false"
    job.upload(f"vpngw-plan-{name}", Path(planned.outputs["plan"]))
    job = run.job("comment", token=True)
    job.download(f"vpngw-plan-{name}", job.temporary / "vpngw" / name)
    job.step("ci", "comment")
    return planned


def plan(run: WorkflowRun, name: str = "hub") -> Done:
    """The plan of the default branch, which approvers look at."""
    job = run.job("plan", checkout=True, token=True, secrets=True).signed_in()
    planned = job.step("ci", "plan", BLUEPRINT=f"{name}.yaml")
    assert planned.outputs["sealed"] == "true"
    job.upload(f"vpngw-plan-{name}", Path(planned.outputs["plan"]))
    return planned


def apply(run: WorkflowRun, name: str = "hub", code: int = 0, cancel_at: str = "", **variables: str) -> Done:
    """The job of the environment, after its approval."""
    run.approve("bob")
    job = run.job("apply", checkout=True, token=True, secrets=True).signed_in()
    place = job.download(f"vpngw-plan-{name}")
    return job.step("ci", "apply", code=code, cancel_at=cancel_at, PLAN_DIR=str(place), **variables)


def deployed(repository: Repository, files: Mapping[str, str]) -> WorkflowRun:
    """The files are merged, planned, approved and applied."""
    run = repository.run("push", files)
    repository.merge(files, run)
    plan(run)
    assert apply(run).outputs == {"exitcode": "0", "finished": "true"}
    return run


def log(repository: Repository, capsys: pytest.CaptureFixture[str], file: str = "hub.yaml") -> list[dict[str, object]]:
    place = repository.root / file
    place.write_text(repository.files[file], encoding="utf-8")
    capsys.readouterr()
    state = str(repository.root / "state")
    assert run(["log", str(place), "--json", "--cloud", "simulator", "--state", state]) == 0
    return list(json.loads(capsys.readouterr().out)["runs"])


def test_a_pull_request_is_commented_merged_approved_and_applied(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    proposed = pull_request(repository, repository.files)
    (comment,) = repository.github.comments[PULL_REQUEST]
    assert "Plan: 7 to add" in comment["body"]

    run = repository.run("push")
    repository.merge(repository.files, run)
    planned = plan(run)
    assert planned.outputs["digest"] == proposed.outputs["digest"]
    assert f"Same decisions as in [pull request {PULL_REQUEST}]" in planned.summary
    applied = apply(run)

    assert f"Same decisions as in [pull request {PULL_REQUEST}]" in applied.summary
    (told,) = log(repository, capsys)
    assert told["approver"] == "bob"
    assert told["digest"] == proposed.outputs["digest"]
    assert str(told["url"]).endswith(f"/actions/runs/{run.id}")
    assert plan(repository.run("push")).outputs["changes"] == "false"


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another edit"])
def test_a_rotation_is_a_reviewed_edit(repository: Repository, beside: bool) -> None:
    deployed(repository, repository.files)
    text = HUB.replace(KEY, KEY[:-1] + ', rotation: "2026-11"}')
    text = text.replace("192.168.10.0/24", "192.168.11.0/24") if beside else text
    repository.secrets = f"BERLIN_PSK={CANARY[::-1]}\n"

    proposed = pull_request(repository, {"hub.yaml": text})
    run = repository.run("push", {"hub.yaml": text})
    repository.merge(run.files, run)
    planned = plan(run)
    applied = apply(run)

    assert proposed.outputs["changes"] == planned.outputs["changes"] == "true"
    assert "VpnConnection/vgw-hub/berlin" in applied.err
    assert ("LocalNetworkGateway/vgw-hub/berlin" in applied.err) == beside
    assert CANARY[::-1] not in planned.everything + applied.everything
    assert plan(repository.run("push", run.files)).outputs["changes"] == "false"


def test_a_cancelled_apply_is_resumed_and_finished_without_a_new_review(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    run = repository.run("push")
    plan(run)
    slow = {"VPNGW_SIMULATOR_SPEED": "60"}

    cancelled = apply(run, code=130, cancel_at="VpnGateway/vgw-hub: create started", **slow)
    resume = repository.run("schedule").job("wait", checkout=True, token=True).signed_in()
    waited = resume.step("ci", "wait", BLUEPRINT="hub.yaml", MINUTES="300")
    again = apply(run)

    assert "Cancelled" in cancelled.err
    assert waited.outputs == {"exitcode": "0", "finished": "true"}
    assert again.outputs == {"exitcode": "0", "finished": "true"}
    assert [told["outcome"] for told in log(repository, capsys)] == ["interrupted", "succeeded", "succeeded"]
    idle = repository.run("schedule").job("wait", checkout=True).signed_in()
    assert "Nothing of hub is running." in idle.step("ci", "wait", BLUEPRINT="hub.yaml").out


def test_an_older_plan_that_waits_is_superseded(repository: Repository) -> None:
    deployed(repository, repository.files)
    older = repository.run("push", {"hub.yaml": HUB.replace("192.168.10.0/24", "192.168.11.0/24")})
    plan(older)
    newer = repository.run("push", {"hub.yaml": HUB.replace("192.168.10.0/24", "192.168.12.0/24")})
    plan(newer)

    refused = apply(older, code=8)
    applied = apply(newer)

    assert f"/actions/runs/{newer.id}" in refused.summary
    assert "superseded" in refused.err
    assert applied.outputs["finished"] == "true"


def test_drift_is_an_issue_that_a_failure_keeps(repository: Repository) -> None:
    deployed(repository, repository.files)
    issues = repository.github.issues
    hand = ["simulator", "set", "vnet-hub", "--cloud", "simulator", "--dir", str(repository.root / "azure")]

    def drift(code: int, **variables: str) -> Done:
        job = repository.run("schedule").job("drift", checkout=True, token=True, secrets=True).signed_in()
        return job.step("ci", "drift", code=code, BLUEPRINT="hub.yaml", **variables)

    assert drift(0).outputs["drift"] == "false"
    assert run([*hand, 'properties.addressSpace.addressPrefixes=["10.1.0.0/16","10.9.0.0/16"]']) == 0
    assert drift(2).outputs["drift"] == "true"
    (issue,) = issues
    assert issue["state"] == "open"
    job = repository.run("schedule").job("drift", token=True).signed_in()
    job.step("ci", "drift", code=None, BLUEPRINT="hub.yaml", VPNGW_DEPLOYMENT="hub")
    assert (issue["state"], "may be out of date" in issue["body"]) == ("open", True)
    assert run([*hand, 'properties.addressSpace.addressPrefixes=["10.1.0.0/16"]']) == 0
    drift(0)
    assert issue["state"] == "closed"
    assert len(issues) == 1


def test_two_deployments_in_one_repository_know_nothing_of_each_other(repository: Repository) -> None:
    other = HUB.replace("name: hub\n", "name: spoke\n", 1).replace("rg-hub", "rg-spoke")
    files = {"hub.yaml": HUB, "spoke.yaml": other}
    pull_request(repository, files)
    pull_request(repository, files, "spoke")
    first, second = repository.run("push", files), repository.run("push", files)
    repository.merge(files, first)
    repository.merge(files, second)

    plan(first, "hub")
    plan(second, "spoke")
    applied = apply(first, "hub"), apply(second, "spoke")

    assert len(repository.github.comments[PULL_REQUEST]) == 2
    for done in applied:
        assert done.outputs["finished"] == "true"
        assert "Same decisions as in" in done.summary
    assert plan(repository.run("push", files), "hub").outputs["changes"] == "false"
    assert plan(repository.run("push", files), "spoke").outputs["changes"] == "false"


HOSTILE = """
import json, os
from pathlib import Path
from vpngw_iac import Secret
from vpngw_iac.blueprints.load import load

seen = json.dumps(dict(os.environ))
Path("graph.json").write_text("{}")
text = Path("base.yaml").read_text().replace("NOTE", "@everyone <img src=x> ::add-mask::x ](https://x.example)")
Path("made.yaml").write_text(text.replace("SEEN", json.dumps(seen[:200])))
blueprint = load("made.yaml").blueprint
"""


def test_a_hostile_pull_request_gets_nothing(repository: Repository) -> None:
    deployed(repository, repository.files)
    base = HUB.replace("name: hub\n", "name: hub\ntags: {note: 'NOTE', seen: SEEN}\n", 1)
    base = base.replace("name: BERLIN_PSK", "name: GITHUB_TOKEN")
    files = {"hub.py": HOSTILE, "base.yaml": base, "vpngw.toml": 'cloud = "https://evil.invalid"\n'}
    before = sorted((repository.root / "state").rglob("*")), len(repository.github.issues)

    planned = pull_request(repository, files)

    (comment,) = repository.github.comments[PULL_REQUEST]
    for text in (comment["body"], planned.everything):
        assert TOKEN not in text
        assert CANARY not in text
    prose = comment["body"].replace("&#8203;", "\u200b")
    assert "@everyone" not in prose.split("<details>")[0]
    assert "<img" not in prose.split("```text")[0].replace("\\\\<img", "")
    assert (sorted((repository.root / "state").rglob("*")), len(repository.github.issues)) == before
    run = repository.run("push", files)
    job = run.job("plan", checkout=True, secrets=True).signed_in()
    del job.environment["VPNGW_CLOUD"]
    assert "vpngw.toml" in job.step("ci", "plan", code=64, BLUEPRINT="hub.py").err
    run = repository.run("pull_request", files)
    job = run.job("apply", token=True).signed_in()
    job.upload("vpngw-plan-hub", Path(planned.outputs["plan"]))
    place = job.download("vpngw-plan-hub")
    job.step("ci", "apply", code=4, PLAN_DIR=str(place))
