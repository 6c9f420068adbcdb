"""One run that may write: take the lock, continue what was left, plan, ask, carry out, close. Used by the workspace."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import field, replace
from typing import Any, Literal

from vpngw_iac._version import __version__
from vpngw_iac.engine.ask.probe import MISSING_RIGHTS
from vpngw_iac.engine.compare.document import lookup, secrets_in
from vpngw_iac.engine.compare.secret_masking import entry_of, resolver
from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.execute.event import OperationResult, Outcome, without_secrets
from vpngw_iac.engine.execute.loop import Execution
from vpngw_iac.engine.execute.release import Release
from vpngw_iac.engine.execute.resume import Resumption
from vpngw_iac.engine.execute.stop import Limits, ReadInterrupted, Stop
from vpngw_iac.engine.execute.worker import Worker
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.engine.order.order import schedule
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.decisions import PlanCheck, check_fresh, line_of
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.result import ending, left
from vpngw_iac.engine.plan.saved import ReviewedPlan
from vpngw_iac.errors import ExitCode, Forbidden, Refused, SecretError, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.secret import Fingerprint, SecretReference
from vpngw_iac.state.binding import binding_of
from vpngw_iac.state.journal import EntriesMoved, EntryRemoved, EntrySet, LoadedState, RunClosed, RunOpened
from vpngw_iac.state.log import ended_by
from vpngw_iac.state.model import Entry, State
from vpngw_iac.state.store import LockedStore
from vpngw_iac.text import listed, plural
from vpngw_iac.usecases.change_window import ChangeWindow
from vpngw_iac.usecases.locking import LockWait, RedactedStore
from vpngw_iac.usecases.planner import ask, decide, renamed
from vpngw_iac.usecases.session import Session

BUSY_POLL = 15.0

APPROVER = "VPNGW_APPROVER"
"""The variable in which a pipeline says who approved the run."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What was asked of a run."""

    command: Literal["apply", "destroy", "wait"]
    options: Options
    reviewed: ReviewedPlan | None
    """A plan that must come out again."""
    on_event: Callable[[events.Event], None] | None
    confirm: Callable[[Plan], bool] | None
    detach: bool
    timeout: float | None
    stop: Stop
    lock_timeout: float = 0.0
    """Seconds to wait for another run's lock."""
    window: ChangeWindow = field(default_factory=ChangeWindow)
    """When it may begin to change something."""
    on_locked: Callable[[], None] | None = None
    """Called when the lock is held, before anything is planned; may take its time."""


def run(session: Session, request: RunRequest) -> Outcome:
    """Do it. Raises what refuses the whole run; what happens to single operations is in the outcome."""
    with ExitStack() as stack:
        stack.enter_context(session.redacted())
        return _run(session, request, stack)


def _run(session: Session, request: RunRequest, stack: ExitStack) -> Outcome:
    request.window.check(session.clock.utc())
    store = session.bound_store()
    store.load()  # a damaged or foreign state is told before a lock is taken, and before anything is written
    if request.command != "wait":
        session.key(create=True)
    owner = session.owner(f"vpngw {request.command}")
    tell = request.on_event or (lambda _: None)
    lock_wait = LockWait(
        request.lock_timeout,
        session.clock,
        lambda text: tell(events.Notice(text, session.clock.utc())),
        request.stop,
    )
    try:
        locked = stack.enter_context(lock_wait.locked(store, owner))
    except ReadInterrupted:
        word, code = left(request.stop)
        return Outcome(request.command, session.deployment, word, (), session.correlation, 0.0, code)
    if request.on_locked is not None:
        request.on_locked()
    return _Run(session, request, RedactedStore(locked, session.masks)).go()


class _Run:
    def __init__(self, session: Session, request: RunRequest, locked: LockedStore) -> None:
        self.request, self.session, self.locked, self.clock = request, session, locked, session.clock
        self.started = self.clock.now()
        deadline = None if request.timeout is None else self.started + request.timeout
        self.limits = Limits(request.detach, deadline)
        self._telling = threading.RLock()
        session.tell = lambda text: self.tell(events.Notice(text, self.clock.utc()))
        self.results: list[OperationResult] = []
        self.notices: list[str] = []
        self.incomplete: set[str] = set()
        """Addresses whose entries lack needs that have no entry yet."""

    def tell(self, event: events.Event) -> None:
        """Pass an event on, one at a time; whatever it repeats, it shows no secret of this run."""
        if self.request.on_event is not None:
            with self._telling:
                self.request.on_event(without_secrets(event, self.session.masks))

    def _note(self, text: str) -> None:
        """Tell what people should know at the end too."""
        self.notices.append(text)
        self.tell(events.Notice(text, self.clock.utc()))

    def _checkpoint(self, state: State) -> None:
        self.locked.checkpoint(state.model_copy(update={"written_by": __version__}))

    def go(self) -> Outcome:
        loaded = self._open()
        try:
            outcome = self._work(loaded)
        except VpngwError as error:
            with contextlib.suppress(VpngwError):  # what went wrong first is told
                self._close("failed", error.exit_code)
            raise
        except ReadInterrupted:
            outcome = self._left()
        self._close(outcome.outcome, outcome.exit_code)
        self.tell(events.RunEnded(outcome.outcome, outcome.seconds, self.clock.utc()))
        return outcome

    def _open(self) -> LoadedState:
        session = self.session
        loaded = self._take_over(self.locked.loaded())
        if loaded is None:
            loaded = LoadedState(State.new(session.deployment, binding_of(session.cloud.identity)))
            self._checkpoint(loaded.state)
        self.notices += [*self.locked.notices, *loaded.notices]
        owner, reviewed = session.owner(""), self.request.reviewed
        self.locked.append(
            RunOpened(
                at=self.clock.utc(),
                run=session.run,
                command=self.request.command,
                actor=owner.actor,
                correlation=session.correlation,
                version=__version__,
                url=owner.url,
                approver=session.place.environment.get(APPROVER, ""),
                digest=reviewed.digest if reviewed else "",
                decisions=tuple(map(line_of, reviewed.decisions)) if reviewed else (),
            )
        )
        return loaded

    def _take_over(self, loaded: LoadedState | None) -> LoadedState | None:
        """The state of the blueprint's former name, written here before it is emptied there (a copy stays there).

        A run that died in between is finished: both states have one lineage then.
        """
        old = self.session.former
        if old is None:
            return loaded
        store = old.bound_store()
        if not _is_left_behind(store.load(), loaded):
            return loaded
        with store.locked(old.owner(f"vpngw {self.request.command} (renamed to {self.session.deployment})")) as locked:
            left = store.load()
            if left is None or not _is_left_behind(left, loaded):
                return loaded
            if left.in_flight:
                raise Refused(
                    f"A run under the old name {old.deployment} left operations open.",
                    advice=f"Run `vpngw wait` with the name {old.deployment} first.",
                )
            if loaded is None:
                loaded = renamed(left, self.session.deployment)
                self._checkpoint(loaded.state)
            store.replace(locked, left.state.model_copy(update={"entries": {}}))
        self.notices.append(f"Took over the state of {old.deployment}.")
        return loaded

    def _close(self, outcome: str, exit_code: int) -> None:
        self.locked.append(
            RunClosed(at=self.clock.utc(), run=self.session.run, outcome=outcome, exit_code=int(exit_code))
        )
        loaded = self.locked.loaded()
        if loaded is not None and not loaded.in_flight:
            self._checkpoint(loaded.state)

    # -- the sentence

    def _work(self, loaded: LoadedState) -> Outcome:
        if loaded.in_flight:
            self._continue(loaded)
            if any(result.status == "running" for result in self.results):
                return self._outcome(())
        plan = self._plan()
        if self.request.command == "wait":
            return self._outcome((), plan)
        if busy := _busy(plan):
            self.notices.append(f"Azure is still at work on {', '.join(busy)}; nothing was started.")
            return self._left(plan)
        with self.request.stop.ends():
            plan = ask(self.session, plan)
        self._check(plan)
        if not self._confirmed(plan):
            return replace(
                self._outcome(()), outcome="failed", exit_code=ExitCode.ERROR, notices=("Nothing was done.",)
            )
        self.request.window.check(self.clock.utc())  # lock and approval may have taken hours
        self.locked.renew()
        planned = schedule(plan)
        if plan.options.destroy:
            self.session.let_go()
        with self.request.stop.ends():
            fingerprints = self._require_secrets(plan, planned)
        self._remember_only(plan, fingerprints)
        plan = replace(plan, snapshot=plan.snapshot.outlined())
        results = self._carry_out(plan, planned)
        self._complete_needs(plan)
        return self._outcome(results, plan)

    def _confirmed(self, plan: Plan) -> bool:
        """Whether the plan may be carried out; the time that people think about it does not count."""
        if self.request.confirm is None or not plan.changes:
            return True
        asked = self.clock.now()
        confirmed = self.request.confirm(plan)
        thought = self.clock.now() - asked
        self.started += thought
        if self.limits.deadline is not None:
            self.limits = replace(self.limits, deadline=self.limits.deadline + thought)
        return confirmed

    def _left(self, plan: Plan | None = None) -> Outcome:
        """Nothing was begun, and the run is over."""
        word, code = left(self.request.stop)
        return replace(self._outcome((), plan), outcome=word, exit_code=code)

    def _continue(self, loaded: LoadedState) -> None:
        """What an earlier run began is waited for first; the blueprint is applied afterwards, never instead."""
        resumption = Resumption(
            self.session.cloud,
            self.locked,
            self.clock,
            self.tell,
            self.request.stop,
            self.limits,
            loaded.state.deployment,
            self.session.correlation,
            loaded.state.by_id(),
        )
        self.results += resumption.run(tuple(loaded.in_flight.values()))

    def _plan(self) -> Plan:
        plan = self._decide()
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.request.stop.wakes(inbox)
        told: tuple[str, ...] = ()
        while (busy := _busy(plan)) and self.request.command != "wait" and not self._must_leave():
            if busy != told:
                self.tell(events.Notice(f"Azure is still at work on {', '.join(busy)}.", self.clock.utc()))
            told = busy
            self.clock.next(inbox, BUSY_POLL, calls_in_flight=0)
            plan = self._decide()
        return plan

    def _decide(self) -> Plan:
        with self.request.stop.ends():
            return decide(self.session, self.locked.loaded(), self.request.options, resumed=True)

    def _must_leave(self) -> bool:
        return self.request.stop.asked or self.limits.are_over(self.clock.now())

    def _check(self, plan: Plan) -> None:
        if lacking := tuple(finding for finding in plan.findings if finding.rule == MISSING_RIGHTS):
            error = Forbidden(f"Rights are missing for this {self.request.command}; nothing was done.")
            error.findings = lacking
            raise error
        reviewed = self.request.reviewed
        fresh = self._fresh(reviewed, plan) if reviewed is not None else PlanCheck()
        if plan.blocking:
            count = len(plan.blocking)
            refuse = "1 finding refuses" if count == 1 else f"{count} findings refuse"
            raise Refused(
                f"{refuse} this {self.request.command}; nothing was done.",
                findings=plan.findings,
            )
        for address in fresh.rotated:
            self._note(
                f"{address}: its key could not be read when the plan was made, and is another one than was applied."
            )
        if fresh.ended:
            self._note(f"An earlier run of this plan has carried out: {'; '.join(fresh.ended)}.")

    def _fresh(self, reviewed: ReviewedPlan, plan: Plan) -> PlanCheck:
        """Whether the plan came out again, less what an interrupted run of the very same plan has carried out."""
        history = self.session.store().history
        ended = lambda: ended_by(reviewed.digest, history())  # noqa: E731 - asked only where something is missing
        return check_fresh(reviewed.decisions, plan, reviewed.unreadable, ended)

    def _require_secrets(self, plan: Plan, planned: Schedule) -> dict[SecretReference, Fingerprint]:
        """Everything that this plan will send can be resolved, and what is to be generated exists (before any call)."""
        source, key = self.session.secrets(), self.session.required_key()
        fingerprints: dict[SecretReference, Fingerprint] = {}
        for resource in _touched(plan, planned):
            for path, reference in secrets_in(resource.body()):
                if reference in fingerprints:
                    continue
                try:
                    source.prepare(reference)
                    value = source.resolve(reference)
                except SecretError as error:
                    message = f"{resource.address}, {path}: {error.message} Nothing was done."
                    raise SecretError(message, advice=error.advice, address=resource.address) from None
                fingerprints[reference] = key.fingerprint(value.value, value.version)
        return fingerprints

    def _remember_only(self, plan: Plan, fingerprints: dict[SecretReference, Fingerprint]) -> None:
        """Changes of the state alone: moves, adoptions, what is forgotten, what Azure already has.

        The state is valid after each record: what is needed comes before what needs it.
        """
        moved = dict(plan.new_addresses())
        if moved:
            self.locked.append(EntriesMoved(at=self.clock.utc(), addresses=moved))
        for change in plan.changes:
            if change.action is Action.FORGET and not change.releases:
                self._forget(plan, change)
            elif change.action in (Action.ADOPT, Action.UPDATE) and change.old_id is not None:
                self._let_go(plan, change)
        for address in plan.state_only_updates:
            if address not in plan.graph.resources:
                self.locked.append(EntryRemoved(at=self.clock.utc(), address=address, why="deleted"))
        before: dict[str, Entry | None] = {a: plan.state.entries.get(a) for a in plan.state_only_updates}
        taken = {c.address: c.adopted for c in plan.changes if c.action is Action.ADOPT}
        before |= dict.fromkeys(taken)
        before |= {c.address: plan.state.entries[c.previous or ""] for c in plan.changes if c.action is Action.MOVE}
        known = set(plan.state.by_id())
        for address in plan.graph.needed_first(before):
            entry = self._entry(plan, address, fingerprints, before[address])
            adopted = {"created": False, "adopted": dict(taken[address])} if before[address] is None else {}
            needs = tuple(needed for needed in entry.needs if needed in known)
            self.locked.append(
                EntrySet(at=self.clock.utc(), entry=entry.model_copy(update={"needs": needs, **adopted}))
            )
            known.add(entry.id)
            self.incomplete |= {address} if needs != entry.needs else set()
        if taken:
            self._note(f"{plural(len(taken), 'resource')} adopted, as Azure has them: {listed(sorted(taken), most=5)}.")

    def _complete_needs(self, plan: Plan) -> None:
        """What was adopted before something that it needs was created now needs that too."""
        loaded = self.locked.loaded() if self.incomplete else None
        for address in sorted(self.incomplete):
            entry = loaded.state.entries.get(address) if loaded else None
            known = loaded.state.by_id() if loaded else {}
            if entry is not None:
                needs = tuple(needed for needed in plan.needed_entries(address) if needed in known)
                self.locked.append(EntrySet(at=self.clock.utc(), entry=entry.model_copy(update={"needs": needs})))

    def _forget(self, plan: Plan, change: Change) -> None:
        tagged = self._drop(plan.state.entries.get(change.address))
        self._note(f"{change.address} ({change.id}) is left in Azure: {change.reason}." + (_TAGGED if tagged else ""))

    def _drop(self, entry: Entry | None) -> bool:
        """Forget an entry, its tag first: who dies in between forgets it again. Whether it bears our tag still."""
        if entry is None:
            return False
        release = Release(
            lambda: self.session.cloud, self.locked, self.clock, self.session.run, self.session.deployment
        )
        tagged = release.bears_tag_still(entry)
        self.locked.append(EntryRemoved(at=self.clock.utc(), address=entry.address, why="forgotten", tagged=tagged))
        return tagged

    def _let_go(self, plan: Plan, change: Change) -> None:
        """An adoption in place of what the entry stood for: that is forgotten and named, never deleted by this."""
        old = plan.state.by_id().get(change.old_id or change.id)
        if old is None:
            return
        self.incomplete |= {entry.address for entry in plan.state.entries.values() if old.id in entry.needs}
        tagged = self._drop(old)
        left = "is left in Azure" if plan.snapshot.get(old.id).present else "is gone in Azure"
        text = f"{old.address} stands for {change.id} now; {old.id} is forgotten and {left}."
        self._note(text + (_TAGGED if tagged else ""))

    def _entry(
        self, plan: Plan, address: str, fingerprints: dict[SecretReference, Fingerprint], before: Entry | None
    ) -> Entry:
        resource = plan.graph.resources[address]
        echoed = plan.snapshot.get(resource.id).document
        fingerprints = {
            reference: known
            for path, reference in secrets_in(resource.body())
            if (known := fingerprints.get(reference)) and known == lookup(echoed, path)
        }
        entry = entry_of(resource, plan.needed_entries(address), fingerprints, resolver(plan.snapshot.get), before)
        return entry if type(resource).trouble(echoed or {}) else entry.model_copy(update={"broken": ""})

    def _carry_out(self, plan: Plan, planned: Schedule) -> tuple[OperationResult, ...]:
        loaded = self.locked.loaded()
        current = replace(plan, state=loaded.state if loaded else plan.state)
        self.session.cloud.ready_to_write([operation.id for operation in planned.operations])
        self.tell(
            events.RunStarted(
                plan.deployment,
                self.session.correlation,
                len(planned.operations),
                planned.seconds,
                self.clock.utc(),
            )
        )
        execution = Execution(
            planned,
            Worker(current, self.session.cloud, self.session.secrets(), self.session.required_key()),
            self.locked,
            self.clock,
            run=self.session.run,
            on_event=self.tell,
            stop=self.request.stop,
            limits=self.limits,
            threads=self.session.place.threads,
        )
        results = execution.run()
        self.notices += execution.notices
        return results

    def _outcome(self, results: tuple[OperationResult, ...], plan: Plan | None = None) -> Outcome:
        waited_only = self.request.command == "wait"
        of_interest = ("succeeded", "failed", "running") if waited_only else ("running",)
        judged = [r for r in self.results if r.status in of_interest]
        word, code = ending([*judged, *results], self.request.stop)
        return Outcome(
            kind=self.request.command,
            deployment=self.session.deployment,
            outcome=word,
            operations=tuple(
                without_secrets(each, self.session.masks)
                for each in (*_not_done_again(self.results, results), *results)
            ),
            correlation=self.session.correlation,
            seconds=self.clock.now() - self.started,
            exit_code=code,
            findings=plan.findings if plan else (),
            notices=tuple(dict.fromkeys(map(self.session.masks.scrub, self.notices))),
            changes_left=len(plan.changes) if plan and waited_only else None,
            secrets=plan.secrets if plan else (),
        )


_TAGGED = " Its tag vpngw-deployment could not be taken off; the state remembers it as forgotten."


def _not_done_again(before: Iterable[OperationResult], now: Iterable[OperationResult]) -> Iterator[OperationResult]:
    """What became of an earlier run's operations; where this run worked on the same thing, its own result says more."""
    again = {result.address for result in now}
    yield from (r for r in before if r.address not in again or r.status in ("succeeded", "running"))


def _is_left_behind(old: LoadedState | None, new: LoadedState | None) -> bool:
    """Whether the state of a former name has still to be taken over, or emptied by a run that died meanwhile."""
    if old is None or not old.state.entries:
        return False
    return new is None or new.state.lineage == old.state.lineage


def _touched(plan: Plan, planned: Schedule) -> Iterator[Resource]:
    """What needs its secrets; a tag is written without."""
    addresses = {c.address for c in plan.changes if c.action is not Action.TAG} | set(plan.state_only_updates)
    holders = {op.address for op in planned.operations if op.verb != "tag"}
    return (r for r in plan.graph.resources.values() if r.address in addresses or r.address in holders)


def _busy(plan: Plan) -> tuple[str, ...]:
    """Names of what Azure is still at work on: nothing is decided about it before that has ended."""
    observed = plan.snapshot.observed.values()
    return tuple(sorted(each.id.name for each in observed if each.present and not each.is_terminal))
