"""Writes what a project needs on GitHub: the caller of our workflows, and a hand-over with commands and settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vpngw_iac.errors import BlueprintError, Refused, UsageError
from vpngw_iac.files import UnreadableFile, denied, is_denied, read_text
from vpngw_iac.usecases.github import API, REPOSITORY, Github, GithubError
from vpngw_iac.usecases.github_project import HANDOVER, WORKFLOW, GithubProject

if TYPE_CHECKING:
    from vpngw_iac.blueprints.base import Blueprint
    from vpngw_iac.usecases.workspace import Workspace

_REMOTE = re.compile(r"(?:https://|ssh://git@|git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_ORIGIN = re.compile(r'\[remote "origin"\][^\[]*?^\s*url\s*=\s*(\S+)', re.MULTILINE | re.DOTALL)
_BRANCH = re.compile(r"[A-Za-z0-9_./-]+")


def repository_root(folder: Path) -> Path:
    """The folder of the repository that `folder` is in; `folder` itself outside of one."""
    whole = folder.resolve()
    return next((place for place in (whole, *whole.parents) if (place / ".git").exists()), whole)


def repository_of(root: Path) -> str:
    """OWNER/NAME of the remote ``origin`` on GitHub; empty if there is none."""
    try:
        found = _ORIGIN.search(read_text(root / ".git" / "config"))
    except UnreadableFile:
        return ""
    match = _REMOTE.fullmatch(found[1]) if found else None
    return match[1] if match else ""


def source_of_vpngw() -> str:
    """OWNER/NAME@COMMIT of the program that runs, if pip installed it from GitHub (PEP 610); else empty."""
    try:
        text = Distribution.from_name("vpngw-iac").read_text("direct_url.json") or "{}"
    except PackageNotFoundError:
        return ""
    document = json.loads(text)
    match = _REMOTE.fullmatch(str(document.get("url", "")))
    commit = document.get("vcs_info", {}).get("commit_id", "")
    return f"{match[1]}@{commit}" if match and re.fullmatch(r"[0-9a-f]{40}", commit) else ""


def other_subscriptions(workspace: Workspace, blueprint: Blueprint, default: str | None) -> tuple[str, ...]:
    """Subscriptions that a blueprint names besides the default one; none while that is unknown, or it is refused."""
    if not default:
        return ()
    try:
        graph = workspace.compile(blueprint).graph
    except BlueprintError:
        return ()
    return tuple(sorted({i.subscription.lower() for i in (*graph.by_id, *graph.existing)} - {default.lower()}))


def subject_prefix(repository: str, environment: Mapping[str, str]) -> str:
    """What subjects of the repository's tokens begin with, as GitHub tells it; empty if it does not.

    Asked with GITHUB_TOKEN or GH_TOKEN, and only where one of them is set
    (https://docs.github.com/rest/actions/oidc#get-the-customization-template-for-an-oidc-subject-claim-for-a-repository).
    """
    token = (environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or "").strip()
    if not token:
        return ""
    github = Github(repository, token, api=environment.get("GITHUB_API_URL") or API)
    try:
        told = github.get("actions/oidc/customization/sub")
        about = github.get("")
    except GithubError:
        return ""
    return _prefix(told, about) if isinstance(told, dict) and isinstance(about, dict) else ""


def _prefix(told: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """With ids or without; nothing for a repository that makes subjects of its own choice."""
    if told.get("use_default") is not True:
        return ""
    said, name = told.get("sub_claim_prefix"), str(about.get("full_name", ""))
    if isinstance(said, str) and re.fullmatch(r"repo:[\w.@/-]+", said):
        return said
    if told.get("use_immutable_subject") is not True or "/" not in name:
        return ""
    owner, repository = name.split("/", maxsplit=1)
    ids = about.get("owner", {}).get("id"), about.get("id")
    return f"repo:{owner}@{ids[0]}/{repository}@{ids[1]}" if all(isinstance(number, int) for number in ids) else ""


def checked_github(repository: str, branch: str, environment: str) -> None:
    """Raise `UsageError` for what is no repository, branch or environment: they become a part of commands."""
    if repository and not REPOSITORY.fullmatch(repository):
        raise UsageError(f"{repository!r} is no repository.", advice="Write --repository OWNER/NAME.")
    if not _BRANCH.fullmatch(branch) or branch.startswith("-"):
        raise UsageError(f"{branch!r} is no branch.", advice="Write --branch main, for example.")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", environment):
        raise UsageError(f"{environment!r} is no name of an environment here.", advice="Use letters, digits and -.")


def checked_vault(url: str) -> None:
    """Raise `UsageError` for what is no address of a key vault: it becomes a part of commands."""
    if url and not re.fullmatch(r"https://[a-z0-9-]+\.vault\.[a-z.]+/?", url):
        raise UsageError(f"{url!r} is no key vault.", advice="Write --key-vault https://NAME.vault.azure.net.")


def write_github_files(root: Path, project: GithubProject) -> tuple[str, ...]:
    """Write the workflow and the hand-over. Raises `Refused` that names the one which is there; then neither is."""
    texts = {WORKFLOW: project.workflow_text, HANDOVER: project.handover_text}
    for name in texts:
        if (root / name).exists():
            raise Refused(
                f"{root / name} exists.", advice="Move it away to have it written again. Nothing was written."
            )
    for name, text in texts.items():
        place = root / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            if is_denied(error):
                raise denied(str(place), place, "written") from None
            raise
    return tuple(texts)
