"""The workflows that we ship, as data: who holds which right, what stands beside an identity, what is handed on.

GitHub itself is not here. What is held against it is written down, with sources, in docs/github-facts.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import ROOT
from vpngw_iac.usecases.github_project import GithubProject

FOLDER = ROOT / ".github" / "workflows"
SHIPPED = ("plan", "comment", "apply", "verify", "resume", "drift")
CALLER = ROOT / "examples" / "pipelines" / "github.yml"
DEFAULT_BRANCH = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"

NEEDS: Mapping[str, frozenset[str]] = {
    "plan": frozenset({"BLUEPRINT", "GITHUB_TOKEN"}),
    "apply": frozenset(
        {"PLAN_DIR", "BLUEPRINT", "REVIEWED", "RESEND", "MINUTES", "LOCK_MINUTES", "NOT_BEFORE", "NOT_AFTER", "SECRETS",
         "GITHUB_TOKEN"}
    ),
    "wait": frozenset({"BLUEPRINT", "MINUTES", "LOCK_MINUTES"}),
    "finish": frozenset({"ENVIRONMENT", "MINUTES", "LOCK_MINUTES", "SECRETS", "GITHUB_TOKEN"}),
    "drift": frozenset({"BLUEPRINT", "DEEP", "DRIFT_IS_SUCCESS", "WEBHOOK", "SECRETS", "GITHUB_TOKEN"}),
    "comment": frozenset({"PLAN_DIR", "COMMENT_KEY", "GITHUB_TOKEN"}),
    "verify": frozenset({"BLUEPRINT", "MINUTES", "FAIL", "SECRETS"}),
    "environment": frozenset({"GITHUB_TOKEN", "ENVIRONMENT", "APPLY_ENVIRONMENT", "UNREVIEWED"}),
}  # fmt: skip
"""What each verb of `vpngw ci` is told by variables."""
SIGNED_IN = frozenset(
    {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "VPNGW_TENANT", "VPNGW_SUBSCRIPTION", "VPNGW_CLOUD", "VPNGW_STATE",
     "VPNGW_DEPLOYMENT"}
)  # fmt: skip
"""What the job says of cloud, tenant, subscription and state, which a checkout must not say for it."""


VERSION_STEP = "Refuse a version that is no commit and no release"
HOSTILE_VERSIONS = (
    "main", "v1", "v1.2", "v1.2.3.4", "v1.2.3-rc1", "1.2.3", "refs/pull/7/merge", "refs/heads/main", "V1.2.3",
    "v1.2.3\n", "v1.2.3\nmain", "main\nv1.2.3", " v1.2.3", "v1.2.3 ", "0123456789abcdef", "-f", "(", "x : x", "match",
    "0123456789ABCDEF0123456789ABCDEF01234567", "0123456789abcdef0123456789abcdef012345678",
    "$(touch owned)", "`touch owned`", "; touch owned", '"; touch owned; "', "' | touch owned '", "v1.2.$(touch owned)",
    "::set-output name=x::y",
)  # fmt: skip


def flow(path: Path | str) -> dict[str, Any]:
    file = FOLDER / f"{path}.yml" if isinstance(path, str) else path
    return dict(yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader))


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in SHIPPED:
        for job, content in flow(name)["jobs"].items():
            yield name, job, content


def signs_in(job: Mapping[str, Any]) -> bool:
    return bool(job["permissions"].get("id-token") == "write")


def steps(job: Mapping[str, Any], action: str) -> list[dict[str, Any]]:
    return [step for step in job["steps"] if step.get("uses", "").startswith(f"actions/{action}@")]


def checkouts_of_the_caller(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [step for step in steps(job, "checkout") if "repository" not in step["with"]]


def verbs(job: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for step in job["steps"]:
        if found := re.match(r"exec vpngw ci ([a-z]+)", step.get("run", "")):
            yield found[1], step


VERSION_GUARD: str = next(
    step["run"] for _, _, job in jobs() for step in job["steps"] if step.get("name") == VERSION_STEP
)
JOBS = [pytest.param(name, content, id=f"{name}/{job}") for name, job, content in jobs()]
SIGNED_IN_JOBS = [pytest.param(job, id=f"{name}/{key}") for name, key, job in jobs() if signs_in(job)]


# --- what starts them, and what they run -----------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted([*FOLDER.glob("*.yml"), *(ROOT / "examples").rglob("*.yml")]), ids=str)
def test_no_event_runs_with_the_rights_of_the_branch_on_somebody_else_s_code(file: Path) -> None:
    text = re.sub(r"(?m)^\s*#.*$", "", file.read_text(encoding="utf-8"))

    assert re.findall(r"pull_request_target|workflow_run\b", text) == []


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_each_step_is_one_command_of_ours_without_an_expression(name: str, job: dict[str, Any]) -> None:
    commands = [step["run"] for step in job["steps"] if "run" in step and step["name"] != VERSION_STEP]

    assert commands
    for command in commands:
        assert "${{" not in command
        assert "\n" not in command
        assert command.startswith("exec vpngw "), "a shell in between would hear the signals of a cancelled job"


def test_every_verb_that_a_step_runs_exists() -> None:
    from typer.main import get_command

    from vpngw_iac.cli.ci import group

    known = set(get_command(group).commands)  # type: ignore[attr-defined]

    assert {verb for _, _, job in jobs() for verb, _ in verbs(job)} <= known


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_each_verb_is_told_what_it_reads(name: str, job: dict[str, Any]) -> None:
    for verb, step in verbs(job):
        told = {**job.get("env", {}), **step.get("env", {})}
        wanted = NEEDS[verb] | (SIGNED_IN if signs_in(job) else frozenset())
        assert sorted(wanted - set(told)) == []


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_what_runs_is_the_commit_of_the_workflow(name: str, job: dict[str, Any]) -> None:
    """Where GitHub does not tell it, nothing is fetched: an empty name would mean the caller's own code."""
    (ours,) = [step for step in steps(job, "checkout") if "repository" in step["with"]]
    ready = [step.get("uses", "") for step in job["steps"]].index("./.vpngw-source")

    assert ours["with"]["repository"].startswith("${{ inputs.repository || job.workflow_repository || 'the-input/")
    assert ours["with"]["ref"] == (
        "${{ startsWith(inputs.version, 'v') && format('refs/tags/{0}', inputs.version) || inputs.version"
        " || job.workflow_sha || 'the-input-version-is-missing' }}"
    )
    assert ready == job["steps"].index(ours) + 1
    assert all(
        ready < place for place, step in enumerate(job["steps"]) if "run" in step and step["name"] != VERSION_STEP
    )
    assert all(job["steps"].index(own) < ready - 1 for own in checkouts_of_the_caller(job)), "it would clean ours away"


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_version_is_looked_at_before_anything_of_it_is_fetched(name: str, job: dict[str, Any]) -> None:
    (ours,) = [step for step in steps(job, "checkout") if "repository" in step["with"]]
    guard = job["steps"][job["steps"].index(ours) - 1]

    assert guard["name"] == VERSION_STEP
    assert guard["env"] == {"VERSION": "${{ inputs.version }}"}
    assert guard["if"] == "inputs.version != ''"
    assert guard["run"] == VERSION_GUARD


@pytest.mark.parametrize("shell", [name for name in ("sh", "dash", "bash", "busybox") if shutil.which(name)])
@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("0123456789abcdef0123456789abcdef01234567", 0),
        ("v1.2.3", 0),
        ("v10.20.30", 0),
        *((hostile, 64) for hostile in HOSTILE_VERSIONS),
    ],
)
def test_a_version_is_a_commit_or_a_release(tmp_path: Path, shell: str, version: str, code: int) -> None:
    command = [shell, "sh", "-ec"] if shell == "busybox" else [shell, "-ec"]
    done = subprocess.run(
        [*command, VERSION_GUARD], env={"PATH": os.environ["PATH"], "VERSION": version},
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == code
    assert done.stdout.count("::") == (2 if code else 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [*(f".github/workflows/{name}.yml" for name in SHIPPED), "action.yml"])
def test_no_package_of_another_name_can_be_installed(path: str) -> None:
    content = flow(ROOT / path)
    inputs = content["inputs"] if "inputs" in content else content["on"]["workflow_call"]["inputs"]

    assert "package" not in inputs


@pytest.mark.parametrize("name", SHIPPED)
def test_where_it_runs_is_an_input_everywhere(name: str) -> None:
    content = flow(name)
    inputs = content["on"]["workflow_call"]["inputs"]

    assert {"environment", "deployment", "runs-on", "version", "repository"} <= set(inputs)
    assert all("inputs.runs-on" in job["runs-on"] for job in content["jobs"].values())


# --- who holds an identity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("job", SIGNED_IN_JOBS)
def test_an_identity_never_stands_beside_code_of_a_pull_request(job: dict[str, Any]) -> None:
    if DEFAULT_BRANCH in job["if"]:
        assert "pull_request" not in job["if"]
        return
    assert checkouts_of_the_caller(job) == []
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_secrets_are_read_on_the_default_branch_alone(name: str, job: dict[str, Any]) -> None:
    if "secrets." in str(job):
        assert DEFAULT_BRANCH in job["if"]


def test_code_of_a_pull_request_is_compiled_without_identity_and_secrets() -> None:
    job = flow("plan")["jobs"]["compile"]

    assert job["permissions"] == {"contents": "read"}
    assert len(checkouts_of_the_caller(job)) == 1
    assert not {"secrets.", "github.token", "AZURE_CLIENT_ID"} & set(
        re.findall(r"secrets\.|github\.token|AZURE_\w+", str(job))
    )


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_that_checks_nothing_out_reads_nothing_that_an_earlier_job_left(name: str, job: dict[str, Any]) -> None:
    """The workspace of a runner that is not thrown away still holds the files of a pull request."""
    ours = checkouts_of_the_caller(job)
    if any("if" not in step for step in ours):
        return
    workspace = f"{ours[0]['if'].replace('==', '!=')} && github.workspace || " if ours else ""

    places = {step.get("working-directory") for _, step in verbs(job)}

    assert places == {f"${{{{ {workspace}runner.temp }}}}"}


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_no_checkout_leaves_a_token_behind(name: str, job: dict[str, Any]) -> None:
    assert {step["with"]["persist-credentials"] for step in steps(job, "checkout")} == {"false"}


def test_the_writer_s_identity_is_where_an_environment_guards_it() -> None:
    calls = flow(CALLER)["jobs"]
    writer = calls["apply"]["with"]["client-id"]
    holders = [job for job in flow("apply")["jobs"].values() if "inputs.client-id" in str(job)]

    assert [name for name, call in calls.items() if str(writer) in str(call)] == ["apply"]
    assert [job["environment"] for job in holders] == ["${{ inputs.apply-environment || inputs.environment }}"]
    assert all(signs_in(job) and DEFAULT_BRANCH in job["if"] for job in holders)


def test_approval_holds_nothing_up_and_apply_waits_its_turn() -> None:
    approve, apply = (flow("apply")["jobs"][name] for name in ("approve", "apply"))

    assert approve["environment"] == "${{ inputs.environment }}"
    assert "concurrency" not in approve
    assert not signs_in(approve)
    assert apply["needs"] == "approve"
    assert apply["concurrency"] == {
        "group": "vpngw-${{ inputs.deployment }}", "cancel-in-progress": "false", "queue": "max",
    }  # fmt: skip


def test_an_environment_without_rules_is_refused_unless_the_caller_says_so() -> None:
    (verb, step), *others = verbs(flow("apply")["jobs"]["approve"])

    assert (verb, others) == ("environment", [])
    assert "if" not in step
    assert flow("apply")["on"]["workflow_call"]["inputs"]["unreviewed"]["default"] == "false"


def test_resuming_is_in_a_group_of_its_own_and_asks_nobody() -> None:
    job = flow("resume")["jobs"]["wait"]

    assert job["concurrency"]["group"] == "vpngw-resume-${{ inputs.deployment }}"
    assert job["concurrency"]["cancel-in-progress"] == "false"
    assert "environment" not in flow(CALLER)["jobs"]["resume"]["with"]
    assert [verb for verb, _ in verbs(job)] == ["wait"]


def test_finishing_is_a_choice_and_is_done_as_applying_is() -> None:
    """With the writer's identity, which an environment guards; without any file of the caller; one at a time."""
    interface = flow("resume")["on"]["workflow_call"]
    wait, finish = (flow("resume")["jobs"][name] for name in ("wait", "finish"))
    apply = flow("apply")["jobs"]["apply"]

    assert interface["inputs"]["finish"]["default"] == "false"
    assert finish["needs"] == "wait"
    assert finish["if"].startswith("inputs.finish && needs.wait.outputs.remainder == 'true' && (")
    assert wait["outputs"]["remainder"] == "${{ steps.wait.outputs.remainder }}"
    assert finish["environment"] == "${{ inputs.finish-environment }}"
    assert finish["concurrency"] == apply["concurrency"]
    assert checkouts_of_the_caller(finish) == []
    assert finish["env"] == {
        name: value.replace("inputs.client-id", "inputs.finish-client-id")
        for name, value in apply["env"].items()
        if name != "BLUEPRINT"
    }
    assert "finish-client-id" not in str(wait)
    assert [(verb, step["env"]["ENVIRONMENT"]) for verb, step in verbs(finish)] == [("finish", finish["environment"])]


def test_the_caller_that_init_writes_finishes_where_it_is_asked_to() -> None:
    """Everything but the choice is as in the caller that does not."""
    written = GithubProject("hub.py", "hub", finish=True).workflow_text
    calls, others = (
        yaml.load(text, yaml.BaseLoader)["jobs"] for text in (written, GithubProject("hub.py", "hub").workflow_text)
    )
    resume = calls["resume"]
    inputs = flow("resume")["on"]["workflow_call"]["inputs"]

    chosen = {name: resume["with"].pop(name) for name in ("finish", "finish-environment", "finish-client-id")}
    assert chosen == {
        "finish": "true",
        "finish-environment": "production-finish",
        "finish-client-id": calls["apply"]["with"]["client-id"],
    }
    assert chosen.keys() <= inputs.keys()
    assert resume.pop("secrets") == calls["apply"]["secrets"]
    assert calls == others


# --- the caller ------------------------------------------------------------------------------------------------------


def called(call: Mapping[str, Any]) -> str:
    return Path(call["uses"].partition("@")[0]).stem


def test_every_shipped_workflow_is_reached_from_the_caller() -> None:
    reached = {called(call) for call in flow(CALLER)["jobs"].values()}

    assert reached == set(SHIPPED)
    assert {file.stem for file in FOLDER.glob("*.yml")} - reached == {"ci"}


@pytest.mark.parametrize("name", sorted(flow(CALLER)["jobs"]))
def test_the_caller_grants_what_is_needed_and_no_more(name: str) -> None:
    """A job of a called workflow that asks for more than the call grants fails before anything runs."""
    call = flow(CALLER)["jobs"][name]
    needed: dict[str, str] = {}
    for job in flow(called(call))["jobs"].values():
        for right, level in job["permissions"].items():
            needed[right] = max(level, needed.get(right, ""), key=["", "read", "write"].index)

    assert call["permissions"] == needed


@pytest.mark.parametrize("name", sorted(flow(CALLER)["jobs"]))
def test_the_caller_gives_every_input_that_is_required_and_none_that_is_unknown(name: str) -> None:
    call = flow(CALLER)["jobs"][name]
    interface = flow(called(call))["on"]["workflow_call"]
    inputs, given = interface["inputs"], call.get("with", {})

    assert {key for key, value in inputs.items() if value.get("required") == "true"} <= set(given)
    assert set(given) <= set(inputs)
    assert set(call.get("secrets", {})) <= set(interface.get("secrets", {}))
    told = re.findall(r"needs\.(\w+)\.outputs\.(\w+)", str(call))
    assert all(
        output in flow(called(flow(CALLER)["jobs"][job]))["on"]["workflow_call"]["outputs"] for job, output in told
    )


def test_a_required_check_always_reports() -> None:
    """A workflow that a filter of paths or branches leaves out leaves its checks pending for ever."""
    events = flow(CALLER)["on"]

    assert not events["pull_request"]
    assert events["push"] == {"branches": ["main"]}


# --- what is handed on -----------------------------------------------------------------------------------------------


def _names(job: Mapping[str, Any], action: str) -> list[str]:
    given = [step["with"].get("name") or step["with"]["pattern"] for step in steps(job, action)]
    return [re.sub(r"\$\{\{ inputs\.deployment( \|\| '\*')? \}\}", "DEPLOYMENT", name) for name in given]


def test_what_comes_after_a_call_in_which_jobs_are_skipped_is_not_skipped_with_them() -> None:
    """And what no longer asks for success by itself asks for that of each job that it needs."""
    caller = dict(yaml.load(GithubProject("hub.py", "hub").workflow_text, yaml.BaseLoader))["jobs"]
    after = {name: call for name, call in caller.items() if "needs" in call}
    called = {name: flow(re.sub(r".*/(\w+)\.yml@.*", r"\1", call["uses"]))["jobs"] for name, call in after.items()}

    assert set(after) == {"comment", "apply", "verify"}
    for name, call in after.items():
        for job in (call, *called[name].values()):
            assert "!cancelled()" in job["if"], name
            assert ("!failure()" in job["if"]) is (name != "comment"), name
        for job in called[name].values():
            if "needs" in job:
                assert f"needs.{job['needs']}.result == 'success'" in job["if"]


def test_every_artifact_is_made_before_it_is_used() -> None:
    """In the order of `needs`, of the caller and inside of each workflow."""
    calls = flow(CALLER)["jobs"]
    made_by = {
        name: {artifact for job in flow(called(call))["jobs"].values() for artifact in _names(job, "upload-artifact")}
        for name, call in calls.items()
    }
    used = 0
    for name, call in calls.items():
        before = made_by.get(call.get("needs", ""), set())
        inside = flow(called(call))["jobs"]
        for job in inside.values():
            own = set(_names(inside[job["needs"]], "upload-artifact")) if "needs" in job else set()
            for artifact in _names(job, "download-artifact"):
                assert artifact in before | own, (name, artifact)
                used += 1
    assert used == 3


def test_nothing_is_kept_that_could_pass_for_another_deployment_s() -> None:
    names = [name for _, _, job in jobs() for name in _names(job, "upload-artifact")]

    assert names == ["vpngw-graph-DEPLOYMENT", "vpngw-plan-DEPLOYMENT", "vpngw-plan-DEPLOYMENT"]


def test_a_plan_is_kept_as_long_as_an_approval_can_wait() -> None:
    (kept,) = steps(flow("plan")["jobs"]["seal"], "upload-artifact")

    assert int(kept["with"]["retention-days"]) > 30


def test_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for file in [*FOLDER.glob("*.yml"), ROOT / "action.yml", *(ROOT / "examples").rglob("*.yml")]:
        for name, pin in re.findall(r"uses: ([\w-]+/[\w/-]+)@(\w+)", file.read_text(encoding="utf-8")):
            if not name.startswith("OWNER/"):
                pins.setdefault(name, set()).add(pin)

    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


# --- Azure Pipelines -------------------------------------------------------------------------------------------------

PIPELINE = ROOT / "examples" / "pipelines" / "azure-devops.yml"


def pipeline_jobs() -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    for stage in flow(PIPELINE)["stages"]:
        for job in stage["jobs"]:
            deployed = job.get("strategy", {}).get("runOnce", {}).get("deploy", {})
            yield stage["stage"], job, job.get("steps") or deployed["steps"]


def connections(step: Mapping[str, Any]) -> str:
    return str(step.get("inputs", {}).get("azureSubscription", ""))


def test_a_service_connection_never_stands_beside_code_of_a_pull_request() -> None:
    by_stage = {stage: found for stage, _, found in pipeline_jobs()}
    stages = {stage["stage"]: stage for stage in flow(PIPELINE)["stages"]}

    assert [name for step in by_stage["compile"] if (name := connections(step))] == []
    assert {"checkout": "none"} in by_stage["plan_pull_request"]
    assert [name for step in by_stage["plan_pull_request"] if (name := connections(step))] == ["network-pull-request"]
    for name in ("plan", "scheduled"):
        assert "eq(variables['Build.SourceBranch'], 'refs/heads/main')" in stages[name]["condition"]
    assert stages["apply"]["dependsOn"] == "plan"


def test_the_writer_s_connection_is_behind_an_environment() -> None:
    holders = [job for _, job, found in pipeline_jobs() if any(connections(step) == "network-apply" for step in found)]

    assert [(job.get("deployment"), job.get("environment")) for job in holders] == [("apply", "network-production")]


def test_each_task_that_signs_in_runs_one_command_and_gets_the_token_it_signs_in_with() -> None:
    known = ("exec vpngw ci plan", "exec vpngw ci apply", "exec vpngw ci wait", "exec vpngw drift hub.py --deep")
    tasks = [step for _, _, found in pipeline_jobs() for step in found if step.get("task") == "AzureCLI@2"]

    assert [step["inputs"]["inlineScript"].partition(" #")[0] for step in tasks] == [
        known[0], known[0], known[1], known[2], known[3],
    ]  # fmt: skip
    assert all(step["env"]["SYSTEM_ACCESSTOKEN"] == "$(System.AccessToken)" for step in tasks)


def test_no_script_of_the_pipeline_is_made_of_a_variable() -> None:
    """A macro becomes a part of the script, whatever its value is."""
    scripts = [
        text
        for _, _, found in pipeline_jobs()
        for step in found
        if (text := step.get("script") or step.get("bash") or step.get("inputs", {}).get("inlineScript", ""))
    ]

    assert len(scripts) == 13
    assert [text for text in scripts if "$(" in text or "${{" in text] == []


def test_the_pipeline_s_artifacts_are_made_before_they_are_used() -> None:
    made: set[str] = set()
    for _, _, found in pipeline_jobs():
        for step in found:
            if "download" in step:
                assert step["artifact"] in made
            if "publish" in step:
                made.add(step["artifact"])
    assert made == {"graph", "plan"}
