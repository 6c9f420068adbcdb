"""What an error means for the operation that it befell, how long to wait and how often to try again.

Pure but for the jitter it is given. Only a refusal of Azure's own proves that a write was not carried out. Contention
and "too many requests" prove it of one request only: an earlier one whose answer was lost may have been carried out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from typing import Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ports import Verb
from vpngw_iac.errors import (
    AzureRefused,
    CloudError,
    Contention,
    EndpointError,
    PreconditionFailed,
    SignInFailed,
    Throttled,
    Unavailable,
    VpngwError,
)
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import duration

MAX_DELAY = 120.0
IN_USE_PATIENCE = 600.0
"""Seconds for which a delete is tried again while Azure still believes in users that this run has deleted."""
MAX_TRIES = 6
MAX_AGAIN = 2
"""So often a creation whose answer was lost, and that Azure does not show, is begun again."""
SHOWN_AFTER = 120.0
"""Seconds for which a creation whose answer was lost is asked for before it is begun again."""
LONGEST_WAIT = 3600.0
"""Seconds that a write waits because Azure asks for it; national clouds count by the hour (R-LIM-02)."""
LONGEST_UNSURE = 600.0
"""Seconds that a write waits before the look that follows an answer which proves nothing."""
MUTE_FOR = 1800.0
"""Seconds for which nobody may be able to say how far an operation is, however often he is asked."""
THROTTLED_FOR = 2 * 3600.0
"""Seconds for which "too many requests" is waited for in all."""


LIKELY = (0.8, 1.5)
"""Between these parts of the usual time most operations end (recordings, section (f))."""


def poll_delay(asked: float | None, polls: int, usual: float, age: float = 0.0) -> float:
    """Seconds to the next poll: what Azure asks, else growing waits in proportion to how long it usually takes.

    Since 2020 Azure asks for 10, 20, 40, 80 up to 100 seconds (recordings ``java_*``), whatever it is at work on. So an
    operation that is `age` seconds old is looked at more often while it is about to end: others wait for it. A look
    shortly before that time comes with it: it would be followed by another.
    """
    if asked == 0 and not polls:  # it has ended already, look at once
        return 0.0
    first = min(10.0, max(1.0, usual / 10.0))
    wait = min(asked, 300.0) if asked else float(min(first * 2 ** min(polls, 5), 60.0))
    soonest, latest = (part * usual for part in LIKELY)
    if age >= latest:
        return wait
    if age + wait <= soonest:
        return wait if age + wait + _between_looks(usual) <= soonest else soonest - age
    return min(wait, max(_between_looks(usual), soonest - age))


def _between_looks(usual: float) -> float:
    return min(30.0, max(5.0, usual / 20.0))


def is_in_use(code: str) -> bool:
    """Whether Azure refuses a delete because something still uses the resource (recording, section deletes)."""
    text = code.lower()
    return text.startswith("inuse") or "cannotbedeleted" in text or text.endswith("inuse")


_ID = re.compile(r"/subscriptions/[^\s'\",;()\[\]]+", re.IGNORECASE)


def users_in(message: str, target: ArmId) -> tuple[str, ...]:
    """Ids of those who use a resource, as a refusal names them (recording ``test_delete_dependent_resources``)."""
    named = (found.rstrip(".:") for found in _ID.findall(message))
    return tuple(dict.fromkeys(each for each in named if not f"{each}/".lower().startswith(f"{target.key}/")))


def may_be_gone(error: VpngwError, target: ArmId, deleted: Iterable[ArmId]) -> bool:
    """Whether a refusal to delete may be about users that this run has deleted: it names one of them, or nobody."""
    gone = tuple(f"{each.key}/" for each in deleted)
    users = users_in(error.message, target)
    return bool(gone) and (not users or any(f"{user}/".lower().startswith(gone) for user in users))


def advised(error: VpngwError, target: ArmId) -> VpngwError:
    """A final refusal of a delete says who must go first."""
    users = users_in(error.message, target)
    if not error.advice and users and is_in_use(getattr(error, "code", "")):
        error.advice = f"Remove {', '.join(users)} first, or ask its owner to: it is not of this deployment."
    return error


@dataclass(slots=True)
class RetryPolicy:
    """What one operation has been through, and whether it may try again."""

    contentions: int = 0
    throttles: int = 0
    losses: int = 0
    conflicts: int = 0
    poll_errors: int = 0
    mute_since: float | None = None
    """When the first of the polls failed that have failed since the last answer."""
    in_use_since: float | None = None
    maybe_applied: bool = False
    """A call of ours may have been carried out: what is there now may be our own doing."""
    lost: int = 0
    """How many calls, open in the journal under one record, got no answer that proves anything."""
    lost_at: float = 0.0
    """When the last of them did."""
    throttled_since: float | None = None
    contention_excused: bool = False
    """A late failure beside a sibling was taken for contention; once."""

    def retry(
        self, error: VpngwError, now: float, verb: Verb, jitter: random.Random, *, deleted_some: bool
    ) -> float | None:
        """Seconds until the next attempt, or None to give up."""
        match error:
            case Contention():
                self.contentions += 1
                if (error.retry_after or 0.0) > LONGEST_WAIT:
                    return None
                return _growing(error.retry_after, self.contentions, jitter)
            case Throttled():
                self.throttles += 1
                self.throttled_since = now if self.throttled_since is None else self.throttled_since
                if (error.retry_after or 0.0) > LONGEST_WAIT or now - self.throttled_since > THROTTLED_FOR:
                    return None
                return _growing(error.retry_after, self.throttles, jitter)
            case PreconditionFailed():
                self.conflicts += 1
                return 1.0 if self.conflicts <= 3 else None
            case Unavailable():
                self.losses += 1
                # What follows is a look, and who asks to wait may be anybody: then no wait is long.
                asked = min(error.retry_after or 0.0, LONGEST_UNSURE)
                return _growing(asked, self.losses, jitter) if self.losses < MAX_TRIES else None
            case CloudError() if verb == "delete" and deleted_some and is_in_use(error.code):
                self.in_use_since = now if self.in_use_since is None else self.in_use_since
                return 15.0 if now - self.in_use_since < IN_USE_PATIENCE else None
            case _:
                return None

    def lose(self, now: float) -> None:
        """The answer to a call of ours did not come, or proves nothing."""
        self.maybe_applied = True
        self.lost += 1
        self.lost_at = now

    def found(self) -> None:
        """What the calls did is known: a call was accepted, and has ended."""
        self.maybe_applied, self.lost = True, 0

    def still_hidden(self, now: float) -> float:
        """Seconds for which a creation whose answer was lost is still asked for; zero when it is begun again."""
        return max(0.0, self.lost_at + SHOWN_AFTER - now) if self.lost else 0.0

    def poll_failed(self, error: CloudError, now: float) -> bool:
        """Count it; whether to give up. Reading may fail for a while; only a credential that is gone ends it at once.

        "Too many requests" is no failure: it is waited for as long as for any other call.
        """
        self.mute_since = now if self.mute_since is None else self.mute_since
        self.poll_errors += 1
        if isinstance(error, Throttled):
            return now - self.mute_since > THROTTLED_FOR
        return isinstance(error, SignInFailed) or (self.poll_errors > 30 and now - self.mute_since > MUTE_FOR)

    def poll_answered(self) -> None:
        """Somebody said how far it is."""
        self.poll_errors, self.mute_since = 0, None

    def poll_backoff(self, error: CloudError, jitter: random.Random) -> float:
        """Seconds until the next poll after a failed one."""
        return _growing(getattr(error, "retry_after", None), self.poll_errors, jitter)


def _growing(asked: float | None, tries: int, jitter: random.Random) -> float:
    if asked:
        return min(asked, LONGEST_WAIT)
    return float(min(10.0 * 2 ** min(tries - 1, 10), MAX_DELAY) * jitter.uniform(0.8, 1.2))


# --- what an error means for the operation that it befell -------------------------------------------------------------


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
    retry_policy: RetryPolicy,
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
        return _polling(retry_policy, error, now, jitter)
    if phase == "send" and (is_mute(error) or not isinstance(error, CloudError)):
        retry_policy.lose(now)
    elif phase == "prepare" and retry_policy.lost and is_mute(error):
        return Unconfirmed(is_mute=True)
    delay = retry_policy.retry(error, now, verb, jitter, deleted_some=deleted_some)
    if delay is not None:
        return Again(delay, _WHY.get(type(error).__name__, f"a retry ({error.message})"))
    asked = getattr(error, "retry_after", None) or 0.0
    if asked > LONGEST_WAIT:
        error.advice = f"Azure asks to wait {duration(asked)}, vpngw waits an hour at most. Run it again later."
    if retry_policy.lost and not _is_proof(error, phase):
        return Unconfirmed(is_mute=False)
    return Failed()


def seconds_to_wait(error: VpngwError) -> float:
    """For how long nobody begins anything after a 429, in whatever format; zero after anything else."""
    asked = getattr(error, "retry_after", None) or 10.0
    if isinstance(error, Throttled):
        return min(asked, LONGEST_WAIT)
    return min(asked, LONGEST_UNSURE) if isinstance(error, Unavailable) and error.status == 429 else 0.0


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


def _polling(retry_policy: RetryPolicy, error: VpngwError, now: float, jitter: random.Random) -> Again | Unconfirmed:
    if isinstance(error, CloudError) and not retry_policy.poll_failed(error, now):
        return Again(retry_policy.poll_backoff(error, jitter), f"an answer about how far it is ({error.message})")
    return Unconfirmed(is_mute=is_mute(error))


def _is_proof(error: VpngwError, phase: Phase) -> bool:
    """Azure refused the call itself, or the look before it found somebody else's: both close an open record.

    What else ends a preparation (a right to read that is gone, a secret), and a sign-in that ended, says nothing of the
    call whose answer was lost. Errors of our own look bear an address, those of Azure's answers do not.
    """
    if phase == "send":
        return isinstance(error, CloudError) and not is_mute(error) and not isinstance(error, SignInFailed)
    return isinstance(error, AzureRefused) and bool(error.address)
