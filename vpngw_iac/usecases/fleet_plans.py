"""Plans of a fleet, and what is known only of all of them together: who waits for whom, and what two would make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.resources import model_of
from vpngw_iac.usecases.fleet_uses import (
    Makers,
    OpenedMember,
    earlier_of,
    lacks,
    makers_of,
    order_of,
    waiting,
    waves_of,
    with_twin,
)
from vpngw_iac.usecases.session import Deployable
from vpngw_iac.usecases.workspace import Workspace

T = TypeVar("T")


class FleetPlans(Generic[T]):
    """Makes the plan of one deployment after the other, and tells of it; keeps only those of which more is to be said.

    `told`: what is told of a plan.
    """

    def __init__(self, options: Options | None, told: Callable[[Workspace, Plan], T]) -> None:
        self._options, self._told = options, told
        self._kept: dict[str, Plan] = {}
        self._made: dict[str, dict[str, str]] = {}
        self._makers: Mapping[str, Makers] = {}
        self._earlier: Mapping[str, frozenset[str]] = {}

    def first(self, workspace: Workspace, what: Deployable) -> T | None:
        """What is told of a plan, if it can be told before the others are known."""
        plan = workspace.plan(what, self._options)
        for change in plan.changes:
            if change.action in (Action.CREATE, Action.ADOPT) and not model_of(change.id).only_if_absent:
                self._made.setdefault(change.id.key, {})[plan.deployment] = change.address
        if lacks(plan):
            self._kept[plan.deployment] = plan
            return None
        return self._told(workspace, plan)

    def all_known(self, opened: Callable[[], list[OpenedMember]]) -> None:
        """Every plan was made; `opened` compiles all deployments, which is done where something is missing."""
        if self._kept:
            members = opened()
            self._makers = makers_of(members)
            self._earlier = earlier_of(waves_of(members, order_of(members, self._makers)))

    def is_open(self, deployment: str) -> bool:
        """Whether there is more to say of the plan of a deployment."""
        return deployment in self._kept or bool(self._twins(deployment))

    def second(self, deployment: str, workspace: Workspace, what: Deployable) -> T:
        """What is told of such a plan, now that all are known."""
        plan = self._kept.get(deployment) or workspace.plan(what, self._options)
        plan = waiting(plan, self._makers.get(deployment, {}), self._earlier.get(deployment, ()))
        return self._told(workspace, with_twin(plan, self._twins(deployment)))

    def _twins(self, deployment: str) -> dict[str, str]:
        """The deployment that comes first, by address of what this one would make after it."""
        found = {}
        for made in self._made.values():
            if deployment in made and (first := min(made, key=str.lower)) != deployment:
                found[made[deployment]] = first
        return found
