"""The simulator's door and those who do not speak HTTP well, or come over somebody else's name."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.conftest import REGION, SUBSCRIPTION
from vpngw_iac.simulator import ScaledTime, Simulator
from vpngw_iac.simulator.server import Server

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourcegroups"
VERSION = "api-version=2021-04-01"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    simulator = Simulator(tmp_path / "content", time=ScaledTime(speed=6000))
    with Server(simulator, require_token=False, hosts=["sim.lab"]) as running:
        yield running


def port(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def send(server: Server, data: bytes) -> tuple[int, dict[str, object]]:
    """Status and document of one raw request; 0 where the door says nothing."""
    with socket.create_connection(("127.0.0.1", port(server)), timeout=20) as line:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head.startswith(b"HTTP/") else 0
    try:
        return status, json.loads(body) if body else {}
    except ValueError:
        return status, {}


def request(path: str, host: str | None = "localhost", method: str = "GET", body: bytes = b"", more: str = "") -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode("utf-8") + body


def code_of(document: dict[str, object]) -> str:
    error = document.get("error")
    return str(error.get("code")) if isinstance(error, dict) else ""


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:8443", 200), ("LOCALHOST", 200), ("127.0.0.1", 200), ("127.0.0.1:1", 200),
        ("[::1]:8443", 200), ("192.0.2.7", 200), ("sim.lab", 200), ("kv.localhost", 200), (socket.gethostname(), 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("evil.example:8443", 421), ("", 421), ("[::1", 421),
        ("evil@localhost", 200), ("localhost@evil.example", 421), ("127.0.0.1.evil.example", 421),
    ],
)  # fmt: skip
def test_the_door_answers_to_its_own_names_alone(server: Server, host: str, status: int) -> None:
    assert send(server, request(f"{GROUPS}?{VERSION}", host))[0] == status


BROKEN = {
    "no host": (request("/x", None), 400),
    "two hosts": (request("/x", more="Host: localhost\r\n"), 400),
    "another target": (request("http://evil.example/x"), 400),
    "no path": (request("*"), 400),
    "a URL that is none": (request("//[bad/x"), 400),
    "a negative length": (request("/x", method="PUT", more="Content-Length: -1\r\n"), 400),
    "a length in words": (request("/x", method="PUT", more="Content-Length: ten\r\n"), 400),
    "a length in other digits": (request("/x", method="PUT", more="Content-Length: ٣\r\n"), 400),
    "two lengths": (request("/x", method="PUT", body=b"{}", more="Content-Length: 3\r\n"), 400),
    "an endless length": (request("/x", method="PUT", more="Content-Length: 99999999999999999999\r\n"), 400),
    "a gibibyte": (request("/x", method="PUT", more="Content-Length: 1073741824\r\n"), 413),
    "pieces": (request("/x", method="PUT", more="Transfer-Encoding: chunked\r\n"), 411),
    "no request": (b"\r\n\r\n", 0),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0),
    "a long line": (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
    "many headers": (request("/x", more="".join(f"x-{n}: y\r\n" for n in range(200))), 431),
    "another method": (request("/x", method="BREW"), 501),
    "less than promised": (request("/x", method="PUT", more="Content-Length: 50\r\n") + b"{}", 0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_request_is_refused_without_a_word_in_the_log(
    server: Server, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data, status = BROKEN[name]

    given, _ = send(server, data)

    assert given == status
    assert capfd.readouterr() == ("", "")
    assert send(server, request(f"{GROUPS}?{VERSION}"))[0] == 200


@pytest.mark.parametrize(
    "body", [b"\xff\xfe{", b"[" * 100_000, b"9" * 5000, b'"x"', b"[]", b"null", b'{"location": 7}', b'{"location": {}}']
)
def test_a_body_that_is_no_document_is_refused_without_a_word_in_the_log(
    server: Server, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _ = send(server, request(f"{GROUPS}/rg?{VERSION}", method="PUT", body=body))

    assert status in (400, 201)
    assert capfd.readouterr() == ("", "")


def test_a_client_that_hangs_up_leaves_no_word_in_the_log(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    for data in (b"", b"GET ", request("/x")[:-2], request(f"{GROUPS}?{VERSION}")):
        line = socket.create_connection(("127.0.0.1", port(server)), timeout=20)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.sendall(data)
        line.close()
    time.sleep(0.5)

    assert capfd.readouterr() == ("", "")
    assert send(server, request(f"{GROUPS}?{VERSION}"))[0] == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rg-hub", 201), ("rg.hub_(1)", 201), ("Z%C3%BCrich", 201), ("x" * 90, 201), ("1", 201),
        ("a%20b", 400), ("a%2Fb", 400), ("..%2F..%2Fetc", 400), ("a%0Ab", 400), ("a%00b", 400), ("a%3Cb", 400),
        ("a'b", 400), ("a$b", 400), ("..", 400), ("rg.", 400), ("x" * 91, 400), ("a%5Cb", 400), ("a%2525b", 400),
    ],
)  # fmt: skip
def test_a_group_is_called_what_azure_lets_it_be_called(server: Server, tmp_path: Path, name: str, status: int) -> None:
    body = json.dumps({"location": REGION}).encode()

    given, document = send(server, request(f"{GROUPS}/{name}?{VERSION}", method="PUT", body=body))

    assert given == status
    assert code_of(document) == ("" if status == 201 else "InvalidResourceGroup")
    kept = {path.name for path in (tmp_path / "content").iterdir()}
    assert kept <= {".gitignore", "lock", "content.jsonl"}
    assert {path.name for path in tmp_path.iterdir()} == {"content"}
