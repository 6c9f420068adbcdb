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
from functools import partial
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

    def archive(self, path: str, most: int) -> bytes:
        """The file to which an address below the repository redirects; whoever keeps it never gets the token.

        The address that GitHub answers with is signed, and holds for a minute
        (https://docs.github.com/rest/actions/artifacts#download-an-artifact): each try asks for a new one.
        Raises `GithubError`, also for more bytes than `most`.
        """
        for number in range(1, _TRIES + 1):
            answer = self._asked("GET", self._url(path), redirects=False)
            data = _fetched(answer.headers.get("location", ""), most, f"What GitHub keeps at {path}")
            if data is not None:
                return data
            self.pause(number)
        raise GithubUnavailable(f"What GitHub keeps at {path} cannot be fetched.", advice="Run the job again.")

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
        self,
        verb: str,
        url: str,
        *,
        query: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        redirects: bool = True,
    ) -> requests.Response:
        what = f"{verb} {urlsplit(url).path}"
        send = partial(self._sent, verb, url, query, content, redirects=redirects)
        number, answer = 1, send()
        while _is_worth_another(answer, verb) and number < _TRIES:
            self._sleep(_pause(answer, number))
            number, answer = number + 1, send()
        if answer is None:
            raise GithubUnavailable(f"GitHub cannot be reached ({what}).", advice="Run the job again.")
        return _accepted(answer, what)

    def _sent(
        self,
        verb: str,
        url: str,
        query: Mapping[str, Any] | None,
        content: Mapping[str, Any] | None,
        *,
        redirects: bool,
    ) -> requests.Response | None:
        """The answer; None where none came."""
        try:
            return self._session.request(
                verb, url, params=query, json=content, timeout=_TIMEOUT, allow_redirects=redirects
            )
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


class _Nobody(requests.auth.AuthBase):
    """No credentials, not those of a ``.netrc`` either."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _fetched(url: str, most: int, what: str) -> bytes | None:
    """What lies at a signed address, which nothing repeats; None where it cannot be had now."""
    if not _is_safe(url):
        raise GithubError(f"{what} has no https:// address.")
    found = bytearray()
    try:
        with (
            requests.Session() as session,
            session.get(url, stream=True, timeout=_TIMEOUT, auth=_Nobody()) as answer,
        ):
            if answer.status_code != 200:
                return None
            for piece in answer.iter_content(1 << 16):
                found += piece
                if len(found) > most:
                    raise GithubError(f"{what} is larger than {most // 1024 // 1024} MiB.")
    except requests.RequestException:
        return None
    return bytes(found)


def _checked_root(api: str) -> str:
    """The address of the API; a token goes nowhere in clear text but to this machine."""
    if not _is_safe(api) or urlsplit(api).username:
        raise UsageError("GITHUB_API_URL is no https:// address.", advice="On GitHub the runner sets it.")
    return api.rstrip("/")


def _is_safe(url: str) -> bool:
    """Whether what is asked of an address stays secret on its way; within this machine it does."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or is_local)


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
