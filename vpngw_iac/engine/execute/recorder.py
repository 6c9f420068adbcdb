"""What a run writes down and tells: journal, entries, events, results. Only the coordinating thread uses it."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Callable
from dataclasses import field
from typing import Any, Literal

from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.execute.event import OperationResult, Status
from vpngw_iac.engine.execute.retry import RetryPolicy
from vpngw_iac.engine.execute.worker import Prepared
from vpngw_iac.engine.order.operation import Key, Operation
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.ports import Clock, Pending
from vpngw_iac.errors import AzureIds, ExitCode, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.journal import Accepted, Begun, EntryRemoved, EntrySet, OperationClosed, Record
from vpngw_iac.state.store import LockedStore


@dataclass(slots=True)
class Task:
    """One operation on its way through a run."""

    operation: Operation
    started: float | None = None
    journalled: str = ""
    """Id of the open ``begun`` record."""
    prepared: Prepared | None = None
    pending: Pending | None = None
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    polls: int = 0
    told: str = ""
    """What it was last said to wait for."""
    last_progress: float = 0.0


class Recorder:
    """The books of one run: what is about to happen is written before it does, what happened is told after.

    Records are collected, and made durable together by `flush`; whatever depends on one waits for that.
    """

    def __init__(
        self, plan: Plan, locked: LockedStore, clock: Clock, run: str, tell: Callable[[events.Event], None]
    ) -> None:
        self._locked, self._clock, self._run, self._tell = locked, clock, run, tell
        self._known = plan.state.by_id()
        self.results: dict[Key, OperationResult] = {}
        self.notices: list[str] = []
        self._written: list[Record] = []
        self._then: list[Callable[[], None]] = []

    # -- durable

    def flush(self) -> None:
        """Make everything durable that was written since the last time, then do what waited for that, in order."""
        written, then = self._written, self._then
        self._written, self._then = [], []
        if written:
            self._locked.append_all(written)
        for deed in then:
            deed()

    def once_durable(self, deed: Callable[[], None]) -> None:
        """Do it after the flush that holds all that was written so far."""
        self._then.append(deed)

    # -- told

    def announce(self, task: Task) -> None:
        """An operation starts, told once."""
        if task.started is None:
            task.started = self._clock.now()
            op = task.operation
            self._tell(
                events.OperationStarted(op.address, op.verb, op.key.step, str(op.id), op.seconds, self._clock.utc())
            )

    def waits(self, task: Task, why: str, seconds: float | None) -> None:
        """An operation waits; each reason is told once."""
        if task.told != why:
            task.told = why
            op = task.operation
            self._tell(events.OperationWaiting(op.address, op.verb, op.key.step, why, seconds, self._clock.utc()))

    def progress(self, task: Task, state: str) -> None:
        """An operation is still running, told once a minute."""
        now = self._clock.now()
        if now - task.last_progress < 60:
            return
        task.last_progress = now
        op = task.operation
        elapsed = now - (task.started or now)
        self._tell(
            events.OperationProgress(op.address, op.verb, op.key.step, elapsed, op.seconds, state, self._clock.utc())
        )

    def note(self, text: str) -> None:
        """Something that people should know at the end too."""
        self.notices.append(text)
        self._tell(events.Notice(text, self._clock.utc()))

    # -- written

    def begun(self, task: Task, prepared: Prepared) -> None:
        """Write that a call is about to be made; it must be durable before Azure is asked."""
        operation, number = task.operation, uuid.uuid4().hex
        self._written.append(
            Begun(
                at=self._clock.utc(),
                operation=number,
                address=operation.address,
                step=operation.key.step,
                verb=operation.verb,
                id=operation.id,
                etag=prepared.etag,
                digest=prepared.digest,
                fingerprints=prepared.entry.fingerprints if prepared.entry else {},
                process=f"{platform.node()}:{os.getpid()}",
                run=self._run,
                entry=prepared.entry,
            )
        )
        task.journalled = number

    def accepted(self, task: Task, pending: Pending) -> None:
        """Write that Azure took the call."""
        self._written.append(
            Accepted(at=self._clock.utc(), operation=task.journalled, url=pending.url, request=pending.ids.request)
        )

    def remember(self, task: Task, entry: Any, forget: str = "") -> None:
        """Bring the state to what was done."""
        if task.operation.key.step == "release":
            self._written.append(EntryRemoved(at=self._clock.utc(), address=task.operation.address, why="forgotten"))
            self.note(f"{task.operation.address} ({task.operation.id}) is left in Azure with its transit flag off.")
        elif task.operation.verb == "delete":
            gone = self._known.get(task.operation.id)
            if gone is not None:
                why: Literal["deleted", "forgotten"] = "forgotten" if forget else "deleted"
                self._written.append(
                    EntryRemoved(at=self._clock.utc(), address=gone.address, why=why, tagged=bool(forget))
                )
            if forget:
                self.note(forget)
        elif entry is not None:
            self._written.append(EntrySet(at=self._clock.utc(), entry=entry))

    def remember_failed(self, task: Task) -> None:
        """What was created and ended Failed is ours to repair; no fingerprint enters before success."""
        entry = task.prepared.entry if task.prepared else None
        if entry is not None and task.operation.kind == "create":
            self._written.append(EntrySet(at=self._clock.utc(), entry=entry.model_copy(update={"fingerprints": {}})))

    def close(self, task: Task, status: Literal["succeeded", "failed", "unconfirmed"], error: Any = None) -> None:
        """Write that the call has ended, if it is open; an ``unconfirmed`` one stays open for the next run."""
        if task.journalled:
            code = getattr(error, "code", "") if error else ""
            message = error.message if isinstance(error, VpngwError) else ""
            request = task.pending.ids.request if task.pending else ""
            self._written.append(
                OperationClosed(
                    at=self._clock.utc(),
                    operation=task.journalled,
                    status=status,
                    code=code,
                    error=message,
                    request=request,
                )
            )
            if status != "unconfirmed":
                task.journalled = ""

    # -- results

    def result(
        self,
        task: Task,
        status: Status,
        *,
        failure: VpngwError | None = None,
        error: str = "",
        because: str = "",
        ids: AzureIds | None = None,
    ) -> None:
        """What became of an operation."""
        op, now = task.operation, self._clock.now()
        seconds = now - task.started if task.started is not None else 0.0
        exit_code = failure.exit_code if failure and status in ("failed", "unconfirmed") else ExitCode.DONE
        result = OperationResult(
            op.address,
            op.verb,
            op.key.step,
            status,
            seconds,
            failure.message if failure else error,
            getattr(failure, "code", ""),
            failure.advice if failure else "",
            because,
            ids or AzureIds(),
            exit_code,
        )
        self.results[op.key] = result
        if status in ("succeeded", "failed", "skipped", "unconfirmed"):
            self._tell(result.ended(self._clock.utc()))
