"""Nobody waits in silence: a series of retries that reaches half a minute is told, with its cause and its end."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import pytest

from tests.azure.scripted import ENDPOINT, GATEWAY, Reply, Script, cloud_of, document, error
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.errors import EndpointError, Throttled, Unavailable

DOWN = Reply(500, error("InternalServerError", "We are sorry."))


def test_five_failures_in_a_row_are_told_once_before_half_a_minute_has_passed() -> None:
    clock, told = VirtualClock(), []
    script = Script().on("GET", "/vgw-hub", *[DOWN] * 6, Reply(200, document(GATEWAY)))

    cloud_of(script, clock, tell=lambda text: told.append((clock.now(), text))).read(GATEWAY)

    [(moment, text)] = told
    assert moment <= 30
    assert "vgw-hub" in text
    assert "InternalServerError: We are sorry." in text
    assert "giving up after 8 tries or 10 min" in text


def test_one_long_wait_is_told_before_it_begins() -> None:
    clock, told = VirtualClock(), []
    busy = Reply(429, error("TooManyRequests"), {"Retry-After": "300"})
    script = Script().on("GET", "/vgw-hub", busy, Reply(200, document(GATEWAY)))

    cloud_of(script, clock, tell=lambda text: told.append((clock.now(), text))).read(GATEWAY)

    [(moment, text)] = told
    assert moment == 0
    assert "in 5 min" in text


def test_a_short_wait_is_not_worth_a_word() -> None:
    told: list[str] = []
    script = Script().on("GET", "/vgw-hub", DOWN, Reply(200, document(GATEWAY)))

    cloud_of(script, tell=told.append).read(GATEWAY)

    assert told == []


@pytest.mark.parametrize("wait", ["864000", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_who_is_asked_to_wait_for_days_does_not_and_says_so(wait: str) -> None:
    clock = VirtualClock()
    script = Script().on("GET", "/vgw-hub", Reply(429, error("TooManyRequests"), {"Retry-After": wait}))

    with pytest.raises(Throttled, match="we wait 10 min at most"):
        cloud_of(script, clock).read(GATEWAY)

    assert clock.now() == 0


def test_an_error_says_how_often_azure_was_asked() -> None:
    with pytest.raises(Unavailable, match="asked 8 times"):
        cloud_of(Script().on("GET", "/vgw-hub", DOWN)).read(GATEWAY)


class Slow(Script):
    """A list of many pages, each of which takes its time."""

    def __init__(self, clock: VirtualClock, pages: int) -> None:
        super().__init__()
        self.clock, self.left = clock, pages

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.clock.sleep(8)
        self.left -= 1
        more = {"nextLink": f"{ENDPOINT}/page{self.left}"} if self.left > 0 else {}
        return 200, {}, Reply(200, {"value": []} | more).content


@pytest.mark.parametrize(("pages", "words"), [(2, 0), (12, 1), (5000, 1)])
def test_a_list_that_does_not_end_is_told_before_half_a_minute_has_passed(pages: int, words: int) -> None:
    clock, told = VirtualClock(), list[tuple[float, str]]()
    script = Slow(clock, pages)

    with contextlib.suppress(EndpointError):
        cloud_of(script, clock, tell=lambda text: told.append((clock.now(), text))).observe(
            [GATEWAY, type(GATEWAY)(f"{GATEWAY}-2")]
        )

    assert len(told) == words
    for moment, text in told:
        assert moment <= 30
        assert "the list is long, page 4 is read now; giving up after 1000 pages or 60 min" in text
