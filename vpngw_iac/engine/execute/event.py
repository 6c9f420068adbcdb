"""What happens during a run, as typed events and as the final outcome. Contains no secret."""

from __future__ import annotations

from dataclasses import field, fields, replace
from typing import Any, Literal, TypeVar

from vpngw_iac.engine.plan.unverified import Unverified
from vpngw_iac.errors import AzureIds, ExitCode, Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.masks import Masks

Status = Literal["succeeded", "failed", "skipped", "running", "waiting", "unconfirmed", "not-started"]
OutcomeWord = Literal["succeeded", "failed", "running", "waiting", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Work begins; `total` operations are ahead, `seconds` is the expected critical path.

    `resumed`: they are those of an earlier run, waited for first; another one tells what is planned then.
    """

    deployment: str
    correlation: str
    total: int
    seconds: float
    at: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class _OfOperation:
    address: str
    verb: str
    step: str


@dataclass(frozen=True, slots=True)
class OperationStarted(_OfOperation):
    """Azure is being asked. `usual` is how long it usually takes, `age` how long an earlier one runs, in seconds."""

    id: str
    usual: float
    at: str
    resumed: bool = False
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class OperationWaiting(_OfOperation):
    """It is ready but waits: for a lock, for a throttled or busy Azure, for people outside."""

    why: str
    seconds: float | None
    at: str


@dataclass(frozen=True, slots=True)
class OperationProgress(_OfOperation):
    """Still running in Azure after `seconds`."""

    seconds: float
    usual: float
    state: str
    at: str


@dataclass(frozen=True, slots=True)
class OperationEnded(_OfOperation):
    """It ended (or was skipped because of `because`)."""

    status: Status
    seconds: float
    at: str
    error: str = ""
    code: str = ""
    because: str = ""
    ids: AzureIds = field(default_factory=AzureIds)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth telling that is not about one operation (a torn journal line, Ctrl-C heard)."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    outcome: OutcomeWord
    seconds: float
    at: str


Event = RunStarted | OperationStarted | OperationWaiting | OperationProgress | OperationEnded | Notice | RunEnded


_Told = TypeVar("_Told", "Event", "OperationResult")


def without_secrets(told: _Told, masks: Masks) -> _Told:
    """The same with stars in place of every secret value that a text of it repeats."""
    texts = {f.name: getattr(told, f.name) for f in fields(told)}
    clean = {name: masks.scrub(text) for name, text in texts.items() if isinstance(text, str) and name in _FREE}
    changed: dict[str, Any] = {name: text for name, text in clean.items() if text != texts[name]}
    return replace(told, **changed) if changed else told


_FREE = frozenset({"error", "code", "advice", "why", "text", "state"})
"""Fields that may repeat what Azure said."""


@dataclass(frozen=True, slots=True)
class OperationResult(_OfOperation):
    """How one operation went.

    ``f"{operation.verb} {operation.address}: {operation.status}"``
    """

    status: Status
    seconds: float = 0.0
    error: str = ""
    code: str = ""
    advice: str = ""
    because: str = ""
    """Address of the failed operation that made this one be skipped."""
    ids: AzureIds = field(default_factory=AzureIds)
    exit_code: ExitCode = ExitCode.DONE

    def ended(self, at: str) -> OperationEnded:
        """The event that tells of it."""
        told = {name.name: getattr(self, name.name) for name in fields(OperationEnded) if name.name != "at"}
        return OperationEnded(**told, at=at)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did. `changes_left` is what a plan would still show, where that is known.

    ``[operation.address for operation in outcome.operations if operation.status == "failed"]``
    """

    kind: Literal["apply", "destroy", "wait"]
    deployment: str
    outcome: OutcomeWord
    operations: tuple[OperationResult, ...] = ()
    correlation: str = ""
    seconds: float = 0.0
    exit_code: ExitCode = ExitCode.DONE
    findings: tuple[Finding, ...] = ()
    notices: tuple[str, ...] = ()
    changes_left: int | None = None
    secrets: tuple[Unverified, ...] = ()
    """Secrets that were not verified when it was decided what to do, and why."""
    tunnels: str = ""
    """How many tunnels were up right after it, as a sentence; empty where there are none or nothing was done."""
