"""What was decided: differences, changes and the plan. Plain values; `make_plan` makes them, nothing alters them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.field import OutageLevel
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import model_of

Cause = Literal["edit", "drift", "edit and drift", "adopted", "absent", "failed", "dependent", "busy"]


class Action(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPAIR = "repair"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"
    MOVE = "move"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Difference:
    """One property where declared and observed disagree. Secrets appear as ``(sensitive)``.

    ``f"{difference.path}: {difference.observed} becomes {difference.declared}"``
    """

    path: str
    cause: Cause
    declared: Any = None
    applied: Any = None
    observed: Any = None


LEVELS: tuple[OutageLevel, ...] = ("reconfigure", "minutes", "seconds", "none")
"""Of outages, the longest first."""

Ends = Literal["itself", "somebody"]
"""What ends an outage: our operations, or somebody who must do something on the other side."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How one name loses connectivity, for how long, and what ends it."""

    name: str
    """A site, pair, circuit link, spoke, ``clients of GATEWAY`` or somebody else's connection; empty: whoever it is."""
    level: OutageLevel
    seconds: float = 0.0
    """How long our operations keep it down; what somebody must do comes on top."""
    until: str = ""
    """What somebody does that ends it, as the rest of "until ..."; empty says it in general."""
    for_good: bool = False
    """Nothing in this plan brings it back."""
    operations: OutageLevel = "none"
    """How long our operations take it down, whatever somebody must do afterwards."""
    foreign: bool = False
    """A connection on our gateway that is not ours."""
    links: tuple[str, ...] = ()
    """Which of its links are down, where it has others."""
    meanwhile: tuple[str, ...] = ()
    """Links that carry it meanwhile."""
    agreed: bool = False
    """Whether somebody named it with ``--outage-agreed``."""

    @property
    def ends(self) -> Ends:
        """What ends it."""
        return "somebody" if self.level == "reconfigure" else "itself"


@dataclass(frozen=True, slots=True)
class OutageStatement:
    """What a change costs the people who use the network."""

    level: OutageLevel = "none"
    """The longest outage of anybody."""
    who: tuple[str, ...] = ()
    """Sites, peers and clients that lose connectivity."""
    by_level: Mapping[OutageLevel, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """The same people by how long; empty where it is `level` for all of them."""
    public_ip_changes: bool = False
    profiles_stale: bool = False
    losses: tuple[Loss, ...] = ()
    """The same people one by one, in full; empty in a plan of an earlier version."""

    def of(self, losses: Iterable[Loss], *more: OutageLevel) -> OutageStatement:
        """The same statement about these losses; `more` is what people without a name suffer."""
        losses = tuple(losses)
        named = [loss for loss in losses if loss.name]
        by_level: dict[OutageLevel, tuple[str, ...]] = {
            level: names for level in LEVELS if (names := tuple(loss.name for loss in named if loss.level == level))
        }
        return replace(
            self,
            level=next((level for level in LEVELS if level in {*more, *by_level}), "none"),
            who=tuple(loss.name for loss in named),
            by_level=by_level if len(by_level) > 1 else {},
            losses=losses,
        )

    @property
    def seconds(self) -> float:
        """How long our operations keep anybody down."""
        return max((loss.seconds for loss in self.losses), default=0.0)

    @property
    def ends(self) -> Ends:
        """What ends the outage of the last of them."""
        return "somebody" if self.level == "reconfigure" else "itself"

    @property
    def agreed(self) -> bool:
        """Whether somebody agreed to all of it."""
        return bool(self.losses) and all(loss.agreed for loss in self.losses)


@dataclass(frozen=True, slots=True)
class Change:
    """A decision about one resource.

    ``f"{change.action} {change.address}: {change.reason}"``
    """

    address: str
    id: ArmId
    action: Action
    differences: tuple[Difference, ...] = ()
    outage: OutageStatement = field(default_factory=OutageStatement)
    reason: str = ""
    """For people; never steers behaviour."""
    previous: str | None = None
    """The old address of a move, or the old id of a replacement that changes identity."""
    only_secret: bool = False
    """The shared key alone changes: one action, no PUT."""
    known_after: tuple[str, ...] = ()
    """Addresses whose outputs this change waits for."""
    adopted: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What Azure has at each path that differs at an adoption; the entry remembers it until the path was put once."""
    rebuild: bool = False
    """Azure rebuilds the resource in place, which takes as long as creating it."""
    releases: bool = False
    """What is forgotten is first put without what was ours (`differences`)."""
    sync: Literal["no", "alone", "too"] = "no"
    """It takes over what it follows (a peering: the other network's address space): as all there is to do, or too."""

    @property
    def old_id(self) -> ArmId | None:
        """The id before a change of identity."""
        return ArmId(self.previous) if self.previous and self.previous.startswith("/") else None

    @property
    def coexists(self) -> bool:
        """Whether old and new of a replacement under another name may exist at once: holders are repointed in place."""
        return self.old_id is not None and model_of(self.id).may_coexist

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Why it happens: the causes of its differences; of a repair also that Azure shows a failure."""
        found: set[Cause] = {difference.cause for difference in self.differences}
        if self.action is Action.REPAIR and self.sync != "alone":
            found.add("failed")
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts as the plan's footer says them: a replacement is one to add and one to destroy."""

    add: int = 0
    change: int = 0
    replace: int = 0
    destroy: int = 0


@dataclass(frozen=True, slots=True)
class DriftItem:
    """One way in which Azure moved away from what was applied.

    ``f"{item.address} is {item.kind}"``
    """

    address: str
    id: str
    kind: Literal["changed", "missing", "unmanaged"]
    severity: Literal["security", "availability", "cosmetic"]
    owner: str | None = None
    differences: tuple[Difference, ...] = ()
    detail: str = ""
    alarm: bool = True
    """Whether it makes a drift report end with 2, if nobody known owns it."""


def outage_of(changes: Iterable[Change]) -> dict[OutageLevel, tuple[str, ...]]:
    """Who loses connectivity by all of these changes, by how long."""
    found: dict[OutageLevel, set[str]] = {}
    for change in changes:
        if change.outage.level != "none":
            for level, who in (change.outage.by_level or {change.outage.level: change.outage.who}).items():
                found.setdefault(level, set()).update(who)
    return {level: tuple(sorted(who)) for level, who in found.items()}


def summary_of(changes: tuple[Change, ...]) -> Summary:
    """Count the changes."""
    count: Mapping[Action, int] = {action: sum(c.action is action for c in changes) for action in Action}
    return Summary(
        add=count[Action.CREATE] + count[Action.REPLACE],
        change=count[Action.UPDATE] + count[Action.REPAIR] + count[Action.TAG] + sum(c.releases for c in changes),
        replace=count[Action.REPLACE],
        destroy=count[Action.DELETE] + count[Action.REPLACE],
    )
