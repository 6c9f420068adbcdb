"""Writes: begin one, and ask once how far it is. Never retries, never waits: that belongs to the scheduler."""

from __future__ import annotations

from collections.abc import Mapping

from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.progress import GRACE, TRUST, Hint, conclude, hint_in
from vpngw_iac.azure.reading import Reader, is_absent, names_of, sdk_of, version_of
from vpngw_iac.azure.translate import refusal, write_failure
from vpngw_iac.engine.ports import Call, Clock, Ended, Observed, Pending, Progress, Quota, Running
from vpngw_iac.errors import EndpointError, Throttled, Unavailable, UsageError
from vpngw_iac.resources import type_of


class Operations:
    """Begins and polls. Safe between threads."""

    def __init__(self, arm: Arm, reader: Reader, clock: Clock) -> None:
        self._arm = arm
        self._reader = reader
        self._clock = clock

    def begin(self, call: Call) -> Pending | Ended:
        """Send one request. An answer that already is terminal asks to be polled at once: GET knows more than PUT."""
        doing = f"{call.verb} {call.id}"
        self._arm.remember(call.secrets)
        self._spend(call, doing)
        body = () if call.verb == "delete" else (dict(call.body or {}),)
        answer = self._arm.call(
            call.id.subscription,
            sdk_of(call.id),
            _method(call),
            *names_of(call.id),
            *body,
            headers=self._headers(call),
            api_version=version_of(call.id),
            more={"sync_remote_address_space": "true"} if call.sync else None,
            writes=True,
            doing=doing,
        )
        if call.verb == "delete" and (answer.status == 204 or is_absent(answer, call.id)):
            return Ended("Succeeded", Observed(call.id, None))
        if not _is_accepted(call, answer):
            raise write_failure(
                answer, doing, self._arm.ids(answer), self._arm.secrets, endpoint=self._arm.settings.endpoint
            )
        return self._pending(call, answer)

    def room(self, subscription: str, calls: Mapping[Quota, int]) -> float:
        """Seconds until so many calls more leave something of the quota; zero spends them at once."""
        return self._arm.budget.room(subscription, calls, self._clock.now())

    def _spend(self, call: Call, doing: str) -> None:
        """Refuse our own request while the quota is nearly used up: a real 429 would stop everybody."""
        kind: Quota = "deletes" if call.verb == "delete" else "writes"
        wait = self._arm.budget.pause(call.id.subscription, kind, self._clock.now())
        if wait > 0:
            text = f"{doing}: the subscription has few {kind} left, waiting before the next one."
            raise Throttled(text, retry_after=wait, ids=self._arm.ids())

    def _headers(self, call: Call) -> dict[str, str]:
        condition = {"If-Match": call.etag} if call.etag and call.verb == "put" else {}
        return condition | self._arm.auxiliary(call.tenants)

    def _pending(self, call: Call, answer: Answer) -> Pending:
        usable = next((url for url in answer.operation_urls if self._arm.is_ours(url)), None)
        wait = answer.retry_after
        if call.verb in ("put", "tag") and answer.document and Observed(call.id, answer.document).is_terminal:
            wait = 0.0
        return Pending(call.verb, call.id, usable, wait, self._arm.ids(answer), self._clock.now())

    def poll(self, pending: Pending) -> Progress:
        """Ask once; `Throttled` and `Unavailable` say nothing against the operation, the caller asks again later."""
        age = GRACE if pending.since is None else self._clock.now() - pending.since
        if pending.retry_after == 0.0:  # the PUT has answered that it ended: the URL would only say it once more
            seen = self._reader.look(pending.id)
            if seen.present and seen.is_terminal:
                return conclude(pending, Hint("gone"), seen, age=age, secrets=self._arm.secrets)
        hint = self._hint(pending)
        if hint.word == "running" and age < TRUST:
            return Running(hint.retry_after, "Deleting" if pending.verb == "delete" else "Updating")
        seen = self._reader.look(pending.id)
        return conclude(pending, hint, seen, age=age, secrets=self._arm.secrets)

    def _hint(self, pending: Pending) -> Hint:
        if pending.url is None or not self._arm.is_ours(pending.url):
            return Hint("gone")
        try:
            answer = self._arm.get(pending.id.subscription, pending.url, doing=f"poll {pending.verb} {pending.id}")
        except (Throttled, Unavailable, EndpointError):
            return Hint("silent")
        if answer.status == 401 and answer.is_refusal:
            raise refusal(answer, f"poll {pending.verb} {pending.id}", self._arm.ids(answer), self._arm.secrets)
        return hint_in(answer)


def _method(call: Call) -> str:
    """The SDK's method, as the type says."""
    if call.verb == "act" and call.action != "sharedKey":
        raise UsageError(f"There is no action {call.action!r} on {call.id}.")
    model = type_of(call.id.type)
    if model is None or call.verb not in model.sdk_calls:
        raise UsageError(f"A {call.id.type} has no call for the verb {call.verb!r}.")
    return model.sdk_calls[call.verb]


def _is_accepted(call: Call, answer: Answer) -> bool:
    """Whether Azure took it. A PUT or PATCH answers the resource, or 202 and nothing (recordings, section (c)).

    A shared key was answered with 200 and nothing (``xplat_arm-network-vpn-connection-tests``), deletes too.
    """
    if not answer.is_success:
        return False
    return call.verb in ("delete", "act") or answer.status == 202 or bool(answer.document)
