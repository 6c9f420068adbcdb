"""What an outage may cost: ``--max-outage`` and ``--outage-agreed``. Pure.

A duration judges each name: what ends by itself must end in time, and what somebody must do must be agreed. The words
``seconds`` and ``minutes`` judge how long our operations take, and never what somebody must do. A name that is cut off
for good is longer than any of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.order.timing import expectation
from vpngw_iac.engine.plan.change import Action, Change, Loss
from vpngw_iac.engine.plan.outage import CLIENTS_OF, is_carrier, is_longer, kind_of
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.errors import Finding, UsageError
from vpngw_iac.field import OutageLevel
from vpngw_iac.resources.base import Resource
from vpngw_iac.state.model import Entry, State

_DURATION = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?", re.ASCII)
_WORDS: dict[str, OutageLevel] = {"seconds": "seconds", "minutes": "minutes"}
_PROFILES, _DEVICES = "they have new profiles", "devices on the other side are reconfigured"
_MOST = 20
"""Names that a finding spells out."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long an outage may be."""

    text: str
    seconds: float = 0.0
    word: OutageLevel | None = None
    """One of the old words."""

    @classmethod
    def of(cls, text: str) -> Limit:
        """Read ``none``, ``30s``, ``5m``, ``1h``, ``1h30m``, ``seconds`` or ``minutes``; raises `UsageError`."""
        said = text.strip().lower()
        if said == "none":
            return cls(said)
        if said in _WORDS:
            return cls(said, word=_WORDS[said])
        found = _DURATION.fullmatch(said)
        if found is None or not said:
            raise UsageError(f"--max-outage {text!r} is not a duration.", advice=_how(said))
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return cls(said, seconds=hours * 3600.0 + minutes * 60.0 + seconds)

    def forbids(self, loss: Loss) -> bool:
        """Whether an outage is longer than this, or ended by somebody."""
        if loss.agreed or loss.level == "none":
            return False
        if self.word is not None:
            return loss.for_good or is_longer(loss.operations, self.word)
        return loss.ends == "somebody" or loss.seconds > self.seconds or self.seconds == 0.0


def _how(said: str) -> str:
    number = re.match(r"(\d{1,5})\s*(s|m|h)?", said, re.ASCII)
    if number is None:
        close = get_close_matches(said, ("none", *_WORDS), n=1)
        return f"Did you mean {close[0]!r}?" if close else "Write none, 30s, 5m or 1h."
    unit = f"{number[1]}{number[2]}" if number[2] else f"{number[1]}s or {number[1]}m"
    return f"Write {unit}: a number and s, m or h."


def names_in(graph: Graph, state: State, snapshot: Snapshot) -> dict[str, str]:
    """Every name whose outage can be agreed to, by itself in lower case."""
    resources: tuple[Resource | Entry, ...] = (*graph.resources.values(), *state.entries.values())
    found = [name for resource in resources for name in resource.transient]
    found += [f"{CLIENTS_OF}{r.id.name}" for r in resources if kind_of(r.id) == "virtualnetworkgateways"]
    found += [item.name for item in snapshot.attached if item.kind == "connection"]
    return {name.lower(): name for name in found}


def check_agreed(wanted: Iterable[str], graph: Graph, state: State, snapshot: Snapshot) -> None:
    """Raise `UsageError` for a name that nobody bears: it would allow nothing, and nobody would notice."""
    known = names_in(graph, state, snapshot)
    for name in sorted(wanted):
        if name.lower() not in known:
            raise UsageError(
                f"--outage-agreed {_quoted(name)} is not a site, pair, circuit link, spoke or 'clients of GATEWAY' of "
                "this deployment.",
                advice=_suggestion(name, graph, known),
            )


def _suggestion(name: str, graph: Graph, known: Mapping[str, str]) -> str:
    lines = {address.rsplit("/", 1)[-1].lower(): r for address, r in graph.resources.items() if is_carrier(r.id)}
    line = lines.get(name.rsplit("/", 1)[-1].lower())
    if line is not None and line.transient:
        return f"It is a link of {line.transient[0]}; agree for the whole of it: --outage-agreed {line.transient[0]}."
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {_quoted(known[close[0]])}?"
    return f"The names are: {_listed(known.values())}." if known else "Nobody is connected yet."


def too_long(options: Options, changes: Collection[Change], losses: Iterable[Loss]) -> Iterator[Finding]:
    """A finding for each change that is the cause of outages that are not allowed."""
    if options.max_outage is None:
        return
    limit = Limit.of(options.max_outage)
    by_cause: dict[str, list[Loss]] = {}
    for loss in losses:
        if limit.forbids(loss):
            by_cause.setdefault(_cause(loss.name, changes).address, []).append(loss)
    for change in changes:
        if change.address in by_cause:
            yield _finding(limit, change, by_cause[change.address])


def _cause(name: str, changes: Iterable[Change]) -> Change:
    """The change that hurts a name most: what somebody must do, else what takes longest, else the first."""
    found = [(loss, change) for change in changes for loss in change.outage.losses if loss.name == name]
    _, cause = max(found, key=lambda pair: (pair[0].for_good, pair[0].ends == "somebody", pair[0].seconds))
    return cause


def _finding(limit: Limit, change: Change, losses: Collection[Loss]) -> Finding:
    by_how: dict[str, list[str]] = {}
    for loss in losses:
        by_how.setdefault(how_long(loss), []).append(loss.name or "whoever is connected through it")
    told = " and ".join(f"{_listed(names)} would lose connectivity {how}" for how, names in by_how.items())
    allows = f"for {limit.word}" if limit.word else "none" if limit.seconds == 0 else "at most that"
    return Finding(
        rule="V-OUTAGE-01",
        level="error",
        address=change.address,
        summary="Outage is longer than allowed",
        detail=f"This plan would {_deed(change)} {change.address}: {told}; --max-outage {limit.text} allows {allows}.",
        advice=_advice(limit, losses),
    )


def _deed(change: Change) -> str:
    return "set the shared key of" if change.only_secret and change.action is Action.UPDATE else str(change.action)


def _advice(limit: Limit, losses: Collection[Loss]) -> str:
    named = [f"--outage-agreed {_quoted(loss.name)}" for loss in losses if loss.name]
    ways = [" ".join(named[:_MOST]) + (f" and so on for {len(named) - _MOST} more" if len(named) > _MOST else "")]
    if not any(loss.ends == "somebody" for loss in losses):
        longest = max(loss.seconds for loss in losses)
        ways.append(f"--max-outage {'minutes' if limit.word else _rounded(longest)}")
    told = " or ".join(f"with {way}" for way in ways if way) or "without --max-outage"
    return f"If it is meant, run again {told}; or apply the rest with --target, and this in a maintenance window."


def _rounded(seconds: float) -> str:
    return f"{math.ceil(seconds)}s" if seconds < 60 else f"{math.ceil(seconds / 60)}m"


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)[:_MOST]
    return ", ".join(shown) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def how_long(loss: Loss) -> str:
    """``for seconds``, ``for about 27 min``, ``until the device has the new key``, ``for good``."""
    if loss.for_good:
        return "for good"
    if loss.ends == "somebody":
        return f"until {loss.until or (_PROFILES if loss.name.startswith(CLIENTS_OF) else _DEVICES)}"
    if loss.level == "minutes" and loss.seconds:
        return f"for {expectation(loss.seconds)}"
    return f"for {loss.level}"
