"""The phrases that every report shares: durations, outages, clouds, values. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from vpngw_iac.engine.compare.document import shown
from vpngw_iac.engine.plan.change import Action, Change, Loss, OutageStatement
from vpngw_iac.engine.plan.outage import ends_clients, how_long
from vpngw_iac.engine.plan.unverified import Unverified, of_kind
from vpngw_iac.field import OutageLevel
from vpngw_iac.resources import model_of, registry, role_of
from vpngw_iac.text import listed, plural

SYMBOLS: Mapping[Action, str] = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPAIR: "~",
    Action.TAG: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.ADOPT: "<=",
    Action.FORGET: ".",
    Action.MOVE: "->",
}

COLOURS: Mapping[Action, str] = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPAIR: "yellow",
    Action.TAG: "yellow",
    Action.REPLACE: "red",
    Action.DELETE: "red",
    Action.ADOPT: "cyan",
    Action.FORGET: "cyan",
    Action.MOVE: "cyan",
}

OPERATION_VERBS: Mapping[Action, str] = {
    Action.CREATE: "create",
    Action.UPDATE: "update in place",
    Action.REPAIR: "repair: Azure shows it as failed",
    Action.TAG: "update its tags",
    Action.REPLACE: "replace: delete, then create",
    Action.DELETE: "delete",
    Action.ADOPT: "adopt: it exists and becomes ours",
    Action.FORGET: "forget: it stays in Azure and is no longer ours",
    Action.MOVE: "move",
}

_ID = re.compile(r'"/subscriptions/[^/"]+/resourceGroups/([^/"]+)/providers/[^/"]+/([^"]+)"', re.IGNORECASE)
NOT_VERIFIED = "(not verified)"
"""Stands for a secret that no answer carried, or that cannot be read here; never for one that is not there."""

_NOBODY_NAMED = "connections through this resource"
_CLIENTS = "clients of "
_CARRIERS = ("connection", "gateway", "peering")
"""What carries people's traffic by itself: without it there is none."""

_CLOUDS = {"public": "Azure public", "usgovernment": "Azure US Government", "china": "Azure China"}


def cloud_name(name: str, endpoint: str = "") -> str:
    """A cloud as people call it."""
    if name == "simulator":
        return "the simulator"
    return _CLOUDS.get(name, f"the cloud at {endpoint or name}")


def duration(seconds: float) -> str:
    """A measured time: ``8 s``, ``4 min 10 s``, ``1 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def losses_of(statement: OutageStatement, gone: Collection[str] = ()) -> tuple[Loss, ...]:
    """How each name loses connectivity; from levels alone where a plan of an earlier version says no more."""
    by_level = statement.by_level or {statement.level: statement.who}
    return statement.losses or losses_at(by_level, gone)


def losses_at(by_level: Mapping[OutageLevel, Iterable[str]], gone: Collection[str] = ()) -> tuple[Loss, ...]:
    """The same from levels alone: each name once, at its worst. What is in `gone` does not come back."""
    found: dict[str, Loss] = {}
    for level in ("reconfigure", "minutes", "seconds"):
        for name in sorted(by_level[level]) or [""] if level in by_level else ():
            found.setdefault(name, Loss(name, level, for_good=level == "reconfigure" and name in gone))
    return tuple(found.values())


def outages(losses: Iterable[Loss]) -> str:
    """All outages, the longest first, names that share one together; ``none`` if there are none."""
    by_how: dict[str, list[str]] = {}
    for loss in sorted(losses, key=lambda loss: (not loss.for_good, loss.ends == "itself", -loss.seconds, loss.name)):
        if loss.level != "none":
            by_how.setdefault(how_long(loss), []).append(_sufferer(loss))
    return "; ".join(f"{listed(names, most=12)}, {how}" for how, names in by_how.items()) or "none"


def _sufferer(loss: Loss) -> str:
    """``berlin``, ``berlin (link berlin-isp1; berlin-isp2 carries it meanwhile)``, ``con-x (not ours)``."""
    notes = ["not ours"] if loss.foreign else []
    notes += [f"link {', '.join(loss.links)}"] if loss.links else []
    if loss.meanwhile:
        verb = "carries" if len(loss.meanwhile) == 1 else "carry"
        notes.append(f"{', '.join(loss.meanwhile)} {verb} it" + ("" if loss.for_good else " meanwhile"))
    notes += ["agreed"] if loss.agreed else []
    return (loss.name or _NOBODY_NAMED) + (f" ({'; '.join(notes)})" if notes else "")


def consequences(change: Change, gone: Collection[str] = ()) -> list[str]:
    """What a change costs, one phrase each. `gone` is who the plan cuts off on purpose."""
    statement = change.outage
    found = [f"outage: {outages(losses_of(statement, gone))}"] if statement.level != "none" else []
    if statement.public_ip_changes and change.action is Action.DELETE:
        found.append("the public IP address goes: devices on the other side must no longer use it")
    elif statement.public_ip_changes:
        found.append("the public IP address changes: every device on the other side must be told")
    if roots := _removed_roots(change):
        found.append(f"clients whose certificate was issued by {', '.join(roots)} are locked out")
    if statement.profiles_stale and not ends_clients(change):
        found.append("client profiles go stale: issue them again")
    return found


def ended(change: Change) -> tuple[str, ...]:
    """Who loses connectivity by this change on purpose: sites whose connection goes, clients of a removed service."""
    if change.outage.losses:
        return tuple(loss.name for loss in change.outage.losses if loss.for_good)
    if change.action is Action.DELETE and role_of(change.id) in _CARRIERS:
        return change.outage.who
    if ends_clients(change):
        return tuple(name for name in change.outage.who if name.startswith(_CLIENTS))
    return ()


def _removed_roots(change: Change) -> list[str]:
    """Names of root certificates that the gateway shall no longer trust (R-CERTP-08)."""
    start = f"{model_of(change.id).roots_path}[name="
    gone = [d.path for d in change.differences if not d.declared]
    return [path[len(start) : -1] for path in gone if path.startswith(start) and path.endswith("]")]


def both(before: Any, after: Any) -> tuple[str, str]:
    """Two values as a plan shows a change: ids in them short, unless that would hide what differs."""
    if before is None and shown(after) == "(sensitive)":
        return NOT_VERIFIED, "(sensitive)"  # no answer carried it: that is not the same as none
    short = value(before, short_ids=True), value(after, short_ids=True)
    return short if short[0] != short[1] else (value(before, width=250), value(after, width=250))


def value(item: Any, *, width: int = 70, short_ids: bool = False) -> str:
    """A value as a plan shows it: JSON, with ``(sensitive)`` and ``(known after X)`` unquoted, cut when long."""
    plain = shown(item)
    if isinstance(plain, str) and plain.startswith(("(sensitive)", "(known after ")):
        return plain
    if plain is None:
        return "(none)"
    # A report is given values that are plain already (`text.plain`): their escapes are not escaped once more.
    text = json.dumps(plain, ensure_ascii=False, default=str).replace("\\\\", "\\")
    text = text.replace('"(sensitive)"', "(sensitive)")
    text = _ID.sub(r'".../\1/\2"', text) if short_ids else text
    return text if len(text) <= width else text[: width - 3] + "..."


def nothing_applied(deployment: str) -> str:
    """What a search for drift says where nothing could drift."""
    return f"Nothing of {deployment} is applied: there is nothing that could drift."


def not_verified(secrets: Iterable[Unverified]) -> list[str]:
    """What nothing vouches for, in a line; and where a rotation would not be seen, in a line more."""
    items = tuple(secrets)
    parts = [", ".join(filter(None, _not_verified(items)))]
    way = " (vpngw secret check --verify)" if _are_keys(items) else ""
    lines = [f"Not verified: {part}{way}." for part in parts if part]
    if unknown := len(of_kind(items, "not comparable")):
        lines.append(f"{plural(unknown, 'key')} cannot be compared: a rotation of these is not seen; {WAYS_OUT}.")
    return lines


WAYS_OUT = "`vpngw secret check FILE --verify` reads each once, `vpngw apply FILE --resend-secrets` sets them again"
"""What makes a key comparable again."""


@cache
def _key_paths() -> frozenset[str]:
    return frozenset(model.key_call.path for model in registry().values() if model.key_call is not None)


def _are_keys(items: Iterable[Unverified]) -> bool:
    """Whether what was not verified has a call of its own, but for what cannot be read here."""
    return all(item.path in _key_paths() for item in items if item.why != "not readable here")


def _not_verified(items: Collection[Unverified]) -> Iterator[str]:
    unseen, unknown = of_kind(items, "not read"), of_kind(items, "not comparable")
    noun = "shared key" if _are_keys(items) else "secret"
    yield f"{plural(len(unseen), noun)} not read" if unseen else ""
    yield f"{len(unknown) if unseen else plural(len(unknown), noun)} that cannot be compared" if unknown else ""
    here = {item.reference or item.address for item in of_kind(items, "not readable here")}
    yield f"{plural(len(here), 'reference')} not readable here" if here else ""


def unreadable(secrets: Iterable[Unverified]) -> list[tuple[str, str, str]]:
    """What cannot be read here, each with its reference: address, path, and what is known of it."""
    items = of_kind(secrets, "not readable here")
    return [(item.address, short_path(item.path), f"{NOT_VERIFIED} {item.reference}".strip()) for item in items]


def short_path(path: str) -> str:
    """A path without the ``properties`` that ARM puts before nearly everything, and without a trailing ``id``."""
    kept = [step for step in path.split(".") if step != "properties"]
    if len(kept) > 1 and kept[-1] == "id":
        kept.pop()
    return ".".join(kept) or "(whole resource)"


def failure(code: str, error: str) -> str:
    """Azure's code and message, each once, without the request and the id that stand beside it anyway."""
    text = re.sub(r"^\w+ /subscriptions/\S+: ", "", error.strip())
    return text if not code or code in text else f"{code}: {text}".rstrip(": ")


def waits(why: str) -> str:
    """``waits for the lock of hq``; a whole sentence stands by itself."""
    return f"waits: {why}" if why.endswith(".") else f"waits for {why}"


def byte_count(count: Any) -> str:
    """``1.2 MB``; nothing told is none."""
    number = float(count or 0)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
