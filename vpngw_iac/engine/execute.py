"""Carry out a plan: one coordinating thread owns order, locks, journal and events; workers only make HTTP calls.

Begin and poll are separate, so that a normal run and a resumed run are the same code. The journal says what is about
to happen before Azure is asked. Waiting belongs to the scheduler: thousands of operations in flight need no threads.
"""

from __future__ import annotations

import heapq
import itertools
import os
import platform
import queue
import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from vpngw_iac.engine import event as events
from vpngw_iac.engine.event import OperationResult, Status
from vpngw_iac.engine.locks import Locks
from vpngw_iac.engine.operation import Key, Operation, Schedule
from vpngw_iac.engine.patience import Patience, poll_delay
from vpngw_iac.engine.ports import Clock, Ended, Pending, Running
from vpngw_iac.engine.stop import Stop
from vpngw_iac.engine.worker import Busy, Gated, Prepared, Settled, Worker
from vpngw_iac.errors import AzureIds, CloudError, Contention, ExitCode, StateLocked, Throttled, Unavailable, VpngwError
from vpngw_iac.state.journal import Accepted, Begun, EntryRemoved, EntrySet, OperationClosed
from vpngw_iac.state.store import Hold

PARALLEL_CALLS = 8
GRACE = 10.0
"""Seconds that running HTTP calls get after the first Ctrl-C."""

Phase = Literal["prepare", "send", "poll", "settle"]


@dataclass(slots=True)
class _Task:
    """One operation on its way through a run."""

    operation: Operation
    started: float | None = None
    journalled: str = ""
    """Id of the open ``begun`` record."""
    prepared: Prepared | None = None
    pending: Pending | None = None
    patience: Patience = field(default_factory=Patience)
    polls: int = 0
    told: str = ""
    """What it was last said to wait for."""
    last_progress: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When to leave although Azure is still at work."""

    detach: bool = False
    """Start what can start, and leave."""
    deadline: float | None = None
    """Clock time after which the run leaves."""


class Execution:
    """One run of a schedule. `run` returns what happened; it raises only if the lock is lost."""

    def __init__(
        self,
        schedule: Schedule,
        worker: Worker,
        hold: Hold,
        clock: Clock,
        *,
        run: str,
        on_event: Callable[[events.Event], None],
        stop: Stop | None = None,
        limits: Limits | None = None,
        seed: int | None = None,
    ) -> None:
        self._schedule, self._worker, self._hold, self._clock = schedule, worker, hold, clock
        self._run_id, self._tell = run, on_event
        self._stop, self._limits = stop or Stop(), limits or Limits()
        self._random = random.Random(seed)  # noqa: S311 - jitter, not cryptography
        self._todo: dict[Key, _Task] = {op.key: _Task(op) for op in schedule.operations}
        self._active: dict[Key, _Task] = {}
        self._results: dict[Key, OperationResult] = {}
        self._due: list[tuple[float, int, Key, Phase]] = []
        self._count = itertools.count()
        self._inbox: queue.SimpleQueue[tuple[Key, Phase, Any] | None] = queue.SimpleQueue()
        self._stop.wakes(self._inbox)
        self._calls = 0
        self._pool = ThreadPoolExecutor(PARALLEL_CALLS, thread_name_prefix="vpngw")
        self._grace_until: float | None = None
        self._locks = Locks()
        self._not_before = 0.0
        self._lost: StateLocked | None = None
        self._started = clock.now()
        self.notices: list[str] = []

    # -- the loop

    def run(self) -> tuple[OperationResult, ...]:
        """Work until everything ended, or until asked to leave."""
        try:
            while True:
                self._start_ready()
                if self._is_over():
                    break
                self._dispatch_due()
                message = self._clock.next(self._inbox, self._patience(), calls_in_flight=self._calls)
                if message is not None:
                    self._receive(*message)
        finally:
            self._pool.shutdown(wait=not self._stop.immediate and not self._grace_is_over(), cancel_futures=True)
        if self._lost is not None:
            raise self._lost
        self._leave()
        return tuple(self._results[op.key] for op in self._schedule.operations)

    def _is_over(self) -> bool:
        if self._stop.immediate:
            return True
        if self._leaving:
            return self._calls == 0 or self._grace_is_over()
        return not self._active and not self._calls and not (self._todo and self._is_throttled)

    @property
    def _is_throttled(self) -> bool:
        """Azure said "too many requests": nobody begins anything before it allows it again."""
        return self._clock.now() < self._not_before

    @property
    def _leaving(self) -> bool:
        detached = self._limits.detach and bool(self._active) and all(t.pending for t in self._active.values())
        return detached or self._must_stop

    @property
    def _must_stop(self) -> bool:
        late = self._limits.deadline is not None and self._clock.now() >= self._limits.deadline
        return self._stop.asked or late or self._lost is not None

    def _grace_is_over(self) -> bool:
        if not self._must_stop:
            return False
        if self._grace_until is None:
            self._grace_until = self._clock.now() + GRACE
        return self._clock.now() >= self._grace_until

    def _patience(self) -> float | None:
        if self._leaving:  # only for the calls that are under way
            return 1.0
        moments = [self._due[0][0]] if self._due else []
        if self._limits.deadline is not None:
            moments.append(self._limits.deadline)
        if self._todo and self._is_throttled:
            moments.append(self._not_before)
        return max(0.0, min(moments) - self._clock.now()) if moments else None

    def _start_ready(self) -> None:
        if self._must_stop:
            return
        done = {key for key, result in self._results.items() if result.status == "succeeded"}
        for key in sorted(self._todo, key=lambda k: (-self._schedule.remaining[k], k)):
            task = self._todo[key]
            if not task.operation.after <= done or self._is_throttled:
                continue
            why = self._locks.blocked_by(key, task.operation.locks)
            if why:
                self._waits(task, why, None)
                continue
            del self._todo[key]
            self._locks.take(key, task.operation.locks)
            self._active[key] = task
            self._submit(key, "prepare")

    def _dispatch_due(self) -> None:
        now = self._clock.now()
        while self._due and self._due[0][0] <= now and not self._leaving:
            _, _, key, phase = heapq.heappop(self._due)
            if key in self._active:
                self._submit(key, phase)

    def _submit(self, key: Key, phase: Phase) -> None:
        task = self._active[key]
        self._calls += 1
        self._pool.submit(self._call, key, phase, task)

    def _call(self, key: Key, phase: Phase, task: _Task) -> None:
        """In a worker thread: make one step and put its result (or error) into the inbox."""
        try:
            result = self._steps[phase](self, task)
        except VpngwError as error:
            result = error
        except Exception as error:
            result = VpngwError(f"unexpected {type(error).__name__} while working on {key}", advice="This is a bug.")
            result.__cause__ = error
        self._inbox.put((key, phase, result))

    def _do_prepare(self, task: _Task) -> Any:
        patience = task.patience
        return self._worker.prepare(
            task.operation,
            unsure=patience.unsure,
            attempt=patience.contentions + 1,
            overtaken=patience.conflicts > 0,
        )

    def _do_send(self, task: _Task) -> Any:
        assert task.prepared is not None  # noqa: S101 - a send follows a preparation
        return self._worker.cloud.begin(task.prepared.call)

    def _do_poll(self, task: _Task) -> Any:
        assert task.pending is not None  # noqa: S101 - a poll follows an accepted call
        return self._worker.cloud.poll(task.pending)

    _steps = {"prepare": _do_prepare, "send": _do_send, "poll": _do_poll}  # noqa: RUF012 - constant

    # -- messages

    def _receive(self, key: Key, phase: Phase, result: Any) -> None:
        self._calls -= 1
        task = self._active[key]
        try:
            if isinstance(result, VpngwError):
                self._failed(task, phase, result)
            elif phase == "prepare":
                self._prepared(task, result)
            elif phase == "send":
                self._sent(task, result)
            else:
                self._polled(task, result)
        except StateLocked as error:
            self._lost = error

    def _prepared(self, task: _Task, result: Prepared | Settled | Busy | Gated) -> None:
        match result:
            case Settled(entry=entry, forget=forget):
                self._announce(task)
                self._remember(task, entry, forget)
                self._end(task, "succeeded")
            case Busy(observed=observed):
                self._waits(task, f"Azure to finish ({observed.state})", 10.0)
                self._later(self._clock.now() + poll_delay(None, task.polls, 60.0), task.operation.key, "prepare")
                task.polls += 1
            case Gated(says=says):
                self._gate(task, says)
            case Prepared():
                if self._must_stop:
                    self._back(task)
                    return
                if self._is_throttled:
                    self._later(self._not_before, task.operation.key, "prepare")
                    return
                self._begin(task, result)

    def _begin(self, task: _Task, prepared: Prepared) -> None:
        self._announce(task)
        task.prepared = prepared
        if not task.journalled:  # still open if an answer was lost
            self._journal(task, prepared)
        self._submit(task.operation.key, "send")

    def _journal(self, task: _Task, prepared: Prepared) -> None:
        operation, number = task.operation, uuid.uuid4().hex
        self._hold.append(
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
                run=self._run_id,
                entry=prepared.entry,
            )
        )
        task.journalled = number

    def _sent(self, task: _Task, result: Pending | Ended) -> None:
        if isinstance(result, Ended):
            self._ended(task, result)
            return
        task.pending = result
        task.polls = 0
        task.last_progress = self._clock.now()
        record = Accepted(at=self._clock.utc(), operation=task.journalled, url=result.url, request=result.ids.request)
        self._hold.append(record)
        self._later(self._clock.now() + self._delay(task, result.retry_after), task.operation.key, "poll")

    def _polled(self, task: _Task, result: Running | Ended) -> None:
        if isinstance(result, Ended):
            self._ended(task, result)
            return
        task.polls += 1
        task.patience.poll_errors = 0
        now = self._clock.now()
        if now - task.last_progress >= 60:
            task.last_progress = now
            operation = task.operation
            self._tell(
                events.OperationProgress(
                    operation.address,
                    operation.verb,
                    operation.key.step,
                    now - (task.started or now),
                    operation.seconds,
                    result.state,
                    self._clock.utc(),
                )
            )
        self._later(now + self._delay(task, result.retry_after), task.operation.key, "poll")

    def _delay(self, task: _Task, asked: float | None) -> float:
        return poll_delay(asked, task.polls, task.operation.seconds)

    def _ended(self, task: _Task, ended: Ended) -> None:
        ids = task.pending.ids if task.pending else AzureIds()
        if ended.state != "Succeeded":
            error = ended.error or CloudError(f"{task.operation.id} ended as {ended.state}.", ids=ids)
            task.patience.unsure = True
            self._remember_failed(task)
            if self._locks.was_crowded(task.operation.key) and not task.patience.excused:
                task.patience.excused = True
                self._again(task, error, 10.0, why="a sibling to finish (it failed beside one)")
                return
            self._fail(task, error)
            return
        assert task.prepared is not None  # noqa: S101 - it was sent
        try:
            entry, notices = self._worker.settle(task.operation, task.prepared, ended)
        except VpngwError as error:
            self._fail(task, error)
            return
        self.notices.extend(notices)
        for text in notices:
            self._tell(events.Notice(text, self._clock.utc()))
        self._remember(task, entry)
        self._locks.succeeded(task.operation.key)
        self._end(task, "succeeded", ids=ids)

    # -- errors

    def _failed(self, task: _Task, phase: Phase, error: VpngwError) -> None:
        now = self._clock.now()
        if phase == "poll":
            task.patience.poll_errors += 1
            if isinstance(error, CloudError) and not task.patience.gives_up_polling(error):
                self._later(now + task.patience.poll_backoff(error, self._random), task.operation.key, "poll")
                return
            self._give_up(task, error)
            return
        lost = isinstance(error, Unavailable)
        task.patience.unsure = task.patience.unsure or (lost and phase == "send")
        if isinstance(error, Contention):
            self._locks.refused(task.operation.key)
        if isinstance(error, Throttled):
            self._not_before = max(self._not_before, now + (error.retry_after or 10.0))
        deleted = any(k.step == "delete" and r.status == "succeeded" for k, r in self._results.items())
        delay = task.patience.retry(error, now, task.operation.verb, self._random, deleted_some=deleted)
        if delay is None and lost and task.patience.unsure:
            self._give_up(task, error)
        elif delay is None:
            self._fail(task, error)
        else:
            why = {"Contention": "another operation in Azure", "Throttled": "Azure's request quota"}
            self._again(task, error, delay, why=why.get(type(error).__name__, f"a retry ({error.message})"))

    def _again(self, task: _Task, error: VpngwError, delay: float, *, why: str) -> None:
        """Prepare anew later: a new look decides what is left to do. The journal keeps open what may be under way."""
        if not isinstance(error, Unavailable):
            self._close(task, "failed", error)
        task.prepared, task.pending = None, None
        self._waits(task, why, delay)
        self._later(self._clock.now() + delay, task.operation.key, "prepare")

    def _fail(self, task: _Task, error: VpngwError) -> None:
        self._end(task, "failed", error=error)
        self._skip_dependents(task.operation.key, "skipped", task.operation.address)

    def _give_up(self, task: _Task, error: VpngwError) -> None:
        """Nobody can say whether it was done: the journal keeps it open, the next run asks Azure."""
        self._end(task, "unconfirmed", error=error)
        self._skip_dependents(task.operation.key, "skipped", task.operation.address)

    def _gate(self, task: _Task, says: str) -> None:
        self._waits(task, says, None)
        self._locks.give(task.operation.key)
        del self._active[task.operation.key]
        self._result(task, "waiting", error=says)
        self._skip_dependents(task.operation.key, "waiting", task.operation.address)

    def _skip_dependents(self, root: Key, status: Status, because: str) -> None:
        gone = {root}
        for operation in self._schedule.operations:
            if operation.after & gone and operation.key in self._todo:
                gone.add(operation.key)
                task = self._todo.pop(operation.key)
                self._result(task, status, because=because)

    # -- bookkeeping

    def _announce(self, task: _Task) -> None:
        if task.started is None:
            task.started = self._clock.now()
            op = task.operation
            self._tell(
                events.OperationStarted(op.address, op.verb, op.key.step, str(op.id), op.seconds, self._clock.utc())
            )

    def _waits(self, task: _Task, why: str, seconds: float | None) -> None:
        if task.told != why:
            task.told = why
            op = task.operation
            self._tell(events.OperationWaiting(op.address, op.verb, op.key.step, why, seconds, self._clock.utc()))

    def _later(self, moment: float, key: Key, phase: Phase) -> None:
        heapq.heappush(self._due, (moment, next(self._count), key, phase))

    def _remember(self, task: _Task, entry: Any, forget: str = "") -> None:
        if task.operation.verb == "delete":
            gone = self._worker.plan.state.by_id().get(task.operation.id)
            if gone is not None:
                why: Literal["deleted", "forgotten"] = "forgotten" if forget else "deleted"
                self._hold.append(EntryRemoved(at=self._clock.utc(), address=gone.address, why=why))
            if forget:
                self.notices.append(forget)
                self._tell(events.Notice(forget, self._clock.utc()))
        elif entry is not None:
            self._hold.append(EntrySet(at=self._clock.utc(), entry=entry))

    def _remember_failed(self, task: _Task) -> None:
        """What was created and ended Failed is ours to repair; no fingerprint enters before success."""
        entry = task.prepared.entry if task.prepared else None
        if entry is not None and task.operation.kind == "create":
            self._hold.append(EntrySet(at=self._clock.utc(), entry=entry.model_copy(update={"fingerprints": {}})))

    def _close(self, task: _Task, status: Literal["succeeded", "failed", "unconfirmed"], error: Any = None) -> None:
        if task.journalled:
            code = getattr(error, "code", "") if error else ""
            message = error.message if isinstance(error, VpngwError) else ""
            request = task.pending.ids.request if task.pending else ""
            self._hold.append(
                OperationClosed(
                    at=self._clock.utc(),
                    operation=task.journalled,
                    status=status,
                    code=code,
                    error=message,
                    request=request,
                )
            )
            task.journalled = ""

    def _end(
        self, task: _Task, status: Status, *, error: VpngwError | None = None, ids: AzureIds | None = None
    ) -> None:
        key = task.operation.key
        if status != "unconfirmed":
            self._close(task, "succeeded" if status == "succeeded" else "failed", error)
        self._locks.give(key)
        self._active.pop(key, None)
        self._result(task, status, failure=error, ids=ids or getattr(error, "ids", None))

    def _result(
        self,
        task: _Task,
        status: Status,
        *,
        failure: VpngwError | None = None,
        error: str = "",
        because: str = "",
        ids: AzureIds | None = None,
    ) -> None:
        op, now = task.operation, self._clock.now()
        seconds = now - task.started if task.started is not None else 0.0
        message = failure.message if failure else error
        code = getattr(failure, "code", "")
        exit_code = failure.exit_code if failure and status in ("failed", "unconfirmed") else ExitCode.DONE
        self._results[op.key] = OperationResult(
            op.address,
            op.verb,
            op.key.step,
            status,
            seconds,
            message,
            code,
            failure.advice if failure else "",
            because,
            ids or AzureIds(),
            exit_code,
        )
        if status in ("succeeded", "failed", "skipped", "unconfirmed"):
            self._tell(
                events.OperationEnded(
                    op.address,
                    op.verb,
                    op.key.step,
                    status,
                    seconds,
                    self._clock.utc(),
                    message,
                    code,
                    because,
                    ids or AzureIds(),
                )
            )

    def _back(self, task: _Task) -> None:
        """Not started after all: the run is being left."""
        self._locks.give(task.operation.key)
        del self._active[task.operation.key]
        self._todo[task.operation.key] = task

    def _leave(self) -> None:
        """Say of everything that did not end what it is; what runs in Azure stays open in the journal."""
        for key, task in list(self._active.items()):
            status: Status = "running" if task.pending else ("unconfirmed" if task.journalled else "not-started")
            self._result(task, status)
            del self._active[key]
        for task in self._todo.values():
            self._result(task, "unconfirmed" if task.journalled else "not-started")
        self._todo.clear()
