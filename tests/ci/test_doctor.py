"""What only GitHub knows: the repository of a user, judged by what its API says."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.ci.conftest import Step
from tests.ci.github_server import GithubServer
from tests.ci.test_environment_step import CUSTOM, REVIEWERS, guard

GUARDED = {
    "name": "prod",
    "protection_rules": [
        {"type": "required_reviewers", "prevent_self_review": True, "reviewers": [{"type": "User", "reviewer": {}}]},
        {"type": "branch_policy"},
    ],
    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
}
"""As https://docs.github.com/rest/deployments/environments answers, as far as it is read."""


@pytest.fixture
def doctor(with_token: Step, github: GithubServer) -> Step:
    """A repository in which everything is right."""
    github.documents |= {
        "environments/prod": (200, GUARDED),
        "environments/prod/deployment-branch-policies": (200, {"branch_policies": [{"name": "main"}]}),
        "branches/main": (200, {"name": "main", "protected": True}),
        "actions/permissions/workflow": (
            200, {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
        ),
        "actions/oidc/customization/sub": (200, {"use_default": True}),
    }  # fmt: skip
    with_token.variables["ENVIRONMENT"] = "prod"
    return with_token


def test_a_repository_in_which_everything_is_right(doctor: Step) -> None:
    doctor("doctor", code=0)

    assert doctor.outputs == {"ok": "true"}
    assert "🛑" not in doctor.summary
    assert "Somebody must approve, and main alone" in doctor.summary


@pytest.mark.parametrize(
    ("path", "answer", "word"),
    [
        ("environments/prod", (404, {"message": "Not Found"}), "has no required reviewers"),
        ("environments/prod", (403, {"message": "Resource not accessible by integration"}), "actions: read"),
        ("environments/prod", (200, {**GUARDED, "protection_rules": []}), "has no required reviewers"),
        ("environments/prod", (200, {**GUARDED, "deployment_branch_policy": None}), "has no rule for branches"),
        (
            "environments/prod/deployment-branch-policies",
            (200, {"total_count": 2, "branch_policies": [{"name": "main"}, {"name": "feature/*"}]}),
            "feature/*",
        ),
        ("branches/main", (200, {"name": "main", "protected": False}), "may push to it"),
        (
            "actions/permissions/workflow",
            (200, {"default_workflow_permissions": "write", "can_approve_pull_request_reviews": False}),
            "may write",
        ),
        (
            "actions/permissions/workflow",
            (200, {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}),
            "approve pull requests",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    doctor: Step, github: GithubServer, path: str, answer: tuple[int, Any], word: str
) -> None:
    github.documents[path] = answer

    told = doctor("doctor", code=4)

    assert doctor.outputs == {"ok": "false"}
    assert word in told.out


def test_what_the_token_may_not_read_is_unknown_and_no_failure(doctor: Step, github: GithubServer) -> None:
    github.documents["actions/permissions/workflow"] = (403, {"message": "Resource not accessible by integration"})
    github.documents["actions/oidc/customization/sub"] = (404, {"message": "Not Found"})

    told = doctor("doctor", code=0)

    assert "unknown" in told.out


def test_an_apply_without_review_is_accepted_by_whoever_says_so(doctor: Step, github: GithubServer) -> None:
    github.documents["environments/prod"] = (200, {**GUARDED, "protection_rules": []})

    doctor("doctor", code=0, UNREVIEWED="true")


@pytest.mark.parametrize(
    ("rules", "policy", "code", "word"),
    [
        ([], CUSTOM, 0, "Nobody has to approve, and main alone"),
        ([REVIEWERS], CUSTOM, 0, "Its reviewers are asked each time, and main alone"),
        ([], None, 4, "has no rule for branches"),
    ],
)
@pytest.mark.parametrize("variable", ["APPLY_ENVIRONMENT", "FINISH_ENVIRONMENT"])
def test_an_environment_that_writes_needs_a_rule_and_no_reviewers(
    doctor: Step, github: GithubServer, variable: str, rules: list[Any], policy: Any, code: int, word: str
) -> None:
    guard(github, "writer", rules, policy, "main")

    told = doctor("doctor", code=code, **{variable: "writer"})

    assert "environment writer: " in told.out
    assert word in told.out


def test_it_needs_a_token(doctor: Step) -> None:
    assert "GITHUB_TOKEN" in doctor("doctor", code=64, GITHUB_TOKEN="").err


@pytest.fixture
def issuer() -> Iterator[str]:
    """Gives tokens of a job, as the runner's service does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            claims = {"sub": "repo:contoso@1/network@2:environment:prod", "iss": "https://token.example", "aud": "x"}
            body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            right = self.headers["Authorization"] == "Bearer request" and "audience=api" in self.path
            self.send_response(200 if right else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"value": f"head.{body}.Canary0Signature7"}).encode() if right else b"{}")

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/token?api-version=2"
    server.shutdown()
    server.server_close()


def test_the_subject_of_the_token_is_told_and_the_token_is_not(doctor: Step, issuer: str) -> None:
    identity = {"ACTIONS_ID_TOKEN_REQUEST_URL": issuer, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request"}

    told = doctor("doctor", code=0, **identity)

    assert "repo:contoso@1/network@2:environment:prod" in told.out
    assert "Canary0Signature7" not in told.out + told.err + doctor.summary
