"""Azurite behind a door that asks who calls: blobs by the role assignments of a bearer token, as in Azure Storage.

Azurite takes any token and grants everything. Which right a request needs is written in "Authorize with Microsoft Entra
ID" (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations);
the refusal is that of https://github.com/Azure/azure-storage-blob-go/issues/183.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from tests.azure.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from vpngw_iac.simulator.certificate import ensure_certificate

Judge = Callable[[str, str, str, bool], bool]
"""Whether the bearer of a token may do an action at a scope; the last says whether it is one on data."""

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}
_REFUSED = (
    '<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>This request is '
    "not authorized to perform this operation using this permission.</Message></Error>"
)
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "authorization"})


@dataclass(frozen=True, slots=True)
class BlobRequest:
    """Who asked what, and what came of it."""

    bearer: str
    action: str
    container: str
    name: str
    status: int


@dataclass
class GuardedAzurite:
    """The door: its address, the account as a scope, and what was asked of it."""

    url: str
    account: str
    """ARM id of the storage account."""
    asked: list[BlobRequest] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)
    """Whether it answers; who asks meanwhile waits."""


def requested_right(method: str, path: str, query: str, account: str) -> tuple[str, str, bool]:
    """Action, scope, and whether it is an action on data."""
    asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    _, _, container, *blob = path.split("/", 3)
    scope = f"{account}/blobServices/default/containers/{container}"
    verb = _VERBS[method]
    if not container or asked.get("restype") == "service":
        return f"{_CONTAINERS.rpartition('/')[0]}/{verb}", f"{account}/blobServices/default", False
    if blob or asked.get("comp") == "list":
        return f"{_CONTAINERS}/blobs/{verb}", scope, True
    return f"{_CONTAINERS}/{verb}", scope, False


@contextlib.contextmanager
def guarded(azurite: Azurite, account: str, certificates: Path, judge: Judge) -> Iterator[GuardedAzurite]:
    """The door on a free port of this machine, with the simulator's certificate of that folder."""
    inner = urlsplit(azurite.endpoint)
    now = datetime.now(UTC)
    signature = generate_account_sas(
        ACCOUNT,
        ACCOUNT_KEY,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions.from_string("rwdlacup"),
        now + timedelta(days=1),
        start=now - timedelta(hours=1),
    )

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            door.answers.wait(60)
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            path, _, query = self.path.partition("?")
            action, scope, is_data = requested_right(self.command, path, query, account)
            if judge(bearer, action, scope, is_data):
                status, headers, answer = self._forward(path, query, content)
            else:
                headers = [("x-ms-error-code", "AuthorizationPermissionMismatch"), ("Content-Type", "application/xml")]
                status, answer = 403, _REFUSED.encode()
            _, _, container, *name = path.split("/", 3)
            door.asked.append(BlobRequest(bearer, action, container, "/".join(name), status))
            self.send_response(status)
            for header, value in headers:
                self.send_header(header, value)
            if self.command != "HEAD" and status not in (204, 304):
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def _forward(self, path: str, query: str, content: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection = http.client.HTTPConnection(str(inner.hostname), int(inner.port or 80), timeout=30)
            try:
                connection.request(self.command, f"{path}?{query}&{signature}", content or None, headers)
                answer = connection.getresponse()
                length = {"content-length"} if self.command == "HEAD" else set()
                kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP - length]
                return answer.status, kept, answer.read()
            finally:
                connection.close()

        do_GET = do_HEAD = do_PUT = do_DELETE = _serve  # noqa: N815 - names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ensure_certificate(certificates))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    door = GuardedAzurite(f"https://localhost:{server.server_address[1]}/{ACCOUNT}", account)
    door.answers.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
