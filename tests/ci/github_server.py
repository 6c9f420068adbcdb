"""A GitHub on this machine: one repository with its issues, comments, pull requests, workflow runs and artifacts.

Paths, fields and status codes are those of GitHub's published description of its REST API
(https://github.com/github/rest-api-description, api.github.com; pages at https://docs.github.com/rest): issues/issues,
issues/comments, pulls/pulls (list files), commits/commits (pull requests of a commit), actions/workflow-runs,
actions/artifacts (a download is a redirect to signed storage), deployments/environments, branches/branch-protection.
Lists are paged by a ``Link`` header.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_Canary0Token7nobody5may3see"
BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 41898282}
REPOSITORY = "contoso/network"
SIGNATURE = "Canary0Signature7nobody5may3see"
"""What makes an address of the storage of artifacts a signed one."""

Answer = tuple[int, Any]


_NEEDED = (
    (r"issues/(\d+/comments|comments/\d+)", ("issues", "pull-requests")),
    (r"issues(/.*)?", ("issues",)),
    (r"(pulls/|commits/\w+/pulls).*", ("pull-requests",)),
    (r"(actions|environments)/.*", ("actions",)),
    (r"branches/.*", ("contents",)),
)
"""Which right of a token a path needs, one of these
(https://docs.github.com/rest/authentication/permissions-required-for-github-apps)."""


def is_permitted(rights: Mapping[str, str] | None, verb: str, path: str) -> bool:
    """Whether a token with these rights may do this."""
    if rights is None:
        return True
    levels = ("read", "write") if verb == "GET" else ("write",)
    needed = next((names for pattern, names in _NEEDED if re.fullmatch(pattern, path)), ())
    return not needed or any(rights.get(name) in levels for name in needed)


@dataclass
class GithubServer:
    """What the repository holds; tests write into it as events would."""

    url: str = ""
    repository: dict[str, Any] = field(
        default_factory=lambda: {"full_name": REPOSITORY, "default_branch": "main", "name": "network"}
    )
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    """Commits that pull requests are at, where it is not that of `pull_request_event`."""
    pulls_of: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Pull requests by the commit that they were merged as."""
    runs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[int, list[str]] = field(default_factory=dict)
    archives: dict[int, tuple[int, str, bytes | None]] = field(default_factory=dict)
    """Artifacts with what they hold, by their id: run, name, and the archive, which is None once it has expired."""
    approvals: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    documents: dict[str, Answer] = field(default_factory=dict)
    """Other answers to a GET, by path below the repository."""
    permissions: dict[str, set[str]] = field(default_factory=dict)
    """Verbs that the token lacks, by the beginning of a path: 403."""
    tokens: dict[str, Mapping[str, str] | None] = field(default_factory=lambda: {TOKEN: None})
    """Rights of each token (``permissions`` of its job); none for all of them."""
    id_tokens: dict[str, str] = field(default_factory=dict)
    """What a job gets that asks for an ID token, by its bearer."""
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status codes and headers of the next answers."""
    lost: int = 0
    """So many of the next POSTs are carried out, and their answers are lost."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Every request: verb and path below the repository."""
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _last: int = 100

    def number(self) -> int:
        """A number that nothing else has."""
        self._last += 1
        return self._last

    def keep(self, run: int, name: str, archive: bytes | None) -> int:
        """An artifact of a run, which another attempt may have kept already."""
        number = self.number()
        self.archives[number] = (run, name, archive)
        return number

    def at_the_door(self, bearer: str, verb: str, path: str) -> Answer | None:
        """What is said to a job that asks for its ID token, to a token that does not count, and to one that lacks the
        right; nothing to one that may pass."""
        if path == "id-token" and bearer in self.id_tokens:
            return 200, {"value": self.id_tokens[bearer]}
        if bearer not in self.tokens:
            return 401, {"message": "Bad credentials"}
        if not is_permitted(self.tokens[bearer], verb, path):
            return 403, {"message": "Resource not accessible by integration"}
        return None

    # --- what a request gets -----------------------------------------------------------------------------------------

    def answer(self, verb: str, path: str, query: dict[str, str], content: dict[str, Any]) -> Answer:
        """The status and the document."""
        with self._guard:
            self.asked.append((verb, path))
            for start, verbs in self.permissions.items():
                if path.startswith(start) and verb in verbs:
                    return 403, {"message": "Resource not accessible by integration"}
            for pattern, handler in self._routes(verb):
                if match := re.fullmatch(pattern, path):
                    return handler(*match.groups(), query=query, content=content)
            return self.documents.get(path, (404, {"message": "Not Found"})) if verb == "GET" else (404, {})

    def _routes(self, verb: str) -> list[tuple[str, Callable[..., Answer]]]:
        return {
            "GET": [
                ("", lambda **_: (200, self.repository)),
                (r"issues", self._list_issues),
                (r"issues/(\d+)/comments", lambda n, **_: (200, self.comments.get(int(n), []))),
                (
                    r"pulls/(\d+)",
                    lambda n, **_: (200, {"number": int(n), "head": {"sha": self.heads.get(int(n), "a" * 40)}}),
                ),
                (r"pulls/(\d+)/files", lambda n, **_: (200, self.files.get(int(n), []))),
                (r"commits/(\w+)/pulls", lambda sha, **_: (200, self.pulls_of.get(sha, []))),
                (r"actions/runs/(\d+)", self._one_run),
                (r"actions/runs/(\d+)/approvals", lambda n, **_: (200, self.approvals.get(int(n), []))),
                (r"actions/runs/(\d+)/artifacts", self._list_artifacts),
                (r"actions/artifacts", self._list_all_artifacts),
                (r"actions/artifacts/(\d+)/zip", self._redirect),
                (r"actions/workflows/(\d+)/runs", self._list_runs),
            ],
            "POST": [(r"issues", self._open_issue), (r"issues/(\d+)/comments", self._comment)],
            "PATCH": [(r"issues/(\d+)", self._change_issue), (r"issues/comments/(\d+)", self._change_comment)],
        }.get(verb, [])

    def _list_issues(self, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        wanted, state = set(filter(None, query.get("labels", "").split(","))), query.get("state", "open")
        found = [i for i in self.issues if wanted <= {label["name"] for label in i["labels"]}]
        return 200, [issue for issue in reversed(found) if state in ("all", issue["state"])]

    def _open_issue(self, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        if not content.get("title"):
            return 422, {"message": "Validation Failed"}
        number = self.number()
        issue = {
            "number": number, "title": content["title"], "body": content.get("body"), "state": "open", "user": BOT,
            "labels": [{"name": name} for name in content.get("labels", [])], "state_reason": None,
            "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
        }  # fmt: skip
        self.issues.append(issue)
        return 201, issue

    def _change_issue(self, number: str, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        for issue in self.issues:
            if issue["number"] == int(number):
                issue.update({name: value for name, value in content.items() if name != "labels"})
                return 200, issue
        return 404, {"message": "Not Found"}

    def _comment(self, number: str, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        if not 0 < len(content.get("body", "")) <= 65_536:
            return 422, {"message": "Validation Failed"}
        place = f"https://github.com/{REPOSITORY}/pull/{number}#issuecomment-{self._last + 1}"
        comment = {"id": self.number(), "body": content["body"], "user": BOT, "html_url": place}
        self.comments.setdefault(int(number), []).append(comment)
        return 201, comment

    def _change_comment(self, identifier: str, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        for comment in (c for several in self.comments.values() for c in several):
            if comment["id"] == int(identifier):
                comment["body"] = content["body"]
                return 200, comment
        return 404, {"message": "Not Found"}

    def _one_run(self, identifier: str, **_: Any) -> Answer:
        """A run says of itself what tests say of it, and that it is of a push to this repository."""
        of_here: dict[str, Any] = {"event": "push", "head_sha": "c" * 40, "referenced_workflows": []}
        of_here |= {name: {"full_name": REPOSITORY} for name in ("repository", "head_repository")}
        found = [of_here | run for run in self.runs if run["id"] == int(identifier)]
        return (200, found[0]) if found else (404, {"message": "Not Found"})

    def _list_runs(self, workflow: str, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        found = [r for r in self.runs if r["workflow_id"] == int(workflow) and r["head_branch"] == query.get("branch")]
        found.sort(key=lambda run: -run["run_number"])
        return 200, {"total_count": len(found), "workflow_runs": found}

    def _list_artifacts(self, identifier: str, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        found = [item for item in self._artifacts(query) if item["workflow_run"]["id"] == int(identifier)]
        return 200, {"total_count": len(found), "artifacts": found}

    def _list_all_artifacts(self, *, query: dict[str, str], content: dict[str, Any]) -> Answer:
        found = self._artifacts(query)
        return 200, {"total_count": len(found), "artifacts": found}

    def _artifacts(self, query: dict[str, str]) -> list[dict[str, Any]]:
        kept = [(number, run, name, archive is None) for number, (run, name, archive) in self.archives.items()]
        kept += [(0, run, name, False) for run, names in self.artifacts.items() for name in names]
        branches = {run["id"]: run["head_branch"] for run in self.runs}
        return [
            {
                "id": number, "name": name, "expired": expired, "created_at": "2026-11-02T08:00:00Z",
                "workflow_run": {"id": run, "head_branch": branches.get(run)},
            }
            for number, run, name, expired in sorted(kept, reverse=True)
            if name == query.get("name", name)
        ]  # fmt: skip

    def _redirect(self, identifier: str, **_: Any) -> Answer:
        """302 to a signed address; 410 for what has expired."""
        archive = self.archives.get(int(identifier), (0, "", b""))[2]
        if archive is None:
            return 410, {"message": "Artifact has expired"}
        return (302, f"{self.url}/signed/{identifier}?sig={SIGNATURE}") if archive else (404, {"message": "Not Found"})

    def blob(self, place: str, authorization: str | None) -> tuple[int, bytes]:
        """What lies at a signed address. Azure's storage refuses a request that is signed and brings a token too."""
        match = re.fullmatch(rf"/signed/(\d+)\?sig={SIGNATURE}", place)
        _, _, archive = self.archives[int(match[1])] if match else (0, "", None)
        if authorization is not None or archive is None:
            return 400, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>"
        return 200, archive


class _Handler(BaseHTTPRequestHandler):
    """The door."""

    github: GithubServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length) or b"{}")
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if self.github.failures:
            status, headers = self.github.failures.pop(0)
            self._tell(status, {"message": "failure"}, headers)
        else:
            path = parts.path.removeprefix(f"/repos/{REPOSITORY}").strip("/")
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            told = self.github.at_the_door(bearer, self.command, path)
            status, document = told or self.github.answer(self.command, path, query, content)
            if self.command == "POST" and self.github.lost:
                self.github.lost -= 1
                self._tell(502, {"message": "Bad Gateway"}, {})
            else:
                self._tell(*self._page(status, document, query, parts.path))

    def _page(self, status: int, document: Any, query: dict[str, str], path: str) -> tuple[int, Any, dict[str, str]]:
        if self.command != "GET" or not isinstance(document, list):
            return status, document, {}
        size, page = min(100, int(query.get("per_page", 30))), int(query.get("page", 1))
        rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
        more = {"Link": f'<{self.github.url}{path}?{rest}&page={page + 1}>; rel="next"'}
        return status, document[(page - 1) * size : page * size], more if page * size < len(document) else {}

    def _tell(self, status: int, document: Any, headers: dict[str, str]) -> None:
        if status == 302:
            self._send(status, b"", {"Location": document})
        else:
            self._send(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_PATCH = _serve  # noqa: N815 - names that http.server looks for

    def do_GET(self) -> None:
        if self.path.startswith("/signed/"):
            self._send(*self.github.blob(self.path, self.headers.get("Authorization")), {})
        else:
            self._serve()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[GithubServer]:
    """The server on a free port of this machine."""
    github = GithubServer()

    handler = type("Handler", (_Handler,), {"github": github})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
