"""Real `vpngw` processes against a simulator that is served over HTTPS; each life has a subscription of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.architectures.conftest import FOLDER, ROOT
from vpngw_iac.usecases.settings import read_env_file

KILLED = -signal.SIGKILL


class Command(Protocol):
    """A `vpngw` that runs."""

    pid: int

    def poll(self) -> int | None: ...


class Launcher:
    """Children of one process that has imported everything already."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.launcher"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __call__(
        self, arguments: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path
    ) -> Command:
        command = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "out": str(out),
            "err": str(err),
        }
        return _Child(self, int(self.ask(command)))

    def ask(self, command: dict[str, Any]) -> Any:
        with self._turn:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


@dataclass
class _Child:
    launcher: Launcher
    pid: int

    def poll(self) -> int | None:
        found = self.launcher.ask({"wait": self.pid})
        return None if found is None else int(found)


def executable(arguments: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path) -> Command:
    """The installed program, as people start it."""
    program = Path(sys.executable).with_name("vpngw")
    with out.open("wb") as stdout, err.open("wb") as stderr:
        return subprocess.Popen(
            [str(program), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )


Start = Callable[[list[str], Path, dict[str, str], Path, Path], Command]


@dataclass
class Served:
    """A simulator in a process of its own, and the hands that only a simulator has."""

    url: str
    environment: dict[str, str]
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, folder: Path, speed: float, faults: str = "") -> Served:
        program = Path(sys.executable).with_name("vpngw")
        command = [
            str(program),
            "simulator",
            "serve",
            "--port",
            "0",
            "--dir",
            str(folder),
            "--speed",
            str(speed),
            "--json",
        ]
        if faults:
            (folder / "faults.yaml").write_text(faults)
            command += ["--faults", str(folder / "faults.yaml")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        return cls(told["url"], told["environment"], process)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ask(self, path: str) -> Any:
        """Through the control door; it asks for a token like everybody's."""
        request = urllib.request.Request(f"{self.url}/.simulator/{path}", headers={"Authorization": self._token})
        with urllib.request.urlopen(request, context=self._trust, timeout=60) as answer:
            return json.loads(answer.read())

    @property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.environment["SSL_CERT_FILE"])

    @property
    def _token(self) -> str:
        known = self.environment
        who = {"client_id": known["AZURE_CLIENT_ID"], "client_secret": known["AZURE_CLIENT_SECRET"]}
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "x", **who})
        tenant = known["AZURE_TENANT_ID"]
        with urllib.request.urlopen(
            f"{self.url}/{tenant}/oauth2/v2.0/token", data=form.encode(), context=self._trust, timeout=60
        ) as answer:
            return f"Bearer {json.loads(answer.read())['access_token']}"

    def created(self, subscription: str) -> Counter[str]:
        """How often each resource of a subscription was made: PUTs that were answered with 201."""
        return Counter(
            logged["path"].lower()
            for logged in self.ask("requests")
            if logged["method"] == "PUT" and logged["status"] == 201 and subscription in logged["path"]
        )

    def ids(self, subscription: str) -> set[str]:
        return {found.lower() for found in self.ask("documents") if subscription in found}


@dataclass
class Operator:
    """Somebody with a folder, a subscription and a command line."""

    served: Served
    start: Start
    folder: Path
    subscription: str = field(default_factory=lambda: str(uuid.uuid4()))
    file: Path = FOLDER / "one_site.py"
    extra: dict[str, str] = field(default_factory=dict)
    name: str = "somebody"
    _count: int = 0

    @property
    def environment(self) -> dict[str, str]:
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("VPNGW_", "AZURE_", "GITHUB_", "COV_"))}
        known = self.served.environment | {"AZURE_SUBSCRIPTION_ID": self.subscription, "CI": "1"}
        return clean | known | dict(read_env_file(FOLDER / "example.env")) | self.extra

    def begin(self, *arguments: str) -> Running:
        self._count += 1
        out, err = (self.folder / f"{self.name}-{self._count:03d}.{name}" for name in ("out", "err"))
        return Running(self.start(list(arguments), self.folder, self.environment, out, err), out, err)

    def run(self, *arguments: str, code: int | None = None, patience: float = 240.0) -> Running:
        running = self.begin(*arguments)
        running.wait(patience)
        if code is not None:
            assert running.code == code, (arguments, running.code, running.said[-3000:], running.answered[-3000:])
        return running

    @property
    def state(self) -> Path:
        """The folder of the state."""
        return next((self.folder / ".vpngw/state").glob("*/*"))


@dataclass
class Running:
    """One command that was started."""

    command: Command
    out: Path
    err: Path
    code: int | None = None

    def wait(self, patience: float = 240.0) -> int:
        until = time.monotonic() + patience
        while self.code is None:
            self.code = self.command.poll()
            if self.code is None:
                if time.monotonic() > until:
                    self.signal(signal.SIGKILL)
                    raise AssertionError(f"still running after {patience} s: {self.said[-2000:]}")
                time.sleep(0.01)
        return self.code

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.command.pid, number)

    def wait_for(self, text: str, patience: float = 60.0) -> None:
        """Until it has said something on stderr."""
        until = time.monotonic() + patience
        while text not in self.said:
            assert self.command.poll() is None, (text, self.said[-2000:])
            assert time.monotonic() < until, (text, self.said[-2000:])
            time.sleep(0.01)

    @property
    def said(self) -> str:
        return self.err.read_text() if self.err.exists() else ""

    @property
    def answered(self) -> str:
        return self.out.read_text() if self.out.exists() else ""

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.answered))


def lived(lives: Mapping[str, Callable[[], Any]], *, at_once: int = 12) -> tuple[dict[str, Any], list[Exception]]:
    """Live all of them, they consist of waiting. What came of each, and every failure with its name."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = {name: pool.submit(live) for name, live in lives.items()}
    ends, failures = {}, []
    for name, future in futures.items():
        error = future.exception()
        if isinstance(error, Exception):
            error.add_note(f"in the life {name!r}")
            failures.append(error)
        else:
            ends[name] = future.result()
    return ends, failures


def side_by_side(lives: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """`lived`, where every life must go well."""
    ends, failures = lived(lives)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(lives)} lives went wrong", failures)
    return ends


@dataclass(frozen=True)
class Point:
    """Where a process is killed: this long after its start, while it does this to that file."""

    file: str
    command: str
    seconds: float


def kill_and_go_on(point: Point, operator: Operator) -> str:
    """Kill, run once more, look: returns ``killed``, or ``too late`` if the command had ended before."""
    operator.file = FOLDER / point.file
    file, served, mine = str(operator.file), operator.served, operator.subscription
    if point.command == "destroy":
        operator.run("apply", file, "--yes", code=0)
    doomed = operator.begin(point.command, file, "--yes", "--json")
    until = time.monotonic() + point.seconds
    while time.monotonic() < until and doomed.command.poll() is None:
        time.sleep(0.005)
    doomed.signal(signal.SIGKILL)
    code = doomed.wait()

    again = operator.run(point.command, file, "--yes", "--json", code=0)

    assert again.document["outcome"] == "succeeded", again.answered
    twice = {path: count for path, count in served.created(mine).items() if count != 1}
    assert twice == {}, (point, twice)
    if point.command == "destroy":
        assert served.ids(mine) == set(), point
    else:
        operator.run("plan", file, "--detailed-exitcode", code=0)
        listed = json.loads(operator.run("state", "list", file, "--json", code=0).answered)
        assert {item["id"].lower() for item in listed["entries"].values()} == served.ids(mine), point
    assert not (operator.state / "lock.json").exists(), point
    return "killed" if code == KILLED else "too late"


def points(seed: int, count: int, plan: list[tuple[str, str, float]]) -> Iterator[Point]:
    """Seeded moments; `plan` says which commands, and how long each takes undisturbed."""
    dice = random.Random(seed)
    for number in range(count):
        file, command, seconds = plan[number % len(plan)]
        yield Point(file, command, dice.uniform(0.0, seconds))
