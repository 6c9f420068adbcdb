"""The lock of the file store between real processes: one writes, the others are told who, and a broken lock is felt."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.state.samples import BINDING, DEPLOYMENT, a_state, an_entry, an_owner, entry_set, opened
from vpngw_iac.errors import ExitCode, StateError, StateLocked
from vpngw_iac.state.disk import Folder
from vpngw_iac.state.file import FileStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / DEPLOYMENT, DEPLOYMENT, BINDING)


@contextlib.contextmanager
def worker(*arguments: object):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.state.lock_worker", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def holder(store, name="ada"):
    """A process that holds the lock."""
    with worker("stay", store.folder, name) as process:
        assert process.stdout.readline() == "held\n"
        yield process


def told(process, text):
    """What the other process answers."""
    process.stdin.write(text + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_of_racing_processes_one_writes_and_the_others_are_told_who(store):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
    rounds, marker = 100, store.folder.parent / "inside"

    with (
        worker("race", store.folder, "ada", rounds, marker) as ada,
        worker("race", store.folder, "bob", rounds, marker) as bob,
    ):
        said = {"ada": ada.communicate(timeout=60)[0].splitlines(), "bob": bob.communicate(timeout=60)[0].splitlines()}

    assert (ada.returncode, bob.returncode) == (0, 0), "two were inside at once"
    won = {name: lines.count("won") for name, lines in said.items()}
    assert {name: len(lines) for name, lines in said.items()} == {"ada": rounds, "bob": rounds}
    assert all(f"locked by {other} on runner-7" in line for name, other in (("ada", "bob"), ("bob", "ada"))
               for line in said[name] if line != "won")  # fmt: skip
    assert store.load().last == sum(won.values())
    assert store.owner() is None


def test_who_finds_the_lock_taken_hears_the_owner_and_exit_code_7(store):
    with holder(store, "ada") as process:
        owner = store.owner()
        with pytest.raises(StateLocked, match=r"contoso-hub is locked by ada on runner-7, .*`vpngw apply") as refusal:
            store.locked(an_owner("run-2")).__enter__()

        assert refusal.value.exit_code == ExitCode.LOCKED
        assert "vpngw state unlock" in refusal.value.advice
        assert owner == an_owner("ada", actor="ada")
        assert store.load().open_run.run == "ada", "reading needs no lock"
        assert told(process, "append") == "written", "asking for the lock disturbs nobody"


def test_the_lock_of_a_killed_process_is_free_at_once_and_told(store):
    with holder(store, "ada") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert store.owner() is None
    with store.locked(an_owner("run-2")) as locked:
        assert len(locked.notices) == 1
        assert locked.notices[0].startswith("Stale lock of ada on runner-7, process 4711, ")
        assert locked.append(entry_set(1)).number == 2
    with store.locked(an_owner("run-3")) as locked:
        assert locked.notices == ()


def test_unlocking_what_a_killed_process_left_says_whose_it_was(store):
    with holder(store, "ada") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert store.unlock() == an_owner("ada", actor="ada")
    assert store.unlock() is None
    with store.locked(an_owner("run-2")) as locked:
        assert locked.notices == ()


@pytest.mark.parametrize("deed", ["append", "checkpoint"])
def test_a_holder_whose_lock_was_broken_can_write_nothing_more(store, deed):
    with holder(store, "ada") as process:
        assert told(process, "append") == "written"
        before = (store.folder / "state.json").read_bytes(), (store.folder / "journal.jsonl").read_bytes()

        assert store.unlock() == an_owner("ada", actor="ada")

        assert told(process, deed) == "lost"
        assert ((store.folder / "state.json").read_bytes(), (store.folder / "journal.jsonl").read_bytes()) == before


def test_a_holder_whose_lock_was_broken_and_taken_hears_who_has_it(store):
    with store.locked(an_owner("run-1")) as first:
        first.checkpoint(a_state())
        store.unlock()
        with store.locked(an_owner("run-2", actor="bob@contoso.example")) as second:
            second.append(opened("run-2"))
            with pytest.raises(StateLocked, match=r"was taken from this run; bob@contoso\.example on"):
                first.append(entry_set(1))
            with pytest.raises(StateLocked):
                first.renew()
            second.renew()
            second.append(entry_set(2))

    assert set(store.load().state.entries) == {"Thing/0002"}


def test_the_former_holder_leaves_the_new_lock_alone(store):
    with contextlib.ExitStack() as stack:
        first = store.locked(an_owner("run-1"))
        first.__enter__().checkpoint(a_state())
        store.unlock()
        second = stack.enter_context(store.locked(an_owner("run-2")))

        first.__exit__(None, None, None)

        assert store.owner() == an_owner("run-2")
        second.append(opened("run-2"))


def test_a_lock_file_removed_by_hand_is_a_lost_lock(store):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        (store.folder / "lock").unlink()

        with pytest.raises(StateLocked, match=r"taken from this run; ada@contoso\.example"):
            locked.append(opened())


def test_a_process_stopped_for_long_finds_out_when_it_wakes(store):
    with holder(store, "ada") as process:
        process.send_signal(signal.SIGSTOP)
        store.unlock()
        with store.locked(an_owner("run-2")) as locked:
            locked.append(entry_set(2))
            process.send_signal(signal.SIGCONT)
            assert told(process, "append") == "lost"
            locked.append(entry_set(3))

    assert set(store.load().state.entries) == {"Thing/0002", "Thing/0003"}


def test_a_damaged_owner_file_still_locks(store):
    with holder(store, "ada") as process:
        (store.folder / "lock.json").write_text("{")

        with pytest.raises(StateLocked, match="locked by a process"):
            store.locked(an_owner("run-2")).__enter__()
        assert store.owner().actor == "a process"
        assert told(process, "append") == "lost", "nobody can tell any more whose lock it is"


def test_threads_that_append_through_one_hold_get_distinct_numbers(store):
    numbers = []
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        threads = [
            threading.Thread(target=lambda n=n: numbers.append(locked.append(entry_set(n)).number)) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(numbers) == list(range(1, 9))
    assert store.load().last == 8


def test_reading_while_another_process_writes_never_sees_less_than_before(store):
    """A reader has no lock: journals may be closed and documents replaced under it."""
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state(an_entry(0)))
        seen, stop = [], threading.Event()

        def read():
            while not stop.is_set():
                seen.append(store.load().last)

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(1, 60):
            locked.append(entry_set(number % 5))
            if number % 7 == 0:
                locked.checkpoint(store.load().state)
        stop.set()
        reader.join()

    assert seen
    assert seen == sorted(seen)
    assert store.load().last == 59


def test_another_process_in_the_middle_of_a_write_is_waited_for_and_then_told(tmp_path):
    patient, hasty = Folder(tmp_path), Folder(tmp_path, patience=0.05)

    with patient.guarded(), pytest.raises(StateError, match=r"has been writing in .* for 0\.05 seconds"):
        hasty.guarded().__enter__()
    with hasty.guarded(), hasty.guarded():
        pass
