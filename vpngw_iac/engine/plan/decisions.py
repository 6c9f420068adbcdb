"""What is decided by a plan, and nothing else: the list that must come out again, its digest, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from vpngw_iac.engine.compare.document import shown
from vpngw_iac.engine.plan.change import Change
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import StalePlan
from vpngw_iac.late_dataclass import dataclass

Decision = Mapping[str, Any]

_KNOWN_AFTER = "(known after "


def canonical(plan: Plan) -> list[dict[str, Any]]:
    """The decisions that must not change between plan and apply; counters, status and etags are not among them."""
    decided: list[dict[str, Any]] = [_decision(change) for change in plan.changes]
    blockers = sorted(f"{f.rule} {f.address} {f.detail}" for f in plan.findings if f.rule == "V-FOREIGN-01")
    return [*decided, *({"foreign": text} for text in blockers)]


def _decision(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "id": change.id.key,
        "action": change.action.value,
        "differences": [
            {"path": d.path, "cause": d.cause, "declared": shown(d.declared), "observed": shown(d.observed)}
            for d in change.differences
        ],
    }


def plain_decisions(plan: Plan) -> list[dict[str, Any]]:
    """The same as they are read back from a file."""
    plain: list[dict[str, Any]] = json.loads(json.dumps(canonical(plan), default=str))
    return plain


def decision_digest(decisions: Iterable[Decision]) -> str:
    """SHA-256 over decisions in canonical form; needs no key, so that anybody can compare two plans.

    Equal for plans that decide the same, whoever made them and whenever: no fingerprint, time or etag is in it.
    """
    text = json.dumps(list(decisions), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def line_of(decision: Decision) -> str:
    """A decision as people read it: ``update VpnConnection/berlin (properties.sharedKey)``."""
    if "foreign" in decision:
        return str(decision["foreign"])
    paths = ", ".join(str(difference["path"]) for difference in decision["differences"])
    return f"{decision['action']} {decision['address']}" + (f" ({paths})" if paths.strip() else "")


def check_fresh(
    before: Sequence[Decision],
    plan: Plan,
    unreadable: Collection[tuple[str, str]] = (),
    ended: Callable[[], Collection[str]] = frozenset,
) -> PlanCheck:
    """Raise `StalePlan`, showing what differs, if planning again decides something else.

    `ended` is asked where something that was decided is not decided any more: addresses that an interrupted run of this
    very plan has brought to an end. With all of these missing a run of what is left needs no new review.
    `unreadable` are addresses and paths of secrets that could not be read when the plan was made: no decisions of it.
    """
    now = plain_decisions(plan)
    after = list(_as_planned(before, now, unreadable))
    if list(before) == after:
        return PlanCheck(_rotated(now, before))
    done = ended()
    expected = [_now_known(item, after, done) for item in before]
    gone = [item for item in expected if item not in after and item.get("address") not in done]
    new = [item for item in after if item not in expected]
    if not gone and not new:
        missing = tuple(line_of(item) for item in expected if item not in after)
        return PlanCheck(_rotated(now, expected), missing)
    raise StalePlan(
        "Since the plan was made something has moved."
        + (f" Planned, but no longer right: {'; '.join(map(line_of, gone))}." if gone else "")
        + (f" Now needed: {'; '.join(map(line_of, new))}." if new else "")
    )


@dataclass(frozen=True, slots=True)
class PlanCheck:
    """What is told of a plan that came out again."""

    rotated: tuple[str, ...] = ()
    """Addresses of secrets that could not be read when the plan was made, can be now, and are others than applied."""
    ended: tuple[str, ...] = ()
    """Decisions that an interrupted run of the same plan has carried out."""


def _rotated(now: Iterable[Decision], expected: Collection[Decision]) -> tuple[str, ...]:
    return tuple(item["address"] for item in now if "address" in item and item not in expected)


def _now_known(decision: Decision, now: Iterable[Decision], ended: Collection[str]) -> Decision:
    """A decision that waited for a value: as it is now, where what decides that value has ended meanwhile."""
    known = {f"{_KNOWN_AFTER}{address})" for address in ended}
    told = [(d, isinstance(d["declared"], str) and d["declared"] in known) for d in decision.get("differences", ())]
    if not any(waited for _, waited in told):
        return decision
    same = [item for item in now if item.get("address") == decision["address"]]
    found = {d["path"]: d for item in same for d in item["differences"]}
    differences = [found.get(d["path"], d) if waited else d for d, waited in told]
    return {**decision, "differences": differences}


def _as_planned(
    before: Sequence[Decision], now: Iterable[Decision], unread: Collection[tuple[str, str]]
) -> Iterator[Decision]:
    """What is decided now, less the secrets that could not be read when the plan was made."""
    planned = {item["address"]: item for item in before if "address" in item}
    for item in now:
        rest = [d for d in item.get("differences", ()) if (item.get("address"), d["path"]) not in unread]
        if len(rest) == len(item.get("differences", ())):
            yield item
            continue
        known = planned.get(item["address"])
        if known is None and not rest:
            continue
        # With the key a change of tags, or of the state alone, has become an update.
        action = known["action"] if known and item["action"] == "update" else item["action"]
        yield {**item, "differences": rest, "action": action}
