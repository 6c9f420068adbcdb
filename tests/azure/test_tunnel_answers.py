"""What answers about tunnels say of times: whoever answers in Azure's place, it is a value and no traceback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from vpngw_iac.azure import tunnel_answers
from vpngw_iac.verify.questions import Health, LastWrite, Unknown

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def resolved(time: Any) -> float | None:
    inner = {"availabilityState": "Available", "recentlyResolved": {"resolvedTime": time}}
    reply = tunnel_answers.health({"properties": inner}, NOW)
    assert isinstance(reply, Health)
    return reply.resolved


def written(time: Any) -> float | None:
    row = {"operationName": {"value": "a/write"}, "status": {"value": "Succeeded"}, "eventTimestamp": time}
    reply = tunnel_answers.last_write({"value": [row]}, NOW)
    assert isinstance(reply, LastWrite)
    return reply.ago


@pytest.mark.parametrize("reading", [resolved, written])
@pytest.mark.parametrize(
    ("time", "ago"),
    [
        ("2026-11-28T11:59:00Z", 60.0),
        ("2026-11-28T11:59:00.0000000Z", 60.0),
        ("2026-11-28T11:59:00.5", 59.5),
        ("2026-11-28T12:59:00+01:00", 60.0),
        ("2026-11-28T12:59:00.2500000+01:00", 59.75),
        ("2026-11-28T13:00:00Z", 0.0),
        ("0001-01-01T00:00:00+01:00", None),
        ("soon", None),
        (None, None),
        (17, None),
    ],
)
def test_how_long_ago_something_was_is_known_in_every_zone_or_not_at_all(reading: Any, time: Any, ago: Any) -> None:
    assert reading(time) == ago


@pytest.mark.parametrize("properties", [3.7, "Available", [[1]], True, None])
def test_health_that_is_no_object_is_an_empty_answer(properties: Any) -> None:
    assert isinstance(tunnel_answers.health({"properties": properties}, NOW), Unknown)
