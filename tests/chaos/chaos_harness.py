"""A harness in virtual time in which processes die: before, in the middle of and after each durable step.

What counts as a step is whatever outlives the process: a write that Azure hears, a journal record, a document.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.simulator import Fault, Simulator, Switches, VirtualTime
from vpngw_iac.simulator.faults import Effect
from vpngw_iac.state.disk import Folder
from vpngw_iac.state.file import FileStore, LockedFileStore
from vpngw_iac.state.lock import FolderLock
from vpngw_iac.state.store import Owner, Store
from vpngw_iac.usecases.session import Deployable, Session
from vpngw_iac.usecases.workspace import Workspace

GATEWAYS = "/virtualnetworkgateways/"


class Died(BaseException):
    """The process ends here; no `except Exception` may hear of it."""


class Ending:
    """Counts the durable steps of one process, and ends it at one of them. Nothing is done after that."""

    def __init__(self, dies_at: int | None = None, *, is_watched: bool = False) -> None:
        """`is_watched`: the state is read back after each record; it must be valid at every moment."""
        self.is_watched = is_watched
        self.steps = 0
        self.at = ""
        """What the process was doing when it died."""
        self._dies_at = dies_at
        self._guard = threading.Lock()

    @property
    def dead(self) -> bool:
        return bool(self.at)

    def check(self) -> None:
        if self.dead:
            raise Died

    def step(self, what: str) -> None:
        """One moment at which a process may die."""
        with self._guard:
            self.check()
            self.steps += 1
            if self.steps == self._dies_at:
                self.at = what
                raise Died


class MortalClock:
    """The common clock as a process sees it: one that died sees nothing more."""

    def __init__(self, shared: VirtualClock, ending: Ending) -> None:
        self._shared, self._ending = shared, ending

    def now(self) -> float:
        return self._shared.now()

    def utc(self) -> str:
        self._ending.check()
        return self._shared.utc()

    def next(self, inbox: queue.SimpleQueue[Any], seconds: float | None, *, calls_in_flight: int) -> Any | None:
        while calls_in_flight:
            self._ending.check()
            try:
                return inbox.get(timeout=0.05)
            except queue.Empty:
                continue
        self._ending.check()
        return self._shared.next(inbox, seconds, calls_in_flight=0)

    def sleep(self, seconds: float) -> None:
        self._ending.check()
        self._shared.sleep(seconds)


class Wire:
    """The simulator as one process reaches it; counts on the way what was created and deleted."""

    def __init__(self, harness: ChaosHarness, ending: Ending) -> None:
        self.vault = harness.simulator.vault
        self._harness, self._ending = harness, ending

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        if method == "GET":
            self._ending.check()
            return self._harness.simulator.send(method, url, headers, body)
        name = f"{method} {'/'.join(url.partition('?')[0].split('/')[-2:])}"
        self._ending.step(f"before {name}")
        answer = self._harness.heard(method, url, headers, body)
        self._ending.step(f"after {name}")
        return answer


class MortalFolder(Folder):
    """A state folder whose process may die before and after each change of a file."""

    def __init__(self, path: Path, ending: Ending) -> None:
        super().__init__(path)
        self._ending = ending

    def replace(self, name: str, data: bytes, *, keep_as: str | None = None) -> None:
        self._ending.step(f"before writing {name}")
        super().replace(name, data, keep_as=keep_as)
        self._ending.step(f"after writing {name}")

    def move(self, name: str, to: str) -> None:
        self._ending.step(f"before moving {name}")
        super().move(name, to)
        self._ending.step(f"after moving {name}")

    def remove(self, name: str) -> None:
        self._ending.check()
        super().remove(name)


class MortalStore(FileStore):
    """The file store in which a process may die at each record, also with half of it written."""

    ending: Ending

    @classmethod
    def of(cls, store: FileStore, ending: Ending) -> MortalStore:
        mortal = cls(store.folder, store.deployment, store.binding, utc=store.utc)
        mortal.ending = ending
        mortal._files = MortalFolder(store.folder, ending)
        mortal._lock = FolderLock(mortal._files, store.deployment)
        return mortal

    @contextmanager
    def locked(self, owner: Owner) -> Iterator[LockedFileStore]:
        with super().locked(owner) as locked:
            whole = locked._write_record
            locked._write_record = lambda line: self._write(locked, whole, line)  # type: ignore[method-assign]
            yield locked

    def _write(self, locked: LockedFileStore, whole: Callable[[bytes], None], line: bytes) -> None:
        what = line.partition(b'"record":"')[2].partition(b'"')[0].decode()
        self.ending.step(f"before record {what}")
        try:
            self.ending.step(f"in the middle of record {what}")
        except Died:
            os.write(locked._open_journal(), line[: len(line) // 2])
            raise
        whole(line)
        if self.ending.is_watched:
            self.load()  # raises if an invariant is broken at this very moment
        self.ending.step(f"after record {what}")


class MortalSession(Session):
    ending: Ending

    def _opened_store(self) -> Store:
        store = super()._opened_store()
        assert isinstance(store, FileStore)
        return MortalStore.of(store, self.ending)


class MortalWorkspace(Workspace):
    """A workspace whose process may die."""

    ending: Ending

    def session(self, blueprint: Deployable) -> Session:
        session = super().session(blueprint)
        session.__class__ = MortalSession
        session.ending = self.ending  # type: ignore[attr-defined]
        return session


@dataclass
class ChaosHarness:
    """A cloud, a folder, an environment. Every use is a process of its own."""

    folder: Path
    environment: Mapping[str, str]
    secrets: Path | None = None
    switches: Switches | None = None
    seed: int = 0
    clock: VirtualClock = field(default_factory=VirtualClock)
    created: Counter[str] = field(default_factory=Counter)
    """How often Azure made each resource, by path in lower case."""
    deleted: Counter[str] = field(default_factory=Counter)
    writes: int = 0

    def __post_init__(self) -> None:
        time = VirtualTime()
        self.clock.on_advance(time.advance_to)
        self.simulator = Simulator(time=time, switches=self.switches, seed=self.seed)
        self._one_at_a_time = threading.RLock()

    def heard(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """A write as Azure hears it, whether or not its answer arrives."""
        path = "/" + url.partition("?")[0].split("/", 3)[3].lower()
        with self._one_at_a_time:
            store = self.simulator._store
            before = store.find(path) is not None
            try:
                return self.simulator.send(method, url, headers, body)
            finally:
                self.writes += method != "POST"
                after = store.find(path)
                if method == "PUT" and not before and after is not None:
                    self.created[path] += 1
                if method == "DELETE" and before and (after is None or after.state == "Deleting"):
                    self.deleted[path] += 1

    # -- processes

    def workspace(self, ending: Ending | None = None, **settings: Any) -> Workspace:
        ending = ending or Ending()
        given: dict[str, Any] = {
            "directory": self.folder,
            "environment": self.environment,
            "secret_directory": self.secrets,
            "clock": MortalClock(self.clock, ending),
            "simulator": Wire(self, ending),
        }
        workspace = MortalWorkspace("simulator", **(given | settings))
        workspace.ending = ending
        return workspace

    def apply(self, blueprint: Any, ending: Ending | None = None, **options: Any) -> Outcome:
        return self.workspace(ending).apply(blueprint, options=Options(**options))

    def destroy(self, blueprint: Any, ending: Ending | None = None, **options: Any) -> Outcome:
        return self.workspace(ending).destroy(blueprint, options=Options(**options))

    def plan(self, blueprint: Any, **options: Any) -> Plan:
        return self.workspace().plan(blueprint, Options(**options))

    # -- what there is

    def fault(self, effect: Effect, **which: Any) -> None:
        self.simulator.faults.add(Fault(effect=effect, **which))

    def ids(self) -> set[str]:
        """Every resource that Azure has, in lower case."""
        return {identifier.lower() for identifier in self.simulator.documents()}

    def held_secrets(self) -> dict[str, str]:
        """What Azure really holds: connections' keys, and gateways' RADIUS secrets."""
        found = {}
        for document in self.simulator._store.documents.values():
            if "sharedKey" in document.hidden:
                found[document.key] = str(document.hidden["sharedKey"])
            clients = document.body.get("properties", {}).get("vpnClientConfiguration")
            if clients:
                found[document.key] = json.dumps(clients)
        return found

    def entries(self, blueprint: Any) -> set[str]:
        """Ids of the entries, in lower case; an empty set if there is no state."""
        memory = self.workspace().session(blueprint).store().load()
        return {str(e.id).lower() for e in memory.state.entries.values()} if memory else set()

    def declared(self, blueprint: Any) -> set[str]:
        """Ids of what a blueprint declares, in lower case."""
        graph = self.plan(blueprint).graph
        return {str(resource.id).lower() for resource in graph.resources.values()}

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def failures(outcome: Outcome) -> list[tuple[str, str, str]]:
    """What went wrong, for messages."""
    return [(r.address, r.status, r.error) for r in outcome.operations if r.status != "succeeded"]


def is_gateway(path: str) -> bool:
    return GATEWAYS in path and len(ArmId(path).names) == 1


__all__ = ["ChaosHarness", "Died", "Ending", "failures", "is_gateway"]
