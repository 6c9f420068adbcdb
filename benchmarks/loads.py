"""What a run takes at scale: quota, threads, memory of processes, and how offline work grows to 100,000 sites.

    python benchmarks/loads.py               # a few minutes on two quiet cores
    python benchmarks/loads.py --only offline --sites 1000 10000 100000

Times of runs are virtual; memory and CPU are those of whole processes, against a simulated cloud in another process.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from targets import BASE, FLEET, Cloud, Row, counted, environment, fleet, vpngw  # noqa: E402

from tests.chaos.processes import Served  # noqa: E402
from tests.worlds import Deployment, make, resource_group, rid  # noqa: E402
from vpngw_iac.arm import Scope  # noqa: E402
from vpngw_iac.azure.budget import REFILL  # noqa: E402
from vpngw_iac.engine.order.order import schedule  # noqa: E402
from vpngw_iac.preflight import check  # noqa: E402
from vpngw_iac.resources.graph import Graph  # noqa: E402
from vpngw_iac.simulator.faults import Fault, SlowOperation  # noqa: E402

COMPILED = "from azure.mgmt.network import NetworkManagementClient"
"""Has the modules compiled that writing loads, as an installation has them: compiling these takes 220 MB."""

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"


def under_quota(sites: int, per_hub: int) -> Iterator[Row]:
    """Hubs at once under Azure's token buckets, which the simulated cloud enforces."""
    with tempfile.TemporaryDirectory() as folder:
        cloud, blueprint = Cloud(Path(folder), enforce_quota=True), fleet(sites, per_hub)
        name = f"{sites // per_hub} hubs of {per_hub} sites, token buckets"
        announced = schedule(cloud.workspace.plan(blueprint))
        cloud.simulator.requests.clear()
        took = 60 * cloud.minutes(lambda: cloud.workspace.apply(blueprint))
        calls = list(cloud.simulator.requests)
        least = max(announced.seconds, len(announced.operations) / REFILL["writes"])
        yield f"apply, {name} / max(announced, writes / refill)", f"{took / least:.2f}", "<= 1.15"
        throttled = sum(logged.status == 429 for logged in calls)
        yield f"calls refused with 429, {name}", f"{throttled / len(calls):.2%}", "< 1 %"
        yield f"calls a resource, {name}", f"{len(calls) / len(announced.operations):.1f}", ""


def in_flight(count: int) -> Iterator[Row]:
    """So many operations at once: sites whose creation takes as long as a gateway's."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Path(folder))
        slow = SlowOperation(factor=120.0)
        cloud.simulator.faults.add(Fault(method="PUT", path="*/localNetworkGateways/*", times=None, effect=slow))
        counted(cloud)
        cloud.minutes(lambda: cloud.workspace.apply(lone_sites(count), on_event=cloud.hear))
        yield "operations in flight / threads", f"{cloud.most_in_flight:,} / {cloud.threads}", "2,000 / <= 32"
        yield "records of the journal in one flush", f"{cloud.records / cloud.flushes:.1f}", ""


def lone_sites(count: int) -> Any:
    """Local network gateways: nothing keeps them from running at once."""

    def site(number: int) -> Any:
        properties = {
            "gatewayIpAddress": f"60.{number // 65536}.{number // 256 % 256}.{number % 256}",
            "localNetworkAddressSpace": {"addressPrefixes": [f"172.{16 + number // 256}.{number % 256}.0/24"]},
        }
        identity = rid("localNetworkGateways", f"lng-{number}")
        return make(f"LocalNetworkGateway/{number}", identity, properties, location="westeurope")

    return Deployment("many", (resource_group(), *map(site, range(count))))


def processes(sites: int, per_hub: int) -> Iterator[Row]:
    """Peak memory and CPU of each command, over HTTPS."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cloud").mkdir()
        (folder / "fleet.py").write_text(FLEET, encoding="utf-8")
        served = Served.start(folder / "cloud", 20_000)
        variables = environment(SITES=str(sites), PER_HUB=str(per_hub), STRONG="1") | served.environment
        variables |= {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "CI": "1"}
        what = f"{sites:,} sites in {-(-sites // per_hub)} hubs"
        try:
            measured([sys.executable, "-c", COMPILED], folder, variables)
            _, base, _ = measured([sys.executable, "-c", BASE], folder, variables)
            for told, arguments in (
                ("plan of everything", ("plan", "fleet.py")),
                ("apply", ("apply", "fleet.py", "--yes")),
                ("plan without changes", ("plan", "fleet.py")),
                ("destroy", ("destroy", "fleet.py", "--yes")),
            ):
                megabytes, seconds, lines = measured(vpngw(*arguments), folder, variables)
                yield f"memory, {told}, {what}", f"{megabytes:.0f} MB", "<= 150 MB"
                if told == "plan without changes":
                    yield f"CPU / base, {told}, {what}", f"{seconds / base:.0f}", "<= 22"
                    yield f"lines, {told}, {what}", f"{lines}", "<= 60"
                else:
                    yield f"CPU / base, {told}, {what}", f"{seconds / base:.0f}", ""
        finally:
            served.close()


def measured(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, float, int]:
    """Peak megabytes, CPU seconds and lines on stdout of one process that must succeed."""
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        child = subprocess.Popen(command, cwd=folder, env=variables, stdout=stdout, stderr=stderr)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 2):
        sys.exit(f"{' '.join(command)} ended with {child.returncode}:\n{err.read_text()[-2000:]}")
    return used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, out.read_text().count("\n")


def offline(sizes: list[int]) -> Iterator[Row]:
    """Compile and validate, a finding for each site: the profile of each size, and the ratios."""
    totals: dict[int, float] = {}
    for size in sizes:
        script = f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); import loads; loads.profile({size})"
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        *steps, total = done.stdout.splitlines()
        for line in steps:
            what, seconds, kilobytes = line.split(";")
            yield f"{size:,} sites, {what}", f"{float(seconds):.1f} s", f"{float(kilobytes):.1f} KB a resource"
        seconds, kilobytes = total.split(";")
        totals[size] = float(seconds)
        yield f"memory a resource, {size:,} sites compiled and validated", f"{float(kilobytes):.1f} KB", "<= 8 KB"
    small, target = sizes[0], {10_000: "<= 11", 4_000: "<= 4.6"}
    for size in sizes[1:]:
        ratio = totals[size] / totals[small]
        yield f"compile and validate, {size:,} / {small:,} sites", f"{ratio:.1f}", target.get(size, "finishes")


def profile(sites: int) -> None:
    """CPU and growth of memory of each step, a line each, and of all."""
    scope = Scope(SUBSCRIPTION)
    check(fleet(90, 90, strong=False).resources(scope))  # loads what is loaded once
    gc.collect()
    steps: list[tuple[str, float, float]] = []

    def step(what: str, work: Callable[[], Any]) -> Any:
        began, before = time.process_time(), resident()
        result = work()
        steps.append((what, time.process_time() - began, resident() - before))
        return result

    nouns = step("nouns of the file", lambda: fleet(sites, 90, strong=False))
    items = step("compile to resources", lambda: list(nouns.resources(scope)))
    graph = step("graph, its edges and bodies", lambda: Graph.of(items))
    findings = step("judge", lambda: check(items))
    assert min(len(findings), len(graph.resources)) >= sites
    for what, seconds, kilobytes in steps:
        print(f"{what};{seconds};{kilobytes / len(items)}")
    print(f"{sum(each[1] for each in steps)};{sum(each[2] for each in steps) / len(items)}")


def resident() -> float:
    """Kilobytes of this process that are in memory now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.partition("VmRSS:")[2].split()[0])


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("quota", "flight", "processes", "offline"))
    parser.add_argument("--sites", type=int, nargs="+", default=[1000, 4000, 10000])
    chosen = parser.parse_args()
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "quota": lambda: under_quota(1000, 50),
        "flight": lambda: in_flight(2000),
        "processes": lambda: processes(1000, 84),
        "offline": lambda: offline(chosen.sites),
    }
    print(f"{'what':84} {'now':>10}  target")
    for name, rows in parts.items():
        for what, now, target in rows() if chosen.only in (None, name) else ():
            print(f"{what:84} {now:>10}  {target}", flush=True)


if __name__ == "__main__":
    main()
