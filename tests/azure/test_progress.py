"""Two witnesses: what GET shows is the authority, what the operation's URL says is a hint."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.azure.scripted import CONNECTION, document, error
from vpngw_iac.azure.answer import Answer, error_in
from vpngw_iac.azure.progress import GRACE, Hint, Word, conclude, hint_in
from vpngw_iac.engine.ports import Ended, Observed, Pending, Progress, Running, Verb
from vpngw_iac.errors import AzureRefused

WORDS: tuple[Word, ...] = ("running", "succeeded", "failed", "gone", "silent")
LATE = GRACE + 1


def hint(word: Word) -> Hint:
    return Hint(word, 7.0, error_in(error("WhyItFailed", "reason.")) if word == "failed" else error_in(None))


def seen(state: str | None) -> Observed:
    return Observed(CONNECTION, None if state is None else document(CONNECTION, state))


def judged(verb: Verb, word: Word, state: str | None, age: float = 0.0) -> Progress:
    return conclude(Pending(verb, CONNECTION), hint(word), seen(state), age=age)


def word_of(progress: Progress) -> str:
    return progress.state if isinstance(progress, Ended) else "running"


@pytest.mark.parametrize("verb", ["put", "tag"])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("state", ["Updating", "Creating", "Deleting"])
def test_a_write_runs_while_the_resource_is_busy_whatever_the_url_says(verb: Verb, word: Word, state: str) -> None:
    assert judged(verb, word, state, LATE) == Running(7.0, state)


@pytest.mark.parametrize("verb", ["put", "tag"])
@pytest.mark.parametrize("word", ["running", "succeeded", "gone", "silent"])
def test_a_write_has_ended_when_the_resource_has_succeeded_even_if_the_url_lies(verb: Verb, word: Word) -> None:
    assert judged(verb, word, "Succeeded") == Ended("Succeeded", seen("Succeeded"))


@pytest.mark.parametrize(("state", "ended"), [("Failed", "Failed"), ("Canceled", "Canceled")])
@pytest.mark.parametrize("verb", ["put", "tag"])
@pytest.mark.parametrize("word", WORDS)
def test_a_write_fails_with_the_resource(
    verb: Verb, word: Word, state: str, ended: Literal["Failed", "Canceled"]
) -> None:
    found = judged(verb, word, state)

    assert isinstance(found, Ended)
    assert (found.state, found.observed) == (ended, seen(state))
    assert found.error is not None
    assert ("WhyItFailed" in found.error.message) == (word == "failed")


def test_what_azure_calls_failed_has_not_succeeded_though_the_old_resource_is_fine() -> None:
    found = judged("put", "failed", "Succeeded")

    assert isinstance(found, Ended)
    assert (found.state, found.error and found.error.code) == ("Failed", "WhyItFailed")


@pytest.mark.parametrize(
    ("word", "age", "expected"),
    [
        ("running", LATE, "running"),
        ("succeeded", 0.0, "running"),
        ("gone", 0.0, "running"),
        ("gone", LATE, "Failed"),
        ("succeeded", LATE, "Failed"),
        ("failed", 0.0, "Failed"),
    ],
)
def test_a_resource_that_is_not_shown_yet_is_given_time(word: Word, age: float, expected: str) -> None:
    assert word_of(judged("put", word, None, age)) == expected


@pytest.mark.parametrize("word", WORDS)
def test_a_delete_has_ended_when_the_resource_is_absent(word: Word) -> None:
    assert judged("delete", word, None) == Ended("Succeeded", seen(None))


@pytest.mark.parametrize(
    ("word", "state", "age", "expected"),
    [
        ("succeeded", "Deleting", LATE, "running"),
        ("failed", "Deleting", LATE, "running"),
        ("running", "Succeeded", LATE, "running"),
        ("silent", "Succeeded", LATE, "running"),
        ("failed", "Succeeded", 0.0, "Failed"),
        ("gone", "Succeeded", 0.0, "running"),
        ("gone", "Succeeded", LATE, "Failed"),
        ("succeeded", "Succeeded", LATE, "Failed"),
    ],
)
def test_a_delete_that_leaves_the_resource_is_running_or_failed_never_done(
    word: Word, state: str, age: float, expected: str
) -> None:
    assert word_of(judged("delete", word, state, age)) == expected


@pytest.mark.parametrize(
    ("word", "state", "expected"),
    [
        ("running", "Succeeded", "running"),
        ("silent", "Succeeded", "running"),
        ("succeeded", "Updating", "running"),
        ("succeeded", "Succeeded", "Succeeded"),
        ("gone", "Succeeded", "Succeeded"),
        ("gone", "Updating", "running"),
        ("failed", "Succeeded", "Failed"),
        ("succeeded", "Failed", "Failed"),
    ],
)
def test_an_action_needs_the_end_of_its_operation_and_a_resource_at_rest(word: Word, state: str, expected: str) -> None:
    assert word_of(judged("act", word, state)) == expected


@given(
    verb=st.sampled_from(["put", "delete", "tag", "act"]),
    word=st.sampled_from(WORDS),
    state=st.sampled_from([None, "Succeeded", "Failed", "Canceled", "Updating", "Creating", "Deleting", "Whatever"]),
    age=st.floats(0, 1e6),
)
def test_success_is_claimed_only_for_what_get_shows(verb: Verb, word: Word, state: str | None, age: float) -> None:
    found = judged(verb, word, state, age)

    if isinstance(found, Ended) and found.state == "Succeeded":
        assert state == (None if verb == "delete" else "Succeeded")
        assert word != "failed" or verb == "delete"
    elif isinstance(found, Ended):
        assert isinstance(found.error, AzureRefused)


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (200, {"status": "InProgress"}, "running"),
        (200, {"status": "Accepted"}, "running"),
        (202, None, "running"),
        (200, {"status": "Succeeded", "properties": {}}, "succeeded"),
        (204, None, "succeeded"),
        (200, None, "succeeded"),
        (200, {"status": "Failed", "error": {"code": " InternalError", "message": "x"}}, "failed"),
        (200, {"status": "Canceled"}, "failed"),
        (409, {"Error": {"Code": "ResourceGroupDeletionBlocked"}}, "failed"),
        (404, {"error": {"code": "NotFound", "message": "Operation x not found"}}, "gone"),
        (404, "<html/>", "gone"),
        (503, "<html/>", "silent"),
        (200, "<html/>", "silent"),
        (503, {"error": {"code": "ServerTimeout"}}, "silent"),
        (429, {"error": {"code": "TooManyRequests"}}, "silent"),
        (403, {"error": {"code": "AuthorizationFailed"}}, "silent"),
    ],
)
def test_what_an_operation_url_may_answer(status: int, body: Any, word: Word) -> None:
    import json

    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()

    assert hint_in(Answer.of(status, {"Retry-After": "20"}, content)).word == word
    assert hint_in(Answer.of(status, {"Retry-After": "20"}, content)).retry_after == 20.0
