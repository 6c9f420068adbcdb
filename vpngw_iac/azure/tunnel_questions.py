"""Questions about tunnels to Azure: status, BGP, associations, health. Nothing is changed, and nothing is an error.

What is asked by GET is asked side by side; of each gateway (and of each circuit) one POST at a time. No right, a lock,
a busy gateway, an empty answer and an operation without an end come back as `Unknown`; only a sign-in that fails
raises.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from vpngw_iac.arm import ArmId
from vpngw_iac.azure import tunnel_answers as answers
from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.parse import date_of
from vpngw_iac.azure.reading import Reader
from vpngw_iac.azure.reads import PACKAGES
from vpngw_iac.engine.ports import Clock, Observed
from vpngw_iac.errors import CloudError, Contention, Forbidden, OtherTenant, SignInFailed, Throttled, Unavailable
from vpngw_iac.verify import questions as q

PATIENCE = 300.0
"""Seconds for one answer to a POST: what takes longer may have no end."""
_TRIES = 3
_POLL = 10.0
"""Seconds between two polls that Azure says nothing about."""
_LONGEST = 30.0
_HEALTH = "/providers/Microsoft.ResourceHealth/availabilityStatuses/current?api-version=2020-05-01"
_ACTIVITY = "/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01"
_DAY = timedelta(days=1)
"""How far back a change of policy matters: no association lives longer than its eight hours."""

_POSTS: Mapping[type[q.TunnelQuestion], str] = {
    q.AskSessions: "getBgpPeerStatus",
    q.AskLearned: "getLearnedRoutes",
    q.AskAdvertised: "getAdvertisedRoutes",
    q.AskAssociations: "getikesas",
    q.AskEffectiveRoutes: "effectiveRouteTable",
    q.AskCircuitPath: "arpTables",
}


class TunnelQuestions:
    """Asks. Safe between threads."""

    def __init__(self, arm: Arm, reader: Reader, clock: Clock) -> None:
        self._arm = arm
        self._reader = reader
        self._clock = clock
        self._seen: tuple[datetime, float] | None = None
        self._asks: Mapping[type[q.TunnelQuestion], Callable[[Any], q.Reply]] = {
            q.AskConnection: partial(self._document, read=answers.connection),
            q.AskGateway: partial(self._document, read=answers.gateway),
            q.AskNeighbour: partial(self._document, read=answers.neighbour),
            q.AskCircuit: partial(self._document, read=answers.circuit),
            q.AskPeering: partial(self._document, read=answers.peering),
            q.AskHealth: self._health,
            q.AskLastWrite: self._last_write,
            q.AskSessions: partial(self._posted, read=answers.sessions),
            q.AskLearned: partial(self._posted, read=answers.routes),
            q.AskAdvertised: self._advertised,
            q.AskAssociations: partial(self._posted, read=answers.associations),
            q.AskEffectiveRoutes: partial(self._posted, read=answers.effective_routes),
            q.AskCircuitPath: self._circuit_path,
        }

    def ask(self, questions: Collection[q.TunnelQuestion]) -> dict[q.TunnelQuestion, q.Reply]:
        """Every reply; only a sign-in that fails is an error."""
        asked = list(dict.fromkeys(questions))
        chains: dict[ArmId, list[q.TunnelQuestion]] = {}
        for question in asked:
            if type(question) in _POSTS:
                chains.setdefault(_holder(question), []).append(question)
        single = [[question] for question in asked if type(question) not in _POSTS]
        found: dict[q.TunnelQuestion, q.Reply] = {}
        for part in self._reader.in_parallel(
            [partial(self._one_by_one, chain) for chain in (*chains.values(), *single)]
        ):
            found |= part
        return found

    def _one_by_one(self, chain: list[q.TunnelQuestion]) -> dict[q.TunnelQuestion, q.Reply]:
        return {question: self._reply(question) for question in chain}

    def _reply(self, question: q.TunnelQuestion) -> q.Reply:
        try:
            return self._asks[type(question)](question)
        except OtherTenant as error:
            return q.Unknown(f"it belongs to another tenant ({error.code})")
        except SignInFailed:
            raise
        except CloudError as error:
            return q.Unknown(_why(error))

    # --- by GET ------------------------------------------------------------------------------------------------------

    def _document(self, question: q.TunnelQuestion, read: Callable[[Observed], q.Reply]) -> q.Reply:
        return read(self._reader.read(question.about))

    def _health(self, question: q.AskHealth) -> q.Reply:
        doing = f"ask for health of {question.about}"
        answer = self._got(question.about.subscription, f"{question.about}{_HEALTH}", doing)
        return answers.health(answer.document, self._now(answer))

    def _last_write(self, question: q.AskLastWrite) -> q.Reply:
        since = f"{self._now() - _DAY:%Y-%m-%dT%H:%M:%SZ}"
        wanted = quote(f"eventTimestamp ge '{since}' and resourceUri eq '{question.about}'", safe="")
        path = f"/subscriptions/{question.about.subscription}{_ACTIVITY}&$filter={wanted}"
        answer = self._got(question.about.subscription, path, f"ask for changes of {question.about}")
        return answers.last_write(answer.document, self._now(answer))

    def _got(self, subscription: str, path: str, doing: str) -> Answer:
        url = f"{self._arm.settings.endpoint}{path}"
        return self._arm.checked(self._arm.get(subscription, url, doing=doing), doing)

    # --- by POST -----------------------------------------------------------------------------------------------------

    def _posted(self, question: q.TunnelQuestion, read: Callable[[Any], q.Reply]) -> q.Reply:
        body = self._post(question.about, _POSTS[type(question)])
        return body if isinstance(body, q.Unknown) else read(body)

    def _advertised(self, question: q.AskAdvertised) -> q.Reply:
        body = self._post(question.about, _POSTS[q.AskAdvertised], f"&peer={quote(question.neighbour, safe='')}")
        return body if isinstance(body, q.Unknown) else answers.routes(body)

    def _circuit_path(self, question: q.AskCircuitPath) -> q.Reply:
        arp = self._post(question.about, f"arpTables/{question.path}")
        summary = self._post(question.about, f"routeTablesSummary/{question.path}")
        return q.PathTables(answers.arp(arp), answers.prefixes(summary))

    def _post(self, about: ArmId, action: str, query: str = "") -> Any:
        """The body of an answer, waited for; `Unknown` for everything else."""
        try:
            return self._waited_for(about, action, query)
        except SignInFailed:
            raise
        except CloudError as error:
            return q.Unknown(_why(error))

    def _waited_for(self, about: ArmId, action: str, query: str) -> Any:
        doing = f"ask {action} of {about}"
        url = f"{self._arm.settings.endpoint}{about}/{action}?api-version={PACKAGES['network'].api_version}{query}"
        began = self._clock.now()
        answer = self._patiently(partial(self._arm.ask, about.subscription, url, doing=doing), doing)
        while answer.status == 202:
            link = next((one for one in answer.operation_urls[::-1] if self._arm.is_ours(one)), None)
            if link is None:
                return q.Unknown("Azure does not say where its answer will be")
            pause = min(_LONGEST, answer.retry_after or _POLL)
            if self._clock.now() + pause - began > PATIENCE:
                return q.Unknown(f"no answer within {PATIENCE / 60:.0f} min")
            self._clock.sleep(pause)
            answer = self._patiently(partial(self._arm.get, about.subscription, link, doing=doing), doing)
        self._now(answer)
        return q.Unknown("the answer is empty") if answer.body is None else answer.body

    def _patiently(self, ask: Callable[[], Answer], doing: str) -> Answer:
        """One exchange, tried again a few times while Azure is out of breath."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._arm.checked(ask(), doing)
            except (Throttled, Unavailable) as error:
                if attempt == _TRIES:
                    raise
                self._clock.sleep(min(_LONGEST, error.retry_after or 2.0**attempt))
        raise AssertionError("the last attempt returns or raises")

    def _now(self, answer: Answer | None = None) -> datetime:
        """Azure's time of day: the date of an answer, or that of an earlier one and what has passed since."""
        told = date_of(answer.headers.get("date", "")) if answer is not None else None
        if told is not None:
            self._seen = (told, self._clock.now())
        if self._seen is not None:
            return self._seen[0] + timedelta(seconds=self._clock.now() - self._seen[1])
        return datetime.fromisoformat(self._clock.utc()).astimezone(UTC)


def _holder(question: q.TunnelQuestion) -> ArmId:
    """Of what one POST at a time is asked: the gateway, or the circuit."""
    if isinstance(question, q.AskAssociations):
        return question.gateway
    parent = question.about.parent
    return parent if isinstance(question, q.AskCircuitPath) and parent is not None else question.about


def _why(error: CloudError) -> str:
    """Why nothing is known, in few words."""
    code = error.code or (f"HTTP {error.status}" if error.status else "")
    if isinstance(error, Forbidden):
        return f"not permitted ({code or 'Forbidden'})"
    if code == "ScopeLocked":
        return "a ReadOnly lock refuses the question (ScopeLocked)"
    if isinstance(error, Contention):
        return f"Azure is busy with it ({code or 'another operation'})"
    return f"no usable answer ({code})" if code else error.message
