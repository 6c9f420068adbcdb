"""Azurite, Microsoft's storage server for tests: started on a free port of this machine, ended after the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MAIN = Path(__file__).with_name("node_modules") / "azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Known to everybody: https://learn.microsoft.com/azure/storage/common/storage-use-azurite"""


@dataclass(frozen=True)
class Azurite:
    """A running server; each container of a test has a name of its own."""

    endpoint: str
    process: int

    def new_container(self) -> str:
        """A container that nobody else uses."""
        from azure.storage.blob import ContainerClient

        name = f"state-{uuid.uuid4().hex[:12]}"
        with ContainerClient(self.endpoint, name, credential=ACCOUNT_KEY) as client:
            client.create_container()
        return name

    def url(self, container: str, prefix: str = "network") -> str:
        """The state's URL as people write it."""
        return f"azblob://{ACCOUNT}/{container}/{prefix}?endpoint={self.endpoint}"


@contextlib.contextmanager
def running_azurite(
    *options: str, scheme: str = "http", folder: Path | None = None, port: int | None = None
) -> Iterator[Azurite]:
    """Start the server and wait until it answers; end it, whatever happens. In a `folder` its content outlives it."""
    port = port or free_port()
    command = [_node(), str(MAIN), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    command += ["--location", str(folder)] if folder else ["--inMemoryPersistence"]
    command += ["--silent", "--disableTelemetry", "--skipApiVersionCheck", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Azurite(f"{scheme}://127.0.0.1:{port}/{ACCOUNT}", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _node() -> str:
    """The path of node; without it or without Azurite the tests are skipped loudly, or fail if they are required."""
    node = shutil.which("node")
    missing = "Node.js" if node is None else "" if MAIN.exists() else "Azurite (`npm ci` in tests/azure)"
    if node is not None and not missing:
        return node
    if os.environ.get("VPNGW_REQUIRE_AZURITE") == "1":
        pytest.fail(f"VPNGW_REQUIRE_AZURITE=1, but {missing} is not installed", pytrace=False)
    pytest.skip(f"NOT TESTED: the blob store, because {missing} is not installed")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.1)
    pytest.fail(f"Azurite did not answer on port {port} (exit {process.poll()})", pytrace=False)
