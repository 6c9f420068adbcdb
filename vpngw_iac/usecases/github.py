"""GitHub's REST API, as far as a pipeline needs it: one repository, one token, which nothing ever shows.

Versioned by header (https://docs.github.com/rest/about-the-rest-api/api-versions); pages follow the ``Link`` header
(https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api); 429, 5xx and the secondary limit
(403 with ``Retry-After``) are tried again
(https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from vpngw_iac._version import __version__
from vpngw_iac.errors import ExitCode, UsageError, VpngwError

API = "https://api.github.com"
VERSION = "2022-11-28"
_TRIES = 5
_LONGEST = 60.0
"""Seconds that a single wait takes at most, whatever the answer asks for."""
_PAGES = 20
_PER_PAGE = 100
_TIMEOUT = (10.0, 30.0)
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
"""OWNER/NAME."""


class GithubError(VpngwError):
    """What GitHub (or the way to it) answered."""

    def __init__(self, message: str, *, status: int = 0, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.status = status


class GithubDenied(GithubError):
    """The token may not do this."""

    exit_code = ExitCode.PERMISSION


class GithubUnavailable(GithubError):
    """It was tried several times, and whether a POST was carried out is unknown."""


class Github:
    """The API of one repository, with one token."""

    def __init__(
        self, repository: str, token: str, *, api: str = API, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        if not REPOSITORY.fullmatch(repository):
            raise UsageError(f"{repository!r} is no repository.", advice="GITHUB_REPOSITORY is OWNER/NAME.")
        self.repository = repository
        self._root = _checked_root(api)
        self._sleep = sleep
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        self._session.max_redirects = 3
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": VERSION,
                "User-Agent": f"vpngw/{__version__}",
            }
        )

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Github | None:
        """As the variables of a step say it; None where no token, or no repository, was given."""
        token, repository = environment.get("GITHUB_TOKEN", "").strip(), environment.get("GITHUB_REPOSITORY", "")
        if not token or not repository:
            return None
        return cls(repository, token, api=environment.get("GITHUB_API_URL") or API)

    def get(self, path: str, **query: str | int) -> Any:
        """One document below the repository. Raises `GithubError`."""
        return self._asked("GET", self._url(path), query=query).json()

    def pages(self, path: str, key: str = "", **query: str | int) -> Iterator[dict[str, Any]]:
        """Every item of a list (in `key` of each page, where a page is no list), page by page."""
        url, asked = self._url(path), {"per_page": _PER_PAGE, **query}
        for _ in range(_PAGES):
            answer = self._asked("GET", url, query=asked)
            found = answer.json()
            items = found.get(key, []) if isinstance(found, dict) else found
            yield from (item for item in items if isinstance(item, dict))
            following = answer.links.get("next", {}).get("url", "")
            if not following or not following.startswith(f"{self._root}/"):
                return
            url, asked = following, {}

    def post(self, path: str, **content: Any) -> dict[str, Any]:
        """Make something. Raises `GithubUnavailable` where it is unknown whether it was made."""
        return dict(self._asked("POST", self._url(path), content=content).json())

    def patch(self, path: str, **content: Any) -> dict[str, Any]:
        """Change something."""
        return dict(self._asked("PATCH", self._url(path), content=content).json())

    def default_branch(self) -> str:
        """The default branch of the repository; empty if GitHub does not tell it. Raises `GithubError`."""
        return str(self.get("").get("default_branch") or "")

    def pause(self, number: int) -> None:
        """Wait before a try of the caller's own, longer each time."""
        self._sleep(_pause(None, number))

    def _url(self, path: str) -> str:
        return f"{self._root}/repos/{self.repository}/{path}".rstrip("/")

    def _asked(
        self, verb: str, url: str, *, query: Mapping[str, Any] | None = None, content: Mapping[str, Any] | None = None
    ) -> requests.Response:
        what = f"{verb} {urlsplit(url).path}"
        number, answer = 1, self._sent(verb, url, query, content)
        while _is_worth_another(answer, verb) and number < _TRIES:
            self._sleep(_pause(answer, number))
            number, answer = number + 1, self._sent(verb, url, query, content)
        if answer is None:
            raise GithubUnavailable(f"GitHub cannot be reached ({what}).", advice="Run the job again.")
        return _accepted(answer, what)

    def _sent(
        self, verb: str, url: str, query: Mapping[str, Any] | None, content: Mapping[str, Any] | None
    ) -> requests.Response | None:
        """The answer; None where none came."""
        try:
            return self._session.request(verb, url, params=query, json=content, timeout=_TIMEOUT)
        except requests.RequestException:
            return None


class _Bearer(requests.auth.AuthBase):
    """The token on its way; no ``.netrc`` takes its place, and nothing prints it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer"


def _checked_root(api: str) -> str:
    """The address of the API; a token goes nowhere in clear text but to this machine."""
    parts = urlsplit(api)
    is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if (parts.scheme != "https" and not is_local) or not parts.hostname or parts.username:
        raise UsageError("GITHUB_API_URL is no https:// address.", advice="On GitHub the runner sets it.")
    return api.rstrip("/")


def _is_worth_another(answer: requests.Response | None, verb: str) -> bool:
    """Whether to try again: what is limited was not done, and what makes nothing may be done twice."""
    if answer is None or answer.status_code >= 500:
        return verb != "POST"
    return _is_limited(answer)


def _is_limited(answer: requests.Response) -> bool:
    spent = "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status_code == 429 or (answer.status_code == 403 and spent)


def _pause(answer: requests.Response | None, number: int) -> float:
    asked = "" if answer is None else answer.headers.get("retry-after", "")
    return min(float(asked), _LONGEST) if asked.isdigit() else min(float(2**number), _LONGEST)


def _accepted(answer: requests.Response, what: str) -> requests.Response:
    if answer.ok:
        return answer
    status = answer.status_code
    message = f"GitHub answered {status} to {what}: {_said(answer)}."
    if status in (401, 403) and not _is_limited(answer):
        advice = "Give the job's token the permission, under `permissions:` of the workflow that calls."
        raise GithubDenied(message, status=status, advice=advice)
    kind = GithubUnavailable if status >= 500 or _is_limited(answer) else GithubError
    raise kind(message, status=status)


def _said(answer: requests.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        document = None
    said = document.get("message") if isinstance(document, dict) else ""
    return str(said or answer.reason or "no reason given")[:300].rstrip(".")
