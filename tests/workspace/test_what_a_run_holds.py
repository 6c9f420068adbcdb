"""What a run holds until its end: each entry once, no document that only deciding read, no exchange that is over."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.ports import Observed, Snapshot
from vpngw_iac.state.model import Entry

EXCHANGE = {"PipelineContext", "PipelineRequest", "PipelineResponse", "HttpRequest", "PlainResponse"}
"""What the SDK makes of one call."""


def living(*kinds: str) -> list[Any]:
    return [found for found in gc.get_objects() if type(found).__name__ in kinds]


class Looks:
    """Hears a run; when its first operation is about to begin, looks at what has come to be since it was made."""

    def __init__(self, kind: type) -> None:
        self.seen: list[Any] = []
        self._kind = kind.__name__
        gc.collect()
        self._before = living(self._kind)

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.RunStarted):
            known = set(map(id, self._before))
            gc.collect()
            self.seen = [found for found in living(self._kind) if id(found) not in known]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_the_state_is_held_once_while_it_is_carried_out(harness: Harness) -> None:
    """Store, plan and run speak of the same entries."""
    deployment = harness.create(hub("berlin", "paris"))
    looks = Looks(Entry)

    assert harness.destroy(deployment, run={"on_event": looks}).outcome == "succeeded"

    copies = Counter(entry.address for entry in looks.seen)
    assert copies["VpnConnection/hub/berlin"] == 1
    assert set(copies.values()) == {1}


def test_documents_that_only_deciding_read_are_let_go(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    looks = Looks(Observed)

    assert harness.destroy(deployment, run={"on_event": looks}).outcome == "succeeded"

    assert looks.seen != []
    assert [seen for seen in looks.seen if seen.document and "id" in seen.document] == []


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"etag": 'W/"1"', "id": "/x", "properties": {"provisioningState": "Failed", "more": [1]}},
        {"id": "/x", "properties": {"provisioningState": "Updating"}},
    ],
)
def test_an_outline_says_what_the_whole_document_said(document: dict[str, Any] | None) -> None:
    identity = ArmId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p")
    whole = Observed(identity, document, "list", unread="" if document else "not permitted to read")

    outline = Snapshot({identity: whole}).outlined().get(identity)

    said = ("id", "source", "unread", "present", "etag", "state", "is_terminal", "has_failed")
    assert [getattr(outline, name) for name in said] == [getattr(whole, name) for name in said]


@pytest.mark.usefixtures("no_collector")
def test_an_exchange_that_is_over_is_gone_without_the_collector(harness: Harness) -> None:
    """A thousand sites make eight thousand of them."""
    before = living(*EXCHANGE)

    harness.create(hub("berlin"))

    known = set(map(id, before))
    assert [found for found in living(*EXCHANGE) if id(found) not in known] == []
