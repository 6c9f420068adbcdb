"""What it costs a spoke that a gateway is taken back: it has none until it borrows again, or has its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from vpngw_iac.engine.order.transit import Transit
from vpngw_iac.engine.plan.change import Action, Change, Loss, OutageStatement
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.field import OutageLevel
from vpngw_iac.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RemoteGatewayChanges:
    """Which changes take a gateway away from whom, and what gives them one again."""

    taken: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names that lose the gateway which they borrow, by the address of each change that takes it back."""
    again: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of what gives a name a gateway again in the same plan: a half that borrows, or its own gateway."""
    own: frozenset[str] = frozenset()
    """Names among these that wait for a gateway of their own."""

    @classmethod
    def of(cls, inputs: PlanInputs, changes: Iterable[Change]) -> RemoteGatewayChanges:
        """From the transit flags that a plan moves."""
        transit = Transit.of(inputs.graph, inputs.state, inputs.snapshot, changes)
        taken: dict[str, tuple[str, ...]] = {}
        again: dict[str, tuple[str, ...]] = {}
        own: set[str] = set()
        for turn in transit.turns:
            if not (turn.stops_using or turn.stops_lending):
                continue
            names = _names(inputs, turn.address)
            spoke = turn.network if turn.stops_using else turn.remote
            lent = [t.address for t in transit.turns if t.starts_using and t.network == spoke]
            made = [g.address for g in transit.gateways if g.coming and g.network == spoke]
            taken[turn.address] = names
            again |= {name: (*lent, *made) for name in names if lent or made}
            own |= set(names) if made else set()
        return cls(taken, again, frozenset(own))

    def stated(self, change: Change) -> OutageStatement:
        """The outage of a change with the time until there is a gateway again, or for good."""
        statement, names = change.outage, self.taken.get(change.address, ())
        if not names:
            return statement
        others = [loss for loss in statement.losses if loss.name not in names]
        losses = [*others, *(self._loss(change, name) for name in names)]
        return statement.of(sorted(losses, key=lambda loss: loss.name))

    def _loss(self, change: Change, name: str) -> Loss:
        if name not in self.again:
            return Loss(name, "reconfigure", for_good=True)
        switched = change.action is not Action.DELETE and change.action is not Action.REPLACE
        level: OutageLevel = "seconds" if switched and name not in self.own else "minutes"
        return Loss(name, level, operations=level)


def _names(inputs: PlanInputs, address: str) -> tuple[str, ...]:
    resource, entry = inputs.graph.resources.get(address), inputs.state.entries.get(address)
    return resource.affected if resource is not None else entry.affected if entry is not None else ()
