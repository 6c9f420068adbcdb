"""The HTTP and HTTPS doors: any ARM client may come in, with a token it got here.

On loopback unless told otherwise. Waits are sent in real seconds; a broken connection is really broken.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import signal
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any
from urllib.parse import urlsplit

from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator import control
from vpngw_iac.simulator.certificate import ensure_certificate
from vpngw_iac.simulator.identity import LIFETIME, Identity, bearer_of
from vpngw_iac.simulator.simulator import Simulator
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

MAX_BODY = 4 * 1024 * 1024
"""Bytes that ARM takes: https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices,
code and text: https://github.com/Azure/azure-api-management-devops-resource-kit/issues/594."""


def kill_this_process() -> None:
    """What the fault ``die`` does to a serving process: no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


class Server:
    """A simulator behind HTTP. Use it as a context manager, or call `serve` to stay until a signal comes."""

    def __init__(
        self,
        simulator: Simulator,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate_directory: Path | None = None,
        clients: Mapping[str, str] | None = None,
        require_token: bool = True,
        token_lifetime: int = LIFETIME,
        hosts: Iterable[str] = (),
    ) -> None:
        """With `certificate_directory` the door speaks HTTPS. `clients` maps client ids to secrets; none takes any.

        `hosts` are further names by which clients may call it.
        """
        self.hosts = frozenset({"localhost", socket.gethostname().lower(), host.lower(), *(h.lower() for h in hosts)})
        self.simulator = simulator
        self.require_token = require_token
        self.identity = Identity(
            _token_key(simulator), clients, token_lifetime, governance=lambda: simulator.governance
        )
        self.certificate: Path | None = None
        try:
            self._http = _HttpServer((host, port), self)
        except OSError as error:
            raise SimulatorError(f"The simulator cannot listen on {host}:{port}: {error.strerror}.") from error
        if certificate_directory is not None:
            self._wrap(certificate_directory)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers, by a name that its certificate holds."""
        host, port = str(self._http.server_address[0]), self._http.server_address[1]
        name = "localhost" if host in {"127.0.0.1", "::1", "0.0.0.0"} else host  # noqa: S104 - compared, not bound
        return f"{self.scheme}://{name}:{port}"

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "https" if self.certificate is not None else "http"

    def serve(self, ready: Callable[[str], None] | None = None) -> None:
        """Answer until SIGTERM or SIGINT; `ready` is told the URL once requests can come."""
        previous = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            if ready is not None:
                ready(self.url)
            self._http.serve_forever(poll_interval=0.1)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._http.server_close()

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def is_called(self, host: str) -> bool:
        """Whether a Host header names this server: by an address, or by a name that is its own.

        A page in a browser can make its own name lead here (DNS rebinding); then the name tells it.
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        with contextlib.suppress(ValueError):
            return bool(ipaddress.ip_address(name))
        return name in self.hosts or name.endswith(".localhost")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """One request through this door."""
        signed_in = self.identity.answer(request)
        if signed_in is not None:
            return signed_in
        if self.require_token:
            challenge = self.identity.challenge(request)
            if challenge is not None:
                return challenge
            request = replace(request, caller=self.identity.caller_of(bearer_of(request)) or "")
        return control.answer(self.simulator, request) or self._in_real_seconds(self.simulator.handle(request))

    def _in_real_seconds(self, answer: HttpResponse) -> HttpResponse:
        wait = answer.headers.get("Retry-After")
        if wait is None:
            return answer
        return answer.with_headers(Retry_After=str(self.simulator.time.real_seconds(float(wait))))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        threading.Thread(target=self._http.shutdown, daemon=True).start()

    def _wrap(self, directory: Path) -> None:
        self.certificate, key = ensure_certificate(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)


def _token_key(simulator: Simulator) -> str:
    """The key that tokens are signed with is part of the content: tokens outlive the process."""
    key = simulator.vault.get(".simulator", "token-key")
    if key is None:
        key = os.urandom(32).hex()
        simulator.vault.put(".simulator", "token-key", key)
    return key


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], door: Server) -> None:
        self.door = door
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is not an event; anything else is told in one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _log(error)


def _log(error: BaseException | None) -> None:
    """One line: what a request holds stays out of the log."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"The simulator could not answer a request: {type(error).__name__}.\n")


def _refused(status: int, code: str, message: str) -> HttpResponse:
    return HttpResponse(status, {"error": {"code": code, "message": message}})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "vpngw-simulator"
    sys_version = ""
    server: _HttpServer

    timeout = 120
    """Seconds that a client may be silent in the middle of a request, or between two."""

    def _serve(self) -> None:
        refused = self._wrong_head()
        if refused is not None:
            self.close_connection = True  # what follows of the request is not read
            self._send(refused)
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        if body is not None and len(body) < length:
            self.close_connection = True
            return
        try:
            answer = self._answer(body)
        except ConnectionError:
            self._break()
            return
        self._send(answer)

    def _wrong_head(self) -> HttpResponse | None:
        """What is said to a request that is refused before its body is read."""
        hosts, lengths = self.headers.get_all("Host", []), self.headers.get_all("Content-Length", [])
        if len(hosts) > 1 or (not hosts and self.request_version >= "HTTP/1.1"):
            return _refused(400, "BadRequest", "A request has one Host header.")
        if hosts and not self.server.door.is_called(hosts[0]):
            told = "This is a simulator that answers to localhost, to addresses, and to the names of --allow-host."
            return _refused(421, "MisdirectedRequest", told)
        if not self.path.startswith("/"):
            return _refused(400, "BadRequest", "The target of a request is a path.")
        if self.headers.get("Transfer-Encoding"):
            return _refused(411, "LengthRequired", "A request with a body says its Content-Length.")
        if len(set(lengths)) > 1 or any(not (n.isascii() and n.isdigit()) or len(n) > 18 for n in lengths):
            return _refused(400, "BadRequest", "The Content-Length is not a number of bytes.")
        if lengths and int(lengths[0]) > MAX_BODY:
            return _refused(413, "RequestContentTooLarge", "The request content size exceeds the maximum size of 4 MB.")
        return None

    def _answer(self, body: bytes | None) -> HttpResponse:
        url = f"{self.server.door.scheme}://{self.headers.get('Host', 'localhost')}{self.path}"
        try:
            request = HttpRequest.of(self.command, url, dict(self.headers.items()), body)
        except ValueError:
            return _refused(400, "BadRequest", "The URL of the request cannot be read.")
        try:
            return self.server.door.answer(request)
        except ConnectionError:
            raise
        except Exception as error:  # a mistake of the simulator must not end its door
            _log(error)
            return _refused(500, "InternalServerError", "The simulator could not answer; please report it.")

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815 - the base class names them so

    def _send(self, answer: HttpResponse) -> None:
        content = answer.content
        self.send_response_only(answer.status)  # the date of the answer is the simulated one
        for name, value in answer.headers.items():
            plain = re.sub(r"[\r\n\0]+", " ", str(value))
            self.send_header(name, plain.encode("latin-1", "replace").decode("latin-1"))
        if "Content-Type" not in answer.headers and content:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(content)

    def _break(self) -> None:
        """Reset the connection, as a dying load balancer does."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Keep silent: requests are kept by the simulator, without bodies."""
