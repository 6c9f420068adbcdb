"""`vpngw ci environment`: what nobody guards is refused. Documents after GitHub's REST reference, as far as read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ci.conftest import REVIEWERS, Step
from tests.ci.github_server import GithubServer

TIMER = {"type": "wait_timer", "wait_timer": 30}
CUSTOM = {"protected_branches": False, "custom_branch_policies": True}
PROTECTED = {"protected_branches": True, "custom_branch_policies": False}


def guard(github: GithubServer, name: str, rules: list[dict[str, Any]], policy: Any, *branches: str) -> None:
    """https://docs.github.com/rest/deployments/environments#get-an-environment"""
    told = {"name": name, "protection_rules": rules, "deployment_branch_policy": policy}
    github.documents[f"environments/{name}"] = (200, told)
    policies = {"total_count": len(branches), "branch_policies": [{"name": branch} for branch in branches]}
    github.documents[f"environments/{name}/deployment-branch-policies"] = (200, policies)


@pytest.fixture
def guarded(with_token: Step, github: GithubServer) -> Step:
    guard(github, "production", [REVIEWERS], CUSTOM, "main")
    guard(github, "production-apply", [], CUSTOM, "main")
    with_token.variables |= {"ENVIRONMENT": "production", "APPLY_ENVIRONMENT": "production-apply"}
    return with_token


def test_what_is_guarded_passes(guarded: Step) -> None:
    guarded("environment", code=0)

    assert guarded.outputs == {"exitcode": "0"}


def test_a_tag_that_is_called_like_the_branch_is_another_one(guarded: Step, github: GithubServer) -> None:
    """Whoever may push may make a tag, and a workflow of any commit with it."""
    policies = {"branch_policies": [{"name": "main", "type": "branch"}, {"name": "main", "type": "tag"}]}
    github.documents["environments/production-apply/deployment-branch-policies"] = (200, policies)

    answer = guarded("environment", code=4)

    assert "production-apply may be named by tag main, not by main alone" in answer.err


@pytest.mark.parametrize(
    ("rules", "policy", "branches", "said"),
    [
        ([TIMER], CUSTOM, ("main",), "production has no required reviewers"),
        ([{**REVIEWERS, "reviewers": []}], CUSTOM, ("main",), "production has no required reviewers"),
        ([REVIEWERS], None, (), "production has no rule for branches"),
        ([REVIEWERS], CUSTOM, ("main", "release/*"), "production may be named by release/*"),
        ([REVIEWERS], PROTECTED, (), "production has no rule for branches"),
    ],
)
def test_what_is_not_guarded_is_refused_unless_the_caller_wants_it(
    guarded: Step, github: GithubServer, rules: list[dict[str, Any]], policy: Any, branches: tuple[str, ...], said: str
) -> None:
    guard(github, "production", rules, policy, *branches)
    github.documents["branches/main"] = (200, {"name": "main", "protected": False})

    answer = guarded("environment", code=4)

    assert said in answer.err
    assert guarded.outputs == {"exitcode": "4"}
    guarded("environment", code=0, UNREVIEWED="true")


def test_protected_branches_are_a_rule_where_the_default_branch_is_protected(
    guarded: Step, github: GithubServer
) -> None:
    guard(github, "production", [REVIEWERS], PROTECTED)
    github.documents["branches/main"] = (200, {"name": "main", "protected": True})

    guarded("environment", code=0)


def test_where_the_identity_is_bound_a_rule_for_branches_is_never_waived(guarded: Step, github: GithubServer) -> None:
    guard(github, "production-apply", [], None)

    answer = guarded("environment", code=4, UNREVIEWED="true")

    assert "production-apply has no rule for branches" in answer.err


def test_an_environment_that_does_not_exist_has_no_rules(guarded: Step) -> None:
    assert "nowhere has no required reviewers" in guarded("environment", code=4, ENVIRONMENT="nowhere").err


def test_a_token_that_may_not_look_is_no_permission_to_go_on(guarded: Step, github: GithubServer) -> None:
    github.permissions["environments"] = {"GET"}

    guarded("environment", code=3, UNREVIEWED="true")


def test_without_token_or_name_nothing_passes(step: Step, guarded: Step) -> None:
    guarded("environment", code=64, ENVIRONMENT="")
    guarded("environment", code=64, GITHUB_TOKEN="")
