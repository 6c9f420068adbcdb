"""Several deployments in one go: each with its own state and lock, all with one client, one quota, one pool.

The deployment is the unit. A failure in one stops no other; what one uses of another is made before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.fleet_files import files_of
from vpngw_iac.blueprints.load import load, saved_plan
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.result import Drift, drift_of
from vpngw_iac.errors import BlueprintError, ExitCode, FileDenied, UsageError, VpngwError, worst
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.usecases.change_window import ChangeWindow
from vpngw_iac.usecases.fleet_plans import FleetPlans
from vpngw_iac.usecases.fleet_run import Confirm, FleetRun, OnEvent, OnPlan
from vpngw_iac.usecases.fleet_uses import OpenedMember, known
from vpngw_iac.usecases.session import Deployable
from vpngw_iac.usecases.threads import attempt, in_threads
from vpngw_iac.usecases.workspace import Workspace, drift_options

PARALLEL = 32
"""Deployments at work at once, unless somebody says otherwise: they wait for Azure most of the time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FleetMember:
    """One deployment of a fleet: what, and the workspace beside its file. `error`: why its file says nothing."""

    name: str
    workspace: Workspace = field(repr=False)
    what: Deployable | None = None
    file: str = ""
    saved: Mapping[str, Any] | None = field(default=None, repr=False)
    """The plan file, where one is to be carried out."""
    error: VpngwError | None = None

    def deployable(self) -> Deployable:
        """What is to be deployed; raises why that cannot be known."""
        if self.error is not None:
            raise self.error
        if self.saved is not None:
            return self.workspace.load_plan(self.saved)
        assert self.what is not None  # noqa: S101 - one of the three is there
        return self.what


@dataclass(frozen=True, slots=True)
class DeploymentResult(Generic[T]):
    """How one deployment of a fleet went: a result, or the error that ended it.

    ``f"{deployment_result.deployment}: {deployment_result.error or 'fine'}"``
    """

    deployment: str
    file: str
    """Where its blueprint stands; empty if it was made in Python."""
    result: T | None = None
    """A plan, an outcome or a drift."""
    error: VpngwError | None = None

    @property
    def required_error(self) -> VpngwError:
        """The error, where there is no result."""
        assert self.error is not None  # noqa: S101 - one of both is there
        return self.error

    @property
    def exit_code(self) -> ExitCode:
        """What a run of this deployment alone would exit with."""
        if self.error is not None:
            return ExitCode(self.error.exit_code)
        match self.result:
            case Outcome():
                return ExitCode(self.result.exit_code)
            case Plan():
                return ExitCode.REFUSED if self.result.blocking else ExitCode.DONE
            case Drift():
                return ExitCode.CHANGES if self.result.alarming else ExitCode.DONE
        return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class FleetResult(Generic[T]):
    """What became of every deployment, in the order of their names.

    ``[one.deployment for one in fleet_result.deployments if one.error]``
    """

    deployments: tuple[DeploymentResult[T], ...]
    """One for each."""
    seconds: float = 0.0
    """Real seconds, also on the simulator."""

    @property
    def by_name(self) -> dict[str, T | VpngwError]:
        """What became of each deployment: a result or an error."""
        return {one.deployment: one.required_error if one.result is None else one.result for one in self.deployments}

    @property
    def exit_code(self) -> ExitCode:
        """The first in the order of precedence that any deployment has."""
        return worst(one.exit_code for one in self.deployments)


class Fleet:
    """Deployments that are planned and applied in one go.

    ``Fleet.of(workspace, "hub.py").plan().exit_code``
    """

    def __init__(self, members: Iterable[FleetMember], *, parallel: int = PARALLEL) -> None:
        """Raises `UsageError` if two deployments have one name: their states would be one."""
        if parallel < 1:
            raise UsageError(f"{parallel} deployments at once are none.", advice="Give at least 1.")
        self.members = tuple(sorted(members, key=lambda member: (member.name.lower(), member.file)))
        self.parallel = parallel
        known: dict[str, FleetMember] = {}
        for member in self.members:
            if (twin := known.setdefault(member.name.lower(), member)) is not member:
                raise UsageError(
                    f"Two deployments are called {member.name!r}: {twin.file or 'one'} and {member.file or 'another'}.",
                    advice="Each needs a name of its own: its state is kept under it.",
                )

    @classmethod
    def of(cls, workspace: Workspace, *what: Blueprint | Path | str, parallel: int = PARALLEL) -> Fleet:
        """A fleet of blueprints, and of all blueprints in files, folders and patterns; saved plans are files too.

        A file that holds no valid blueprint is a deployment that fails; the others go on.
        """
        return cls(members_of(workspace, *what), parallel=parallel)

    def workspace_of(self, name: str) -> Workspace:
        """Where a deployment of this fleet is deployed."""
        return next(member.workspace for member in self.members if member.name == name)

    # -- reading

    def each(self, work: Callable[[Workspace, Deployable], T]) -> FleetResult[T]:
        """Do something that only reads with every deployment, several at a time."""
        began = time.monotonic()

        def done(member: FleetMember) -> DeploymentResult[T]:
            return DeploymentResult(
                member.name, member.file, *attempt(lambda: work(member.workspace, member.deployable()))
            )

        return FleetResult(tuple(in_threads(self.members, done, self.parallel)), time.monotonic() - began)

    def plan(self, options: Options | None = None) -> FleetResult[Plan]:
        """Plan every deployment. Nothing is written, no lock is taken.

        What uses a thing that is not there yet, and that one before it will make, is not refused: its plan says `after`
        which one, and `apply` of the fleet asks again at its turn.
        """
        return self.planned(options, lambda _, plan: plan)

    def planned(self, options: Options | None, told: Callable[[Workspace, Plan], T]) -> FleetResult[T]:
        """What is `told` of the plan of every deployment; no plan is kept longer than it takes."""
        began, plans = time.monotonic(), FleetPlans(options, told)
        found = self.each(plans.first).deployments
        plans.all_known(lambda: [one for one in self._opened().values() if isinstance(one, OpenedMember)])

        def whole(member: FleetMember, one: DeploymentResult[T | None]) -> DeploymentResult[T]:
            if one.error is not None or not plans.is_open(member.name):
                return cast("DeploymentResult[T]", one)
            again = attempt(lambda: plans.second(member.name, member.workspace, member.deployable()))
            return DeploymentResult(member.name, member.file, *again)

        return FleetResult(tuple(map(whole, self.members, found)), time.monotonic() - began)

    def drift(self, *, deep: bool = False, verify_keys: str | None = None) -> FleetResult[Drift]:
        """How Azure moved away from what was applied, for every deployment; what another one manages is told apart."""
        options, managers = drift_options(deep=deep, verify_keys=verify_keys), dict[str, list[str]]()

        def drifted(workspace: Workspace, what: Deployable) -> Drift:
            plan = workspace.plan(what, options)
            for entry in plan.state.entries.values():
                managers.setdefault(entry.id.key, []).append(plan.deployment)
            return drift_of(plan)

        found = self.each(drifted)
        told = (replace(one, result=known(one.result, managers)) if one.result else one for one in found.deployments)
        return FleetResult(tuple(told), found.seconds)

    # -- runs

    def apply(
        self,
        *,
        options: Options | None = None,
        on_event: OnEvent | None = None,
        on_plan: OnPlan | None = None,
        confirm: Confirm | None = None,
        detach: bool = False,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
        not_before: str | None = None,
        not_after: str | None = None,
    ) -> FleetResult[Outcome]:
        """Apply every deployment, `parallel` at a time; each takes its lock at its turn.

        With `confirm` all locks are taken first, in the order of the names, and it is asked once for all plans. A
        deployment whose lock is held ends with 7 while the others go on. What uses things that another deployment of
        the fleet makes comes after it, and is asked about then; who says no is not asked again. Where that other one
        is left while Azure is at work, it is not begun. `timeout` and `lock_timeout` are in seconds.
        """
        return self._run(
            FleetRun(
                "apply", self.parallel, stop or Stop(), options, on_event, on_plan, confirm,
                detach=detach, timeout=timeout, lock_timeout=lock_timeout,
                window=ChangeWindow.of(not_before, not_after),
            )
        )  # fmt: skip

    def destroy(
        self,
        *,
        options: Options | None = None,
        on_event: OnEvent | None = None,
        on_plan: OnPlan | None = None,
        confirm: Confirm | None = None,
        detach: bool = False,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
        not_before: str | None = None,
        not_after: str | None = None,
    ) -> FleetResult[Outcome]:
        """Delete every deployment, those that use others first; the rest is as in `apply`."""
        return self._run(
            FleetRun(
                "destroy", self.parallel, stop or Stop(), options, on_event, on_plan, confirm,
                detach=detach, timeout=timeout, lock_timeout=lock_timeout,
                window=ChangeWindow.of(not_before, not_after),
            )
        )  # fmt: skip

    def wait(
        self,
        *,
        on_event: OnEvent | None = None,
        timeout: float | None = None,
        lock_timeout: float = 0.0,
        stop: Stop | None = None,
    ) -> FleetResult[Outcome]:
        """Wait for what is still running in Azure, in every deployment; starts nothing."""
        return self._run(
            FleetRun("wait", self.parallel, stop or Stop(), None, on_event, timeout=timeout, lock_timeout=lock_timeout)
        )

    def _run(self, fleet_run: FleetRun) -> FleetResult[Outcome]:
        began, found = time.monotonic(), self._opened()
        ended: dict[str, tuple[Outcome | None, VpngwError | None]] = {
            name: (None, error) for name, error in found.items() if isinstance(error, VpngwError)
        }
        ended |= fleet_run.all_of([one for one in found.values() if isinstance(one, OpenedMember)])
        results = (DeploymentResult(m.name, m.file, *ended[m.name]) for m in self.members)
        return FleetResult(tuple(results), time.monotonic() - began)

    def _opened(self) -> dict[str, OpenedMember | VpngwError]:
        """Every deployment compiled, or why it cannot be."""

        def opened(member: FleetMember) -> OpenedMember | VpngwError:
            session, error = attempt(lambda: member.workspace.session(member.deployable()))
            return error or OpenedMember(member.name, session)  # type: ignore[arg-type]

        return {
            m.name: one for m, one in zip(self.members, in_threads(self.members, opened, self.parallel), strict=True)
        }


def members_of(workspace: Workspace, *what: Blueprint | Path | str) -> list[FleetMember]:
    """Every deployment in blueprints, files, folders and patterns."""
    members: list[FleetMember] = []
    for item in what:
        if isinstance(item, Blueprint):
            members.append(FleetMember(workspace.name_of(item), workspace, item))
            continue
        for file in files_of([str(item)]):
            members += _members(workspace, file)
    return members


def _members(workspace: Workspace, file: str) -> Iterator[FleetMember]:
    """What a file holds: blueprints, or a saved plan; why it holds nothing, if it cannot be read."""
    try:
        if (document := saved_plan(file)) is not None:
            yield FleetMember(str(document.get("deployment") or file), workspace, file=file, saved=document)
            return
        loaded = load(file)
    except (BlueprintError, FileDenied) as error:
        yield FleetMember(file, workspace, file=file, error=error)
        return
    beside = workspace.beside(loaded)
    yield from (FleetMember(beside.name_of(blueprint), beside, blueprint, file) for blueprint in loaded.blueprints)
