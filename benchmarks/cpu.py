"""CPU of whole processes: validate, a plan without changes, an apply; measured against importing typer and pydantic.

    python benchmarks/cpu.py                             # this checkout, short: as `make bench` runs it
    python benchmarks/cpu.py --against HEAD~20 --runs 7  # and another commit, in turn, in one run

User and system seconds of each child as the operating system counts them, medians of several runs. On a busy machine
the ratios stay true while the seconds do not.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = "import typer, pydantic\nclass M(pydantic.BaseModel): x: int"


def cpu_of(command: list[str], folder: Path, package: Path) -> float:
    """User and system seconds of one child; what it prints is thrown away."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    cache = str(Path(tempfile.gettempdir()) / "vpngw-bench-pycache")  # as installed: with compiled modules
    environment = kept | {
        "PYTHONPATH": str(package),
        "PYTHONPYCACHEPREFIX": cache,
        "BERLIN_PSK": "0123456789abcdef",
        "NO_COLOR": "1",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 2):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def vpngw(*arguments: str) -> list[str]:
    """One command on the simulator, at a speed at which it does not wait."""
    return [sys.executable, "-m", "vpngw_iac", *arguments]


def measured(package: Path, file: Path) -> dict[str, float]:
    """CPU of each command once, in an empty folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "vpngw.toml").write_text('cloud = "simulator"\nsimulator_speed = 100000\n', encoding="utf-8")
        blueprint = Path(shutil.copy(file, folder / "hub.py"))
        return {
            "base": cpu_of([sys.executable, "-c", BASE], folder, package),
            "--version": cpu_of(vpngw("--version"), folder, package),
            "validate": cpu_of(vpngw("validate", str(blueprint)), folder, package),
            "apply": cpu_of(vpngw("apply", str(blueprint), "--yes"), folder, package),
            "plan, no changes": cpu_of(vpngw("plan", str(blueprint)), folder, package),
        }


@contextlib.contextmanager
def checkout(commit: str | None) -> Iterator[Path | None]:
    """The package of another commit in a folder of its own."""
    if commit is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit, "vpngw_iac"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield Path(folder)


def _median(runs: list[dict[str, float]], row: str) -> float:
    return statistics.median(run[row] for run in runs[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="COMMIT")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--file", type=Path, default=ROOT / "blueprints" / "one_site.py")
    chosen = parser.parse_args()
    with checkout(chosen.against) as other:
        packages = {"here": ROOT, **({chosen.against: other} if other else {})}
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in packages}
        for _ in range(chosen.runs + 1):  # the first one warms up
            for name, package in packages.items():
                runs[name].append(measured(package, chosen.file))
    rows = list(runs["here"][0])
    medians = {name: {row: _median(found, row) for row in rows} for name, found in runs.items()}
    print(f"{'CPU seconds':20}" + "".join(f"{name:>12}{'/ base':>8}" for name in medians))
    for row in rows:
        cells = "".join(f"{found[row]:12.2f}{found[row] / found['base']:8.1f}" for found in medians.values())
        ratio = f"   x {medians['here'][row] / medians[chosen.against][row]:.2f}" if chosen.against else ""
        print(f"{row:20}{cells}{ratio}")


if __name__ == "__main__":
    main()
