"""Texts of ours on GitHub, found again by their mark: one comment of a plan, one issue of a drift."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.usecases.github import Github, GithubUnavailable
from vpngw_iac.usecases.pipeline_review import body_of, own_comments

LABEL = "vpngw-drift"
_TRIES = 3
_FAILED = re.compile(r"<!-- vpngw-failed -->.*?<!-- /vpngw-failed -->\n", re.DOTALL)
_SEEN = re.compile(r"\n<!-- vpngw-seen -->.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class IssueKept:
    """What became of a comment or an issue."""

    url: str = ""
    done: Literal["opened", "changed", "unchanged", "closed", "none"] = "none"


def keep_comment(github: Github, number: int, mark: str, body: str, commenter: str) -> IssueKept:
    """One comment with this mark: written where there is none, changed in place where there is one.

    Where it is unknown whether it was written it is looked for again, so that there are never two.
    """

    def changed() -> IssueKept | None:
        found = _marked(own_comments(github, number, commenter), mark)
        if found is None:
            return None
        if found.get("body") == body:
            return IssueKept(_url(found), "unchanged")
        return IssueKept(_url(github.patch(f"issues/comments/{found['id']}", body=body)) or _url(found), "changed")

    return _kept(github, changed, lambda: github.post(f"issues/{number}/comments", body=body))


def keep_issue(github: Github, mark: str, title: str, body: str, run_url: str) -> IssueKept:
    """The issue of a drift, opened or brought up to date; ``changed`` only if the drift is another one than it told."""
    text = f"{mark}\n{body}{_seen(run_url)}"

    def changed() -> IssueKept | None:
        found = _own_issue(github, mark)
        if found is None:
            return None
        github.patch(f"issues/{found['number']}", body=text)
        same = _lasting(body_of(found)) == _lasting(text)
        return IssueKept(_url(found), "unchanged" if same else "changed")

    return _kept(github, changed, lambda: github.post("issues", title=title, body=text, labels=[LABEL]))


def _kept(
    github: Github, changed: Callable[[], IssueKept | None], written: Callable[[], Mapping[str, Any]]
) -> IssueKept:
    """What is there is changed, what is not is written; where it is unknown whether it was it is looked for again."""
    for attempt in range(1, _TRIES):
        if (kept := changed()) is not None:
            return kept
        try:
            return IssueKept(_url(written()), "opened")
        except GithubUnavailable:
            github.pause(attempt)
    return changed() or IssueKept(_url(written()), "opened")


def close_issue(github: Github, mark: str, run_url: str) -> IssueKept:
    """Close the issue, if one is open, and say which run found nothing any more."""
    found = _own_issue(github, mark)
    if found is None:
        return IssueKept()
    link = f" ([run]({run_url}))" if run_url else ""
    github.post(f"issues/{found['number']}/comments", body=f"No drift any more{link}.")
    github.patch(f"issues/{found['number']}", state="closed", state_reason="completed")
    return IssueKept(_url(found), "closed")


def tell_failure(github: Github, mark: str, text: str) -> IssueKept:
    """Say in an open issue that a run has failed; what it told before stays, and so does the issue."""
    found = _own_issue(github, mark)
    if found is None:
        return IssueKept()
    rest = _FAILED.sub("", body_of(found)).removeprefix(mark).lstrip("\n")
    told = f"<!-- vpngw-failed -->\n{text}\n<!-- /vpngw-failed -->\n"
    github.patch(f"issues/{found['number']}", body=f"{mark}\n{told}{rest}")
    return IssueKept(_url(found), "changed")


def _own_issue(github: Github, mark: str) -> Mapping[str, Any] | None:
    """The open issue with the label and this mark; lists of issues hold pull requests too."""
    pages = github.pages("issues", labels=LABEL, state="open")
    return _marked((item for item in pages if "pull_request" not in item), mark)


def _marked(items: Iterable[Mapping[str, Any]], mark: str) -> Mapping[str, Any] | None:
    return next((item for item in items if body_of(item).startswith(mark)), None)


def _seen(run_url: str) -> str:
    return f"\n<!-- vpngw-seen -->\nLast seen by [this run]({run_url}).\n" if run_url else ""


def _lasting(body: str) -> str:
    """What does not change with every run; GitHub keeps line ends of its own."""
    return _SEEN.sub("", _FAILED.sub("", body.replace("\r\n", "\n"))).strip()


def _url(item: Mapping[str, Any]) -> str:
    return str(item.get("html_url") or "")
