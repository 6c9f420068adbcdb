"""`vpngw ci finish`: what an interrupted run of a reviewed plan left is finished by that plan, and by nothing else."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ci.conftest import Step, schedule_event
from tests.ci.github_server import SIGNATURE, TOKEN, GithubServer
from tests.ci.test_environment_step import CUSTOM, guard
from tests.cli.conftest import CANARY, Answer, start
from vpngw_iac.errors import PlanError
from vpngw_iac.usecases.github_artifact import plan_in

SLOW = "600"
"""A gateway takes seconds, so that a run can be stopped before it has begun everything."""
PLAN = "vpngw-plan-hub"
LATER = {"GITHUB_RUN_ID": "7002"}


def packed(files: dict[str, bytes]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def kept(step: Step) -> bytes:
    """What actions/upload-artifact packs of the two files that plan.yml names."""
    folder = step.folder / "vpngw"
    return packed({name: (folder / name).read_bytes() for name in ("plan.json", "plan.md")})


def left(step: Step) -> None:
    """An apply that leaves while Azure is at work, with more to begin."""
    step("apply", code=0, MINUTES="5", VPNGW_SIMULATOR_SPEED=SLOW)
    assert step.outputs == {"exitcode": "6", "finished": "false"}


def stopped(step: Step, number: int) -> None:
    """An apply in a process of its own that hears a signal once Azure has taken the order of a gateway."""
    process = start("ci", "apply", env={**os.environ, **step.variables, "VPNGW_SIMULATOR_SPEED": SLOW})
    assert process.stderr is not None
    for line in process.stderr:
        if "VpnGateway/vgw-hub: create started" in line:
            break
    while not _is_taken():
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=60)


def _is_taken() -> bool:
    """What nobody has heard of is looked for during two minutes, which nobody waits for here."""
    whole, _, _ = Path(".vpngw/state/simulator/hub/journal.jsonl").read_text().rpartition("\n")
    records = [json.loads(line) for line in whole.splitlines()]
    orders = [record["operation"] for record in records if record.get("address") == "VpnGateway/vgw-hub"]
    return any(record["record"] == "accepted" and record["operation"] in orders for record in records)


def cancelled(step: Step) -> None:
    stopped(step, signal.SIGINT)


def killed(step: Step) -> None:
    stopped(step, signal.SIGKILL)


@pytest.fixture
def guarded(with_token: Step, github: GithubServer) -> Step:
    """Steps of run 7001, before run 7002 of the schedule, and an environment that is limited to the default branch."""
    guard(github, "production-finish", [], CUSTOM, "main")
    github.runs.append({"id": 7002, "workflow_id": 5, "run_number": 41, "head_branch": "main", "conclusion": None})
    with_token.variables |= {"ENVIRONMENT": "production-finish", "VPNGW_DEPLOYMENT": "hub", "VPNGW_APPROVER": "carol"}
    return with_token


@pytest.fixture
def planned(guarded: Step, github: GithubServer) -> Step:
    """Run 7001 has planned, and kept its plan."""
    guarded("plan", code=0)
    github.keep(7001, PLAN, kept(guarded))
    return guarded


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the world of `unfinished` is kept once it was made: its folder, and the artifact."""
    return tmp_path_factory.mktemp("unfinished")


@pytest.fixture
def unfinished(guarded: Step, github: GithubServer, world: Path) -> Step:
    """The same, and run 7001 was left before its end; the next step is one of run 7002."""
    if not (world / "plan.zip").exists():
        guarded("plan", code=0)
        (world / "plan.zip").write_bytes(kept(guarded))
        left(guarded)
        guarded("wait", code=0, **LATER)
        assert guarded.outputs == {"exitcode": "0", "finished": "true", "remainder": "true"}
        shutil.copytree(".vpngw", world / ".vpngw")
    else:
        shutil.copytree(world / ".vpngw", ".vpngw")
    github.keep(7001, PLAN, (world / "plan.zip").read_bytes())
    on_schedule(guarded)
    return guarded


def on_schedule(step: Step) -> None:
    """A later run, whose runner has nothing of the first one but what the store and GitHub keep."""
    shutil.rmtree(step.folder / "vpngw", ignore_errors=True)
    step.on("schedule", schedule_event(), "refs/heads/main", sha="d" * 40)
    step.variables |= LATER
    del step.variables["VPNGW_APPROVER"]


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    from vpngw_iac.cli.app import run

    capsys.readouterr()
    assert run(["log", "hub.yaml", "--cloud", "simulator", "--json"]) == 0
    return list(json.loads(capsys.readouterr().out)["runs"])


def nothing_was_begun(step: Step, capsys: pytest.CaptureFixture[str]) -> bool:
    return [run["command"] for run in logged(capsys)].count("apply") == 1


# --- finished --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [left, cancelled, killed])
def test_what_was_left_is_finished_by_its_own_plan(
    planned: Step, end: Callable[[Step], None], capsys: pytest.CaptureFixture[str]
) -> None:
    end(planned)
    on_schedule(planned)
    planned("wait", code=0)
    waited = planned.outputs
    Path("hub.yaml").rename("elsewhere.yaml")

    answer = planned("finish", code=0)

    assert waited == {"exitcode": "0", "finished": "true", "remainder": "true"}
    assert planned.outputs == {"exitcode": "0", "finished": "true"}
    assert "VpnConnection/vgw-hub/berlin" in answer.err
    assert "hub was not finished by [run 7001](https://github.com/contoso/network/actions/runs/7001)" in planned.summary
    Path("elsewhere.yaml").rename("hub.yaml")
    first, *_, last = logged(capsys)
    assert (last["command"], last["outcome"], last["digest"]) == ("apply", "succeeded", first["digest"])
    assert last["approver"] == "carol"
    planned("plan", code=0)
    assert planned.outputs["changes"] == "false"


def test_a_finished_run_leaves_nothing(unfinished: Step) -> None:
    unfinished("finish", code=0)

    unfinished("wait", code=0)
    waited = unfinished.outputs
    answer = unfinished("finish", code=0)

    assert waited["remainder"] == "false"
    assert unfinished.outputs == {"exitcode": "0", "finished": "true"}
    assert "Nothing of hub is left to finish." in answer.out


def test_where_nothing_was_ever_applied_nothing_is_left(planned: Step) -> None:
    answer = planned("finish", code=0)

    assert "Nothing of hub is left to finish." in answer.out


def test_what_finished_for_another_and_was_interrupted_is_finished_too(planned: Step, github: GithubServer) -> None:
    """The last run is then one that has kept no plan; the plan is where it was."""
    left(planned)
    on_schedule(planned)
    planned("finish", code=0, MINUTES="0.01", VPNGW_SIMULATOR_SPEED=SLOW)
    again = planned.outputs
    github.runs.append({"id": 7003, "workflow_id": 5, "run_number": 42, "head_branch": "main", "conclusion": None})

    planned("finish", code=0, GITHUB_RUN_ID="7003")

    assert again["finished"] == "false"
    assert planned.outputs == {"exitcode": "0", "finished": "true"}


def test_of_several_attempts_the_one_that_was_applied_counts(unfinished: Step, github: GithubServer) -> None:
    (number,) = github.archives
    _, _, archive = github.archives[number]
    assert archive is not None
    other = json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("plan.json"))
    other["basis"]["decisions"] = other["basis"]["decisions"][1:]
    github.keep(7001, PLAN, packed({"plan.json": json.dumps(other).encode()}))

    unfinished("finish", code=0)

    assert unfinished.outputs == {"exitcode": "0", "finished": "true"}


def test_without_the_word_that_it_is_wanted_a_wait_only_tells_what_is_left(unfinished: Step) -> None:
    answer = unfinished("wait", code=0)

    assert "its own plan finishes it, without a new review" in answer.err
    assert "its own plan finishes it, without a new review" in unfinished.summary


# --- not finished ----------------------------------------------------------------------------------------------------


def test_what_has_moved_since_is_not_finished_and_not_tried_again(planned: Step) -> None:
    from vpngw_iac.cli.app import run

    cancelled(planned)
    on_schedule(planned)
    planned("wait", code=0)
    assert run(["simulator", "set", "vnet-hub", 'properties.addressSpace.addressPrefixes=["10.1.255.0/24"]']) == 0

    answer = planned("finish", code=8)
    planned("wait", code=0)

    assert "Now needed: update VirtualNetwork/vnet-hub" in answer.err
    assert planned.outputs["remainder"] == "false"


def test_a_newer_plan_is_left_to_its_reviewers(unfinished: Step, github: GithubServer) -> None:
    github.runs.append({"id": 7005, "workflow_id": 5, "run_number": 44, "head_branch": "main", "conclusion": None})
    github.keep(7005, PLAN, b"another")

    answer = unfinished("finish", code=0)

    assert unfinished.outputs == {"exitcode": "8", "finished": "false"}
    assert "superseded: approve the one of https://github.com/contoso/network/actions/runs/7005" in answer.out


def test_an_artifact_that_has_expired_asks_for_a_new_plan(
    unfinished: Step, github: GithubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    github.archives = {number: (run, name, None) for number, (run, name, _) in github.archives.items()}

    answer = unfinished("finish", code=8)

    assert "has expired" in answer.err
    assert "Plan again" in answer.err
    assert nothing_was_begun(unfinished, capsys)


def test_an_artifact_that_was_deleted_asks_for_a_new_plan(unfinished: Step, github: GithubServer) -> None:
    github.archives.clear()

    answer = unfinished("finish", code=8)

    assert "is not there any more" in answer.err


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"repository": {"full_name": "mallory/network"}}, "another repository"),
        ({"head_repository": {"full_name": "mallory/network"}}, "another repository"),
        ({"head_repository": None}, "another repository"),
        ({"head_branch": "feature"}, "not of the default branch, main"),
        ({"event": "pull_request"}, "not of the default branch, main"),
        ({"workflow_id": 6}, "does not call apply.yml"),
        ({"head_sha": "e" * 40}, "was not made by it"),
    ],
)
def test_a_plan_of_elsewhere_is_refused(
    unfinished: Step, github: GithubServer, changed: dict[str, Any], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    github.runs[0] |= changed

    answer = unfinished("finish", code=4)

    assert word in answer.err
    assert nothing_was_begun(unfinished, capsys)


def test_a_caller_in_another_file_is_known_by_what_it_calls(unfinished: Step, github: GithubServer) -> None:
    called = {"path": "contoso/vpngw/.github/workflows/apply.yml@" + "f" * 40, "sha": "f" * 40}
    github.runs[0] |= {"workflow_id": 6, "referenced_workflows": [called]}

    unfinished("finish", code=0)


@pytest.mark.parametrize(
    "files",
    [
        {"../plan.json": b"{}"},
        {"/etc/plan.json": b"{}"},
        {"plan.json": b'{"kind": "plan"}', "../../evil": b"x"},
        {"other.json": b"{}"},
        {},
        {"plan.json": b"[" * 100_000},
        {"plan.json": b'{"kind": "graph"}'},
        {"plan.json": b"\xff\xfe"},
        {"plan.json": b" " * (65 * 1024 * 1024)},
        {f"plan.json{number}": b"" for number in range(200)},
    ],
    ids=lambda files: next(iter(files), "nothing"),
)
def test_a_hostile_archive_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(PlanError, match="The artifact of the plan holds"):
        plan_in(packed(files))


def test_two_files_of_one_name_are_refused() -> None:
    """Who reads the first and who reads the last one would read different plans."""
    twice = packed({"plan.json": b'{"kind": "plan"}', "plan.md__": b'{"kind": "plan"}'})

    with pytest.raises(PlanError, match="other files"):
        plan_in(twice.replace(b"plan.md__", b"plan.json"))


def test_bytes_that_are_no_archive_are_refused() -> None:
    whole = packed({"plan.json": json.dumps({"kind": "plan", "text": os.urandom(2000).hex()}).encode()})
    half = len(whole) // 2
    assert plan_in(whole)["kind"] == "plan"

    for data in (b"", b"no zip", whole[:-30], whole[:half] + b"\0" * 200 + whole[half + 200 :]):
        with pytest.raises(PlanError, match="The artifact of the plan holds"):
            plan_in(data)


@pytest.mark.parametrize(
    "data", [packed({"../plan.json": b"{}"}), packed({"plan.json": b'{"kind": "plan"}'}), b"no zip"]
)
def test_an_artifact_that_is_no_plan_touches_nothing(
    unfinished: Step, github: GithubServer, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (number,) = github.archives
    github.archives[number] = (7001, PLAN, data)
    before = set(unfinished.folder.parent.rglob("*"))

    answer = unfinished("finish", code=1)

    assert "Plan again" in answer.err or "Make the plan again" in answer.err
    assert "Traceback" not in answer.err
    new = {place.name for place in set(unfinished.folder.parent.rglob("*")) - before}
    assert new <= {"github_output", "summary.md"}
    assert nothing_was_begun(unfinished, capsys)


def test_a_plan_that_was_edited_is_not_finished(
    unfinished: Step, github: GithubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the same decisions, and so with the same digest: the seal is what tells."""
    (number,) = github.archives
    archive = zipfile.ZipFile(io.BytesIO(github.archives[number][2] or b""))
    document = json.loads(archive.read("plan.json"))
    document["basis"]["said"]["resource_group"] = "rg-other"
    github.archives[number] = (7001, PLAN, packed({"plan.json": json.dumps(document).encode()}))

    answer = unfinished("finish", code=8)

    assert "changed after it was made" in answer.err
    assert nothing_was_begun(unfinished, capsys)


def test_a_run_that_was_of_no_saved_plan_asks_for_a_plan(with_token: Step, github: GithubServer) -> None:
    """From a laptop, or by the address of a key: nobody has reviewed what is left."""
    from vpngw_iac.cli.app import run

    guard(github, "production-finish", [], CUSTOM, "main")
    os.environ |= {"BERLIN_PSK": CANARY, "VPNGW_CLOUD": "simulator", "VPNGW_SIMULATOR_SPEED": SLOW}
    try:
        assert run(["apply", "hub.yaml", "--yes", "--timeout", "5"]) == 6
    finally:
        for name in ("BERLIN_PSK", "VPNGW_CLOUD", "VPNGW_SIMULATOR_SPEED"):
            del os.environ[name]
    with_token.variables |= {"ENVIRONMENT": "production-finish", "VPNGW_DEPLOYMENT": "hub"}

    waited = with_token("wait", code=0)
    left_over = with_token.outputs
    answer = with_token("finish", code=8)

    assert left_over["remainder"] == "false"
    assert "which was not of a saved plan: `vpngw plan` shows what is left" in waited.err
    assert "was not of a saved plan" in answer.err


@pytest.mark.parametrize(
    ("variables", "code", "word"),
    [
        ({"ENVIRONMENT": ""}, 64, "ENVIRONMENT"),
        ({"VPNGW_DEPLOYMENT": ""}, 64, "VPNGW_DEPLOYMENT"),
        ({"GITHUB_TOKEN": ""}, 64, "GITHUB_TOKEN"),
        ({"GITHUB_ACTIONS": ""}, 64, "Only a job of GitHub Actions"),
        ({"GITHUB_REF": "refs/heads/feature"}, 4, "default branch, main"),
        ({"ENVIRONMENT": "nobody-made-it"}, 4, "has no rule for branches"),
    ],
)
def test_where_it_must_not_be_finished_nothing_is_even_looked_for(
    planned: Step, github: GithubServer, variables: dict[str, str], code: int, word: str
) -> None:
    github.asked.clear()

    answer = planned("finish", code=code, **variables)

    assert word in answer.err
    assert [path for _, path in github.asked if path.startswith("actions/")] == []


def test_while_somebody_is_at_work_nothing_is_left(planned: Step) -> None:
    process = start("ci", "apply", env={**os.environ, **planned.variables, "VPNGW_SIMULATOR_SPEED": "60"})
    assert process.stderr is not None
    for line in process.stderr:
        if "VpnGateway/vgw-hub: create started" in line:
            break
    try:
        on_schedule(planned)
        planned("wait", code=0, LOCK_MINUTES="0")
        waited = planned.outputs
        planned("finish", code=0)
        finished = planned.outputs
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert waited["remainder"] == "false"
    assert finished == {"exitcode": "7", "finished": "false"}


# --- the way to the archive ------------------------------------------------------------------------------------------


def everything(answer: Answer, step: Step) -> str:
    return answer.out + answer.err + step.summary + "".join(step.outputs.values())


def test_neither_the_token_nor_the_signed_address_is_ever_shown(unfinished: Step, github: GithubServer) -> None:
    (number,) = github.archives
    whole = github.archives[number]
    github.archives[number] = (7001, PLAN, b"no zip")
    failed = unfinished("finish", code=1)
    shown = everything(failed, unfinished)
    github.archives[number] = whole

    shown += everything(unfinished("finish", code=0), unfinished)

    assert ("GET", f"actions/artifacts/{number}/zip") in github.asked
    assert TOKEN not in shown
    assert SIGNATURE not in shown


def test_a_missing_permission_is_told(unfinished: Step, github: GithubServer) -> None:
    github.permissions["actions/"] = {"GET"}

    answer = unfinished("finish", code=3)

    assert "permission" in answer.err
