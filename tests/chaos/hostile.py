"""Answers that nobody expects, as data: what proxies, portals, front ends in trouble and intruders send."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.chaos_harness import failures
from tests.chaos.deaths import LIVES, Scene, Unharmed
from tests.chaos.lost_answers import Writes
from tests.chaos.schedules import reproducible
from vpngw_iac.errors import VpngwError
from vpngw_iac.simulator.faults import AnswerStrangely, Fault

HTML = "<!DOCTYPE html><html><body>Sign in to the network</body></html>"
NOT_A_URL = "https://[not a url"
EVIL = "https://evil.example\\@management.azure.com/subscriptions/x"
EVERY = ("Azure-AsyncOperation", "Location", "Retry-After", "ETag", "x-ms-request-id")
OPERATION = {"Azure-AsyncOperation": EVIL, "Location": EVIL}


def arm(code: str) -> str:
    """ARM's error object."""
    return f'{{"error": {{"code": "{code}", "message": "said somebody."}}}}'


STRANGE: dict[str, dict[str, Any]] = {
    "520 in HTML": {"status": 520, "body": HTML, "headers": {"Content-Type": "text/html"}},
    "511 of a captive portal": {"status": 511, "body": HTML, "headers": {"Content-Type": "text/html"}},
    "307 elsewhere": {"status": 307, "body": "", "headers": {"Location": "https://portal.example/login"}},
    "302 without a place": {"status": 302, "body": "", "without": EVERY},
    "304": {"status": 304, "body": ""},
    "407 of a proxy": {"status": 407, "body": HTML, "headers": {"Proxy-Authenticate": "Basic"}},
    "407 in somebody's JSON": {"status": 407, "body": '{"code": 407, "message": "Proxy authentication required"}'},
    "501 in JSON": {"status": 501, "body": arm("NotImplemented")},
    "500 in JSON": {"status": 500, "body": arm("InternalServerError")},
    "503 that calls itself contention": {"status": 503, "body": arm("AnotherOperationInProgress")},
    "599": {"status": 599, "body": "?"},
    "408 in JSON": {"status": 408, "body": arm("RequestTimeout")},
    "400 in HTML": {"status": 400, "body": HTML},
    "400 without a code": {"status": 400, "body": '{"error": {"message": "no"}}'},
    "400 with an error that is a text": {"status": 400, "body": '{"error": "no"}'},
    "400 with a list": {"status": 400, "body": "[1, 2]"},
    "401 in HTML": {"status": 401, "body": HTML, "headers": {"WWW-Authenticate": "Basic realm=proxy"}},
    "401 that wants more claims": {
        "status": 401,
        "body": HTML,
        "headers": {"WWW-Authenticate": 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="'},
    },
    "403 of a proxy": {"status": 403, "body": HTML},
    "404 in HTML": {"status": 404, "body": HTML},
    "409 in HTML": {"status": 409, "body": HTML},
    "412 in HTML": {"status": 412, "body": HTML},
    "429 in HTML": {"status": 429, "body": HTML, "headers": {"Retry-After": "17"}},
    "429 for ever": {"status": 429, "body": HTML, "headers": {"Retry-After": "9" * 5000}},
    "200 in HTML": {"status": 200, "body": HTML, "headers": {"Content-Type": "text/html"}},
    "200 with an error": {"status": 200, "body": arm("InternalServerError")},
    "200 cut off": {"status": 200, "cut": 11},
    "200 in Latin-1": {"status": 200, "body": '{"id": "ü", "name": "ä"}', "encoding": "latin-1"},
    "200 half a character": {"status": 200, "body": '{"id": "\\ud800"}'},
    "200 nested 5000 deep": {"status": 200, "nested": 5000},
    "200 nested 500 deep": {"status": 200, "nested": 500},
    "200 with a number of 5000 digits": {"status": 200, "digits": 5000},
    "200 that is not a number": {"status": 200, "body": '{"id": NaN}'},
    "200 with an unknown charset": {"status": 200, "body": HTML, "headers": {"Content-Type": "text/x; charset=nope"}},
    "500 nested 50000 deep": {"status": 500, "nested": 50_000},
    "an operation URL that is not a URL": {"headers": {"Azure-AsyncOperation": NOT_A_URL, "Location": NOT_A_URL}},
    "an operation URL of somebody else": {"headers": OPERATION},
    "an operation URL of 100000 characters": {"headers": {"Azure-AsyncOperation": "https://a/" + "x" * 100_000}},
    "a Retry-After of 5000 digits": {"headers": {"Retry-After": "9" * 5000}},
    "a Retry-After of days": {"headers": {"Retry-After": "864000"}},
    "a Retry-After of no number": {"headers": {"Retry-After": "²"}},
    "a Retry-After in milliseconds of 5000 digits": {"headers": {"retry-after-ms": "9" * 5000}},
    "headers doubled": {"headers": {"Retry-After": "10, 10", "Azure-AsyncOperation": f"{EVIL}, {EVIL}"}},
    "headers missing": {"without": EVERY},
    "no header at all": {"without": ("*",)},
    "a wrong content type": {"headers": {"Content-Type": "image/png"}},
}
"""How each differs from the real answer; a status of none keeps the real one."""


def strange(name: str, *, done: bool = True) -> AnswerStrangely:
    """The fault of this name; `done`: the request is carried out before."""
    return AnswerStrangely(done=done, **STRANGE[name])


def is_accepting(name: str) -> bool:
    """Whether the status still says that it was accepted: then it must have been carried out."""
    return STRANGE[name].get("status") is None


PHASES = ("begin", "poll", "look", "read")


@dataclass(frozen=True)
class BadWord:
    """One strange answer in one life: where, what, and whether Azure had done what was asked."""

    life: str
    write: tuple[str, str]
    phase: str
    name: str
    done: bool
    times: int
    gap: float

    @classmethod
    def of(cls, seed: int, lives: Sequence[str], writes: Callable[[str], Writes]) -> BadWord:
        """The same for the same seed."""
        dice = random.Random(seed)
        life = dice.choice(lives)
        write = dice.choice(sorted(writes(life)))
        phase, name = dice.choice(PHASES), dice.choice(sorted(STRANGE))
        done = is_accepting(name) or dice.random() < 0.5
        return cls(life, write, phase, name, done, dice.choice((1, 1, 2, 5, 60)), dice.choice((0.0, 45.0, 900.0)))

    def faults(self) -> list[Fault]:
        """What goes wrong."""
        method, path = self.write
        said, told = strange(self.name, done=self.done), strange(self.name)
        begin = Fault(method=method, path=path, effect=said, times=1 if self.phase == "look" else self.times)
        return {
            "begin": [begin],
            "poll": [Fault(method="GET", path="*/operations/*", effect=told, times=self.times)],
            "look": [begin, Fault(method="GET", path=path, nth=2, effect=told, times=self.times)],
            "read": [Fault(method="GET", path=path, effect=told, times=self.times)],
        }[self.phase]

    def survive(self, folder: Path, unharmed: Unharmed) -> None:
        """A run with it, one clear error at most; then a plain run, and all is as if nothing had happened."""
        with reproducible(0):
            scene = Scene.set(LIVES[self.life], folder)
            harness = scene.harness
            harness.simulator.faults.add(*self.faults())
            told = self._told(scene)
            assert "bug" not in told, (self, told)
            harness.simulator.faults.clear()
            harness.clock.advance(self.gap)
            outcome = scene.run()
            assert outcome.outcome == "succeeded", (self, failures(outcome))
            assert harness.ids() == set(unharmed.ids), self
            assert harness.held_secrets() == unharmed.secrets, self
            assert dict(harness.created) == unharmed.created, self
            assert dict(harness.deleted) == unharmed.deleted, self

    @staticmethod
    def _told(scene: Scene) -> str:
        """What the first run says of it."""
        try:
            outcome = scene.run()
        except VpngwError as error:
            return f"{error.message} {error.advice}"
        if outcome.outcome == "succeeded":
            scene.options = {}  # asking once more for a replacement would be a second one
        return "; ".join(f"{result.error} {result.advice}" for result in outcome.operations)
