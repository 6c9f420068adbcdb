"""What a rule is, and the decorator that registers one. The folder is the registry: a new rule is one function."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, TypeVar

from vpngw_iac.errors import Level
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.preflight.sources import Page, pages_of
from vpngw_iac.preflight.view.resource_view import ResourceView, View

if TYPE_CHECKING:
    from vpngw_iac.preflight.view.connection import Connection, LocalGateway
    from vpngw_iac.preflight.view.gateway import Gateway
    from vpngw_iac.preflight.view.network import Circuit, Network, Peering
    from vpngw_iac.preflight.view.topology import TopologyView

When = Literal["always", "create", "change"]
Weight = Literal["E", "F", "W", "I"]
"""E: Azure refuses it. F: documented as not working. W: a risk. I: worth knowing."""
Status = Literal["checked", "implied", "unknowable"]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule broken by one thing; `level` differs from the rule's where the case is milder or graver than usual."""

    resource: ResourceView
    detail: str
    advice: str = ""
    """What to do here, where more can be said than the rule's own advice."""
    level: Level | None = None
    block: str = ""
    """For ``change`` rules: the wire path whose change makes the rule count."""
    otherwise: Level | None = "info"
    """What it counts where a ``create`` or ``change`` rule does not, since nothing is created or changed here; None for
    nothing at all."""


V = TypeVar("V", bound=View)
Judge = Callable[["TopologyView"], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the table: what it is about, when it counts, where that is written, whether it is checked."""

    id: str
    level: Weight
    when: When
    status: Status
    title: str
    source: str
    why: str = ""
    """How a rule that is not checked is kept, or why it cannot be known before Azure is asked."""
    see: tuple[str, ...] = ()
    ages: bool = False
    """Rests on a list or a date that gets old: it never refuses, under no profile."""
    fix: str = ""
    """What to do about it."""
    live: bool = False
    """Rests on what Azure shows at the moment: judged again when a saved plan is applied."""
    best_practices: bool = False
    """Advice about what was decided long ago: told offline, not by every plan."""
    check: Judge | None = None

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages it rests on."""
        return pages_of(self.source)

    @property
    def what(self) -> str:
        """What it says, in a sentence or two; of a rule without a check why there is none."""
        return self.why or (" ".join((self.check.__doc__ or "").split()) if self.check else "")


_RULES: dict[str, Rule] = {}


def rule(
    rule_id: str,
    level: Weight,
    title: str,
    source: str,
    fix: str,
    *,
    when: When = "always",
    see: tuple[str, ...] = (),
    ages: bool = False,
    live: bool = False,
    best_practices: bool = False,
) -> Callable[[Judge], Judge]:
    """Register a function that judges a topology; `title` is the constant summary of its findings.

    `fix` is what their advice says unless a breach knows better.
    """

    def register(check: Judge) -> Judge:
        if rule_id in _RULES:
            raise TypeError(f"two functions check {rule_id}")
        _RULES[rule_id] = Rule(
            rule_id,
            level,
            when,
            "checked",
            title,
            source,
            see=see,
            ages=ages,
            fix=fix,
            live=live,
            best_practices=best_practices,
            check=check,
        )
        return check

    return register


def each(of: Callable[[TopologyView], Iterable[V]]) -> Callable[[Callable[[V], Iterable[Violation | str]]], Judge]:
    """Ask a function about one view after another; a text that it yields is a violation by that view's resource."""

    def over(check: Callable[[V], Iterable[Violation | str]]) -> Judge:
        @functools.wraps(check)
        def judge(topology: TopologyView) -> Iterator[Violation]:
            for view in of(topology):
                for found in check(view):
                    yield Violation(view.resource, found) if isinstance(found, str) else found

        return judge

    return over


gateways: Callable[[TopologyView], Iterable[Gateway]] = attrgetter("gateways")
vpn_gateways: Callable[[TopologyView], Iterable[Gateway]] = attrgetter("vpn_gateways")
connections: Callable[[TopologyView], Iterable[Connection]] = attrgetter("connections")
local_gateways: Callable[[TopologyView], Iterable[LocalGateway]] = attrgetter("locals")
peerings: Callable[[TopologyView], Iterable[Peering]] = attrgetter("peerings")
networks: Callable[[TopologyView], Iterable[Network]] = attrgetter("networks")
circuits: Callable[[TopologyView], Iterable[Circuit]] = attrgetter("circuits")
"""What `each` goes through."""


def expressroute_gateways(topology: TopologyView) -> Iterable[Gateway]:
    """The ExpressRoute gateways among them."""
    return (gateway for gateway in topology.gateways if gateway.is_expressroute)


@functools.cache
def checked_rules() -> Mapping[str, Rule]:
    """Every rule that a function checks, by id."""
    package = __name__.rpartition(".")[0]
    folder = importlib.import_module(package)
    for module in sorted(pkgutil.iter_modules(folder.__path__), key=lambda found: found.name):
        importlib.import_module(f"{package}.{module.name}")
    return dict(sorted(_RULES.items(), key=lambda item: sort_key(item[0])))


def sort_key(rule_id: str) -> tuple[str, int]:
    """``R-LNG-06`` before ``R-LNG-10``."""
    head, _, number = rule_id.rpartition("-")
    return head, int(number) if number.isdigit() else 0
