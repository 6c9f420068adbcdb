"""Whatever mistake stands in a blueprint, it ends in findings or in a plan, never in a traceback.

`benchmarks/mutations.py` does the same for ten thousand of them.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants import ENVIRONMENT, End, each_mistake, end_of, ends, made, mutated, written
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.workspace import Workspace


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder, clock = tmp_path_factory.mktemp("desk"), VirtualClock()
    simulator = open_simulator(SessionSettings("simulator", directory=folder), clock)
    return Workspace(
        "simulator",
        directory=folder,
        clock=clock,
        simulator=simulator,
        environment=ENVIRONMENT,
        resource_group="rg-run",
    )


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_a_mistake_ends_in_findings_or_in_a_plan(first: int, harness: Workspace, tmp_path: Path) -> None:
    found = dict(ends(range(first, first + 50), tmp_path, harness))

    assert {seed: end.crash for seed, end in found.items() if end.crash} == {}


def test_mistakes_are_of_all_sorts(harness: Workspace, tmp_path: Path) -> None:
    """The check above would be worth little if everything were refused at the door."""
    words = Counter(end.word for _, end in ends(range(1000, 1060), tmp_path, harness))

    assert all(words[word] >= 5 for word in ("unreadable", "refused", "planned")), words


@pytest.mark.parametrize("first", range(4))
def test_one_mistake_at_any_place_ends_in_findings_or_in_a_plan(first: int, harness: Workspace, tmp_path: Path) -> None:
    chance = random.Random(first)
    drawn = [mistake for mistake in each_mistake() if chance.random() < 0.003]

    ends_of = {told: end_of(written(document, tmp_path, chance), harness, None) for told, document in drawn}

    assert len(drawn) > 20
    assert {told: end.crash for told, end in ends_of.items() if end.crash} == {}


def test_a_seed_makes_the_same_document_again() -> None:
    one, other = random.Random(7), random.Random(7)

    assert mutated(made(one), one) == mutated(made(other), other)


def test_a_crash_would_be_seen(tmp_path: Path) -> None:
    class Broken(Workspace):
        def validate(self, *blueprints: object, profile: str | None = None) -> object:  # type: ignore[override]
            raise KeyError("anything")

    chance = random.Random(1)
    file = written(made(chance), tmp_path, chance)

    end: End = end_of(file, Broken("simulator", directory=tmp_path), None)

    assert end.word == "broken"
    assert "KeyError: 'anything'" in end.crash
