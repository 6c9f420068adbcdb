"""Breaking a lock, and waiting for one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Shell
from tests.cli.test_prompt_and_signals import terminal
from vpngw_iac import Workspace
from vpngw_iac.errors import NotConfirmed, StateLocked
from vpngw_iac.state.process import birth_of, lives_here
from vpngw_iac.state.store import Owner
from vpngw_iac.usecases.state_commands import StateCommands

SITE = "LocalNetworkGateway/vgw-hub/berlin"


def owner(**changes: object) -> Owner:
    values = {
        "run": "r1", "actor": "ada", "host": socket.gethostname(), "process": os.getpid(),
        "since": "2999-01-01T00:00:00Z", "command": "vpngw apply", "birth": birth_of(os.getpid()),
    }  # fmt: skip
    return Owner.model_validate(values | changes)


@contextmanager
def held(shell: Shell, by: Owner, seconds: float | None = None) -> Iterator[threading.Event]:
    """The lock of hub in other hands, for so many seconds or until the event is set."""
    store = Workspace("simulator", directory=shell.directory).session_named("hub").store()
    free = threading.Event()
    taken = threading.Event()

    def locked() -> None:
        with store.locked(by):
            taken.set()
            free.wait(seconds)

    thread = threading.Thread(target=locked)
    thread.start()
    assert taken.wait(10)
    try:
        yield free
    finally:
        free.set()
        thread.join()


# --- is it alive -----------------------------------------------------------------------------------------------------


def test_a_process_of_this_machine_is_alive_and_another_ones_number_is_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        born = birth_of(process.pid)
        alive = [
            lives_here(owner(process=process.pid, birth=born)),
            lives_here(owner(process=process.pid, birth=born, host=socket.gethostname().upper())),
            lives_here(owner(process=process.pid, birth="")),
        ]
        not_alive = [
            lives_here(owner(process=process.pid, birth=born, host="elsewhere")),
            lives_here(owner(process=process.pid, birth="another-boot:1")),
            lives_here(owner(process=process.pid, birth="", since="2001-01-01T00:00:00Z")),
            lives_here(owner(process=0)),
            lives_here(owner(process=2**62)),
        ]
        process.communicate(b"\n")

    assert born
    assert alive == [True, True, True]
    assert not_alive == [False] * 5
    assert not lives_here(owner(process=process.pid, birth=born))


def test_a_process_that_died_and_was_not_waited_for_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    born = birth_of(process.pid)
    until = time.monotonic() + 20
    while lives_here(owner(process=process.pid, birth=born)) and time.monotonic() < until:
        time.sleep(0.05)

    assert not lives_here(owner(process=process.pid, birth=born))
    process.wait()


# --- unlock ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [(), ("--yes",)])
def test_the_lock_of_a_living_process_is_not_broken(hub: Shell, flags: tuple[str, ...]) -> None:
    with held(hub, owner()):
        answer = hub("state", "unlock", "hub.yaml", *flags, code=7)
        again = hub("apply", "hub.yaml", "--yes", code=7)

    assert "ada on" in answer.err
    assert "is alive on this machine" in answer.err
    assert "is locked by ada" in again.err


def test_without_terminal_a_lock_is_broken_with_yes_alone(hub: Shell) -> None:
    with held(hub, owner(host="runner-7")):
        asked = hub("state", "unlock", "hub.yaml", code=64)
        still = hub("apply", "hub.yaml", "--yes", code=7)
        broken = hub("state", "unlock", "hub.yaml", "--yes", code=0)
    hub("apply", "hub.yaml", "--yes", code=0)

    assert "ada on runner-7" in asked.err
    assert "--yes" in asked.err
    assert "ada on runner-7" in still.err
    assert "The lock of ada on runner-7" in broken.out


def test_a_lock_that_a_dead_run_left_is_broken_with_yes(hub: Shell) -> None:
    folder = hub.directory / ".vpngw/state/simulator/hub"
    (folder / "lock.json").write_text(owner(birth="another-boot:1").model_dump_json())

    hub("state", "unlock", "hub.yaml", code=64)
    answer = hub("state", "unlock", "hub.yaml", "--yes", "--json", code=0).document

    assert answer["owner"]["actor"] == "ada"
    assert "Nobody holds the lock." in hub("state", "unlock", "hub.yaml", code=0).out


@pytest.mark.parametrize(("answer", "code"), [("no\n", 1), ("yes\n", 0), ("\x04", 1), ("\x03", 130)])
def test_on_a_terminal_it_is_asked(hub: Shell, answer: str, code: int) -> None:
    with held(hub, owner(host="runner-7")):
        with terminal("state", "unlock", "hub.yaml") as person:
            person.read_until("Only 'yes' breaks it:")
            person.type(answer)
            assert person.wait() == code
        left = Workspace("simulator", directory=hub.directory).session_named("hub").store().claimant()

    assert "ada on runner-7" in person.seen
    assert (left is None) == (code == 0)


def test_a_lock_that_changes_hands_while_somebody_thinks_is_not_broken(hub: Shell) -> None:
    upkeep = StateCommands(Workspace("simulator", directory=hub.directory), "hub")
    lock = hub.directory / ".vpngw/state/simulator/hub/lock.json"
    lock.write_text(owner(host="runner-7").model_dump_json())

    def other(_: Owner) -> bool:
        lock.write_text(owner(host="runner-8", run="r2").model_dump_json())
        return True

    with pytest.raises(StateLocked, match="changed hands"):
        upkeep.unlock(other)
    with pytest.raises(NotConfirmed):
        upkeep.unlock(lambda _: False)
    assert json.loads(lock.read_text())["host"] == "runner-8"


def test_a_lock_of_an_earlier_version_is_read(hub: Shell) -> None:
    lock = hub.directory / ".vpngw/state/simulator/hub/lock.json"
    lock.write_text(owner(host="runner-7").model_dump_json(exclude={"birth"}))

    assert "runner-7" in hub("state", "unlock", "hub.yaml", "--yes", code=0).out


# --- waiting ---------------------------------------------------------------------------------------------------------

WRITERS = [
    ("apply", "hub.yaml", "--yes"),
    ("apply", "plan.json"),
    ("wait", "hub.yaml"),
    ("state", "mv", SITE, "LocalNetworkGateway/vgw-hub/b", "hub.yaml"),
    ("state", "push", "state.json", "hub.yaml"),
    ("state", "rebuild", "hub.yaml"),
    ("destroy", "hub.yaml", "--yes"),
]


@pytest.mark.parametrize("arguments", WRITERS, ids=[" ".join(arguments[:2]) for arguments in WRITERS])
def test_a_lock_is_waited_for_and_its_holder_announced(hub: Shell, arguments: tuple[str, ...]) -> None:
    hub("plan", "hub.yaml", "-o", "plan.json", code=0)
    hub.write("state.json", hub("state", "pull", "hub.yaml", code=0).out)

    with held(hub, owner(host="runner-7")):
        late = hub(*arguments, "--lock-timeout", "0.005", code=7)
    with held(hub, owner(host="runner-7"), seconds=3.0):
        done = hub(*arguments, "--lock-timeout", "1", code=0)

    assert "ada on runner-7" in late.err
    assert "Waiting for it, 0 s at most." in late.err
    assert "It was waited for" in late.err
    assert "Waiting for it, 60 s at most." in done.err


def test_forgetting_waits_too(hub: Shell) -> None:
    with held(hub, owner(host="runner-7"), seconds=3.0):
        answer = hub("state", "forget", "VpnConnection/vgw-hub/berlin", "hub.yaml", "--lock-timeout", "1", code=0)

    assert "Waiting for it" in answer.err


def test_ctrl_c_ends_the_wait_for_a_lock(hub: Shell) -> None:
    with held(hub, owner(host="runner-7")), terminal("apply", "hub.yaml", "--lock-timeout", "5") as person:
        person.read_until("Waiting for it")
        person.type("\x03")
        assert person.wait(20) == 130


def test_the_question_comes_after_the_wait_for_the_lock(hub: Shell) -> None:
    hub.edit("hub.yaml", "VpnGw1AZ", "VpnGw2AZ")
    with held(hub, owner(host="runner-7")) as free, terminal("apply", "hub.yaml", "--lock-timeout", "1") as person:
        person.read_until("Waiting for it")
        free.set()
        person.read_until("yes/no:")
        person.type("yes\n")
        assert person.wait() == 0
