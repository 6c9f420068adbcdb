"""The question before a change, Ctrl-C once and twice, and SIGTERM: in processes of their own, on a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen
from types import FrameType

import pytest

from tests.cli.conftest import Shell, start
from vpngw_iac.cli.signals import TERMINATED, Interrupts, listening, read_line
from vpngw_iac.engine.execute.stop import ReadInterrupted, Stop


@dataclass(slots=True)
class Terminal:
    """A person at a terminal: reads what appears, types, presses keys."""

    process: Popen[str]
    descriptor: int
    seen: str = ""

    def read_until(self, text: str, seconds: float = 30.0) -> str:
        """Wait until something appears."""
        until = time.monotonic() + seconds
        while text not in self.seen:
            ended = self.process.poll() is not None
            assert self._read(0.2) or not (ended or time.monotonic() > until), f"no {text!r} in:\n{self.seen}"
        return self.seen

    def type(self, text: str) -> None:
        """Type a line, or press a key."""
        os.write(self.descriptor, text.encode())

    def wait(self, seconds: float = 30.0) -> int:
        """The exit code; everything that was shown is in `seen`."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, self.seen
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        try:
            piece = os.read(self.descriptor, 65536) if ready else b""
        except OSError:
            return False
        self.seen += piece.decode(errors="replace")
        return bool(piece)


@contextmanager
def terminal(*arguments: str, **variables: str) -> Iterator[Terminal]:
    """The program on a terminal of its own, as the leader of its own session: Ctrl-C is typed, not sent."""
    ours, theirs = pty.openpty()
    environment = dict(os.environ) | {"TERM": "xterm-256color", "COLUMNS": "120"} | variables

    def lead() -> None:
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests in the background of a shell ignore it, and so would this

    pipes = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = start(*arguments, env=environment, preexec_fn=lead, **pipes)
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

SLOW = "400"
"""A gateway takes three seconds: time enough to press keys."""


def test_yes_at_the_prompt_applies(vpngw: Shell) -> None:
    with terminal("apply", "hub.yaml") as person:
        shown = person.read_until("yes/no: ")
        person.type("yes\n")
        code = person.wait()

    assert code == 0
    assert "Plan: 7 to add, 0 to change, 0 to destroy." in shown
    assert "Apply these changes to hub in the simulator? yes/no: " in shown
    assert "Apply of hub complete" in person.seen


@pytest.mark.parametrize("answer", ["y\n", "\x04"])
def test_anything_but_yes_does_nothing_and_is_1(vpngw: Shell, answer: str) -> None:
    with terminal("apply", "hub.yaml") as person:
        person.read_until("yes/no: ")
        person.type(answer)
        code = person.wait()

    assert code == 1
    assert "Nothing was done." in person.seen
    assert "Nothing of hub is deployed." in vpngw("show", "hub.yaml", code=0).out


def test_ctrl_c_at_the_prompt_does_nothing_and_is_130(vpngw: Shell) -> None:
    with terminal("apply", "hub.yaml") as person:
        person.read_until("yes/no: ")
        person.type("\x03")
        code = person.wait()

    assert code == 130
    assert "Traceback" not in person.seen
    vpngw("apply", "hub.yaml", "--yes", code=0)


def test_destroy_lists_the_addresses_that_are_lost_before_it_asks(hub: Shell) -> None:
    address = next(
        item["facts"]["ip_address"]
        for item in hub("show", "hub.yaml", "--json", code=0).document["resources"]
        if "ip_address" in item["facts"]
    )

    with terminal("destroy", "hub.yaml") as person:
        shown = person.read_until("yes/no: ")
        person.type("no\n")
        code = person.wait()

    assert code == 1
    assert "lost for good" in shown
    assert address in shown.partition("Destroy hub in the simulator?")[0]
    assert "Connected" in hub("show", "hub.yaml", code=0).out


def test_the_live_display_shows_what_runs_and_what_waits_for_it(vpngw: Shell) -> None:
    with terminal("apply", "hub.yaml", "--yes", VPNGW_SIMULATOR_SPEED=SLOW) as person:
        person.read_until("usually 18 min")
        person.read_until("after VpnGateway/vgw-hub")
        code = person.wait()

    assert code == 0
    assert "of 7 done" in person.seen


def test_ctrl_c_once_leaves_what_runs_in_azure_and_the_next_run_continues(vpngw: Shell) -> None:
    with terminal("apply", "hub.yaml", "--yes", VPNGW_SIMULATOR_SPEED=SLOW) as person:
        person.read_until("usually 18 min")
        person.type("\x03")
        code = person.wait()

    assert code == 130
    assert "Stopping: nothing new is started." in person.seen
    assert "Still running in Azure" in person.seen
    answer = vpngw("apply", "hub.yaml", "--yes", code=0)
    assert "1 operation of an earlier run" in answer.err
    assert "VpnGateway/vgw-hub: create or update found running, begun " in answer.err
    assert "No changes." in vpngw("plan", "hub.yaml", code=0).out


def test_ctrl_c_twice_leaves_at_once(vpngw: Shell) -> None:
    with terminal("apply", "hub.yaml", "--yes", VPNGW_SIMULATOR_SPEED=SLOW) as person:
        person.read_until("usually 18 min")
        person.type("\x03")
        person.type("\x03")
        code = person.wait()

    assert code == 130
    assert "Traceback" not in person.seen
    vpngw("apply", "hub.yaml", "--yes", code=0)


def test_sigterm_is_143_and_gives_up_the_lock(vpngw: Shell) -> None:
    environment = dict(os.environ) | {"VPNGW_SIMULATOR_SPEED": SLOW}
    with start("apply", "hub.yaml", "--yes", "--json", env=environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "VpnGateway/vgw-hub: create started" in line:
                process.send_signal(signal.SIGTERM)
                break
        out, err = process.communicate(timeout=30)

    assert process.returncode == 143
    assert '"outcome": "interrupted"' in out
    assert "Terminated: nothing new is started." in err
    vpngw("apply", "hub.yaml", "--yes", code=0)


def test_a_signal_in_the_middle_of_a_write_is_told_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    stop = Stop()
    interrupts = Interrupts(stop)

    def busy(_: str) -> None:
        message = "reentrant call inside <_io.BufferedWriter>"
        raise RuntimeError(message)

    interrupts.say = busy
    interrupts.heard(signal.SIGTERM, None)

    assert capfd.readouterr().err == TERMINATED + "\n"
    assert stop.asked


def test_a_line_is_waited_for_until_it_is_typed_or_a_signal_comes() -> None:
    reading, writing = os.pipe()
    with listening(Stop()) as interrupts, os.fdopen(reading) as answers, os.fdopen(writing, "w") as person:
        print("yes", file=person, flush=True)
        assert read_line(answers) == "yes\n"

        soon = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        soon.start()
        with interrupts.asking(), pytest.raises(KeyboardInterrupt):
            read_line(answers)
        assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_that_comes_where_exceptions_are_ignored_is_heard_all_the_same(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Python drops what is raised in a finalizer or a callback, prints it, and goes on."""

    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def work() -> None:
        Finalized()
        time.sleep(5)

    stop, said = Stop(), list[str]()
    with listening(stop) as interrupts:
        interrupts.say = said.append
        with pytest.raises(ReadInterrupted), stop.ends():
            work()

    assert capfd.readouterr().err == ""
    assert len(said) == 1
    assert not stop.immediate


def test_a_signal_is_heard_however_slowly_the_place_is_left_where_exceptions_are_ignored(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A busy machine lets the raised-again signal come while the hook still runs, where it would be lost."""

    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def slowly(frame: FrameType, event: str, arg: object) -> object:
        del arg
        if event == "return" and frame.f_code is Interrupts.unraisable.__code__:
            time.sleep(0.2)
        return slowly if frame.f_code is Interrupts.unraisable.__code__ else None

    def work() -> None:
        Finalized()
        time.sleep(5)

    stop, before = Stop(), sys.gettrace()
    with listening(stop):
        sys.settrace(slowly)
        try:
            with pytest.raises(ReadInterrupted), stop.ends():
                work()
        finally:
            sys.settrace(before)

    assert capfd.readouterr().err == ""
    assert not stop.immediate


def test_ctrl_c_while_planning_is_130_with_one_document(vpngw: Shell) -> None:
    vpngw.write("slow.py", "import sys, time\nprint('here', file=sys.stderr, flush=True)\ntime.sleep(30)\n")
    with start("plan", "slow.py", "--json", env=dict(os.environ)) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert json.loads(out)["kind"] == "error"
    assert "Traceback" not in err
