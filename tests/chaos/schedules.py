"""Seeded schedules: an operator edits and runs, everything goes wrong that may, then it stops going wrong.

One seed gives one schedule: calls are made one at a time, and jitter is drawn from the seed.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.architectures import edits
from tests.architectures.conftest import FOLDER, differences_of
from tests.chaos.chaos_harness import ChaosHarness, Died, Ending, failures, is_gateway
from tests.chaos.deaths import ENVIRONMENT
from vpngw_iac.azure import reading, retry
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.execute import loop as execute
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.errors import VpngwError
from vpngw_iac.simulator import Fault, Switches
from vpngw_iac.simulator.faults import (
    AnswerInstead,
    AnswerSlowly,
    BreakConnection,
    Effect,
    ExpireToken,
    FailForSibling,
    FailLate,
    KillProcess,
    LoseOperation,
    RequestQuota,
    SlowOperation,
    StayInUse,
)
from vpngw_iac.usecases import runner as running

FILES = (
    "one_site.py",
    "multi_site.py",
    "active_active.py",
    "hub_and_spokes.py",
    "point_to_site_and_sites.py",
    "point_to_site_certificates.py",
    "point_to_site_radius.py",
    "vnet_to_vnet.py",
    "vnet_to_vnet_ipsec.py",
    "vnet_to_vnet_and_sites.py",
    "expressroute_failover.py",
    "expressroute_and_sites.py",
)


EDITS: tuple[edits.Edit, ...] = (
    edits.add_a_site,
    edits.remove_a_site,
    edits.change_a_prefix,
    edits.change_a_tag,
    edits.bigger_sku,
    edits.rename_a_site,
    edits.remove_point_to_site,
    edits.remove_a_root_certificate,
    edits.without_nat,
    edits.other_ike_version,
    edits.one_instance_or_two,
)
PATHS = (
    "*",
    "*/connections/*",
    "*/connections/*",
    "*/virtualNetworkGateways/*",
    "*/publicIPAddresses/*",
    "*/localNetworkGateways/*",
    "*/subnets/*",
    "*/virtualNetworks/*",
    "*/virtualNetworkPeerings/*",
    "*/natRules/*",
    "*/expressRouteCircuits/*",
)
RUNS = ("apply", "apply", "apply", "detach", "timeout", "wait", "die", "die", "die", "destroy", "destroy and die")
GONE = Options(all_gone=True)
POLLS = "*/operations/*"


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """One call at a time, and jitter from the seed: the same schedule again."""
    before = execute.PARALLEL_CALLS, running.Execution, retry.random, reading.THREADS
    dice = SimpleNamespace(Random=lambda: random.Random(seed))
    execute.PARALLEL_CALLS, reading.THREADS = 1, 1
    running.Execution, retry.random = partial(execute.Execution, seed=seed), dice  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        execute.PARALLEL_CALLS, running.Execution, retry.random, reading.THREADS = before  # type: ignore[misc]


def some_fault(dice: random.Random) -> Fault:
    """Anything that may go wrong, somewhere."""
    writes, path = dice.choice(("PUT", "PUT", "DELETE", "PATCH", "PUT|DELETE|PATCH|POST")), dice.choice(PATHS)
    status, code = dice.choice(
        ((500, "InternalServerError"), (502, "BadGateway"), (503, "ServerTimeout"), (504, "GatewayTimeout"))
    )
    refusal = dice.choice(
        ((400, "SomethingIsWrong"), (403, "AuthorizationFailed"), (409, "Conflict"), (412, "PreconditionFailed"))
    )
    wait = dice.choice((None, 5.0, 37.0))
    retryable = AnswerInstead(
        status=429,
        code="RetryableError",
        message="Retry.",
        detail=dice.choice(("RetryableErrorDueToAnotherOperation", "ReferencedResourceNotProvisioned")),
        retry_after=wait,
    )
    choices: tuple[tuple[str, str, Effect], ...] = (
        (writes, path, AnswerInstead(status=status, code=code, retry_after=wait)),
        ("GET", path, AnswerInstead(status=status, code=code, retry_after=wait)),
        ("*", path, AnswerInstead(status=503, html=True)),
        ("*", "*", AnswerInstead(status=429, code="SubscriptionRequestsThrottled", message="Wait.", retry_after=17)),
        (writes, path, AnswerInstead(status=409, code="AnotherOperationInProgress", message="Busy.", detail="X")),
        ("PUT", path, retryable),
        (writes, path, AnswerInstead(status=refusal[0], code=refusal[1], message="No.")),
        (writes, path, BreakConnection(done=True)),
        (writes, path, BreakConnection(done=True)),
        (writes, path, BreakConnection(done=False)),
        (writes, path, KillProcess(done=dice.random() < 0.5)),
        ("GET", path, BreakConnection(done=False)),
        ("*", path, AnswerSlowly(seconds=dice.choice((3.0, 40.0, 200.0)))),
        ("PUT", path, FailLate(after=dice.choice((None, 20.0)))),
        ("DELETE", path, FailLate()),
        ("PUT", "*/connections/*", FailForSibling()),
        (writes, path, LoseOperation()),
        (
            "GET",
            POLLS,
            AnswerInstead(status=dice.choice((404, 500, 503)), code="OperationNotFound", html=dice.random() < 0.5),
        ),
        ("PUT", path, SlowOperation(factor=dice.choice((2.0, 4.0)))),
        ("DELETE", path, StayInUse(seconds=dice.choice((60.0, 300.0)))),
        (dice.choice(("PUT", "GET", "*")), "*", RequestQuota(per_minute=dice.choice((6, 30)))),
        ("*", path, ExpireToken()),
    )
    method, where, effect = dice.choice(choices)
    times = dice.choice((1, 1, 1, 2, 4, 12))
    return Fault(method=method, path=where, nth=dice.choice((1, 1, 1, 2, 3, 5)), times=times, effect=effect)


@dataclass
class Told:
    """What one schedule did, for figures and for people who look for a fault."""

    seed: int
    file: str
    runs: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)


@dataclass
class Schedule:
    """One operator on a bad day."""

    seed: int
    folder: Path

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.file = self.dice.choice(FILES)
        switches = Switches(
            echo_secrets=self.dice.random() < 0.7,
            parallel_writes=self.dice.choice((1, 2, 4, 100)),
            enforce_quota=self.dice.random() < 0.2,
        )
        self.harness = ChaosHarness(self.folder, dict(ENVIRONMENT), FOLDER, switches, self.seed)
        self.blueprint: Any = load(FOLDER / self.file).blueprint
        self.left = list(EDITS)
        self.told = Told(self.seed, self.file)
        self.may_be_deleted: Counter[str] = Counter()

    def play(self) -> Told:
        """The bad day, then a good one."""
        with reproducible(self.seed):
            for _ in range(self.dice.randint(2, 5)):
                self._disturb()
                self._run()
                self._check()
            self.harness.simulator.faults.clear()
            self._recover()
        return self.told

    # -- the bad day

    def _disturb(self) -> None:
        faults = [some_fault(self.dice) for _ in range(self.dice.randint(2, 9))]
        self.harness.simulator.faults.add(*faults)
        self.told.struck.update(fault.effect.do for fault in faults)
        while self.left and self.dice.random() < 0.5:
            edit = self.left.pop(self.dice.randrange(len(self.left)))
            self.blueprint = edit(self.blueprint) or self.blueprint
        if self.dice.random() < 0.2:
            key = self.dice.choice([name for name in ENVIRONMENT if name.endswith("_PSK")])
            self.harness.environment = dict(self.harness.environment) | {
                key: f"Rotated{self.dice.randrange(10**12):012d}"
            }
        if self.dice.random() < 0.2:
            self._foreign_hand()

    def _foreign_hand(self) -> None:
        """Somebody deletes one of our connections in the portal."""
        connections = sorted(i for i in self.harness.simulator.documents() if "/connections/" in i.lower())
        with contextlib.suppress(ValueError):  # refused: an operation is in progress
            if connections:
                self.harness.simulator.delete(self.dice.choice(connections))

    def _run(self) -> None:
        what = self.dice.choice(RUNS)
        ending = Ending(self.dice.randint(1, 120) if "die" in what else None)
        workspace = self.harness.workspace(ending)
        limits: dict[str, Callable[[], Any]] = {
            "destroy": lambda: workspace.destroy(self.blueprint, confirm=self._seen, options=GONE),
            "destroy and die": lambda: workspace.destroy(self.blueprint, confirm=self._seen, options=GONE),
            "wait": lambda: workspace.wait(self.blueprint, timeout=self.dice.choice((None, 60.0, 900.0))),
            "detach": lambda: workspace.apply(self.blueprint, confirm=self._seen, detach=True),
            "timeout": lambda: workspace.apply(
                self.blueprint, confirm=self._seen, timeout=float(self.dice.randint(1, 1500))
            ),
        }
        try:
            outcome = limits.get(what, lambda: workspace.apply(self.blueprint, confirm=self._seen, options=GONE))()
            word = outcome.outcome
        except Died:
            word = f"died {ending.at}"
        except VpngwError as error:
            word = f"{type(error).__name__}: {error.message}"
        self.told.runs.append(f"{what}: {word}")
        self.harness.clock.advance(self.dice.choice((0.0, 0.0, 30.0, 600.0, 4000.0)))
        self._let_providers_act()

    def _seen(self, plan: Plan) -> bool:
        for change in plan.changes:
            if change.action in (Action.DELETE, Action.REPLACE) and is_gateway(change.id.key):
                self.may_be_deleted[change.id.key] += 1
        return True

    def _let_providers_act(self) -> None:
        for identifier in self.harness.simulator.documents():
            if identifier.lower().rpartition("/")[0].endswith("/expressroutecircuits"):
                self.harness.simulator.provision_circuit(identifier)

    def _check(self) -> None:
        """The state can be read and is valid; no gateway went that no plan named."""
        store = self.harness.workspace().session(self.blueprint).store()
        memory = store.load()
        assert memory is None or memory.state.check() == ()
        assert store.owner() is None
        gone = {path: count for path, count in self.harness.deleted.items() if is_gateway(path)}
        assert all(count <= self.may_be_deleted[path] for path, count in gone.items()), gone

    # -- the good day

    def _recover(self) -> None:
        """One apply (another one after a provider has acted), and everything is as declared."""
        outcome = self.harness.workspace().apply(self.blueprint, confirm=self._seen, options=GONE)
        if outcome.outcome == "waiting":
            self._let_providers_act()
            outcome = self.harness.workspace().apply(self.blueprint, confirm=self._seen, options=GONE)
        assert outcome.outcome == "succeeded", failures(outcome)
        self._check()
        plan = self.harness.plan(self.blueprint)
        assert differences_of(plan) == []
        assert plan.state_only_updates == ()
        declared = {resource.id.key for resource in plan.graph.resources.values()}
        assert {_key(i) for i in self.harness.ids()} == declared
        assert {_key(i) for i in self.harness.entries(self.blueprint)} == declared
        writes = self.harness.writes
        again = self.harness.apply(self.blueprint)
        assert (again.outcome, self.harness.writes) == ("succeeded", writes)


def _key(identifier: str) -> str:
    return identifier.lower()
