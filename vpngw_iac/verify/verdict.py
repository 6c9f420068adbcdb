"""Verdicts as values, and how those of several paths become one of a site."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import field, replace
from typing import Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.expectation import SubjectKind
from vpngw_iac.verify.questions import Association, BgpSession, TunnelStatus

Word = Literal["up", "degraded", "down", "never up", "unknown"]
WORDS: tuple[Word, ...] = ("up", "degraded", "down", "never up", "unknown")
"""``degraded``: a declared path is missing or not as declared, another one carries."""

CARRIES: Collection[Word] = frozenset({"up", "degraded"})
MISSING: Collection[Word] = frozenset({"down", "never up", "degraded"})


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """What is known of one connection."""

    address: str
    connection: ArmId
    word: Word
    reason: str = ""
    """Why it is not simply up."""
    tunnels: tuple[TunnelStatus, ...] = ()
    sessions: tuple[BgpSession, ...] = ()
    associations: tuple[Association, ...] = ()
    incoming: int = 0
    outgoing: int = 0
    """Bytes: evidence, never a verdict."""
    notes: tuple[str, ...] = ()

    @property
    def is_suspect(self) -> bool:
        """Whether it needs a second look before anybody is told."""
        return self.word in ("down", "degraded")

    def noted(self, *notes: str) -> PathVerdict:
        """With more to tell."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))

    def judged(self, word: Word, reason: str) -> PathVerdict:
        """Another word, and why."""
        return replace(self, word=word, reason=reason)


@dataclass(frozen=True, slots=True)
class SubjectVerdict:
    """What is known of a site, a pair, a circuit, or the clients of a gateway."""

    name: str
    kind: SubjectKind
    word: Word
    reason: str = ""
    live: bool = True
    paths: tuple[PathVerdict, ...] = ()
    notes: tuple[str, ...] = ()

    def judged(self, word: Word, reason: str) -> SubjectVerdict:
        """Another word, and why."""
        return replace(self, word=word, reason=reason)

    def noted(self, *notes: str) -> SubjectVerdict:
        """With more to tell."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *(note for note in notes if note)))))


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying a deployment found."""

    deployment: str
    subjects: tuple[SubjectVerdict, ...] = ()
    notices: tuple[str, ...] = field(default=())

    def count(self, word: Word) -> int:
        """How many have this verdict; those that are not live do not count."""
        return sum(1 for one in self.subjects if one.live and one.word == word)

    @property
    def tunnels(self) -> tuple[int, int, int, int]:
        """Tunnels of sites and pairs: up, all, never up, and those whose status Azure does not tell."""
        return count_tunnels(path for one in self.subjects if one.kind in ("site", "pair") for path in one.paths)

    def fails(self, fail_on: Literal["down", "degraded"] = "down", *, strict: bool = False) -> bool:
        """Whether something does not hold: what is down, and whatever else was asked to count."""
        return self.has(alarming(fail_on, strict=strict))

    def has(self, words: Collection[Word]) -> bool:
        """Whether something live has one of these verdicts."""
        return any(one.live and one.word in words for one in self.subjects)


def alarming(fail_on: Literal["down", "degraded"] = "down", *, strict: bool = False) -> frozenset[Word]:
    """The verdicts that end with exit code 5: `down`, and whatever else was asked to count."""
    found: set[Word] = {"down"}
    found |= {"degraded"} if fail_on == "degraded" else set()
    found |= {"never up", "unknown"} if strict else set()
    return frozenset(found)


def count_tunnels(paths: Iterable[PathVerdict]) -> tuple[int, int, int, int]:
    """Tunnels that are up, all of them, those that never were, and those of which nothing is told."""
    up = every = never = silent = 0
    for path in paths:
        if not path.tunnels:
            every += 1
            up += path.word in CARRIES
            never += path.word == "never up"
            silent += path.word == "unknown"
        for tunnel in path.tunnels:
            every += 1
            up += tunnel.is_up
            silent += tunnel.status == "Unknown"
            never += not tunnel.is_up and tunnel.status != "Unknown" and not tunnel.established
    return up, every, never, silent


def together(paths: Iterable[PathVerdict]) -> tuple[Word, str]:
    """The word of a site from those of its paths, and why. What cannot be known is unknown."""
    every = list(paths)
    words = [path.word for path in every]
    why = "; ".join(_why(path, alone=len(every) == 1) for path in every if path.word != "up" and path.reason)
    if any(word in CARRIES for word in words):
        if any(word in MISSING for word in words):
            return "degraded", why
        return ("unknown", why) if "unknown" in words else ("up", "")
    if "unknown" in words or not words:
        return "unknown", why or "nothing of it is known"
    return ("never up", why) if set(words) == {"never up"} else ("down", why)


def _why(path: PathVerdict, *, alone: bool) -> str:
    return path.reason if alone else f"{path.connection.name}: {path.reason}"


def confirmed(first: PathVerdict, second: PathVerdict) -> PathVerdict:
    """The verdict after a second look: down needs both; whatever else was seen later is what counts."""
    if second.word == "down" and first.word != "down":
        return second.judged("unknown", f"{second.reason}; it was {first.word} a minute before")
    if second.word == "up":
        return second.noted(f"A minute before: {first.reason}.") if first.reason else second
    return second
