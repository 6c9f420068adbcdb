"""The phrases that every report shares: durations, outages, clouds, values. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from vpngw_iac.engine.change import Action, OutageStatement
from vpngw_iac.engine.document import shown
from vpngw_iac.field import OutageLevel

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

DEEDS: Mapping[Action, str] = {
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

_OUTAGES: Mapping[OutageLevel, str] = {
    "seconds": "for seconds",
    "minutes": "for minutes",
    "reconfigure": "until devices on the other side are reconfigured",
}

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


def expectation(seconds: float) -> str:
    """An expected time, never more exact than it is: ``under a minute``, ``about 46 min``, ``about 2 h 5 min``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 120:
        return f"about {minutes} min"
    return f"about {duration(minutes * 60)}"


def outage(level: OutageLevel, who: Iterable[str]) -> str:
    """``berlin, munich, for seconds``; empty for none."""
    if level == "none":
        return ""
    names = ", ".join(who) or "connections through this resource"
    return f"{names}, {_OUTAGES[level]}"


def outages(by_level: Mapping[OutageLevel, Iterable[str]]) -> str:
    """All outages of a plan, the longest first; ``none`` if there are none. Each name is said once, at its worst."""
    parts: list[str] = []
    said: set[str] = set()
    for level in ("reconfigure", "minutes", "seconds"):
        if level in by_level:
            everybody = sorted(by_level[level])
            names = [name for name in everybody if name not in said]
            said.update(names)
            if names or not everybody:
                parts.append(outage(level, names))
    return "; ".join(parts) or "none"


def consequences(statement: OutageStatement) -> list[str]:
    """What a change costs, one phrase each."""
    by_level = statement.by_level or {statement.level: statement.who}
    found = [f"outage: {outages(by_level)}"] if statement.level != "none" else []
    if statement.public_ip_changes:
        found.append("the public IP address changes: every device on the other side must be told")
    if statement.profiles_stale:
        found.append("client profiles go stale: issue them again")
    return found


def value(item: Any, *, width: int = 70) -> str:
    """A value as a plan shows it: JSON, with ``(sensitive)`` and ``(known after X)`` unquoted, cut when long."""
    plain = shown(item)
    if isinstance(plain, str) and plain.startswith(("(sensitive)", "(known after ")):
        return plain
    if plain is None:
        return "(none)"
    text = json.dumps(plain, ensure_ascii=False, default=str)
    text = text.replace('"(sensitive)"', "(sensitive)")
    return text if len(text) <= width else text[: width - 3] + "..."


def short_path(path: str) -> str:
    """A path without the ``properties`` that ARM puts before nearly everything, and without a trailing ``id``."""
    kept = [step for step in path.split(".") if step != "properties"]
    if len(kept) > 1 and kept[-1] == "id":
        kept.pop()
    return ".".join(kept) or "(whole resource)"


def plural(count: int, noun: str) -> str:
    """``1 operation``, ``3 operations``."""
    many = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{count} {noun if count == 1 else many}"


def failure(code: str, error: str) -> str:
    """Azure's code and message, each once, without the request and the id that stand beside it anyway."""
    text = re.sub(r"^\w+ /subscriptions/\S+: ", "", error.strip())
    return text if not code or code in text else f"{code}: {text}".rstrip(": ")


def waits(why: str) -> str:
    """``waits for the lock of hq``; a whole sentence stands by itself."""
    return f"waits: {why}" if why.endswith(".") else f"waits for {why}"
