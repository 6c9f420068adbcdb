"""An answer that never ends, or is larger than anything Azure sends, has an end and one clear error."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest

from vpngw_iac.azure import limits
from vpngw_iac.azure.clouds import settings_of
from vpngw_iac.azure.limits import LimitedTransport, session
from vpngw_iac.azure.sign_in import default_credential
from vpngw_iac.simulator.certificate import ensure_certificate

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drip(connection: ssl.SSLSocket) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.1)


def drip_headers(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        connection.sendall(f"X-{number}: y\r\n".encode())
        time.sleep(0.1)


def drip_chunks(connection: ssl.SSLSocket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.1)


def flood(connection: ssl.SSLSocket) -> None:
    connection.sendall(HEAD + b"Connection: close\r\n\r\n")
    block = b" " * 1024 * 1024
    for _ in range(1024):
        connection.sendall(block)


def cut(connection: ssl.SSLSocket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")


@contextlib.contextmanager
def serving(folder: Path, answer: Callable[[ssl.SSLSocket], None]) -> Iterator[tuple[str, str]]:
    """A server of one answer: its URL, and the certificate to trust."""
    certificate, key = ensure_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(65_536)
                answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/x", str(certificate)
    finally:
        listener.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (drip, "within 1 s"),
        (drip_headers, "within 1 s"),
        (drip_chunks, "within 1 s"),
        (flood, "larger than 64 MiB"),
        (cut, "bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_answer_without_an_end_has_one(
    tmp_path: Path, answer: Callable[[ssl.SSLSocket], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SILENCE", 0.3)
    told: list[str] = []
    seconds = 30.0 if answer in (flood, cut) else 1.0
    with serving(tmp_path, answer) as (url, certificate):
        transport = LimitedTransport(told.append, seconds=seconds, session=session(), connection_verify=certificate)
        began = time.monotonic()

        with pytest.raises(AzureError) as late:
            transport.send(HttpRequest("GET", url))

    assert words in str(late.value)
    assert time.monotonic() - began < 20
    if seconds == 1.0:
        assert len(told) == 1
        assert "no complete answer" in told[0]


@pytest.mark.parametrize("asked", [864_000.0, float("inf"), float("nan"), 0.0])
def test_no_answer_makes_the_clients_of_vaults_and_sign_in_pause_for_days(asked: float) -> None:
    began = time.monotonic()

    LimitedTransport(pause=0.05).sleep(asked)

    assert time.monotonic() - began < 5


def test_the_pauses_of_one_call_of_the_sdk_are_shorter_than_the_silence_that_is_told() -> None:
    assert 3 * limits.MAX_PAUSE < limits.SILENCE


def test_who_signs_in_waits_no_longer() -> None:
    """The SDK's retries sleep through the transport, which knows the limit."""
    names = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    chain: Any = default_credential(settings_of("public", lambda _: {}), names)

    transports = {id(each) for each in pipelines_of(chain)}

    assert transports
    assert all(isinstance(each, LimitedTransport) for each in pipelines_of(chain))


def pipelines_of(thing: Any, depth: int = 6) -> Iterator[Any]:
    """Transports of every client in a credential."""
    if isinstance(thing, Pipeline):
        yield thing._transport
    elif depth and hasattr(thing, "__dict__") and type(thing).__module__.startswith("azure."):
        for value in vars(thing).values():
            for each in value if isinstance(value, list | tuple) else (value,):
                yield from pipelines_of(each, depth - 1)
