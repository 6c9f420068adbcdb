"""The exception tree and `Finding`: everything that can go wrong, what it exits with, what to do next.

::

    VpngwError                    1
    ├── UsageError               64   wrong command line or call
    ├── BlueprintError            4   the file or value cannot become a blueprint
    │   └── InvalidValue          4   a noun, or a reference to a secret, was given what it cannot take
    ├── Refused                   4   findings, protection, not ours: nothing was done
    ├── SecretError               4   a secret reference cannot be resolved
    ├── NotConfirmed              1   somebody was asked, and did not say yes
    ├── FileDenied                4   the operating system keeps a file or folder from this user
    ├── StateError                1   state is damaged, newer, or of something else
    │   ├── NoPlace               1   the container of the state was never made
    │   ├── StateNewer            1   a newer version of vpngw wrote it
    │   ├── StateMismatch         4   state is bound to another cloud, tenant or subscription
    │   ├── StateDenied           4   another user's state: this one may not read or write it
    │   └── StateLocked           7   another run holds the lock, or took it from us
    ├── PlanError                 1
    │   └── StalePlan             8   Azure or the state moved since the plan was made
    ├── CloudError                1   what Azure (or the way to it) answered
    │   ├── SignInFailed          3
    │   │   └── OtherTenant       3   the subscription belongs to a tenant that our token is not of
    │   ├── Forbidden             3
    │   ├── EndpointError         1   the endpoint is down or is not ARM
    │   ├── AzureRefused          1   Azure said no, with code and message
    │   ├── PreconditionFailed    1   412: somebody changed it in between
    │   ├── Contention            1   another operation is in progress: retried, never a failure by itself
    │   ├── Throttled             1   429: retried after what Azure asks
    │   └── Unavailable           1   5xx or a broken connection: retried when idempotent
    ├── OutputMissing             1   Azure did not report a value that another resource needs
    ├── CarriedValueLost          1   a PUT lost something that was not ours
    └── SimulatorError            1
        └── SimulatorDenied       4   its content belongs to another user
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

from vpngw_iac.late_dataclass import dataclass


class ExitCode(IntEnum):
    """Exit codes of the command line; scripts depend on them."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    PERMISSION = 3
    REFUSED = 4
    NOT_VERIFIED = 5
    RUNNING = 6
    LOCKED = 7
    STALE = 8
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.LOCKED,
    ExitCode.PERMISSION,
    ExitCode.ERROR,
    ExitCode.REFUSED,
    ExitCode.STALE,
    ExitCode.RUNNING,
    ExitCode.NOT_VERIFIED,
    ExitCode.CHANGES,
    ExitCode.DONE,
)
"""Of several exit codes the first of these counts."""


def worst(codes: Iterable[int]) -> ExitCode:
    """The exit code of several results."""
    found = {int(code) for code in codes}
    return next((code for code in PRECEDENCE[:-1] if code in found), ExitCode(max(found, default=0)))


Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem as a value: `summary` is constant and searchable, `detail` says what, why and what to do.

    ``f"{finding.rule}: {finding.detail}"``
    """

    rule: str
    level: Level = "error"
    address: str = ""
    """Empty: it is about the whole."""
    summary: str = ""
    detail: str = ""
    advice: str = ""
    source: str = ""
    location: str = ""
    """Blueprint path or ``file:line`` where the cause stands."""
    waived: str | None = None
    """The reason given with ``waive={rule: reason}``; a waived finding stays visible and never blocks."""
    see: tuple[str, ...] = ()
    """Ids of the same rule in other tools (PSRule, APRL, Azure Policy)."""

    @property
    def blocks(self) -> bool:
        """Whether this finding alone refuses a plan."""
        return self.level == "error" and self.waived is None


@dataclass(frozen=True, slots=True)
class AzureIds:
    """What Microsoft's support asks for first."""

    correlation: str = ""
    request: str = ""
    operation: str = ""
    at: str = ""
    """UTC time of the answer, ISO 8601."""


class VpngwError(Exception):
    """Base of every error of this package: a message, what to do next, and the exit code of the command line."""

    exit_code: ExitCode = ExitCode.ERROR
    advice: str = ""

    def __init__(self, message: str, *, advice: str = "", address: str = "", location: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.address = address
        self.location = location
        if advice:
            self.advice = advice


class UsageError(VpngwError, ValueError):
    """The command line or the call makes no sense."""

    exit_code = ExitCode.USAGE
    advice = "See `vpngw --help`."


class BlueprintError(VpngwError, ValueError):
    """The file or the value cannot become a blueprint."""

    exit_code = ExitCode.REFUSED

    def __init__(
        self,
        message: str,
        *,
        findings: Iterable[Finding] = (),
        advice: str = "",
        address: str = "",
        location: str = "",
    ) -> None:
        super().__init__(message, advice=advice, address=address, location=location)
        self.findings = tuple(findings)


class InvalidValue(BlueprintError):
    """A noun, or a reference to a secret, was given a value that it cannot take; each finding names field and place."""


class Refused(VpngwError):
    """Something must not be done: findings of level error, protection, or a resource that is not ours."""

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, *, findings: Iterable[Finding] = (), advice: str = "", address: str = "") -> None:
        super().__init__(message, advice=advice, address=address)
        self.findings = tuple(findings)


class SecretError(VpngwError):
    """A secret reference cannot be resolved; the message names the reference, never a value."""

    exit_code = ExitCode.REFUSED
    advice = "Check every reference with `vpngw secret check FILE`."


class NotConfirmed(VpngwError):
    """Somebody was asked and did not say yes: nothing was done."""


class FileDenied(VpngwError):
    """The operating system does not let this user read or write a file or folder; the message names its owner."""

    exit_code = ExitCode.REFUSED


class StateError(VpngwError):
    """The state cannot be used; it is never overwritten."""


class NoPlace(StateError):
    """The place of the state is not there yet: its container was never made."""


class StateNewer(StateError):
    """A newer version of vpngw wrote this state or journal: this one neither reads nor replaces it."""


class StateMismatch(StateError):
    """The state is bound to another cloud, tenant, subscription or deployment."""

    exit_code = ExitCode.REFUSED


class StateDenied(StateError, FileDenied):
    """The state belongs to another user, who lets this one not in."""

    exit_code = ExitCode.REFUSED


class StateLocked(StateError):
    """Another run holds the lock of this deployment, or took it while we ran."""

    exit_code = ExitCode.LOCKED
    advice = "Wait for that run. If it is dead: `vpngw state unlock`."


class PlanError(VpngwError):
    """A plan cannot be made or used."""


class StalePlan(PlanError):
    """Azure or the state moved since this plan was made."""

    exit_code = ExitCode.STALE
    advice = "Run `vpngw plan` again and review the new plan."


class CloudError(VpngwError):
    """What Azure answered, translated once: what happened, to which address, what to do."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        ids: AzureIds | None = None,
        advice: str = "",
        address: str = "",
    ) -> None:
        super().__init__(message, advice=advice, address=address)
        self.status = status
        self.code = code
        self.ids = ids or AzureIds()


class SignInFailed(CloudError):
    """No credential, or one that is expired or wrong."""

    exit_code = ExitCode.PERMISSION
    advice = "Sign in (`az login`) or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET."


class OtherTenant(SignInFailed):
    """Signed in, but not in the tenant that the subscription belongs to; something that is only used is unread then."""

    advice = "The sign-in is for another tenant. Name the subscription's tenant, for example with AZURE_TENANT_ID."


class Forbidden(CloudError):
    """Signed in, but not permitted; `findings` list the rights that are missing when they were asked for before."""

    exit_code = ExitCode.PERMISSION
    advice = "Ask for a role that contains the action named above, at this scope."
    findings: tuple[Finding, ...] = ()


class EndpointError(CloudError):
    """The endpoint is down, or is not an ARM endpoint."""


class AzureRefused(CloudError):
    """Azure refused or failed an operation; `code` and the message are Azure's own."""


class PreconditionFailed(CloudError):
    """412: the resource changed between read and write."""


class Contention(CloudError):
    """Another operation is in progress, or a referenced resource is not provisioned yet. Waited for, then retried."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int = 409,
        code: str = "",
        ids: AzureIds | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, ids=ids)
        self.retry_after = retry_after


class Throttled(CloudError):
    """429: the subscription's or the provider's quota of requests is used up for now."""

    def __init__(
        self, message: str, *, retry_after: float | None = None, code: str = "", ids: AzureIds | None = None
    ) -> None:
        super().__init__(message, status=429, code=code, ids=ids)
        self.retry_after = retry_after


class Unavailable(CloudError):
    """5xx or a broken connection; whether the request was carried out is unknown."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int = 0,
        code: str = "",
        ids: AzureIds | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, ids=ids)
        self.retry_after = retry_after


class OutputMissing(VpngwError):
    """Azure did not report a value that another resource needs, although its source succeeded."""


class CarriedValueLost(VpngwError):
    """After a PUT something that is not ours and that we carried along is gone."""


class SimulatorError(VpngwError):
    """The simulator cannot do what was asked of it (its content folder is damaged, its port is taken)."""


class SimulatorDenied(SimulatorError, FileDenied):
    """The simulator's content belongs to another user."""

    exit_code = ExitCode.REFUSED


class Findings:
    """Findings in their order of display: errors first, then by address and rule."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Finding, ...] = ()) -> None:
        self.items = items

    @classmethod
    def of(cls, items: Iterable[Finding]) -> Findings:
        """Sort and drop repetitions."""
        rank = {"error": 0, "warning": 1, "info": 2}
        return cls(
            tuple(sorted(set(items), key=lambda f: (f.waived is not None, rank[f.level], f.address, f.rule, f.detail)))
        )

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Those that refuse a plan."""
        return tuple(finding for finding in self.items if finding.blocks)
