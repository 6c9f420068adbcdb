"""Answers that are lost on the way: the server did it, the client never heard. Each write of a life in turn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.chaos.chaos_harness import failures
from tests.chaos.deaths import Life, Scene
from tests.chaos.schedules import reproducible
from vpngw_iac.simulator.faults import BreakConnection

WRITES = ("PUT", "PATCH", "DELETE")
Writes = Counter[tuple[str, str]]
"""How often Azure heard each method on each path."""


def _writes(scene: Scene, since: int) -> Writes:
    heard = list(scene.harness.simulator.requests)[since:]
    return Counter((logged.method, logged.path.lower()) for logged in heard if logged.method in WRITES)


def writes_of(life: Life, folder: Path) -> Writes:
    """What an undisturbed run writes."""
    with reproducible(0):
        scene = Scene.set(life, folder)
        since = len(scene.harness.simulator.requests)
        outcome = scene.run()
        assert outcome.outcome == "succeeded", failures(outcome)
        return _writes(scene, since)


def lose_answer(life: Life, folder: Path, write: tuple[str, str], undisturbed: Writes) -> None:
    """The same run succeeds without the answer to this write, and Azure hears nothing that it does not need."""
    method, path = write
    with reproducible(0):
        scene = Scene.set(life, folder)
        since = len(scene.harness.simulator.requests)
        scene.harness.fault(BreakConnection(done=True), method=method, path=path)
        outcome = scene.run()
        assert outcome.outcome == "succeeded", (life.name, write, failures(outcome))
        again = _writes(scene, since) - undisturbed
        assert again == Counter(), f"{life.name}: after the answer to {method} {path} was lost: {again}"
