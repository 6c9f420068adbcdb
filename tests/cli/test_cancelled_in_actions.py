"""A job that GitHub cancels hears SIGINT, SIGTERM at 7.5 s and SIGKILL at 10 s: the run is over before the second."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from tests.cli.conftest import Shell, start

LIMIT = 6.0
WHEN_SIGTERM = 7.5


def cancelled(process: subprocess.Popen[str], first: int, then: int, after: float) -> tuple[int, float]:
    """The exit code, and seconds from the first signal to the end; the second signal comes as a runner sends it."""
    begun = time.monotonic()
    process.send_signal(first)
    again = threading.Timer(after, lambda: process.poll() is None and process.send_signal(then))
    again.start()
    try:
        return process.wait(timeout=10.0), time.monotonic() - begun
    finally:
        again.cancel()
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("first", "then", "after", "code"),
    [
        (signal.SIGINT, signal.SIGTERM, WHEN_SIGTERM, 130),
        (signal.SIGINT, signal.SIGTERM, 0.3, 130),
        (signal.SIGTERM, signal.SIGINT, 0.3, 143),
    ],
)
def test_the_first_signal_decides_and_the_lock_is_given_back(
    vpngw: Shell, first: int, then: int, after: float, code: int
) -> None:
    environment = dict(os.environ) | {"GITHUB_ACTIONS": "true", "VPNGW_SIMULATOR_SPEED": "60"}
    process = start("apply", "hub.yaml", "--yes", env=environment)
    assert process.stderr is not None
    for line in process.stderr:
        if "VpnGateway/vgw-hub" in line:
            break

    ended, seconds = cancelled(process, first, then, after)

    assert ended == code
    assert seconds < LIMIT
    assert "Nobody holds the lock." in vpngw("state", "unlock", "hub.yaml", "--yes", code=0).out
    os.environ["VPNGW_SIMULATOR_SPEED"] = "50000"
    (run,) = vpngw("log", "hub.yaml", "--json", code=0).document["runs"]
    assert (run["outcome"], run["exit_code"]) == ("interrupted", code)
    vpngw("apply", "hub.yaml", "--yes", code=0)


@pytest.mark.parametrize(("first", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whatever_hangs_the_process_ends_in_time(first: int, code: int) -> None:
    """A thread that is not waited for, a read that never ends, a signal again and again."""
    program = textwrap.dedent(
        """
        import threading, time
        from vpngw_iac.cli.signals import listening
        from vpngw_iac.engine.execute.stop import Stop
        threading.Thread(target=time.sleep, args=(60,)).start()
        with listening(Stop(2.5), bounded=True):
            print("ready", flush=True)
            until = time.monotonic() + 60
            while time.monotonic() < until:
                time.sleep(1)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    assert cancelled(process, first, signal.SIGTERM, 2.0)[0] == code


def test_a_run_that_ends_by_itself_is_not_ended_again(vpngw: Shell) -> None:
    os.environ["GITHUB_ACTIONS"] = "true"

    told = vpngw("apply", "hub.yaml", "--yes", "--json", code=0)

    assert json.loads(told.out)["outcome"] == "succeeded"
