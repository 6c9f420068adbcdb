"""Nothing lost: crashes, faults, lost and strange answers, killed processes, races, storms, with figures. Seeded.

    python benchmarks/chaos.py                  everything (about an hour on two cores)
    python benchmarks/chaos.py --scale 0.02     the same, little of each
    python benchmarks/chaos.py --only kills --seed 7

Every failure is printed with what repeats it; the exit code is 1 if there was one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.azure.azurite import ACCOUNT_KEY, MAIN, running_azurite  # noqa: E402
from tests.chaos.deaths import ENVIRONMENT, GAPS, LIVES, die_and_go_on, undisturbed  # noqa: E402
from tests.chaos.hostile import BadWord  # noqa: E402
from tests.chaos.lost_answers import lose_answer, writes_of  # noqa: E402
from tests.chaos.processes import (  # noqa: E402
    Operator,
    Served,
    executable,
    kill_and_go_on,
    lived,
    points,
)
from tests.chaos.races import Race  # noqa: E402
from tests.chaos.schedules import Schedule, reproducible  # noqa: E402
from tests.chaos.storms import weather  # noqa: E402

WORKERS = os.cpu_count() or 2
FAILURES: list[str] = []
KILL_PLAN = [
    ("one_site.py", "apply", 9.0),
    ("multi_site.py", "apply", 9.0),
    ("one_site.py", "destroy", 9.0),
    ("hub_and_spokes.py", "apply", 12.0),
    ("vnet_to_vnet_and_sites.py", "apply", 9.0),
    ("hub_and_spokes.py", "destroy", 12.0),
    ("point_to_site_and_sites.py", "apply", 9.0),
    ("active_active.py", "destroy", 9.0),
]
"""Which commands die, and how long each takes undisturbed from its start, the start of Python included."""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """In memory where that is possible: thousands of states are synchronised to disk otherwise."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def said(name: str, text: str) -> None:
    print(f"{name:<10} {text}", flush=True)


def failed(text: str) -> None:
    FAILURES.append(text)
    print(f"FAILED     {text}", flush=True)


def in_processes(work: Callable[[Any], str], items: list[Any]) -> list[str]:
    """One problem per item, empty where there is none; in several processes."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, items, chunksize=4))


def problem(work: Callable[[], Any], name: str) -> str:
    os.environ.update(ENVIRONMENT)
    try:
        work()
    except Exception as error:  # what goes wrong is the figure
        return f"{name}: {type(error).__name__}: {error}"[:1500]
    return ""


# --- a process dies before, in the middle of or after a durable step, in virtual time --------------------------------


def one_death(item: tuple[str, int, float, Any]) -> str:
    name, step, gap, unharmed = item
    with folder() as place:
        return problem(
            lambda: die_and_go_on(LIVES[name], place, step, gap, unharmed), f"death of {name!r} at step {step}"
        )


def deaths(seed: int, scale: float) -> None:
    dice, items = random.Random(seed), []
    os.environ.update(ENVIRONMENT)
    for name, life in LIVES.items():
        with folder() as place:
            unharmed = undisturbed(life, place)
        steps = [step for step in range(1, unharmed.steps + 1) if dice.random() < scale]
        items += [(name, step, dice.choice(GAPS), unharmed) for step in steps]
    problems = [text for text in in_processes(one_death, items) if text]
    for text in problems:
        failed(text)
    said("deaths", f"{len(items)} deaths in {len(LIVES)} lives, {len(problems)} not continued exactly")


# --- answers that are lost ------------------------------------------------------------------------------------------


def one_life_of_lost_answers(item: tuple[str, float, int]) -> str:
    name, scale, seed = item
    dice = random.Random(seed)

    def live() -> None:
        with folder() as place:
            undisturbed_writes = writes_of(LIVES[name], place)
        for write in sorted(undisturbed_writes):
            if dice.random() < scale:
                with folder() as place:
                    lose_answer(LIVES[name], place, write, undisturbed_writes)

    return problem(live, f"lost answers of {name!r}")


def lost_answers(seed: int, scale: float) -> None:
    names = [name for name, life in LIVES.items() if life.echoes]
    problems = [text for text in in_processes(one_life_of_lost_answers, [(n, scale, seed) for n in names]) if text]
    for text in problems:
        failed(text)
    said("answers", f"each write of {len(names)} lives lost its answer once, {len(problems)} lives sent one twice")


# --- strange answers -------------------------------------------------------------------------------------------------


def hostile_words(item: tuple[str, list[int]]) -> str:
    """All bad words of one life; one problem a line."""
    name, seeds = item
    told = []
    with folder() as place:
        writes = writes_of(LIVES[name], place)
    if not writes:
        return ""
    with folder() as place:
        unharmed = undisturbed(LIVES[name], place)
    for seed in seeds:
        word = BadWord.of(seed, [name], lambda _: writes)
        with folder() as place:
            told.append(problem(partial(word.survive, place, unharmed), f"{word}"))
    return "\n".join(text for text in told if text)


def hostile(seed: int, scale: float) -> None:
    os.environ.update(ENVIRONMENT)
    each = max(1, round(120 * scale))
    items = [
        (name, [seed * 100_000 + number * 1000 + n for n in range(each)])
        for number, name in enumerate(sorted(n for n, life in LIVES.items() if life.echoes))
    ]
    problems = [line for text in in_processes(hostile_words, items) for line in text.splitlines()]
    for text in problems:
        failed(text)
    said("hostile", f"{each * len(items)} strange answers in {len(items)} lives, {len(problems)} cost something")


# --- seeded schedules of faults --------------------------------------------------------------------------------------


def one_schedule(seed: int) -> str:
    with folder() as place:
        schedule = Schedule(seed, place)
        told = problem(schedule.play, f"schedule of seed {seed} ({schedule.file})")
        return told and f"{told} after {schedule.told.runs}"


def schedules(seed: int, scale: float) -> None:
    seeds = list(range(seed * 100_000, seed * 100_000 + max(1, round(1000 * scale))))
    problems = [text for text in in_processes(one_schedule, seeds) if text]
    for text in problems:
        failed(text)
    said("schedules", f"{len(seeds)} bad days, {len(problems)} did not end as declared")


# --- kill -9 of real processes ---------------------------------------------------------------------------------------


def kills(seed: int, scale: float) -> None:
    chosen = list(enumerate(points(seed, max(1, round(240 * scale)), KILL_PLAN)))
    ends: Counter[str] = Counter()
    for first in range(0, len(chosen), 40):
        with folder() as place, served(place) as cloud:
            lives = {
                f"{number} {point.command} {point.file} after {point.seconds:.2f} s": partial(
                    kill_and_go_on, point, Operator(cloud, executable, new_folder(place / str(number)))
                )
                for number, point in chosen[first : first + 40]
            }
            came, wrong = lived(lives, at_once=WORKERS * 3)
        ends.update(came.values())
        for error in wrong:
            failed(f"kill: {error} {' '.join(error.__notes__)}"[:1500])
    said(
        "kills",
        f"{len(chosen)} points: {ends['killed']} processes killed and continued, everything made exactly once; "
        f"{ends['too late']} had ended before",
    )


def new_folder(path: Path) -> Path:
    path.mkdir()
    return path


@contextlib.contextmanager
def served(place: Path) -> Iterator[Served]:
    (place / "cloud").mkdir()
    cloud = Served.start(place / "cloud", 20_000)
    try:
        yield cloud
    finally:
        cloud.close()


# --- two operators ---------------------------------------------------------------------------------------------------


def races(_: int, scale: float) -> None:
    rounds = max(1, round(25 * scale))
    with folder() as place, served(place) as cloud:
        compete(cloud, rounds, {f"files {n}": (place / f"files{n}", "", {}) for n in range(4)}, patience=30.0)
        if not MAIN.exists():
            said("races", "NOT RUN on Azurite: `make azurite` first")
            return
        with running_azurite() as azurite:
            key = {"AZURE_STORAGE_KEY": ACCOUNT_KEY}
            places = {f"blobs {n}": (place / f"blobs{n}", azurite.url(azurite.new_container()), key) for n in range(4)}
            compete(cloud, rounds, places, patience=120.0)


def compete(cloud: Served, rounds: int, places: dict[str, tuple[Path, str, dict[str, str]]], patience: float) -> None:
    def life(place: Path, url: str, variables: dict[str, str]) -> tuple[Counter[str], list[float]]:
        race = Race(cloud, executable, place, url, dict(variables))
        won = Counter(race.race() for _ in range(rounds))
        waits = []
        for _ in range(max(1, rounds // 8)):
            race.die_with_the_lock()
            waits.append(race.succeed(patience)[0])
        return won, waits

    kind = next(iter(places)).partition(" ")[0]
    ends, wrong = lived({name: partial(life, *given) for name, given in places.items()}, at_once=WORKERS * 2)
    for error in wrong:
        failed(f"race on {kind}: {error} {' '.join(error.__notes__)}"[:1500])
    if not ends:
        return
    won = sum((counted for counted, _ in ends.values()), Counter[str]())
    waits = sorted(wait for _, several in ends.values() for wait in several)
    said(
        "races",
        f"{won.total()} on {kind}: one worked, the other got 7 and the name (ada won {won['ada']}, bob {won['bob']}); "
        f"{len(waits)} holders killed, the next could work after {waits[0]:.0f} to {waits[-1]:.0f} s",
    )


# --- storms ----------------------------------------------------------------------------------------------------------


def storms(seed: int, scale: float) -> None:
    for at_once in (1, 2, 4, 1000):
        with folder() as place, reproducible(seed):
            storm = weather(place, max(4, round(40 * scale)), at_once)
        bears = f"{at_once} writes" if at_once < 1000 else "any number of writes"
        said(
            "storms",
            f"{storm.accepted} connections on a gateway that bears {bears} at a time: "
            f"{storm.refused} refusals, {storm.seconds:.0f} s",
        )


SECTIONS: dict[str, Callable[[int, float], None]] = {
    "deaths": deaths,
    "answers": lost_answers,
    "hostile": hostile,
    "schedules": schedules,
    "storms": storms,
    "races": races,
    "kills": kills,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the points, schedules and rounds")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="one section; may be repeated")
    given = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    print(f"seed {given.seed}, scale {given.scale:g}, {WORKERS} workers, Python {sys.version.split()[0]}", flush=True)
    for name in given.only or SECTIONS:
        began = time.monotonic()
        SECTIONS[name](given.seed, given.scale)
        said("", f"{name} took {time.monotonic() - began:.0f} s")
    print(f"{len(FAILURES)} failures", flush=True)
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
