"""Blueprints with mistakes in them: each must end in findings or in a valid plan, never in a traceback.

Legal blueprints are made at random, strained and damaged, written as YAML or JSON, then read, validated, compiled and
planned on the embedded simulator. Prints how far they came, how long that took, which rules refused most, and every
traceback with the seed that makes it again. With ``--apply N`` the first N plans that nothing refuses are applied too,
in virtual time: the simulator is a second opinion on what preflight let pass. With ``--every K`` the documents are not
made at random: every known one gets every mistake at every place, one at a time, and each K-th of those is taken.
With ``--located`` each file, in Python and YAML by turns, has one mistake whose place is known: what is told about it
must stand at the right file and line.

Usage: ``python benchmarks/mutations.py [NUMBER] [--from SEED] [--apply N] [--every K] [--located]`` (default 10000
from 0).
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.located import verdicts
from tests.mutants import End, each_mistake, end_of, ends, environment, written
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.errors import Findings, Refused, VpngwError
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.workspace import Workspace


def new_workspace(folder: Path) -> Workspace:
    """A workspace on an empty simulator, in virtual time."""
    clock = VirtualClock()
    simulator = open_simulator(SessionSettings("simulator", directory=folder), clock)
    return Workspace(
        "simulator",
        directory=folder,
        environment=environment(),
        clock=clock,
        simulator=simulator,
        resource_group="rg-run",
    )


def applied(end: End) -> str:
    """What the simulator made of a plan that nothing refused."""
    word = "succeeded"
    for blueprint in end.blueprints:
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcome = new_workspace(Path(folder)).apply(blueprint)
            except Refused:
                return "refused by the plan"
            except VpngwError as error:
                return f"{type(error).__name__}: {error.message[:70]}"
        word = _told(outcome) if word == "succeeded" else word
    return word


def _told(outcome: Outcome) -> str:
    failed = [result for result in outcome.operations if result.status == "failed"]
    return f"{failed[0].code}: {failed[0].address.partition('/')[0]}" if failed else outcome.outcome


def _drawn(options: argparse.Namespace, folder: Path, workspace: Workspace) -> Iterator[tuple[int | str, End]]:
    """What is to be judged, with the seed or the words that find it again."""
    if not options.every:
        yield from ends(range(options.first, options.first + options.number), folder, workspace)
        return
    for told, document in itertools.islice(each_mistake(), options.first % options.every, None, options.every):
        yield told, end_of(written(document, folder, random.Random(told)), workspace, None)


def _located(seeds: range) -> int:
    """1 if a mistake is told at a wrong place; prints how all of them ended."""
    words: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for told, mistake, verdict in verdicts(seeds, Path(folder), new_workspace(Path(folder))):
            words[f"{mistake.file.suffix} {verdict.word}"] += 1
            wrong += bool(verdict.wrong)
            for line in verdict.wrong:
                print(f"--- {told}\n{line}", flush=True)
    print(
        f"{len(seeds)} mistakes, {wrong} told at a wrong place:", ", ".join(f"{w} {n}" for w, n in words.most_common())
    )
    return 1 if wrong else 0


def main() -> None:
    """Make, mistake, judge, count."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("number", type=int, nargs="?", default=10_000)
    asked.add_argument("--from", dest="first", type=int, default=0)
    asked.add_argument("--apply", type=int, default=0)
    asked.add_argument("--every", type=int, default=0)
    asked.add_argument("--located", action="store_true")
    options = asked.parse_args()
    if options.located:
        sys.exit(_located(range(options.first, options.first + options.number)))
    words: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    opinions: Counter[str] = Counter()
    examples: dict[str, int | str] = {}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        workspace = new_workspace(Path(folder))
        for seed, end in _drawn(options, Path(folder), workspace):
            words[end.word] += 1
            rules.update({finding.rule for finding in Findings(end.findings).blocking})
            if end.crash:
                print(f"--- seed {seed}\n{end.crash}", flush=True)
            if end.word == "planned" and sum(opinions.values()) < options.apply:
                opinion = applied(end)
                opinions[opinion] += 1
                examples.setdefault(opinion, seed)
    seconds = time.perf_counter() - start
    number = words.total()
    print(f"{number} documents in {seconds:.0f} s, {1000 * seconds / max(number, 1):.0f} ms each")
    print("came to an end as:", ", ".join(f"{word} {count}" for word, count in words.most_common()))
    print("refused most by:  ", ", ".join(f"{rule} {count}" for rule, count in rules.most_common(12)))
    print("rules that refused:", len([rule for rule in rules if rule.startswith("R-")]))
    for opinion, count in opinions.most_common():
        print(f"applied: {count:5d} {opinion} (seed {examples[opinion]})")
    sys.exit(1 if words["broken"] else 0)


if __name__ == "__main__":
    main()
