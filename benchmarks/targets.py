"""The targets of docs/scale.md as one table: what is measured, now, and what it shall be.

    python benchmarks/targets.py          # short, as `make bench` runs it: up to 1,000 sites offline, 50 in a cloud
    python benchmarks/targets.py --full   # also 1,000 sites in 12 hubs, 10,000 offline

CPU is user and system time of whole processes as the operating system counts it, and ratios are of CPU in one run: on a
busy machine they stay true while seconds do not. Wall time stands beside them, of both sides. "Base" is importing typer
and pydantic and making one model. Minutes are virtual: the real SDK on the embedded simulator, whose gateways take four
writes at a time.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.order.order import schedule
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.report.view import PlanView
from vpngw_iac.simulator import Simulator, Switches, VirtualTime
from vpngw_iac.state.locked_store import LockedStoreBase
from vpngw_iac.usecases.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
BASE = "import typer, pydantic\nclass M(pydantic.BaseModel): x: int"
TYPER = "import typer"

FLEET = """
import os
from vpngw_iac import (
    Bgp, BgpPeer, IpsecPolicy, Secret, Site, SiteToSite, Topology, VirtualNetwork, VpnGateway
)

COUNT, PER_HUB, STRONG = int(os.environ["SITES"]), int(os.environ["PER_HUB"]), os.environ.get("STRONG") == "1"


def site(n):
    return Site(
        name=f"site-{n}",
        public_ip=f"{60 + n // 65536}.{n // 256 % 256}.{n % 256}.7",
        bgp=BgpPeer(asn=4200100000 + n, address=f"172.{16 + n // 65536 % 16}.{n // 256 % 256}.{n % 256}"),
        shared_key=Secret.env("BENCH_PSK"),
        ipsec=IpsecPolicy.strong() if STRONG else None,
    )


def hub(number):
    network = VirtualNetwork(
        name=f"vnet-{number}", location="westeurope", resource_group="rg-fleet",
        address_space=[f"10.{number % 200}.0.0/16"], gateway_subnet=f"10.{number % 200}.255.0/27",
    )
    gateway = VpnGateway(
        name=f"vgw-{number}", network=network, sku="VpnGw5AZ", active_active=True, bgp=Bgp(asn=4200000000 + number)
    )
    mine = range(number * PER_HUB, min(COUNT, (number + 1) * PER_HUB))
    return SiteToSite(name=f"hub-{number}", gateway=gateway, sites=[site(n) for n in mine])


blueprint = Topology(name="fleet", blueprints=[hub(n) for n in range(-(-COUNT // PER_HUB))])
"""
"""Hubs of one resource group: active-active gateways, sites with BGP; each site has one finding unless STRONG is 1."""

Row = tuple[str, ...]
"""What, now, target; of a ratio also the wall times of both sides."""


def environment(**more: str) -> dict[str, str]:
    """As installed: with compiled modules, which a checkout may not be allowed to keep."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    cache = str(Path(tempfile.gettempdir()) / "vpngw-bench-pycache")
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache, "BENCH_PSK": "k" * 32, "NO_COLOR": "1"} | more


class Cost(NamedTuple):
    """What processes took, in seconds."""

    cpu: float
    wall: float

    def beside(self, other: Cost) -> str:
        """The wall times of a ratio."""
        return f"{self.wall:.2f} / {other.wall:.2f} s"


def cpu(command: list[str], folder: Path, **more: str) -> Cost:
    """User and system seconds of one process, and how long it took."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    if done.returncode not in (0, 2):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - began)


def alternating(commands: dict[str, Callable[[], Cost]], runs: int) -> dict[str, Cost]:
    """Medians of several runs, one command after the other, so that a busy minute hits all of them."""
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(runs + 1):  # the first one warms up
        for name, measure in commands.items():
            seconds = measure()
            if number:
                found[name].append(seconds)
    return {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in found.items()}


def ratio(what: str, one: Cost, other: Cost, target: str, digits: int = 1) -> Row:
    """One row: how much more CPU one takes than the other, and the wall time of both."""
    return what, f"{one.cpu / other.cpu:.{digits}f}", target, one.beside(other)


def machine() -> str:
    """What this was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text("utf-8") if cpuinfo.exists() else "")
    processor = names[0] if names else platform.processor() or platform.machine()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{processor}, {os.cpu_count()} processors, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}; load {load}"
    )


def vpngw(*arguments: str) -> list[str]:
    """One command, as its script starts it."""
    return [sys.executable, "-c", "from vpngw_iac.__main__ import main; main()", *arguments]


# --- processes -------------------------------------------------------------------------------------------------------


def starts(folder: Path, runs: int) -> Iterator[Row]:
    """What a command costs before it does anything."""
    found = alternating(
        {
            "typer": lambda: cpu([sys.executable, "-c", TYPER], folder),
            "--version": lambda: cpu(vpngw("--version"), folder),
            "--help": lambda: cpu(vpngw("--help"), folder),
        },
        2 * runs,
    )
    for name in ("--version", "--help"):
        yield ratio(f"vpngw {name} / importing typer", found[name], found["typer"], "<= 1.15", 2)


def commands(folder: Path, runs: int, *, full: bool) -> Iterator[Row]:
    """Whole commands on the simulator: for one site, for fifty, and for a thousand in twelve hubs."""
    (folder / "vpngw.toml").write_text('cloud = "simulator"\nsimulator_speed = 20000\n', encoding="utf-8")
    (folder / "fleet.py").write_text(FLEET, encoding="utf-8")
    one = {"SITES": "1", "PER_HUB": "90", "STRONG": "1"}
    found = alternating(
        {
            "base": lambda: cpu([sys.executable, "-c", BASE], folder),
            "validate": lambda: cpu(vpngw("validate", "fleet.py"), folder, **one),
        },
        2 * runs,
    )
    yield ratio("validate, one site / base", found["validate"], found["base"], "<= 2.0")
    for what, sites, per_hub, target in (
        ("one site", 1, 90, "<= 4.5"),
        ("50 sites", 50, 90, "<= 6.0"),
        *([("1,000 sites in 12 hubs", 1000, 84, "<= 22")] if full else []),
    ):
        known = one | {"SITES": str(sites), "PER_HUB": str(per_hub)}
        cpu(vpngw("apply", "fleet.py", "--yes", "--no-probe"), folder, **known)
        known["VPNGW_SIMULATOR_SPEED"] = "100"  # a minute of the cloud that passes in 3 ms is too short to read a list
        found = alternating(
            {
                "base": lambda: cpu([sys.executable, "-c", BASE], folder),
                "plan": lambda known=known: cpu(vpngw("plan", "fleet.py"), folder, **known),  # type: ignore[misc]
            },
            runs,
        )
        yield ratio(f"plan without changes, {what} / base", found["plan"], found["base"], target)
        (folder / ".vpngw").rename(folder / f"of-{sites}")


def growth(folder: Path, runs: int, *, full: bool) -> Iterator[Row]:
    """How offline work grows with the number of sites; start-up taken off."""

    def validate(sites: int, *, strong: bool) -> Cost:
        return cpu(vpngw("validate", "fleet.py"), folder, SITES=str(sites), PER_HUB="90", STRONG="1" if strong else "0")

    sizes = (1000, 4000, 10000) if full else (1000, 4000)
    found = alternating(
        {
            "1": lambda: validate(1, strong=True),
            "plain": lambda: validate(1000, strong=True),
            **{str(size): (lambda size=size: validate(size, strong=False)) for size in sizes},  # type: ignore[misc]
        },
        1 if full else max(1, runs // 2),
    )
    yield ratio("validate 1,000 sites, with a finding each / without", found["1000"], found["plain"], "<= 2.0", 2)
    for size, target in ((4000, "<= 4.6"), (10000, "<= 11")):
        if str(size) in found:
            grown = (found[str(size)].cpu - found["1"].cpu) / (found["1000"].cpu - found["1"].cpu)
            what = f"validate, {size:,} / 1,000 sites"
            yield what, f"{grown:.1f}", target, found[str(size)].beside(found["1000"])


# --- a cloud in this process -----------------------------------------------------------------------------------------


def fleet(sites: int, per_hub: int, *, strong: bool = True) -> Any:
    """The same fleet as a value."""
    os.environ.update(SITES=str(sites), PER_HUB=str(per_hub), STRONG="1" if strong else "0")
    names: dict[str, Any] = {}
    exec(compile(FLEET, "fleet.py", "exec"), names)
    return names["blueprint"]


class Cloud:
    """A simulator in virtual time and a folder, counted."""

    def __init__(self, folder: Path, **switches: Any) -> None:
        time_of_cloud, self.clock = VirtualTime(), VirtualClock()
        self.simulator = Simulator(time=time_of_cloud, switches=Switches(page_size=1000, **switches))
        self.clock.on_advance(time_of_cloud.advance_to)
        self.workspace = Workspace(
            "simulator",
            directory=folder,
            environment={"BENCH_PSK": "k" * 32},
            clock=self.clock,
            simulator=self.simulator,
        )
        self.in_flight = self.most_in_flight = self.threads = self.flushes = self.records = 0

    def hear(self, event: events.Event) -> None:
        """Count what runs at a time, and the threads that it takes."""
        self.in_flight += isinstance(event, events.OperationStarted)
        self.in_flight -= isinstance(event, events.OperationEnded)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.threads = max(self.threads, threading.active_count() - 1)

    def minutes(self, work: Callable[[], Any]) -> float:
        """Virtual minutes that something takes; what must succeed."""
        began = self.clock.now()
        outcome = work()
        assert outcome.outcome == "succeeded", outcome
        return (self.clock.now() - began) / 60


def counted(cloud: Cloud) -> None:
    """Count flushes and records of this process."""
    append = LockedStoreBase.append_all

    def count(held: LockedStoreBase, records: Any) -> Any:
        cloud.flushes += 1
        cloud.records += len(records)
        return append(held, records)

    LockedStoreBase.append_all = count  # type: ignore[assignment, method-assign]


def runs_of(sites: int, per_hub: int) -> Iterator[Row]:
    """Apply, plan again, destroy."""
    with tempfile.TemporaryDirectory() as folder:
        cloud, blueprint = Cloud(Path(folder)), fleet(sites, per_hub)
        counted(cloud)
        name = f"{sites:,} sites in {-(-sites // per_hub)} hub(s)"
        announced = schedule(cloud.workspace.plan(blueprint)).seconds / 60
        took = cloud.minutes(lambda: cloud.workspace.apply(blueprint, on_event=cloud.hear))
        yield f"apply, {name} / announced", f"{took / announced:.2f}", "<= 1.15"
        yield f"records / flushes of that apply, {name}", f"{cloud.records / cloud.flushes:.1f}", ""
        yield f"operations in flight / threads, {name}", f"{cloud.most_in_flight} / {cloud.threads}", "<= 32 threads"
        throttled = sum(logged.status == 429 for logged in cloud.simulator.requests)
        yield f"calls refused with 429, {name}", f"{throttled / len(cloud.simulator.requests):.1%}", ""
        cloud.simulator.requests.clear()
        start = time.process_time()
        plan = cloud.workspace.plan(blueprint)
        seconds = time.process_time() - start
        assert plan.changes == ()
        yield f"calls of a plan without changes, {name}", f"{len(cloud.simulator.requests)}", "<= 9 or 20"
        yield f"its CPU seconds in a warm process, {name}", f"{seconds:.2f}", ""
        text = plan_text(PlanView.of(plan, schedule(plan)), Style())
        yield f"its lines, {name}", f"{text.count(chr(10))}", "<= 60"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield f"memory, cloud included, {name}", f"{memory:.0f} MB", "<= 150 MB"
        removal = schedule(cloud.workspace.plan(blueprint, _destroying())).seconds / 60
        took = cloud.minutes(lambda: cloud.workspace.destroy(blueprint))
        yield f"destroy, {name} / announced", f"{took / removal:.2f}", "<= 1.15"


def _destroying() -> Any:
    from vpngw_iac.engine.plan.plan import Options

    return Options(destroy=True)


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    print(f"{machine()}\n\n{'what':66} {'now':>10}  {'target':14} wall")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in (
            starts(folder, chosen.runs),
            commands(folder, chosen.runs, full=chosen.full),
            growth(folder, chosen.runs, full=chosen.full),
            runs_of(1, 90),
            runs_of(50, 90),
            *([runs_of(1000, 84), runs_of(1000, 50)] if chosen.full else []),
        ):
            for what, now, target, *wall in rows:
                print(f"{what:66} {now:>10}  {target:14} {''.join(wall)}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
