"""Take our tag off what we forget, by PATCH: what bears it without an entry would be an alarm ever after.

Where that is not possible (no right, no connection, Azure busy) the caller keeps the id under the state's `forgotten`.
"""

from __future__ import annotations

import os
import platform
import queue
import uuid
from collections.abc import Callable

from vpngw_iac.engine.plan.inputs import DEPLOYMENT_TAG, deployment_in
from vpngw_iac.engine.ports import Call, Clock, Cloud, Ended, Observed, Pending
from vpngw_iac.errors import CloudError, Contention, PreconditionFailed, StateLocked, Throttled, Unavailable, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import type_of
from vpngw_iac.state.journal import Begun, OperationClosed
from vpngw_iac.state.model import Entry
from vpngw_iac.state.store import LockedStore

TRIES = 3
POLLS = 24
PAUSE = 5.0
"""Seconds between two of either: forgetting waits two minutes at most."""

_LATER = (Contention, Throttled, Unavailable, PreconditionFailed)


@dataclass(frozen=True, slots=True)
class Release:
    """What it takes to write a tag: the cloud, and the journal that learns of it first."""

    cloud: Callable[[], Cloud]
    """Opened only when something can bear a tag; may raise, which counts as "not possible"."""
    locked: LockedStore
    clock: Clock
    run: str
    deployment: str

    def bears_tag_still(self, entry: Entry) -> bool:
        """Take the tag off; whether it is there still, as far as anybody can tell."""
        model = type_of(entry.id.type)
        if model is None or not model.taggable:
            return False
        for attempt in range(1, TRIES + 1):
            try:
                return not self._is_taken_off(self.cloud(), entry)
            except _LATER:
                if attempt < TRIES:
                    self._pause()
            except StateLocked:
                raise
            except VpngwError:
                break
        return True

    def _is_taken_off(self, cloud: Cloud, entry: Entry) -> bool:
        observed = cloud.read(entry.id)
        if observed.document is None or deployment_in(observed.document) != self.deployment:
            return True
        tags = observed.document.get("tags") or {}
        others = {name: value for name, value in tags.items() if name.lower() != DEPLOYMENT_TAG}
        operation = self._begun(entry, observed)
        try:
            after = self._ended(cloud, cloud.begin(Call("tag", entry.id, {"tags": others})))
        except Unavailable:
            raise  # nobody knows: the record stays open, and the next run looks
        except CloudError as error:
            self._closed(operation, error)
            raise
        failure = None if after is None else after.error
        self._closed(operation, failure)
        shown = after.observed.document if after is not None and after.observed is not None else None
        return failure is None and deployment_in(shown) != self.deployment

    def _ended(self, cloud: Cloud, answer: Pending | Ended) -> Ended | None:
        for _ in range(POLLS):
            if isinstance(answer, Ended):
                return answer
            self._pause()
            progress = cloud.poll(answer)
            answer = progress if isinstance(progress, Ended) else answer
        return None

    def _pause(self) -> None:
        self.clock.next(queue.SimpleQueue(), PAUSE, calls_in_flight=0)

    def _begun(self, entry: Entry, observed: Observed) -> str:
        number = uuid.uuid4().hex
        self.locked.append(
            Begun(
                at=self.clock.utc(),
                operation=number,
                address=entry.address,
                step="untag",
                verb="tag",
                id=entry.id,
                etag=observed.etag or "present",
                digest="",
                process=f"{platform.node()}:{os.getpid()}",
                run=self.run,
            )
        )
        return number

    def _closed(self, operation: str, error: CloudError | None) -> None:
        self.locked.append(
            OperationClosed(
                at=self.clock.utc(),
                operation=operation,
                status="failed" if error else "succeeded",
                code=error.code if error else "",
                error=error.message if error else "",
            )
        )
