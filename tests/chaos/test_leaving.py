"""Signals, --detach and --timeout on real processes, in the middle of a gateway's creation over HTTPS.

Such lives consist of waiting, so all are lived side by side.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.chaos.processes import Launcher, Operator, Running, Served, Start, executable, side_by_side
from vpngw_iac.engine.execute.stop import GRACE

GATEWAY_STARTED = "VpnGateway/vgw-office: create started"
GATEWAY_SECONDS = 6.0
SPEED = 200
HANGING = """
- {method: PUT, path: "*/virtualNetworkGateways/*", times: 2, effect: {do: slow, seconds: 40000}}
- {method: GET, path: "*hanging*", times: null, effect: {do: slow, seconds: 40000}}
"""
"""Two PUTs of a gateway are answered after a minute and a half; so is every read of a group with that name."""


def in_the_middle(operator: Operator) -> Running:
    """A run whose gateway Azure is making."""
    running = operator.begin("apply", str(operator.file), "--yes", "--json")
    running.wait_for(GATEWAY_STARTED)
    time.sleep(0.3)
    return running


def assert_left_in_order(operator: Operator, running: Running, code: int, outcome: str) -> None:
    assert running.code == code, running.said
    assert running.document["outcome"] == outcome
    status = {item["address"]: item["status"] for item in running.document["operations"]}
    assert status["VpnGateway/vgw-office"] == "running"
    assert "Traceback" not in running.said
    assert not (operator.state / "lock.json").exists()
    log = json.loads(operator.run("log", str(operator.file), "--json", code=0).answered)
    assert log["runs"][-1]["outcome"] == outcome


def assert_finished_once(operator: Operator) -> None:
    time.sleep(GATEWAY_SECONDS)
    operator.run("apply", str(operator.file), "--yes", code=0)
    assert set(operator.served.created(operator.subscription).values()) == {1}
    operator.run("plan", str(operator.file), "--detailed-exitcode", code=0)


def leave_by_signal(operator: Operator, number: int, code: int) -> None:
    running = in_the_middle(operator)

    running.signal(number)
    running.wait(8)

    assert_left_in_order(operator, running, code, "interrupted")
    assert_finished_once(operator)


def leave_by_option(operator: Operator, *option: str) -> None:
    file = str(operator.file)

    running = operator.run("apply", file, "--yes", "--json", *option)
    while GATEWAY_STARTED not in running.said:  # each starts what can start
        assert running.code == 6, running.said
        operator.run("wait", file, code=0)
        running = operator.run("apply", file, "--yes", "--json", *option)

    assert_left_in_order(operator, running, 6, "running")
    time.sleep(GATEWAY_SECONDS)
    waited = operator.run("wait", file, "--json", code=0)
    assert waited.document["changes_left"] == 1, "the connection waits for the gateway"
    assert_finished_once(operator)


def ctrl_c_twice(running: Running) -> None:
    running.signal(signal.SIGINT)
    time.sleep(0.3)
    running.signal(signal.SIGINT)


def ctrl_c_once(running: Running) -> None:
    running.signal(signal.SIGINT)


def leave_a_hanging_call(operator: Operator, leave: Callable[[Running], None], patience: float) -> None:
    running = in_the_middle(operator)

    leave(running)
    running.wait(patience)

    assert running.code == 130, running.said
    status = {item["address"]: item["status"] for item in running.document["operations"]}
    assert status["VpnGateway/vgw-office"] == "unconfirmed"
    assert not (operator.state / "lock.json").exists()
    assert_finished_once(operator)


def leave_a_hanging_plan(operator: Operator, leave: Callable[[Running], None], code: int) -> None:
    operator.file = operator.folder / "hub.py"
    operator.file.write_text(Operator.file.read_text().replace("rg-office", "rg-hanging"))
    running = operator.begin("apply", str(operator.file), "--yes")
    until = time.monotonic() + 60
    while not list(operator.folder.glob(".vpngw/state/*/*/lock.json")):
        assert time.monotonic() < until, running.said
        time.sleep(0.02)

    leave(running)
    running.wait(8)

    assert running.code == code
    assert "Traceback" not in running.said
    assert not (operator.state / "lock.json").exists()


LIVES: Mapping[str, Callable[[Operator], None]] = {
    "SIGINT": partial(leave_by_signal, number=signal.SIGINT, code=130),
    "SIGTERM": partial(leave_by_signal, number=signal.SIGTERM, code=143),
    "--detach": lambda operator: leave_by_option(operator, "--detach"),
    "--timeout": lambda operator: leave_by_option(operator, "--timeout", "0.06"),
    "SIGINT twice while a call hangs": partial(leave_a_hanging_call, leave=ctrl_c_twice, patience=8),
    "SIGINT once while a call hangs": partial(leave_a_hanging_call, leave=ctrl_c_once, patience=GRACE + 8),
    "SIGINT twice while planning hangs": partial(leave_a_hanging_plan, leave=ctrl_c_twice, code=130),
    "SIGTERM while planning hangs": partial(
        leave_a_hanging_plan, leave=lambda running: running.signal(signal.SIGTERM), code=143
    ),
}


@pytest.fixture
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud in which a gateway takes three seconds."""
    started = Served.start(tmp_path_factory.mktemp("prompt"), SPEED)
    yield started
    started.close()


@pytest.fixture
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    started = Served.start(tmp_path_factory.mktemp("hanging"), SPEED, HANGING)
    yield started
    started.close()


def test_who_leaves_leaves_in_order_and_the_next_run_continues(
    prompt: Served, hanging: Served, launcher: Launcher, tmp_path: Path
) -> None:
    def life(number: int, name: str) -> Callable[[], None]:
        hangs = "hangs" in name
        start: Start = executable if hangs else launcher  # what hangs must not keep the interpreter from ending
        (tmp_path / str(number)).mkdir()
        return lambda: LIVES[name](Operator(hanging if hangs else prompt, start, tmp_path / str(number)))

    side_by_side({name: life(number, name) for number, name in enumerate(LIVES)})
