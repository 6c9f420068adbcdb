"""Carry out a plan: one coordinating thread owns order, locks, journal and events; workers only make HTTP calls.

Begin and poll are separate, so that a normal run and a resumed run are the same code. The journal says what is about
to happen before Azure is asked. Waiting belongs to the scheduler: thousands of operations in flight need no threads.

One turn of the loop takes all messages that are there, and ends with one flush of the journal. What depends on a record
comes after the flush that holds it: the call after its ``begun``; the results, the locks and those who waited after
``ended`` and the entry.
"""

from __future__ import annotations

import queue
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.call_threads import CallThreads
from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.execute.event import OperationResult, Status
from vpngw_iac.engine.execute.recorder import Recorder, Task
from vpngw_iac.engine.execute.retry import (
    MAX_AGAIN,
    Failed,
    Phase,
    Unconfirmed,
    advised,
    explained,
    may_be_gone,
    meaning,
    poll_delay,
    seconds_to_wait,
)
from vpngw_iac.engine.execute.step_queue import StepQueue
from vpngw_iac.engine.execute.stop import Limits, Stop
from vpngw_iac.engine.execute.worker import Blocked, Busy, GateClosed, NoCallNeeded, Prepared, Worker
from vpngw_iac.engine.order.locks import LockTable
from vpngw_iac.engine.order.operation import Key, Schedule, followers_of
from vpngw_iac.engine.order.order import landings, reached, repaired_first, unfilled
from vpngw_iac.engine.ports import Clock, Ended, Pending, Running
from vpngw_iac.errors import AzureIds, CloudError, Contention, StateLocked, Unavailable, VpngwError
from vpngw_iac.state.store import LockedStore

PARALLEL_CALLS = 8
"""Calls of one run at once."""

Closing = Literal["succeeded", "failed", "unconfirmed"]

SIBLINGS = 60.0
"""Seconds after which what was refused beside a sibling is tried again although none has ended."""


class Execution:
    """One run of a schedule. `run` returns what happened; it raises only if the lock is lost."""

    def __init__(
        self,
        schedule: Schedule,
        worker: Worker,
        locked: LockedStore,
        clock: Clock,
        *,
        run: str,
        on_event: Callable[[events.Event], None],
        stop: Stop | None = None,
        limits: Limits | None = None,
        seed: int | None = None,
        threads: CallThreads | None = None,
    ) -> None:
        """`threads` make the calls, those of other runs too; its own if none are given."""
        self._schedule, self._worker, self._clock = schedule, worker, clock
        self._recorder = Recorder(worker.plan, locked, clock, run, on_event)
        self._stop, self._limits = stop or Stop(), limits or Limits()
        self._random = random.Random(seed)  # noqa: S311 - jitter, not cryptography
        self._todo: dict[Key, Task] = {op.key: Task(op) for op in schedule.operations}
        self._active: dict[Key, Task] = {}
        self._steps = StepQueue(worker.cloud, schedule.remaining)
        self._inbox: queue.SimpleQueue[tuple[Key, Phase, Any] | None] = queue.SimpleQueue()
        self._stop.wakes(self._inbox)
        self._calls = 0
        self._call_queue = (threads or CallThreads()).queue(PARALLEL_CALLS)
        self._grace_until: float | None = None
        self._locks = LockTable()
        self._succeeded: set[Key] = set()
        self._worth_a_look: set[Key] = set(self._todo)
        """What may be able to begin: something that it waits for has ended since it was last looked at."""
        self._parked: dict[str, set[Key]] = {}
        """Operations that wait for a lock, by its name."""
        self._followers = followers_of(schedule.operations)
        self._landings = landings(worker.plan, schedule)
        self._not_before = 0.0
        self._lost: StateLocked | None = None
        self._halted = False
        """Nobody who answers is Azure: nothing further begins, what is accepted is waited for."""

    @property
    def notices(self) -> list[str]:
        """What people should know at the end."""
        return self._recorder.notices

    # -- the loop

    def run(self) -> tuple[OperationResult, ...]:
        """Work until everything ended, or until asked to leave."""
        try:
            while True:
                self._start_ready()
                if self._is_over():
                    break
                self._dispatch_due()
                message = self._clock.next(self._inbox, self._seconds_to_next(), calls_in_flight=self._calls)
                while message is not None:
                    self._receive(*message)
                    message = None if self._inbox.empty() else self._inbox.get_nowait()
                self._flush()
        finally:
            self._call_queue.close(wait=not self._stop.immediate and not self._grace_is_over())
        if self._lost is not None:
            raise self._lost
        self._leave()
        return tuple(self._recorder.results[op.key] for op in self._schedule.operations)

    def _flush(self) -> None:
        try:
            self._recorder.flush()
        except StateLocked as error:
            self._lost = error

    def _is_over(self) -> bool:
        if self._stop.immediate:
            return True
        if self._leaving:
            return self._calls == 0 or self._grace_is_over()
        waits = bool(self._todo) and self._is_throttled and not self._halted
        return not self._active and not self._calls and not waits

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
        return self._stop.asked or self._lost is not None or self._limits.are_over(self._clock.now())

    def _grace_is_over(self) -> bool:
        if not self._must_stop:
            return False
        if self._grace_until is None:
            self._grace_until = self._clock.now() + self._stop.grace
        return self._clock.now() >= self._grace_until

    def _seconds_to_next(self) -> float | None:
        if self._leaving:  # only for the calls that are under way
            return 1.0
        allowed = self._not_before if self._todo and self._is_throttled else None
        moments = [m for m in (self._steps.next_moment(), self._limits.deadline, allowed) if m is not None]
        return max(0.0, min(moments) - self._clock.now()) if moments else None

    def _start_ready(self) -> None:
        if self._must_stop or self._halted or self._is_throttled:
            return
        looked_at, self._worth_a_look = self._worth_a_look & self._todo.keys(), set()
        for key in sorted(looked_at, key=lambda k: (-self._schedule.remaining[k], k)):
            task = self._todo[key]
            if not task.operation.after <= self._succeeded:
                continue
            why = self._locks.blocked_by(key, task.operation.locks)
            if why:
                self._recorder.waits(task, why, None)
                for lock in task.operation.locks:
                    self._parked.setdefault(lock.name, set()).add(key)
                continue
            del self._todo[key]
            self._locks.take(key, task.operation.locks)
            self._active[key] = task
            self._steps.put(task.operation, "prepare")

    def _dispatch_due(self) -> None:
        if self._leaving:
            return
        for key, phase in self._steps.take(self._clock.now()):
            self._locks.tries_again(key)
            self._submit(key, phase)

    def _submit(self, key: Key, phase: Phase) -> None:
        task = self._active[key]
        self._calls += 1
        self._call_queue.submit(partial(self._call, key, phase, task))

    def _call(self, key: Key, phase: Phase, task: Task) -> None:
        """In a worker thread: make one step and put its result (or error) into the inbox."""
        try:
            result = self._work[phase](self, task)
        except VpngwError as error:
            result = error
        except Exception as error:
            result = VpngwError(f"unexpected {type(error).__name__} while working on {key}", advice="This is a bug.")
            result.__cause__ = error
        self._inbox.put((key, phase, result))

    def _do_prepare(self, task: Task) -> Any:
        return self._worker.prepare(
            task.operation,
            maybe_applied=task.retry_policy.maybe_applied,
            contentions=task.retry_policy.contentions,
            superseded=task.retry_policy.conflicts > 0,
            landing=unfilled(self._landings, task.operation.key, self._recorder.results, self._active),
        )

    def _do_send(self, task: Task) -> Any:
        assert task.prepared is not None  # noqa: S101 - a send follows a preparation
        return self._worker.cloud.begin(task.prepared.call)

    def _do_poll(self, task: Task) -> Any:
        assert task.pending is not None  # noqa: S101 - a poll follows an accepted call
        return self._worker.cloud.poll(task.pending)

    _work = {"prepare": _do_prepare, "send": _do_send, "poll": _do_poll}  # noqa: RUF012 - constant

    # -- messages

    def _receive(self, key: Key, phase: Phase, result: Any) -> None:
        self._calls -= 1
        task = self._active[key]
        if isinstance(result, VpngwError):
            self._failed(task, phase, result)
        elif phase == "prepare":
            self._prepared(task, result)
        elif phase == "send":
            self._sent(task, result)
        else:
            self._polled(task, result)

    def _prepared(self, task: Task, result: Prepared | NoCallNeeded | Busy | GateClosed | Blocked) -> None:
        match result:
            case NoCallNeeded(entry=entry, forget=forget):
                self._recorder.announce(task)
                self._recorder.remember(task, entry, forget)
                self._end(task, "succeeded")
            case Busy(observed=observed):
                self._recorder.waits(task, f"Azure to finish ({observed.state})", 10.0)
                self._later(self._clock.now() + poll_delay(None, task.polls, 60.0), task, "prepare")
                task.polls += 1
            case GateClosed(says=says):
                self._gate(task, says)
            case Blocked():
                self._blocked(task, result)
            case Prepared():
                if self._must_stop or self._halted:
                    self._back(task)
                    return
                if self._is_throttled:
                    self._later(self._not_before, task, "prepare")
                elif result.etag != "absent" or self._may_begin_again(task):
                    self._begin(task, result)

    def _may_begin_again(self, task: Task) -> bool:
        """A creation whose answer was lost and that Azure does not show: asked for a while, then begun again, twice."""
        hidden = task.retry_policy.still_hidden(self._clock.now())
        if hidden > 0:
            self._recorder.waits(task, "Azure to show what a call did whose answer was lost", hidden)
            self._later(self._clock.now() + min(hidden, 15.0), task, "prepare")
        elif task.retry_policy.lost > MAX_AGAIN:
            text = (
                f"{task.operation.id}: {task.retry_policy.lost} calls got no usable answer, and Azure does not show it."
            )
            self._give_up(task, Unavailable(text))
        else:
            return True
        return False

    def _begin(self, task: Task, prepared: Prepared) -> None:
        self._recorder.announce(task)
        task.prepared = prepared
        if not task.journalled:  # still open if an answer was lost
            self._recorder.begun(task, prepared)
        if task.retry_policy.maybe_applied and prepared.etag != "absent":
            self._recorder.remember_failed(task)  # made by the call whose answer was lost: ours, however this one ends
        self._recorder.once_durable(lambda: self._submit(task.operation.key, "send"))

    def _sent(self, task: Task, result: Pending | Ended) -> None:
        if isinstance(result, Ended):
            self._ended(task, result)
            return
        task.pending = result
        task.polls = 0
        task.last_progress = self._clock.now()
        self._recorder.accepted(task, result)
        self._later(self._clock.now() + self._delay(task, result.retry_after), task, "poll")

    def _polled(self, task: Task, result: Running | Ended) -> None:
        if isinstance(result, Ended):
            self._ended(task, result)
            return
        task.polls += 1
        task.retry_policy.poll_answered()
        self._recorder.progress(task, result.state)
        self._later(self._clock.now() + self._delay(task, result.retry_after), task, "poll")

    def _delay(self, task: Task, asked: float | None) -> float:
        since = task.pending.since if task.pending else None
        age = self._clock.now() - since if since is not None else 0.0
        return poll_delay(asked, task.polls, task.operation.seconds, age)

    def _ended(self, task: Task, ended: Ended) -> None:
        ids = task.pending.ids if task.pending else AzureIds()
        if ended.state != "Succeeded":
            error = ended.error or CloudError(f"{task.operation.id} ended as {ended.state}.", ids=ids)
            task.retry_policy.found()
            self._recorder.remember_failed(task)
            if self._locks.was_crowded(task.operation.key) and not task.retry_policy.contention_excused:
                task.retry_policy.contention_excused = True
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
        for text in notices:
            self._recorder.note(text)
        self._recorder.remember(task, entry)
        self._locks.succeeded(task.operation.key)
        self._end(task, "succeeded", ids=ids)

    # -- errors

    def _failed(self, task: Task, phase: Phase, error: VpngwError) -> None:
        now, operation = self._clock.now(), task.operation
        beside = phase != "poll" and isinstance(error, Contention) and self._locks.refused(operation.key)
        if phase != "poll" and (pause := seconds_to_wait(error)):
            self._not_before = max(self._not_before, now + pause)
        deleted = may_be_gone(error, operation.id, self._deleted())
        found = meaning(task.retry_policy, phase, error, now, operation.verb, self._random, deleted_some=deleted)
        if isinstance(found, Unconfirmed):
            self._halted = self._halted or found.is_mute
            self._give_up(task, error)
        elif isinstance(found, Failed):
            self._fail(task, advised(error, operation.id))
        elif phase == "poll":
            self._recorder.waits(task, found.why, found.delay)
            self._later(now + found.delay, task, "poll")
        else:
            self._again(task, error, max(found.delay, SIBLINGS) if beside else found.delay, why=found.why)

    def _deleted(self) -> list[ArmId]:
        results = self._recorder.results
        done = (op for op in self._schedule.operations if op.verb == "delete" and op.key in results)
        return [op.id for op in done if results[op.key].status == "succeeded"]

    def _again(self, task: Task, error: VpngwError, delay: float, *, why: str) -> None:
        """Prepare anew later: a new look decides what is left to do. The journal keeps open what may be under way."""
        if not task.retry_policy.lost:
            self._recorder.close(task, "failed", error)
        task.prepared, task.pending = None, None
        self._recorder.waits(task, why, delay)
        self._later(self._clock.now() + delay, task, "prepare")

    def _fail(self, task: Task, error: VpngwError) -> None:
        self._end(task, "failed", error=error)

    def _give_up(self, task: Task, error: VpngwError) -> None:
        """Nobody can say whether it was done: the journal keeps it open, the next run asks Azure."""
        self._end(task, "unconfirmed", error=explained(error, self._worker.cloud.identity.endpoint))

    def _gate(self, task: Task, says: str) -> None:
        self._recorder.waits(task, says, None)
        self._give(task.operation.key)
        del self._active[task.operation.key]
        self._recorder.result(task, "waiting", error=says)
        self._skip_dependents(task.operation.key, "waiting", task.operation.address)

    def _blocked(self, task: Task, found: Blocked) -> None:
        """Something Failed stands in the way: what is ours is repaired first, in this run; what is not fails it."""
        key, ahead = task.operation.key, self._todo.keys() | self._active.keys()
        grown = repaired_first(self._schedule, self._worker.plan, key, found.blocker, ahead=ahead)
        if grown is None:
            end = self._give_up if task.retry_policy.lost else self._fail
            end(task, found.error)
            return
        self._schedule, self._followers = grown, followers_of(grown.operations)
        for operation in grown.operations:
            if operation.key == key:
                task.operation = operation
            elif operation.id == found.blocker and operation.key not in ahead:
                self._todo[operation.key] = Task(operation)
                self._worth_a_look.add(operation.key)
        self._recorder.waits(task, f"the repair of {found.blocker.name}", None)
        self._back(task)

    def _skip_dependents(self, root: Key, status: Status, because: str) -> None:
        """Everything that waits for it, directly or through others; a repair may stand behind what waits for it."""
        behind = reached(root, self._followers)
        for key in [key for key in self._todo if key in behind]:
            self._recorder.result(self._todo.pop(key), status, because=because)

    # -- bookkeeping

    def _later(self, moment: float, task: Task, phase: Phase) -> None:
        self._steps.put(task.operation, phase, moment)

    def _end(
        self, task: Task, status: Closing, *, error: VpngwError | None = None, ids: AzureIds | None = None
    ) -> None:
        ids = ids or getattr(error, "ids", None)
        self._recorder.close(task, status, error)
        self._recorder.once_durable(lambda: self._ended_for_good(task, status, error, ids))

    def _ended_for_good(self, task: Task, status: Closing, error: VpngwError | None, ids: AzureIds | None) -> None:
        """Tell it, and let those go on who waited for it; the journal knows it already."""
        key = task.operation.key
        self._give(key)
        self._active.pop(key, None)
        self._recorder.result(task, status, failure=error, ids=ids)
        if status == "succeeded":
            self._succeeded.add(key)
            self._worth_a_look.update(self._followers.get(key, ()))
        else:
            self._skip_dependents(key, "skipped", task.operation.address)

    def _give(self, key: Key) -> None:
        """Release its locks; who waits for one of them is looked at again, who was refused beside it has its turn."""
        for lock in self._locks.give(key):
            self._worth_a_look |= self._parked.pop(lock.name, set())
            refused = self._locks.next_turned_away(lock)
            if refused is not None and refused in self._active:
                self._locks.tries_again(refused)
                self._steps.put(self._active[refused].operation, "prepare")

    def _back(self, task: Task) -> None:
        """Not started after all: it is behind something else, or the run is being left."""
        key = task.operation.key
        self._give(key)
        del self._active[key]
        self._todo[key] = task
        self._worth_a_look.add(key)

    def _leave(self) -> None:
        """Say of everything that did not end what it is; what runs in Azure stays open in the journal."""
        for key, task in list(self._active.items()):
            status: Status = "running" if task.pending else ("unconfirmed" if task.journalled else "not-started")
            self._recorder.result(task, status)
            del self._active[key]
        for task in self._todo.values():
            self._recorder.result(task, "unconfirmed" if task.journalled else "not-started")
        self._todo.clear()
