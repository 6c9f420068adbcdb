"""Tokens that stop counting in the middle of a run, over HTTPS, with azure-identity and all that it caches."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import hub
from vpngw_iac.engine.execute.clock import RealClock
from vpngw_iac.engine.execute.event import OperationStarted
from vpngw_iac.simulator import ScaledTime, Simulator
from vpngw_iac.simulator.identity import Identity
from vpngw_iac.simulator.server import Server
from vpngw_iac.usecases.workspace import Workspace

TENANT = "72f988bf-0000-4000-8000-000000000001"
CLIENT = "33333333-3333-3333-3333-333333333333"
SPEED = 3000.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("AZURE_AUTHORITY_HOST", "AZURE_CLIENT_SECRET", "ACTIONS_ID_TOKEN_REQUEST_URL"):
        monkeypatch.delenv(name, raising=False)
    simulator = Simulator(tmp_path / "content", time=ScaledTime(speed=SPEED))
    with Server(simulator, certificate_directory=tmp_path / "content", clients={CLIENT: "right"}) as running:
        monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.certificate))
        yield running


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The service that gives a job its ID tokens; each of them is another one."""
    issued: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            claims = {"exp": time.time() + 300, "jti": len(issued)}
            issued.append(f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig")
            content = json.dumps({"value": issued[-1]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...

    service = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"http://127.0.0.1:{service.server_port}/token?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token")
    yield issued
    service.shutdown()
    service.server_close()


def roll_the_keys(server: Server) -> None:
    """From now on no token counts that was given out before, whatever its time."""
    server.identity = Identity(f"another key at {time.time()}", {CLIENT: "right"})


def at(address: str, do: Callable[[], None]) -> Callable[[Any], None]:
    def heard(event: Any) -> None:
        if isinstance(event, OperationStarted) and event.address == address:
            threading.Timer(0.1, do).start()  # the gateway takes about half a second

    return heard


def create(server: Server, folder: Path) -> list[int]:
    """Create a hub while the keys are rolled in the middle of the gateway's creation; how often Azure said 401."""
    refused: list[int] = []
    answer = server.answer

    def counted(request: Any) -> Any:
        given = answer(request)
        refused.extend([given.status] if given.status == 401 else [])
        return given

    server.answer = counted  # type: ignore[method-assign]
    workspace = Workspace(
        server.url,
        directory=folder,
        subscription="00000000-0000-0000-0000-000000000000",
        environment={"PSK_BERLIN": "0123456789abcBERLIN"},
        clock=RealClock(speed=100),
    )
    outcome = workspace.apply(hub("berlin"), on_event=at("VpnGateway/hub", lambda: roll_the_keys(server)))
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    made = [r.path.lower() for r in server.simulator.requests if r.method == "PUT" and r.status == 201]
    assert sorted(made) == sorted(set(made))
    return refused


def test_a_client_secret_signs_in_again(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "right")

    refused = create(server, tmp_path)

    assert refused, "the keys were rolled too late to matter"


def test_a_job_of_github_asks_for_a_new_id_token(server: Server, tmp_path: Path, github: list[str]) -> None:
    refused = create(server, tmp_path)

    assert refused, "the keys were rolled too late to matter"
    assert len(github) > 1
    assert len(set(github)) == len(github)
