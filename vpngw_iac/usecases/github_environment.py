"""Who guards an environment of GitHub: its reviewers, and the branches that may name it.

https://docs.github.com/rest/deployments/environments and
https://docs.github.com/rest/deployments/branch-policies, both with the permission ``actions: read``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from vpngw_iac.errors import Refused
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import listed
from vpngw_iac.usecases.github import Github, GithubError


@dataclass(frozen=True, slots=True)
class EnvironmentRules:
    """What GitHub tells of one environment."""

    name: str
    has_reviewers: bool
    branches: tuple[str, ...] | None
    """Branches or patterns that may name it, a tag as `tag NAME`; None if every one may."""

    def gaps(self, default_branch: str, *, reviewers: bool) -> Iterator[str]:
        """What is missing, as ends of a sentence that begins with the environment."""
        if reviewers and not self.has_reviewers:
            yield "has no required reviewers"
        if self.branches is None:
            yield "has no rule for branches: whoever may push any branch may name it"
        elif others := [branch for branch in self.branches if branch != default_branch]:
            yield f"may be named by {listed(others)}, not by {default_branch} alone"


def rules_of(github: Github, name: str, default_branch: str) -> EnvironmentRules:
    """The rules of an environment; one that does not exist has none. Raises `GithubError`."""
    place = f"environments/{quote(name, safe='')}"
    try:
        told = github.get(place)
    except GithubError as error:
        if error.status != 404:
            raise
        told = {}
    rules = [rule for rule in told.get("protection_rules") or () if isinstance(rule, dict)]
    reviewers = any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules)
    return EnvironmentRules(name, reviewers, _branches(github, place, told, default_branch))


def _branches(github: Github, place: str, told: Mapping[str, Any], default_branch: str) -> tuple[str, ...] | None:
    """Protected branches count as the default one; where that is not protected, GitHub lets every branch through."""
    policy = told.get("deployment_branch_policy")
    if not isinstance(policy, dict):
        return None
    if policy.get("protected_branches"):
        branch = github.get(f"branches/{quote(default_branch, safe='')}")
        return (default_branch,) if branch.get("protected") is True else None
    found = github.pages(f"{place}/deployment-branch-policies", key="branch_policies")
    return tuple(f"{'tag ' if one.get('type') == 'tag' else ''}{one.get('name', '')}" for one in found)


def require_guarded(github: Github, default_branch: str, name: str, other: str, *, unreviewed: bool) -> None:
    """Raise `Refused` unless reviewers and a rule guard `name`, and a rule for branches `other`, if there is one.

    `unreviewed` waives what `name` lacks, never what `other` does: an identity is bound to it.
    """
    missing = []
    if not unreviewed:
        gaps = rules_of(github, name, default_branch).gaps(default_branch, reviewers=True)
        missing += [f"The environment {name} {gap}." for gap in gaps]
    if other and other != name:
        gaps = rules_of(github, other, default_branch).gaps(default_branch, reviewers=False)
        missing += [f"The environment {other} {gap}." for gap in gaps]
    if missing:
        raise Refused(
            " ".join(missing),
            advice="Give it what is missing, in the repository's settings under Environments; where there can be no "
            "reviewers, say `unreviewed: true` and have the digest typed in.",
        )


def require_limited(github: Github, default_branch: str, name: str) -> None:
    """Raise `Refused` if another branch than the default one may name an environment to which an identity is bound."""
    if gaps := tuple(rules_of(github, name, default_branch).gaps(default_branch, reviewers=False)):
        raise Refused(
            f"The environment {name} {gaps[0]}.",
            advice=f"Let {default_branch} alone name it, in the repository's settings under Environments.",
        )
