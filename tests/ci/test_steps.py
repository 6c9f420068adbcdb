"""Plan, apply and wait as steps: outputs, summaries, annotations, and what they refuse."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ci.conftest import PULL_REQUEST, Step, pull_request_event
from tests.ci.github_server import BOT, TOKEN, GithubServer
from tests.cli.conftest import CANARY, start
from vpngw_iac.cli.run import Run
from vpngw_iac.cli.summary import CUT, add_to_summary
from vpngw_iac.usecases.comment_marks import Decided
from vpngw_iac.usecases.pipeline_review import decided_by
from vpngw_iac.usecases.settings import Settings


def document(step: Step) -> dict[str, Any]:
    return dict(json.loads((step.folder / "vpngw" / "plan.json").read_text(encoding="utf-8")))


def edit(before: str, after: str) -> None:
    file = Path("hub.yaml")
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


# --- plan ------------------------------------------------------------------------------------------------------------


def test_a_plan_leaves_files_outputs_and_a_summary(step: Step) -> None:
    step("plan", code=0)

    made = document(step)
    assert step.outputs == {
        "exitcode": "2", "changes": "true", "digest": made["decision_digest"], "sealed": "true", "deployment": "hub",
        "plan": str(step.folder / "vpngw" / "plan.json"),
    }  # fmt: skip
    page = (step.folder / "vpngw" / "plan.md").read_text(encoding="utf-8")
    assert page in step.summary
    assert "### vpngw plan: hub" in page


def test_a_plan_without_changes_says_so(step: Step) -> None:
    step("plan", code=0)
    step("apply", code=0)

    step("plan", code=0)

    assert (step.outputs["exitcode"], step.outputs["changes"]) == ("0", "false")


def test_a_plan_that_is_refused_fails_and_is_kept(step: Step) -> None:
    edit("10.1.255.0/27", "10.1.255.0/29")

    answer = step("plan", code=4)

    assert step.outputs["exitcode"] == "4"
    assert document(step)["refused"]
    assert "::error file=hub.yaml,line=" in answer.out


def test_a_file_that_is_no_blueprint_fails_with_a_summary(step: Step) -> None:
    Path("hub.yaml").write_text("kind: [", encoding="utf-8")

    answer = step("plan", code=4)

    assert step.outputs == {"exitcode": "4"}
    assert "🛑" in step.summary
    assert "::error::" in answer.out


def test_a_graph_is_planned_without_its_blueprint_and_without_secrets(step: Step) -> None:
    from vpngw_iac.cli.app import run

    assert run(["compile", "hub.yaml", "--save", "graph.json", "--subscription", "0" * 8]) == 0
    Path("hub.yaml").unlink()

    step("plan", "graph.json", code=0, VPNGW_SUBSCRIPTION="0" * 8, SECRETS="")

    assert (step.outputs["changes"], step.outputs["sealed"]) == ("true", "false")


def test_arguments_decide_the_plan(step: Step) -> None:
    step("plan", code=0, ARGUMENTS="--target 'PublicIp/vgw-hub/1'")

    assert {change["address"] for change in document(step)["changes"]} == {"PublicIp/vgw-hub/1", "ResourceGroup/rg-hub"}


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"BLUEPRINT": ""}, "BLUEPRINT"),
        ({"BLUEPRINT": "--json"}, "./FILE"),
        ({"BLUEPRINT": "a\nb"}, "line break"),
        ({"ARGUMENTS": "'"}, "ARGUMENTS"),
        ({"SECRETS": "A B C"}, "Line 1 of SECRETS"),
        ({"GITHUB_TOKEN": "t", "GITHUB_API_URL": "http://example.org"}, "https://"),
    ],
)
def test_a_wrong_input_is_told(step: Step, variables: dict[str, str], word: str) -> None:
    answer = step("plan", code=64, **variables)

    assert word in answer.err
    assert "Traceback" not in answer.err


def test_several_deployments_in_a_file_are_refused(step: Step) -> None:
    first = Path("hub.yaml").read_text(encoding="utf-8")
    Path("two.yaml").write_text(f"{first}\n---\n{first.replace('name: hub', 'name: other', 1)}", encoding="utf-8")

    answer = step("plan", BLUEPRINT="two.yaml")

    assert answer.code in (4, 64)
    assert "two.yaml" in answer.err


def test_secrets_are_masked_and_never_shown(step: Step) -> None:
    for verb in ("plan", "apply"):
        done = start("ci", verb, env={**os.environ, **step.variables})
        out, err = done.communicate(timeout=120)

        assert done.returncode == 0, err
        assert err.startswith(f"::add-mask::{CANARY}\n")
        assert CANARY not in out + err.replace(f"::add-mask::{CANARY}", "") + step.summary
    assert CANARY not in json.dumps(document(step))


def test_annotations_are_ten_with_those_on_changed_lines_first(with_token: Step, github: GithubServer) -> None:
    sites = "".join(
        f"\n  - {{name: s{n}, public_ip: 203.0.113.{n}, prefixes: [10.{n}.0.0/16], "
        "shared_key: {source: env, name: BERLIN_PSK}}"
        for n in range(20, 40)
    )
    text = Path("hub.yaml").read_text(encoding="utf-8").rstrip()
    Path("hub.yaml").write_text(text + sites + "\n", encoding="utf-8")
    last = len((text + sites).splitlines())
    github.files[PULL_REQUEST] = [
        {"filename": "hub.yaml", "status": "modified", "patch": f"@@ -{last - 1},1 +{last - 1},2 @@\n same\n+new"}
    ]
    with_token.on("pull_request", pull_request_event(), f"refs/pull/{PULL_REQUEST}/merge")

    answer = with_token("plan", code=0)

    told = [line for line in answer.out.splitlines() if line.startswith("::")]
    assert len(told) == 10
    assert f"file=hub.yaml,line={last}," in told[0]
    assert "more: all are in the summary" in answer.err


def test_in_azure_pipelines_outputs_and_summary_are_logging_commands(step: Step) -> None:
    for name in [name for name in step.variables if name.startswith("GITHUB_")]:
        del step.variables[name]
    step.variables |= {
        "TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(step.folder), "BUILD_BUILDID": "9",
        "BUILD_REPOSITORY_NAME": "network",
    }  # fmt: skip

    planned = step("plan", code=0)
    applied = step("apply", code=0)

    assert "##vso[task.setvariable variable=changes;isOutput=true]true\n" in planned.out
    page = Path(planned.out.split("##vso[task.uploadsummary]")[1].splitlines()[0])
    assert "### vpngw plan: hub" in page.read_text(encoding="utf-8")
    assert "##vso[task.logissue type=warning;sourcepath=hub.yaml;linenumber=" in planned.out
    assert "##vso[task.setvariable variable=finished;isOutput=true]true\n" in applied.out


def test_what_a_step_tells_in_several_parts_has_several_pages(step: Step) -> None:
    """The agent reads a page after the command: one that is written over would be told twice."""
    for name in [name for name in step.variables if name.startswith("GITHUB_")]:
        del step.variables[name]
    step.variables |= {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(step.folder)}

    pages = []
    for file in ("hub.yaml", "missing.yaml"):
        told = step("plan", BLUEPRINT=file).out
        pages += [line.partition("]")[2] for line in told.splitlines() if line.startswith("##vso[task.uploadsummary]")]

    assert len(set(pages)) == len(pages) == 2
    assert "### vpngw plan: hub" in Path(pages[0]).read_text(encoding="utf-8")


def test_a_page_is_cut_before_github_drops_it_whole(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    run = Run(Settings.load(directory=tmp_path, environment={"GITHUB_STEP_SUMMARY": str(page)}), sys.stdout, sys.stderr)

    for _ in range(3):
        add_to_summary(run, "<details>", *(f"| ü {number} |" for number in range(40_000)), "</details>")

    assert 890 * 1024 < page.stat().st_size <= 900 * 1024
    assert page.read_text(encoding="utf-8").rstrip().endswith(CUT)
    assert page.read_text(encoding="utf-8").count("</details>") == page.read_text(encoding="utf-8").count("<details>")


# --- apply -----------------------------------------------------------------------------------------------------------


def test_what_was_planned_in_this_run_is_applied(step: Step) -> None:
    step("plan", code=0)

    step("apply", code=0, PLAN_DIR=str(step.folder))

    assert step.outputs == {"exitcode": "0", "finished": "true"}
    assert "✅ **succeeded**" in step.summary


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"GITHUB_RUN_ID": "7002"}, "run 7001"),
        ({"GITHUB_REF": "refs/heads/feature"}, "default branch, main"),
        ({"GITHUB_REF": "refs/pull/12/merge"}, "no branch"),
        ({"GITHUB_EVENT_PATH": "/nowhere"}, "GITHUB_TOKEN"),
    ],
)
def test_a_plan_of_elsewhere_is_refused(step: Step, variables: dict[str, str], word: str) -> None:
    step("plan", code=0)

    answer = step("apply", code=4, **variables)

    assert word in answer.err
    assert step.outputs == {"exitcode": "4"}
    assert not any(Path(".vpngw/state").rglob("journal*/*"))


def test_a_plan_that_was_edited_is_stale(step: Step) -> None:
    step("plan", code=0)
    made = document(step)
    made["pipeline"]["run"] = "7002"
    (step.folder / "vpngw" / "plan.json").write_text(json.dumps(made), encoding="utf-8")

    answer = step("apply", code=8, GITHUB_RUN_ID="7002")

    assert "changed after it was made" in answer.err


def test_what_differs_since_the_plan_is_told_in_the_summary(step: Step) -> None:
    step("plan", code=0)
    step("apply", code=0)
    edit("203.0.113.10", "203.0.113.11")
    step("plan", code=0)
    kept = (step.folder / "vpngw" / "plan.json").read_text(encoding="utf-8")
    edit("192.168.10.0/24", "192.168.11.0/24")
    step("plan", code=0)
    step("apply", code=0)
    (step.folder / "vpngw" / "plan.json").write_text(kept, encoding="utf-8")

    step("apply", code=8)

    assert step.outputs == {"exitcode": "8"}
    assert "LocalNetworkGateway/vgw-hub/berlin" in step.summary


def test_a_digest_that_was_typed_in_must_be_that_of_the_plan(step: Step) -> None:
    step("plan", code=0)
    digest = step.outputs["digest"]

    step("apply", code=8, REVIEWED="0" * 64)
    step("apply", code=0, REVIEWED=f" {digest.upper()} ")


def test_outside_of_its_window_nothing_is_applied(step: Step) -> None:
    step("plan", code=0)

    answer = step("apply", code=4, NOT_BEFORE="2099-01-01T00:00Z")

    assert "change window" in answer.err
    step("apply", code=0, NOT_AFTER="2099-01-01T00:00Z")


def test_the_summary_says_that_a_pull_request_decided_the_same(with_token: Step, github: GithubServer) -> None:
    with_token("plan", code=0)
    told_in_comment(github, decided_by(document(with_token)))

    with_token("plan", code=0)
    seen_by_the_approver = with_token.summary
    with_token("apply", code=0)

    same = f"Same decisions as in [pull request 12](https://github.com/contoso/network/pull/{PULL_REQUEST})"
    assert same in seen_by_the_approver
    assert same in with_token.summary


def test_the_summary_shows_what_a_pull_request_did_not_decide(with_token: Step, github: GithubServer) -> None:
    with_token("plan", code=0)
    seen = decided_by(document(with_token))
    told_in_comment(github, Decided(seen.deployment, "0" * 64, (*seen.lines[1:], "create Gone/x")))

    with_token("plan", code=0)

    assert "Not the decisions of [pull request 12]" in with_token.summary
    assert "- create Gone/x" in with_token.summary
    assert f"- {seen.lines[0].partition(' (')[0]}" in with_token.summary


def test_a_comment_of_a_stranger_vouches_for_nothing(with_token: Step, github: GithubServer) -> None:
    with_token("plan", code=0)
    told_in_comment(github, decided_by(document(with_token)), user={"login": "mallory", "type": "User"})

    with_token("plan", code=0)

    assert "Same decisions" not in with_token.summary


def test_an_older_plan_is_superseded_by_a_later_run_that_planned(with_token: Step, github: GithubServer) -> None:
    with_token("plan", code=0)
    later = {"id": 7002, "workflow_id": 5, "run_number": 41, "head_branch": "main", "conclusion": None}
    github.runs.append(later)

    github.artifacts[7002] = ["vpngw-plan-spoke"]
    with_token("plan", code=0)
    github.artifacts[7002].append("vpngw-plan-hub")
    answer = with_token("apply", code=8)
    later["conclusion"] = "cancelled"
    with_token("apply", code=0)

    assert "superseded" in answer.err
    assert "https://github.com/contoso/network/actions/runs/7002" in answer.err


def test_a_pull_request_from_a_branch_of_the_same_name_supersedes_nothing(
    with_token: Step, github: GithubServer
) -> None:
    with_token("plan", code=0)
    fork = {"id": 7002, "workflow_id": 5, "run_number": 41, "head_branch": "main", "conclusion": None}
    github.runs.append({**fork, "event": "pull_request"})
    github.artifacts[7002] = ["vpngw-plan-hub"]

    with_token("apply", code=0)


def test_runs_of_a_schedule_cost_nothing(with_token: Step, github: GithubServer) -> None:
    """GitHub grants a job's token a thousand requests an hour, and an approval may wait for weeks."""
    with_token("plan", code=0)
    github.artifacts[7001] = ["vpngw-plan-hub"]
    github.runs += [
        {"id": 8000 + n, "workflow_id": 5, "run_number": 41 + n, "head_branch": "main", "conclusion": "success"}
        for n in range(2000)
    ]
    github.runs.append({"id": 9999, "workflow_id": 5, "run_number": 99, "head_branch": "site", "conclusion": None})
    github.artifacts[9999] = ["vpngw-plan-hub"]
    github.asked.clear()

    with_token("apply", code=0)

    assert len(github.asked) < 10


def test_without_a_token_it_is_told_that_nobody_looks_for_a_later_plan(step: Step) -> None:
    step("plan", code=0)

    answer = step("apply", code=0)

    told = "Whether a later run has planned this deployment again is not known: the step has no GITHUB_TOKEN."
    assert f"::warning::{told}" in answer.out
    assert told in step.summary


def test_a_run_of_another_deployment_supersedes_nothing(with_token: Step, github: GithubServer) -> None:
    with_token("plan", code=0)
    github.runs.append({"id": 7002, "workflow_id": 5, "run_number": 41, "head_branch": "main", "conclusion": None})
    github.artifacts[7002] = ["vpngw-plan-spoke"]

    with_token("apply", code=0)


def test_who_approved_is_in_the_log(with_token: Step, github: GithubServer, capsys: pytest.CaptureFixture[str]) -> None:
    from vpngw_iac.cli.app import run

    github.approvals[7001] = [{"state": "approved", "user": {"login": "bob"}, "environments": [], "comment": ""}]
    with_token("plan", code=0)
    with_token("apply", code=0)

    assert run(["log", "hub.yaml", "--cloud", "simulator"]) == 0

    assert "bob" in capsys.readouterr().out


def test_one_key_is_sent_again_by_its_address(step: Step) -> None:
    step("plan", code=0)
    step("apply", code=0)

    answer = step("apply", code=0, RESEND="VpnConnection/vgw-hub/berlin")

    assert step.outputs == {"exitcode": "0", "finished": "true"}
    assert "VpnConnection/vgw-hub/berlin: " in answer.err
    assert "VpnGateway/vgw-hub: " not in answer.err


def test_a_digest_that_was_typed_in_says_nothing_about_a_key_that_is_sent_again(step: Step) -> None:
    answer = step("apply", code=64, RESEND="VpnConnection/vgw-hub/berlin", REVIEWED="0" * 64)

    assert "REVIEWED is of a plan" in answer.err


def test_a_key_is_not_sent_again_from_a_branch(step: Step) -> None:
    step("apply", code=4, RESEND="VpnConnection/vgw-hub/berlin", GITHUB_REF="refs/heads/feature")


# --- wait ------------------------------------------------------------------------------------------------------------


def test_a_wait_with_nothing_to_wait_for_ends_at_once_and_writes_nothing(step: Step) -> None:
    answer = step("wait", code=0)

    assert step.outputs == {"exitcode": "0", "finished": "true", "remainder": "false"}
    assert "Nothing of hub is running." in answer.out
    assert not Path(".vpngw/state").exists()


def test_a_run_that_left_is_waited_for(step: Step) -> None:
    step("plan", code=0, VPNGW_SIMULATOR_SPEED="600")
    step("apply", code=0, MINUTES="0.02", VPNGW_SIMULATOR_SPEED="600")
    left = step.outputs

    step("wait", code=0)

    assert left == {"exitcode": "6", "finished": "false"}
    assert step.outputs["finished"] == "true"


# --- the token -------------------------------------------------------------------------------------------------------


def test_the_token_is_never_shown(with_token: Step, github: GithubServer) -> None:
    github.permissions[""] = {"GET"}

    planned = with_token("plan", code=0)
    refused = with_token("apply")

    assert refused.code == 3
    assert "permissions:" in refused.err
    assert TOKEN not in planned.out + planned.err + refused.out + refused.err + with_token.summary


def told_in_comment(github: GithubServer, decided: Decided, user: dict[str, Any] | None = None) -> None:
    """A pull request that was merged as the commit of this run, and a comment of its plan."""
    github.pulls_of["c" * 40] = [{"number": PULL_REQUEST, "merged_at": "2026-11-01T10:00:00Z", "state": "closed"}]
    github.comments[PULL_REQUEST] = [
        {"id": 1, "body": f"<!-- vpngw-plan hub -->\n{decided.dump()}\ntext\n", "user": user or BOT}
    ]
