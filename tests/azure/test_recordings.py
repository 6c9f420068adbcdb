"""Everything that Azure was recorded to refuse is understood: no recorded error is a surprise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.recordings.exchange import NOTHING, REQUIRED, Skipped, files, lines
from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.progress import hint_in
from vpngw_iac.azure.translate import refusal
from vpngw_iac.errors import (
    AzureIds,
    AzureRefused,
    CloudError,
    Contention,
    PreconditionFailed,
    Throttled,
    Unavailable,
)

pytestmark = pytest.mark.recordings

EXPECTED: dict[int, type[CloudError]] = {
    400: AzureRefused,
    404: AzureRefused,
    409: AzureRefused,
    412: PreconditionFailed,
    500: Unavailable,
    503: Unavailable,
}
READ_AS_ABSENT = {"ResourceNotFound", "NotFound", "ResourceGroupNotFound", "ParentResourceNotFound"}


def exchanges() -> Iterator[tuple[str, dict[str, Any]]]:
    """Recorded exchanges, with the name of the recording."""
    for path in files():
        yield from ((path.stem, line[1]) for line in lines(path) if not isinstance(line, Skipped))


@pytest.fixture(scope="module")
def recorded() -> list[tuple[str, dict[str, Any]]]:
    found = list(exchanges())
    if not found and REQUIRED:
        pytest.fail(NOTHING)
    if not found:
        pytest.skip(NOTHING)
    return found


def answer_of(exchange: dict[str, Any]) -> Answer:
    body = exchange["response_body"]
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer.of(exchange["status"], exchange["headers"], content)


def test_each_recorded_refusal_has_a_code_and_the_class_that_its_status_suggests(
    recorded: list[tuple[str, dict[str, Any]]],
) -> None:
    for name, exchange in recorded:
        if exchange["status"] < 400 or exchange["method"] == "HEAD":
            continue
        answer = answer_of(exchange)
        found = refusal(answer, "x", AzureIds())
        where = f"{name}: {exchange['method']} {exchange['url'][:200]}"
        if exchange["status"] == 429 or (found.code == "AnotherOperationInProgress"):
            assert isinstance(found, Contention | Throttled), where
        elif answer.is_json and not isinstance(found, Contention):
            assert type(found) is EXPECTED.get(exchange["status"], type(found)), where
        if answer.is_json:
            assert found.code, where
            assert found.code == found.code.strip(), where


def test_each_recorded_404_of_a_read_is_known_to_be_absent_or_not(
    recorded: list[tuple[str, dict[str, Any]]],
) -> None:
    absent = [answer_of(e) for _, e in recorded if e["status"] == 404 and e["method"] == "GET"]
    codes = {answer.error.code for answer in absent if answer.is_absent}

    assert codes <= READ_AS_ABSENT


def test_each_recorded_poll_says_running_or_how_it_ended(recorded: list[tuple[str, dict[str, Any]]]) -> None:
    words: set[str] = set()
    for _, exchange in recorded:
        url = exchange["url"].lower()
        if exchange["method"] == "GET" and ("/operations/" in url or "/operationresults/" in url):
            answer = answer_of(exchange)
            hint = hint_in(answer)
            words.add(hint.word)
            if hint.word == "failed":
                assert hint.error.code
                assert not hint.error.code.startswith(" ")

    assert words <= {"running", "succeeded", "failed", "silent"}
