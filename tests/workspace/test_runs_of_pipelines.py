"""Who ran what: pipelines are named by their address, and what went past them is told by the next one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub_without_gateway, site

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "contoso/network",
    "GITHUB_RUN_ID": "7",
    "GITHUB_ACTOR": "ada",
    "VPNGW_APPROVER": "grace",
}
DEVOPS = {
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/contoso/",
    "SYSTEM_TEAMPROJECT": "net work",
    "BUILD_BUILDID": "7",
    "BUILD_REQUESTEDFOR": "Ada L.",
}
GITLAB = {"CI_JOB_URL": "https://gitlab.example/contoso/-/jobs/7", "GITLAB_USER_LOGIN": "ada"}


@pytest.mark.parametrize(
    ("variables", "url", "actor"),
    [
        (GITHUB, "https://github.com/contoso/network/actions/runs/7", "ada"),
        (DEVOPS, "https://dev.azure.com/contoso/net%20work/_build/results?buildId=7", "Ada L."),
        (GITLAB, "https://gitlab.example/contoso/-/jobs/7", "ada"),
    ],
)
def test_a_run_is_remembered_with_its_pipeline(
    harness: Harness, variables: dict[str, str], url: str, actor: str
) -> None:
    deployment = hub_without_gateway("berlin")
    harness.environment |= variables
    harness.apply(deployment)

    (run,) = harness.workspace().history(deployment)

    assert (run.url, run.actor, run.approver) == (url, actor, variables.get("VPNGW_APPROVER", ""))


def told(found: Any) -> list[str]:
    return [finding.detail for finding in found.findings if finding.rule == "V-RUN-01"]


def test_what_went_past_the_pipeline_is_told_by_its_next_run_and_by_no_other(harness: Harness) -> None:
    desk = dict(harness.environment)
    deployment = hub_without_gateway("berlin")
    harness.environment |= GITHUB
    harness.create(deployment)
    assert told(harness.plan(deployment)) == []

    harness.environment = dict(desk)
    by_hand = deployment.plus(site("rome", 9))
    harness.create(by_hand)
    assert told(harness.plan(by_hand)) == []

    harness.environment |= GITHUB
    (detail,) = told(harness.plan(by_hand))
    assert "`vpngw apply` was run by" in detail
    assert told(harness.apply(by_hand)) == [detail]
    assert told(harness.plan(by_hand)) == []
