"""The storage account with the state goes away in the middle of a run, and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.azure.azurite import ACCOUNT_KEY, free_port, running_azurite
from tests.workspace.conftest import Harness
from tests.worlds import hub
from vpngw_iac.engine.execute.event import OperationStarted
from vpngw_iac.errors import VpngwError

GATEWAY = "VpnGateway/hub"


def gone(port: int) -> None:
    """Wait until nobody answers there."""
    with contextlib.suppress(OSError):
        while True:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            time.sleep(0.05)


def test_a_run_whose_storage_dies_begins_nothing_more_and_the_next_one_continues(tmp_path: Path) -> None:
    harness, port, deployment = Harness(tmp_path / "desk"), free_port(), hub("berlin")
    harness.environment["AZURE_STORAGE_KEY"] = ACCOUNT_KEY
    with running_azurite(folder=tmp_path / "storage", port=port) as azurite:
        url = azurite.url(azurite.new_container())

        def die(event: Any) -> None:
            if isinstance(event, OperationStarted) and event.address == GATEWAY:
                os.kill(azurite.process, signal.SIGTERM)
                gone(port)

        began = time.monotonic()
        with pytest.raises(VpngwError) as told:
            harness.workspace(state=url).apply(deployment, on_event=die)
    took = time.monotonic() - began
    before = harness.writes()
    assert harness.writes("*/virtualnetworkgateways/*") == [], "nothing is begun that the journal does not hold"

    with running_azurite(folder=tmp_path / "storage", port=port):
        store = harness.workspace(state=url).session(deployment).store()
        memory, broken = store.load(), store.unlock()
        outcome = harness.workspace(state=url).apply(deployment)
        left = harness.workspace(state=url).plan(deployment)

    assert url.partition("?")[0] in told.value.message
    assert took < 50, "nobody waits long for a service that does not answer"
    assert memory is not None
    assert memory.state.check() == ()
    assert broken is not None
    assert (outcome.outcome, left.changes) == ("succeeded", ())
    again = harness.writes()[len(before) :]
    assert again == ["PUT virtualNetworkGateways/vgw-hub", "PUT connections/con-berlin"]
