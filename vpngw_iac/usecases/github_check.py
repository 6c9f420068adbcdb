"""What only GitHub knows of a repository whose pipeline changes Azure: who must approve, from where, as whom."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import requests

from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.usecases.github import Github, GithubDenied, GithubError
from vpngw_iac.usecases.github_environment import rules_of
from vpngw_iac.usecases.github_project import AUDIENCE

Verdict = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class GithubCheck:
    """One thing that was asked of GitHub, and the answer."""

    what: str
    verdict: Verdict
    detail: str
    advice: str = ""


def check_repository(
    github: Github, environment: str, writers: Sequence[str] = (), *, unreviewed: bool = False
) -> tuple[GithubCheck, ...]:
    """Environments, default branch, permissions and subject format of a repository, in this order.

    `environment` is the one whose reviewers say yes, `writers` are those that hold the identity that writes.
    """
    branch = github.default_branch()
    asked: list[Callable[[], Iterator[GithubCheck]]] = [
        lambda: _branch(github, branch),
        lambda: _permissions(github),
        lambda: _subject_format(github),
    ]
    others = [name for name in dict.fromkeys(writers) if name and name != environment]
    asked[:0] = [partial(_environment, github, name, branch, _WRITES) for name in others]
    if environment:
        asked.insert(0, partial(_environment, github, environment, branch, _WAIVED if unreviewed else _ASKS))
    return tuple(check for each in asked for check in each())


_ASKS, _WAIVED, _WRITES = (
    "Somebody must approve",
    "Nobody must approve, as the caller wants it",
    "Nobody has to approve",
)
"""What is good about an environment: of the one that asks reviewers, the same without, and one that asks nobody."""


def _environment(github: Github, name: str, branch: str, good: str) -> Iterator[GithubCheck]:
    what = f"environment {name}"
    try:
        rules = rules_of(github, name, branch)
    except GithubDenied as error:
        yield GithubCheck(what, "wrong", error.message, "Give the token actions: read.")
        return
    gaps = tuple(rules.gaps(branch, reviewers=good == _ASKS))
    advice = "Give it what is missing, under Settings, Environments; GitHub makes one that is missing without any rule."
    yield from (GithubCheck(what, "wrong", f"It {gap}.", advice) for gap in gaps)
    if not gaps:
        asked = good == _WRITES and rules.has_reviewers
        yield GithubCheck(
            what, "ok", f"{'Its reviewers are asked each time' if asked else good}, and {branch} alone may name it."
        )


def _branch(github: Github, branch: str) -> Iterator[GithubCheck]:
    """https://docs.github.com/rest/branches/branches, get a branch."""
    what = f"default branch {branch}"
    try:
        protected = github.get(f"branches/{quote(branch, safe='')}").get("protected")
    except GithubDenied as error:
        yield GithubCheck(what, "unknown", error.message, "Give the token contents: read.")
        return
    if protected:
        yield GithubCheck(what, "ok", "It is protected.")
    else:
        advice = "Require pull requests and their review: what is merged there runs with the identity of the pipeline."
        yield GithubCheck(what, "wrong", "Everybody who may write may push to it.", advice)


def _permissions(github: Github) -> Iterator[GithubCheck]:
    """https://docs.github.com/rest/actions/permissions, get default workflow permissions."""
    what = "permissions of workflows"
    try:
        found = github.get("actions/permissions/workflow")
    except GithubDenied:
        yield GithubCheck(what, "unknown", "The token of a job may not read them.", "Look under Settings, Actions.")
        return
    if found.get("default_workflow_permissions") == "read" and not found.get("can_approve_pull_request_reviews"):
        yield GithubCheck(what, "ok", "A workflow that asks for nothing may read, and approves no pull request.")
        return
    writes = found.get("default_workflow_permissions") != "read"
    detail = "may write" if writes else "may approve pull requests"
    yield GithubCheck(what, "wrong", f"A workflow that asks for nothing {detail}.", "Choose read, and no approvals.")


def _subject_format(github: Github) -> Iterator[GithubCheck]:
    """https://docs.github.com/rest/actions/oidc, get the customization template of a repository."""
    what = "format of subjects"
    try:
        found = github.get("actions/oidc/customization/sub")
    except GithubError as error:
        if error.status not in (403, 404):
            raise
        yield GithubCheck(what, "unknown", error.message, "The subject of a token, below, has the format.")
        return
    if found.get("use_default", True):
        yield GithubCheck(what, "ok", "GitHub's own.")
    else:
        keys = ", ".join(map(str, found.get("include_claim_keys") or ()))
        yield GithubCheck(what, "ok", f"Of this repository: {keys}. Federated credentials must say the same.")


def check_subject(variables: Mapping[str, str]) -> GithubCheck:
    """The subject of this job's own token, as Entra sees it; the token itself is thrown away.

    https://docs.github.com/actions/reference/security/oidc: ``ACTIONS_ID_TOKEN_REQUEST_URL`` and its token are there
    with ``id-token: write`` alone.
    """
    what, url = "subject of this job", variables.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    if not url or not variables.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        return GithubCheck(what, "unknown", "This job has no id-token: write, hence no identity.")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise UsageError("ACTIONS_ID_TOKEN_REQUEST_URL is no https:// address.")
    try:
        answer = requests.get(
            url,
            params={"audience": AUDIENCE},
            headers={"Authorization": f"Bearer {variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
            timeout=(10.0, 30.0),
        )
        claims = _claims(str(answer.json()["value"]))
    except (requests.RequestException, ValueError, KeyError, TypeError, binascii.Error):
        return GithubCheck(what, "unknown", "GitHub gave no token.", "Start the job again.")
    return GithubCheck(what, "ok", str(claims.get("sub") or ""), f"Issuer {claims.get('iss')}, audience {AUDIENCE}.")


def _claims(token: str) -> Mapping[str, Any]:
    """What a token says, unverified: it was just given by its issuer."""
    body = token.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if not isinstance(found, dict):
        raise TypeError("claims")
    return found
