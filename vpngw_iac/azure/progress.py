"""How far an operation is, decided from two witnesses of different weight. Pure.

``provisioningState`` read by GET is the authority. The operation's URL is a hint: it may answer 404 after success,
HTML, 503, or say that it runs for ever (Azure/azure-cli#30169, hashicorp/terraform-provider-azurerm#33102).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from vpngw_iac.azure.answer import NOTHING, Answer, AzureError
from vpngw_iac.azure.translate import operation_failure
from vpngw_iac.engine.ports import Ended, Observed, Pending, Progress, Running
from vpngw_iac.errors import AzureRefused, CloudError
from vpngw_iac.late_dataclass import dataclass

GRACE = 120.0
"""Seconds during which a GET may not show yet what a write has done."""

TRUST = 60.0
"""Seconds for which a URL that says "running" is believed without a second request."""

MUTE = 900.0
"""Seconds after which a URL that never gave a usable answer is no longer waited for."""

_SOON = 5.0

Word = Literal["running", "succeeded", "failed", "gone", "silent"]


@dataclass(frozen=True, slots=True)
class Hint:
    """What the operation's URL says. ``gone``: there is none, or it answers 404; ``silent``: no usable answer."""

    word: Word
    retry_after: float | None = None
    error: AzureError = NOTHING


_ENDED_WELL = frozenset({"succeeded"})
_ENDED_BADLY = frozenset({"failed", "canceled", "cancelled"})


def hint_in(answer: Answer) -> Hint:
    """What an operation's URL answered. Both manners: a status document (200 also for Failed), and Location's 202."""
    wait = answer.retry_after
    status = str(answer.document.get("status") or "").strip().lower()
    if answer.status == 404:
        return Hint("gone", wait)
    if answer.is_refusal and answer.status not in {401, 403, 407, 429}:
        # A group's Location says 409 ResourceGroupDeletionBlocked (recording ``net_..._CanCreatePointToSite...``).
        return Hint("failed", wait, answer.error)
    if not answer.is_success:
        return Hint("silent", wait)
    if status in _ENDED_BADLY:
        return Hint("failed", wait, answer.error)
    if answer.status == 202 or (status and status not in _ENDED_WELL):
        return Hint("running", wait)
    return Hint("succeeded", wait)


def conclude(pending: Pending, hint: Hint, seen: Observed, *, age: float, secrets: Iterable[str] = ()) -> Progress:
    """Running or ended, from what the URL hints, what GET shows, and how many seconds ago the write was accepted."""
    reason = _Reason(pending, hint, secrets)
    if pending.verb == "delete":
        return _deleted(hint, seen, age, reason)
    if not seen.present:
        return _vanished(hint, age, reason)
    if not seen.is_terminal:
        return Running(hint.retry_after, seen.state)
    if pending.verb == "act" and hint.word == "silent" and age >= MUTE:
        return Ended("Failed", seen, reason.of("ActionNotConfirmed", "nobody says whether it was done."))
    if pending.verb == "act" and (
        hint.word in ("running", "silent") or (hint.word == "gone" and pending.url and age < GRACE)
    ):
        # An action does not show in the resource at once: a key read before its operation ended was still the old one
        # (recording ``xplat_arm-network-vpn-connection-tests``).
        return Running(hint.retry_after, "Updating")
    return _settled(hint, seen, reason)


def _settled(hint: Hint, seen: Observed, reason: _Reason) -> Ended:
    """A terminal state ends it, even if the URL says that it runs; but what Azure calls failed has not succeeded."""
    if seen.state.lower() == "canceled":
        return Ended("Canceled", seen, reason.failed())
    if seen.state.lower() == "failed" or hint.word == "failed":
        return Ended("Failed", seen, reason.failed())
    return Ended("Succeeded", seen)


def _vanished(hint: Hint, age: float, reason: _Reason) -> Progress:
    """Absent after a PUT: not shown yet, or deleted by somebody else."""
    if hint.word == "failed":
        return Ended("Failed", error=reason.failed())
    if hint.word == "running" or age < GRACE:
        return Running(hint.retry_after or _SOON, "Creating")
    return Ended("Failed", error=reason.of("ResourceNotFound", "it is absent although the write was accepted."))


def _deleted(hint: Hint, seen: Observed, age: float, reason: _Reason) -> Progress:
    if not seen.present:
        return Ended("Succeeded", seen)
    if not seen.is_terminal or hint.word == "running" or (hint.word == "silent" and age < MUTE):
        return Running(hint.retry_after, seen.state if not seen.is_terminal else "Deleting")
    if hint.word == "failed":
        return Ended("Failed", seen, reason.failed())
    if age < GRACE:
        return Running(hint.retry_after or _SOON, "Deleting")
    return Ended("Failed", seen, reason.of("DeleteNotConfirmed", "the delete was accepted, and yet it is still there."))


@dataclass(frozen=True, slots=True)
class _Reason:
    """Builds the error of an operation that did not succeed."""

    pending: Pending
    hint: Hint
    secrets: Iterable[str]

    @property
    def doing(self) -> str:
        return f"{self.pending.verb} {self.pending.id}"

    def failed(self) -> CloudError:
        return operation_failure(self.hint.error, self.doing, self.pending.ids, self.secrets)

    def of(self, code: str, said: str) -> CloudError:
        return AzureRefused(f"{self.doing}: {said}", code=code, ids=self.pending.ids)
