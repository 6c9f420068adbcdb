"""What an error means for the operation that it befell: again, unconfirmed, or failed. Pure but for the jitter.

Only a refusal of Azure's own proves that a write was not carried out. Contention and "too many requests" prove it of
one request only: an earlier one whose answer was lost may still have been carried out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from vpngw_iac.engine.execute.retry import LONGEST_UNSURE, LONGEST_WAIT, Patience
from vpngw_iac.engine.ports import Verb
from vpngw_iac.errors import (
    AzureRefused,
    CloudError,
    EndpointError,
    SignInFailed,
    Throttled,
    Unavailable,
    VpngwError,
)

Phase = Literal["prepare", "send", "poll", "settle"]

_WHY = {"Contention": "another operation in Azure", "Throttled": "Azure's request quota"}


@dataclass(frozen=True, slots=True)
class Again:
    """The step is made again later."""

    delay: float
    why: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Nobody can say whether it was done: the journal keeps it open, the next run asks Azure."""

    is_mute: bool
    """Who answers is not Azure, or nobody does: then nothing further may begin."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It is over."""


def meaning(
    patience: Patience,
    phase: Phase,
    error: VpngwError,
    now: float,
    verb: Verb,
    jitter: random.Random,
    *,
    deleted_some: bool,
) -> Again | Unconfirmed | Failed:
    """What happens next. Counts the attempt."""
    if phase == "poll":
        return _polling(patience, error, jitter)
    if phase == "send" and (is_mute(error) or not isinstance(error, CloudError)):
        patience.lose(now)
    elif phase == "prepare" and patience.lost and is_mute(error):
        return Unconfirmed(is_mute=True)
    delay = patience.retry(error, now, verb, jitter, deleted_some=deleted_some)
    if delay is not None:
        return Again(delay, _WHY.get(type(error).__name__, f"a retry ({error.message})"))
    asked = getattr(error, "retry_after", None) or 0.0
    if asked > LONGEST_WAIT:
        error.advice = f"Azure asks to wait {duration(asked)}, vpngw waits an hour at most. Run it again later."
    if patience.lost and not _is_proof(error, phase):
        return Unconfirmed(is_mute=False)
    return Failed()


def seconds_to_wait(error: VpngwError) -> float:
    """For how long nobody begins anything after a 429, in whatever format; zero after anything else."""
    asked = getattr(error, "retry_after", None) or 10.0
    if isinstance(error, Throttled):
        return min(asked, LONGEST_WAIT)
    return min(asked, LONGEST_UNSURE) if isinstance(error, Unavailable) and error.status == 429 else 0.0


def duration(seconds: float) -> str:
    """``40 min``, ``3 h``, ``2 days``."""
    for size, unit, word in ((2 * 86_400.0, 86_400.0, "days"), (7200.0, 3600.0, "h")):
        if seconds >= size:
            return f"{seconds / unit:.0f} {word}"
    return f"{max(1.0, seconds / 60.0):.0f} min"


def is_mute(error: VpngwError) -> bool:
    """Whether nobody answered who is Azure, or not in a way that says anything."""
    no_code = isinstance(error, AzureRefused) and not error.code and not error.address
    return isinstance(error, Unavailable | EndpointError) or no_code


def explained(error: VpngwError, endpoint: str) -> VpngwError:
    """The error of a write whose end nobody can tell; says who was asked, and what the next run does about it."""
    if endpoint not in error.message:
        error.message = f"{error.message} Asked was {endpoint}."
        error.args = (error.message,)
    if not isinstance(error, SignInFailed):
        error.advice = error.advice or (
            "Whether Azure carried it out is unknown. Check the endpoint, the network and a proxy (HTTPS_PROXY); then "
            "run `vpngw apply` again: it asks Azure first and continues."
        )
    return error


def _polling(patience: Patience, error: VpngwError, jitter: random.Random) -> Again | Unconfirmed:
    patience.poll_errors += 1
    if isinstance(error, CloudError) and not patience.gives_up_polling(error):
        return Again(patience.poll_backoff(error, jitter), f"an answer about how far it is ({error.message})")
    return Unconfirmed(is_mute=is_mute(error))


def _is_proof(error: VpngwError, phase: Phase) -> bool:
    """Azure refused the call itself, or the look before it found somebody else's: both close an open record.

    What else ends a preparation (a right to read that is gone, a secret), and a sign-in that ended, says nothing of the
    call whose answer was lost. Errors of our own look bear an address, those of Azure's answers do not.
    """
    if phase == "send":
        return isinstance(error, CloudError) and not is_mute(error) and not isinstance(error, SignInFailed)
    return isinstance(error, AzureRefused) and bool(error.address)
