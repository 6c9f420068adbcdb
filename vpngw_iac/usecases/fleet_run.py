"""Runs of several deployments side by side: who comes after whom, locks in order, one answer for all plans."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from vpngw_iac.engine.execute.clock import received
from vpngw_iac.engine.execute.event import Event, Outcome
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.result import left
from vpngw_iac.errors import ExitCode, Refused, VpngwError
from vpngw_iac.text import listed
from vpngw_iac.usecases.change_window import ChangeWindow
from vpngw_iac.usecases.fleet_uses import Makers, OpenedMember, makers_of, order_of, waves_of, with_maker
from vpngw_iac.usecases.runner import RunRequest, run
from vpngw_iac.usecases.threads import LOOK, attempt, in_threads

Command = Literal["apply", "destroy", "wait"]
OnEvent = Callable[[str, Event], None]
"""Hears the events of each deployment, by its name, one at a time."""
OnPlan = Callable[[str, Plan], None]
"""Hears what a deployment is about to do, where nobody is asked."""
Confirm = Callable[[Mapping[str, Plan], Mapping[str, VpngwError], Sequence[str]], bool]
"""Asked once for all plans that change something, by name of the deployment; what has failed until then; and who comes
after these, because it uses what they make, and is asked about then."""
Ended = tuple[Outcome | None, VpngwError | None]

_LEAVING = 5.0
"""Seconds, beyond what running calls get, after which a run that was asked to stop is left alone: a read hangs."""


def _goes_on(ended: Ended | None) -> bool:
    """Whether a deployment was left while Azure is at work, or somebody else is."""
    outcome = ended[0] if ended else None
    return outcome is not None and outcome.exit_code == ExitCode.RUNNING


class FleetRun:
    """One apply, destroy or wait of a fleet."""

    def __init__(
        self,
        command: Command,
        parallel: int,
        stop: Stop,
        options: Options | None = None,
        on_event: OnEvent | None = None,
        on_plan: OnPlan | None = None,
        confirm: Confirm | None = None,
        *,
        detach: bool = False,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        window: ChangeWindow | None = None,
    ) -> None:
        self.command, self.parallel, self.stop = command, parallel, stop
        self._options, self._on_event, self._on_plan, self._confirm = options, on_event, on_plan, confirm
        self._limits: dict[str, Any] = {"detach": detach, "timeout": timeout, "lock_timeout": lock_timeout}
        self._limits["window"] = window or ChangeWindow()
        self._telling = threading.RLock()
        self._asked_since: float | None = None
        self._declined = False
        self._later: Sequence[str] = ()
        self._makers: Mapping[str, Makers] = {}

    def all_of(self, members: Collection[OpenedMember]) -> dict[str, Ended]:
        """How each of these ended: those that use others after them, or before them in a destroy.

        What comes after a deployment that is left while Azure goes on is not begun: the next run does it.
        """
        self._makers = makers_of(members)
        comes_after = self._comes_after(order_of(members, self._makers))
        order, ended = waves_of(members, comes_after), dict[str, Ended]()
        for number, wave in enumerate(order, start=1):
            ready = []
            for member in wave:
                undone = sorted(name for name in comes_after[member.name] if _goes_on(ended.get(name)))
                if undone:
                    ended[member.name] = self._waits_for(member, undone)
                else:
                    ready.append(member)
            ended |= self._go(ready, sorted(member.name for after in order[number:] for member in after))
        return ended

    def _comes_after(self, order: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
        """Whose end each of them needs."""
        match self.command:
            case "apply":
                return order
            case "destroy":
                return {name: {after for after, before in order.items() if name in before} for name in order}
            case "wait":
                return {name: set() for name in order}

    def _waits_for(self, member: OpenedMember, undone: Sequence[str]) -> Ended:
        told = f"It comes after {listed(undone)}, where Azure is still at work."
        return Outcome(self.command, member.name, "running", exit_code=ExitCode.RUNNING, notices=(told,)), None

    def _go(self, wave: Sequence[OpenedMember], later: Sequence[str]) -> dict[str, Ended]:
        """How each of these ended; `later` names those that come after them. Who said no is not asked again."""
        if self._declined:
            return {member.name: self._not_wanted(member) for member in wave}
        self._later = later
        ended = self._at_once(wave) if self._confirm else self._at_their_turn(wave)
        return dict(zip((member.name for member in wave), ended, strict=True))

    # -- without a question

    def _at_their_turn(self, wave: Sequence[OpenedMember]) -> list[Ended]:
        def tell(member: OpenedMember) -> Callable[[Plan], bool]:
            def told(plan: Plan) -> bool:
                if self._on_plan is not None:
                    with self._telling:
                        self._on_plan(member.name, plan)
                return True

            return told

        return in_threads(
            wave,
            lambda member: self.ran(member, tell(member)),
            self.parallel,
            instead=lambda member: self.left(member) if self.gives_up() else None,
        )

    # -- with one question for all

    def _at_once(self, wave: Sequence[OpenedMember]) -> list[Ended]:
        return _Meeting(self, wave).held()

    def asked(self, plans: Mapping[str, Plan], failed: Mapping[str, VpngwError]) -> bool:
        """What people say to all these plans."""
        assert self._confirm is not None  # noqa: S101 - else there is no meeting
        agreed = self._confirm(plans, failed, self._later)
        self._declined = not agreed
        return agreed

    def _not_wanted(self, member: OpenedMember) -> Ended:
        if self.stop.asked:
            return self.left(member)
        notices = ("Nothing was done.",)
        return Outcome(self.command, member.name, "failed", exit_code=ExitCode.ERROR, notices=notices), None

    # -- one member

    def ran(
        self, member: OpenedMember, confirm: Callable[[Plan], bool], on_locked: Callable[[], None] | None = None
    ) -> Ended:
        """Run one of them to its end; nothing is begun after somebody asked to stop."""
        if self.stop.asked:
            return self.left(member)
        reviewed = member.session.reviewed
        chosen = self._options or (reviewed.options if reviewed else Options())
        if self.command == "destroy":
            chosen = replace(chosen, destroy=True)
        request = RunRequest(
            self.command,
            chosen,
            reviewed if self.command == "apply" else None,
            lambda event: self._tell(member.name, event),
            None if self.command == "wait" else confirm,
            stop=self.stop.follower(),
            on_locked=on_locked,
            **self._limits,
        )
        outcome, error = attempt(lambda: run(member.session, request))
        if isinstance(error, Refused):
            error.findings = tuple(with_maker(finding, self._makers[member.name]) for finding in error.findings)
        return self.left(member) if self._is_unanswered(outcome) else (outcome, error)

    def _is_unanswered(self, outcome: Outcome | None) -> bool:
        """Whether it did nothing because somebody asked to stop in place of an answer."""
        return outcome is not None and self.stop.asked and outcome.outcome == "failed" and not outcome.operations

    def left(self, member: OpenedMember) -> Ended:
        """How a deployment ends of which nothing was begun."""
        word, code = left(self.stop)
        return Outcome(self.command, member.name, word, exit_code=code), None

    def gives_up(self) -> bool:
        """Whether runs that do not end although they were asked to are left alone."""
        if not self.stop.asked:
            return False
        self._asked_since = self._asked_since or time.monotonic()
        return time.monotonic() - self._asked_since > (1.0 if self.stop.immediate else self.stop.grace + _LEAVING)

    def _tell(self, name: str, event: Event) -> None:
        if self._on_event is not None:
            with self._telling:
                self._on_event(name, event)


class _Meeting:
    """Runs that hold their locks wait here for one answer; each takes its lock after the one before it.

    `parallel` of them plan, and later work, at a time; who waits for the answer keeps no other from planning.
    """

    def __init__(self, fleet_run: FleetRun, wave: Sequence[OpenedMember]) -> None:
        self._fleet_run, self._wave = fleet_run, wave
        self._desk: queue.SimpleQueue[tuple[int, Plan | None, Ended | None]] = queue.SimpleQueue()
        self._slots = threading.Semaphore(fleet_run.parallel)
        self._answered = threading.Event()
        self._answer = False
        self._locked: set[int] = set()
        self._plans: dict[int, Plan] = {}
        self._ended: dict[int, Ended] = {}

    def held(self) -> list[Ended]:
        """How each of them ended."""
        everybody = range(len(self._wave))
        try:
            for number in everybody:
                threading.Thread(target=self._member, args=(number,), name="vpngw-deployment", daemon=True).start()
                self._hear_until(lambda number=number: number in self._locked or number in self._ended)  # type: ignore[misc]
            self._hear_until(lambda: len(self._plans.keys() | self._ended.keys()) == len(self._wave))
            open_ = {self._wave[n].name: plan for n, plan in sorted(self._plans.items()) if n not in self._ended}
            failed = {self._wave[n].name: error for n, (_, error) in sorted(self._ended.items()) if error is not None}
            self._answer = bool(open_) and not self._fleet_run.stop.asked and self._fleet_run.asked(open_, failed)
        finally:
            self._answered.set()
            self._hear_until(lambda: len(self._ended) == len(self._wave))
        return [self._ended.get(number) or self._fleet_run.left(self._wave[number]) for number in everybody]

    def _hear_until(self, is_enough: Callable[[], bool]) -> None:
        while not is_enough() and not self._fleet_run.gives_up():
            try:
                number, plan, ended = received(self._desk, LOOK)
            except queue.Empty:
                continue
            self._locked.add(number)
            if plan is not None:
                self._plans[number] = plan
            if ended is not None:
                self._ended[number] = ended

    def _member(self, number: int) -> None:
        works = False

        def locked() -> None:
            nonlocal works
            self._desk.put((number, None, None))
            works = self._slots.acquire()

        def confirm(plan: Plan) -> bool:
            nonlocal works
            self._desk.put((number, plan, None))
            self._slots.release()
            works = False
            self._answered.wait()
            works = self._slots.acquire()
            return self._answer

        ended = self._fleet_run.ran(self._wave[number], confirm, locked)
        if works:
            self._slots.release()
        self._desk.put((number, None, ended))
