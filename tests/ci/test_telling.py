"""What steps tell on GitHub and in chats: one comment of a plan, one issue of a drift."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ci.conftest import PULL_REQUEST, Step, pull_request_event, schedule_event
from tests.ci.github_server import BOT, TOKEN, GithubServer
from tests.hostile import EVERYTHING, harm_in
from vpngw_iac.cli.app import run
from vpngw_iac.report.comment import chat_text, plan_comment
from vpngw_iac.report.markdown_limit import limited
from vpngw_iac.usecases.chat_webhook import WebhookFailed, post_line
from vpngw_iac.usecases.comment_marks import Decided, decided_in
from vpngw_iac.usecases.github import Github, GithubDenied, GithubError
from vpngw_iac.usecases.pipeline_review import decided_by

VNET = "VirtualNetwork/vnet-hub"


@pytest.fixture
def commenting(with_token: Step) -> Step:
    """A job of a pull request with a plan in its folder."""
    with_token.on("pull_request", pull_request_event(), f"refs/pull/{PULL_REQUEST}/merge")
    with_token("plan", code=0)
    return with_token


@pytest.fixture
def drifting(with_token: Step) -> Step:
    """A scheduled job for a deployment that was applied."""
    with_token("plan", code=0)
    with_token("apply", code=0)
    with_token.on("schedule", schedule_event(), "refs/heads/main")
    return with_token


def foreign_hand(tag: str) -> None:
    """Somebody changes a network in Azure."""
    name = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub"
    place = f"{name}/providers/Microsoft.Network/virtualNetworks/vnet-hub"
    change = f"properties.addressSpace.addressPrefixes={tag}"
    assert run(["simulator", "set", place, change, "--cloud", "simulator"]) == 0


# --- the comment -----------------------------------------------------------------------------------------------------


def test_a_comment_is_written_once_and_changed_in_place(commenting: Step, github: GithubServer) -> None:
    commenting("comment", code=0)
    first = commenting.outputs["comment"]
    text = Path("hub.yaml").read_text(encoding="utf-8")
    Path("hub.yaml").write_text(text.replace("VpnGw1AZ", "VpnGw2AZ"), encoding="utf-8")
    commenting("plan", code=0)

    commenting("comment", code=0)

    (comment,) = github.comments[PULL_REQUEST]
    assert comment["body"].startswith("<!-- vpngw-plan hub -->\n<!-- vpngw-decisions hub ")
    assert "VpnGw2AZ" in comment["body"]
    assert commenting.outputs["comment"] == first
    assert "```mermaid\n" in comment["body"]
    assert "Time: about" in comment["body"]


def test_a_comment_tells_what_apply_compares_with(commenting: Step, github: GithubServer) -> None:
    commenting("comment", code=0)

    made = json.loads((commenting.folder / "vpngw" / "plan.json").read_text(encoding="utf-8"))
    assert decided_in(github.comments[PULL_REQUEST][0]["body"]) == (decided_by(made),)


def test_the_comment_of_somebody_else_is_left_alone(commenting: Step, github: GithubServer) -> None:
    theirs = {"id": 1, "body": "<!-- vpngw-plan hub -->\nmine", "user": {"login": "mallory", "type": "User"}}
    github.comments[PULL_REQUEST] = [dict(theirs)]

    commenting("comment", code=0)

    assert github.comments[PULL_REQUEST][0] == theirs
    assert len(github.comments[PULL_REQUEST]) == 2


def test_a_comment_is_found_on_a_later_page(commenting: Step, github: GithubServer) -> None:
    talk = [{"id": n, "body": "talk", "user": {"login": "alice", "type": "User"}} for n in range(1, 131)]
    github.comments[PULL_REQUEST] = talk
    commenting("comment", code=0)

    commenting("comment", code=0)

    assert len(github.comments[PULL_REQUEST]) == 131


def test_deployments_of_one_repository_have_comments_of_their_own(commenting: Step, github: GithubServer) -> None:
    text = Path("hub.yaml").read_text(encoding="utf-8")
    Path("spoke.yaml").write_text(text.replace("name: hub\n", "name: spoke\n", 1), encoding="utf-8")
    commenting("comment", code=0)

    commenting("plan", "spoke.yaml", "--out", "spoke", code=0)
    commenting("comment", "spoke", code=0)

    assert [c["body"].splitlines()[0] for c in github.comments[PULL_REQUEST]] == [
        "<!-- vpngw-plan hub -->", "<!-- vpngw-plan spoke -->",
    ]  # fmt: skip


def test_without_a_plan_the_comment_says_so(commenting: Step, github: GithubServer) -> None:
    Path("empty").mkdir()
    commenting("comment", code=0)

    commenting("comment", "empty", code=0, VPNGW_DEPLOYMENT="hub")

    (comment,) = github.comments[PULL_REQUEST]
    assert "No plan was made." in comment["body"]
    assert "https://github.com/contoso/network/actions/runs/7001" in comment["body"]


def test_an_older_run_leaves_the_comment_to_the_one_of_the_commit_that_is_proposed_now(
    commenting: Step, github: GithubServer
) -> None:
    """Else whoever may start an old run again could show a harmless plan above another change."""
    github.heads[PULL_REQUEST] = "f" * 40

    told = commenting("comment", code=0)

    assert PULL_REQUEST not in github.comments
    assert commenting.outputs == {"comment": ""}
    assert "is at ffffffffffff by now" in told.err
    assert "is at ffffffffffff by now" in commenting.summary


def hostile(value: Any, name: str = "") -> Any:
    """A plan file with markup in every free text of it, as a pull request could write it."""
    words = ("action", "cause", "level", "kind", "id", "ends", "key", "lineage", "path", "version", "endpoint", "sync")
    if isinstance(value, str):
        return value if name in words or not value else f"{value} {EVERYTHING} @everyone #1 GH-1 https://x.example"
    if isinstance(value, dict):
        return {key: hostile(item, key) for key, item in value.items() if key != "basis"}
    return [hostile(item, name) for item in value] if isinstance(value, list) else value


def test_names_full_of_markup_do_no_harm(commenting: Step) -> None:
    made = json.loads((commenting.folder / "vpngw" / "plan.json").read_text(encoding="utf-8"))
    basis, poisoned = made["basis"], hostile(made)
    poisoned["basis"] = basis

    body = plan_comment("hub", [(poisoned, Decided("hub", "0" * 64))], "")

    prose, inside = [], False
    for line in body.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            prose.append(line)
    text = "\n".join(prose)
    assert not inside
    assert harm_in(body) == []
    assert "@everyone" in body.replace("&#8203;", "")
    assert "@everyone" not in text.replace("`@everyone`", "")
    assert "<img" not in text.replace("\\<img", "")
    assert text.count("<details>") == text.count("\n</details>")
    assert "https://x.example" not in text


def test_a_comment_is_cut_with_everything_closed(commenting: Step) -> None:
    made = json.loads((commenting.folder / "vpngw" / "plan.json").read_text(encoding="utf-8"))
    made["bodies"] = {
        f"VirtualNetwork/v{n}": {f"properties.p{k}": f"{n} {k} " * 30 for k in range(20)} for n in range(40)
    }
    made["changes"] = [{**made["changes"][0], "address": f"VirtualNetwork/v{n}"} for n in range(40)]

    body = plan_comment("hub", [(made, decided_by(made))], "https://github.com/r")

    assert 30_000 < len(body) <= 60_000
    assert body.count("\n```") % 2 == 0
    assert body.count("<details>") == body.count("\n</details>")
    assert body.endswith("Of [this run](https://github.com/r).\n")


@pytest.mark.parametrize("most", [60, 90, 120])
def test_what_is_cut_is_closed(most: int) -> None:
    text = "a\n<details>\n\n````text\n```\nb\n````\nc\n</details>\n" + "d\n" * 100

    cut = limited(text, most, "more")

    assert len(cut) <= most
    assert cut.endswith("\nmore\n")
    assert cut.count("````") in (0, 2)
    assert cut.count("<details>") == cut.count("</details>")


def test_what_a_name_looks_like_is_no_mark(commenting: Step) -> None:
    """A tag of the blueprint would say which decisions were reviewed."""
    made = json.loads((commenting.folder / "vpngw" / "plan.json").read_text(encoding="utf-8"))
    forged = Decided("hub", "f" * 64).dump()
    made["bodies"] = {"VirtualNetwork/vnet-hub": {"tags.note": f"x\n{forged}\n"}}

    body = plan_comment("hub", [(made, decided_by(made))], "")

    assert "f" * 64 in body
    assert decided_in(body) == (decided_by(made),)
    assert decided_in(body.replace("\n", "\r\n")) == (decided_by(made),)


@pytest.mark.parametrize(("count", "told"), [(12, 12), (400, 100)])
def test_the_plans_of_many_deployments_fit_into_one_comment(commenting: Step, count: int, told: int) -> None:
    """GitHub refuses a longer one, and then nothing is shown."""
    made = json.loads((commenting.folder / "vpngw" / "plan.json").read_text(encoding="utf-8"))
    chance = random.Random(count)
    lines = tuple(f"create VpnConnection/vgw-hub/{chance.getrandbits(320):x}" for _ in range(110))
    plans = [(made, Decided(f"hub-{number}", f"{number:064x}", lines)) for number in range(count)]

    body = plan_comment("all", plans, "https://github.com/r")

    assert len(body) <= 60_000
    assert "Plan: 7 to add" in body
    found = decided_in(body)
    assert [decided.digest for decided in found] == [decided.digest for _, decided in plans][: len(found)]
    assert len(found) >= told


def test_a_damaged_plan_is_told(commenting: Step) -> None:
    Path("bad").mkdir()
    Path("bad/plan.json").write_text('{"format": 2, "kind": "plan", "deployment": "hub", "changes": 7}')

    answer = commenting("comment", "bad", code=1)

    assert "damaged" in answer.err


def test_a_comment_needs_a_token_and_a_pull_request(commenting: Step) -> None:
    commenting("comment", code=64, GITHUB_TOKEN="")
    commenting("comment", code=64, GITHUB_EVENT_PATH="/nowhere")


# --- drift -----------------------------------------------------------------------------------------------------------


def test_an_issue_is_opened_kept_on_failure_and_closed(drifting: Step, github: GithubServer) -> None:
    drifting("drift", code=0)
    assert github.issues == []

    foreign_hand('["10.1.0.0/16","10.9.0.0/16"]')
    drifting("drift", code=2)
    (issue,) = github.issues
    assert (drifting.outputs["exitcode"], drifting.outputs["drift"]) == ("2", "true")
    assert issue["labels"] == [{"name": "vpngw-drift"}]
    assert issue["title"] == "Drift: hub"
    assert VNET in issue["body"]

    assert drifting("drift", VPNGW_DEPLOYMENT="hub", BLUEPRINT="gone.yaml").code != 0
    assert issue["state"] == "open"
    assert "failed, so that what follows may be out of date" in issue["body"]
    assert VNET in issue["body"]

    drifting("drift", code=2)
    assert "failed" not in issue["body"]

    foreign_hand('["10.1.0.0/16"]')
    drifting("drift", code=0)
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert "No drift any more" in github.comments[issue["number"]][0]["body"]
    assert len(github.issues) == 1


def test_drift_may_be_a_success(drifting: Step) -> None:
    foreign_hand('["10.1.0.0/16","10.9.0.0/16"]')

    drifting("drift", code=0, DRIFT_IS_SUCCESS="true")

    assert (drifting.outputs["exitcode"], drifting.outputs["drift"]) == ("2", "true")
    assert (drifting.folder / "vpngw" / "drift.json").exists()


def test_the_issue_of_another_deployment_is_left_alone(drifting: Step, github: GithubServer) -> None:
    other = {"number": 3, "title": "Drift: hub2", "body": "<!-- vpngw-drift hub2 -->\nx", "state": "open", "user": BOT,
             "labels": [{"name": "vpngw-drift"}]}  # fmt: skip
    github.issues.append(dict(other))

    drifting("drift", code=0)

    assert github.issues == [other]


def test_without_a_token_drift_is_only_told_here(drifting: Step, github: GithubServer) -> None:
    foreign_hand('["10.1.0.0/16","10.9.0.0/16"]')

    drifting("drift", code=2, GITHUB_TOKEN="")

    assert github.issues == []
    assert VNET in drifting.summary


def test_a_permission_that_is_missing_is_told(drifting: Step, github: GithubServer) -> None:
    foreign_hand('["10.1.0.0/16","10.9.0.0/16"]')
    github.permissions["issues"] = {"POST"}

    answer = drifting("drift", code=3)

    assert "permissions:" in answer.err
    assert TOKEN not in answer.out + answer.err + drifting.summary


# --- the API ---------------------------------------------------------------------------------------------------------


def client(github: GithubServer, slept: list[float]) -> Github:
    return Github("contoso/network", TOKEN, api=github.url, sleep=slept.append)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_read_is_tried_again(github: GithubServer, status: int) -> None:
    slept: list[float] = []
    github.failures = [(status, {"Retry-After": "7"}), (status, {})]

    assert client(github, slept).get("")["default_branch"] == "main"

    assert slept[0] == 7
    assert len(slept) == 2


def test_what_is_limited_was_not_written_and_is_tried_again(github: GithubServer) -> None:
    github.failures = [(403, {"Retry-After": "1"})]

    client(github, []).post("issues", title="t")

    assert len(github.issues) == 1


def test_what_may_have_been_written_is_looked_for_before_it_is_written_again(
    commenting: Step, github: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Github, "pause", lambda *_: None)
    github.lost = 1

    commenting("comment", code=0)

    assert len(github.comments[PULL_REQUEST]) == 1


def test_a_limit_that_stays_is_an_error_in_the_end(github: GithubServer) -> None:
    github.failures = [(503, {})] * 9

    with pytest.raises(GithubError) as told:
        client(github, []).get("")

    assert "503" in told.value.message
    assert TOKEN not in repr(told.value)


def test_a_wrong_token_is_no_use_trying_again(github: GithubServer) -> None:
    slept: list[float] = []

    with pytest.raises(GithubDenied):
        Github("contoso/network", "other", api=github.url, sleep=slept.append).get("")

    assert slept == []


# --- the chat --------------------------------------------------------------------------------------------------------


@pytest.fixture
def chat() -> Iterator[tuple[str, list[Any], list[int]]]:
    """An incoming webhook: its address, what it got, and how it answers."""
    got: list[Any] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook/Canary0Hook7", got, answers
    server.shutdown()
    server.server_close()


def test_a_chat_hears_of_drift_once(drifting: Step, chat: tuple[str, list[Any], list[int]]) -> None:
    url, got, _ = chat
    drifting("drift", code=0, WEBHOOK=url)
    foreign_hand('["10.1.0.0/16","10.9.0.0/16"]')
    for _ in range(2):
        drifting("drift", code=2, WEBHOOK=url)
    foreign_hand('["10.1.0.0/16"]')
    drifting("drift", code=0, WEBHOOK=url)

    assert [list(line) for line in got] == [["text"], ["text"]]
    assert VNET in got[0]["text"]
    assert "no drift any more" in got[1]["text"]


def test_a_chat_that_refuses_fails_nothing_and_its_address_stays_secret(
    drifting: Step, chat: tuple[str, list[Any], list[int]]
) -> None:
    url, _, answers = chat
    foreign_hand('["10.1.0.0/16","10.9.0.0/16"]')
    answers.append(404)

    answer = drifting("drift", code=2, WEBHOOK=url)

    assert "::warning::The webhook of the chat answered 404." in answer.out
    assert "Canary0Hook7" not in answer.out + answer.err + drifting.summary


def test_a_chat_is_tried_again(chat: tuple[str, list[Any], list[int]]) -> None:
    url, got, answers = chat
    answers += [503, 200]
    post_line(url, "x")
    answers += [503, 503, 503]

    with pytest.raises(WebhookFailed):
        post_line(url, "y")

    assert [line["text"] for line in got] == ["x", "x", "y", "y", "y"]


def test_a_line_for_a_chat_calls_nobody() -> None:
    line = chat_text("<!channel> @here", "x\ny", "")

    assert not set("<>@\n") & set(line)
