"""Faults as data: what goes wrong, to which requests, how often.

A fault is a value that can stand in a YAML or JSON file. It counts the requests that it matches; from the `nth` on it
strikes `times` times. What it does is one of `Effect`.
"""

import fnmatch
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vpngw_iac.simulator.body import read_file

Share = Annotated[float, Field(gt=0.0, le=1.0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnswerInstead(_Part):
    """Answer this, and do nothing."""

    do: Literal["answer"] = "answer"
    status: int = 503
    code: str = "ServerTimeout"
    message: str = "The request timed out."
    detail: str | None = None
    """Code of the one element of ``details``; none for an error of ARM's front door."""
    retry_after: float | None = None
    html: bool = False
    """A page instead of JSON, as front ends in trouble send."""


class AnswerStrangely(_Part):
    """Do what was asked, or not, and answer as nobody expects: a proxy, a captive portal, a front end in trouble.

    Azure's front ends answer 503 and 404 with HTML (recordings); 520 is Cloudflare's, 511 a captive portal's
    (RFC 6585), 407 a proxy's.
    """

    do: Literal["strange"] = "strange"
    done: bool = True
    """Whether the request is carried out before."""
    status: int | None = None
    """None keeps the status of the real answer."""
    body: str | None = None
    """The body as it is sent; none keeps the real one."""
    encoding: str = "utf-8"
    nested: int | None = None
    """In place of `body`: JSON nested so deep."""
    digits: int | None = None
    """In place of `body`: an object that holds a number of so many digits."""
    cut: int | None = None
    """Only so many bytes of the body are sent."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Set, or put in place of the real ones."""
    without: tuple[str, ...] = ()
    """Headers of the real answer that are left out; ``*`` for all."""


class BreakConnection(_Part):
    """The connection breaks: before the server heard (``done: false``) or after it did it and before it could say."""

    do: Literal["break"] = "break"
    done: bool = False


class AnswerSlowly(_Part):
    """Simulated seconds pass before the answer comes."""

    do: Literal["slow"] = "slow"
    seconds: float = 30.0


class FailLate(_Part):
    """Accept, and let the operation end Failed; the resource stays behind as Failed."""

    do: Literal["fail"] = "fail"
    code: str = "InternalServerError"
    message: str = "An error occurred."
    after: float | None = None
    """Seconds until it fails; none for as long as the operation takes."""


class FailForSibling(_Part):
    """Late contention: accept, then end Failed if another operation on the same gateway ran in between."""

    do: Literal["sibling"] = "sibling"


class LoseOperation(_Part):
    """The operation goes on, its URL answers 404."""

    do: Literal["lose-operation"] = "lose-operation"


class SlowOperation(_Part):
    """The operation takes this many times as long (an outlier of 71 minutes was recorded)."""

    do: Literal["linger"] = "linger"
    factor: float = 4.0


class StayInUse(_Part):
    """A delete is refused as in use until so many seconds have passed since the first attempt."""

    do: Literal["in-use"] = "in-use"
    seconds: float = 120.0
    code: str = "InUseSubnetCannotBeDeleted"


class RequestQuota(_Part):
    """At most so many matching requests per simulated minute; the rest get 429."""

    do: Literal["quota"] = "quota"
    per_minute: int = 60


class KillProcess(_Part):
    """The serving process ends here, as if killed. In process it is a broken connection."""

    do: Literal["die"] = "die"
    done: bool = True


class ExpireToken(_Part):
    """401 as for a token that has expired; served only where tokens are checked."""

    do: Literal["expire-token"] = "expire-token"


Effect = Annotated[
    AnswerInstead
    | AnswerStrangely
    | BreakConnection
    | AnswerSlowly
    | FailLate
    | FailForSibling
    | LoseOperation
    | SlowOperation
    | StayInUse
    | RequestQuota
    | KillProcess
    | ExpireToken,
    Field(discriminator="do"),
]


class Fault(_Part):
    """Which requests, from which on, how often, and what then."""

    method: str = "*"
    path: str = "*"
    """A pattern with ``*`` on the whole path, ignoring case: ``*/connections/*``, ``*/operations/*``."""
    nth: int = Field(default=1, ge=1)
    times: int | None = 1
    """How often it strikes; none for always."""
    chance: Share = 1.0
    """Strikes with this probability, decided by the seed of the simulator."""
    effect: Effect

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is of the kind."""
        if self.method != "*" and method not in self.method.upper().split("|"):
            return False
        return fnmatch.fnmatchcase(path.lower(), self.path.lower())


_FAULTS = TypeAdapter(list[Fault])


def read_faults(path: Path) -> list[Fault]:
    """Faults from a YAML or JSON file; raises `SimulatorError` that says what is wrong with it."""
    return read_file(path, "faults", lambda content: _FAULTS.validate_python(content or []))


class Faults:
    """The faults of one simulator, with their counters."""

    def __init__(self, faults: Sequence[Fault] = (), seed: int = 0) -> None:
        self._faults = list(faults)
        self._seen = [0] * len(faults)
        self._struck = [0] * len(faults)
        self._random = random.Random(seed)  # noqa: S311 - chance in a test, not a secret

    def add(self, *faults: Fault) -> None:
        """More faults, from now on."""
        self._faults += faults
        self._seen += [0] * len(faults)
        self._struck += [0] * len(faults)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.__init__()  # type: ignore[misc]

    def striking(self, method: str, path: str) -> list[Effect]:
        """What goes wrong with this request; counts it."""
        found = []
        for index, fault in enumerate(self._faults):
            if not fault.matches(method, path):
                continue
            self._seen[index] += 1
            spent = fault.times is not None and self._struck[index] >= fault.times
            if self._seen[index] < fault.nth or spent or self._random.random() >= fault.chance:
                continue
            self._struck[index] += 1
            found.append(fault.effect)
        return found
