"""Lives that are cut short: what is done, and what must be there after one more run, wherever the first one ended."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.architectures import edits
from tests.architectures.conftest import FOLDER, differences_of
from tests.chaos.chaos_harness import ChaosHarness, Died, Ending, failures, is_gateway
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.simulator import Switches
from vpngw_iac.usecases.settings import read_env_file

ENVIRONMENT = dict(read_env_file(FOLDER / "example.env")) | {"LISBON_PSK": "ExampleLisbon4kS8dF2gH6jL0zX3cV7b"}
GAPS = (0.0, 45.0, 900.0, 7200.0)
"""Seconds after which somebody looks again: the operation in flight runs still, or has ended."""


@dataclass(frozen=True)
class Life:
    """A first run that dies, and the run that goes on."""

    name: str
    file: str
    before: Callable[[ChaosHarness, Any], Any]
    """Brings about what is there before the run; returns the blueprint that is then applied."""
    options: Callable[[ChaosHarness, Any], dict[str, Any]] = lambda harness, blueprint: {}
    destroys: bool = False
    echoes: bool = True
    """Whether the service tells the secrets that it holds."""

    def blueprint(self) -> Any:
        return load(FOLDER / self.file).blueprint


def _nothing(harness: ChaosHarness, blueprint: Any) -> Any:
    return blueprint


def _applied(harness: ChaosHarness, blueprint: Any) -> Any:
    outcome = harness.apply(blueprint)
    assert outcome.outcome == "succeeded", failures(outcome)
    return blueprint


def _edited(
    *changes: Callable[[Any], Any], applied: Callable[[Any], Any] = lambda blueprint: blueprint
) -> Callable[[ChaosHarness, Any], Any]:
    def before(harness: ChaosHarness, blueprint: Any) -> Any:
        blueprint = applied(blueprint)
        _applied(harness, blueprint)
        for change in changes:
            blueprint = change(blueprint)
            assert blueprint is not None
        return blueprint

    return before


def _forgotten(harness: ChaosHarness, blueprint: Any) -> Any:
    """Everything is there, the state is lost: all is adopted."""
    _applied(harness, blueprint)
    store = harness.workspace().session(blueprint).store()
    for file in sorted(Path(store.folder).rglob("*")):  # type: ignore[attr-defined]
        if file.is_file():
            file.unlink()
    return blueprint


def _adopting(harness: ChaosHarness, blueprint: Any) -> dict[str, Any]:
    plan = harness.plan(blueprint)
    return {"adopt": frozenset(r.address for r in plan.graph.resources.values() if not r.only_if_absent)}


def _renamed(harness: ChaosHarness, blueprint: Any) -> Any:
    _applied(harness, blueprint)
    return blueprint.model_copy(update={"name": f"{blueprint.name}-new", "formerly": blueprint.name})


def _other_secret(name: str) -> Callable[[ChaosHarness, Any], Any]:
    def before(harness: ChaosHarness, blueprint: Any) -> Any:
        _applied(harness, blueprint)
        harness.environment = dict(harness.environment) | {name: "AnotherSecretForThisPlace1234567890"}
        return blueprint

    return before


def _replacing_the_gateway(harness: ChaosHarness, blueprint: Any) -> dict[str, Any]:
    plan = harness.plan(blueprint)
    return {"replace": frozenset(r.address for r in plan.graph.resources.values() if is_gateway(str(r.id).lower()))}


LIVES: Mapping[str, Life] = {
    life.name: life
    for life in (
        Life("create one site", "one_site.py", _nothing),
        Life("destroy one site", "one_site.py", _applied, destroys=True),
        Life("create a hub with spokes", "hub_and_spokes.py", _nothing),
        Life("replace a gateway under spokes", "hub_and_spokes.py", _applied, _replacing_the_gateway),
        Life("destroy a hub with spokes", "hub_and_spokes.py", _applied, destroys=True),
        Life(
            "add, remove, change",
            "multi_site.py",
            _edited(edits.remove_a_site, edits.add_a_site, edits.change_a_prefix),
        ),
        Life("a tag and a bigger gateway", "one_site.py", _edited(edits.change_a_tag, edits.bigger_sku)),
        Life("a tag alone", "multi_site.py", _edited(edits.change_a_tag)),
        Life("another key", "one_site.py", _other_secret("BERLIN_PSK")),
        Life("another key that nobody tells", "one_site.py", _other_secret("BERLIN_PSK"), echoes=False),
        Life("another RADIUS secret", "point_to_site_radius.py", _other_secret("RADIUS1_SECRET")),
        Life(
            "another RADIUS secret that nobody tells",
            "point_to_site_radius.py",
            _other_secret("RADIUS1_SECRET"),
            echoes=False,
        ),
        Life("move", "multi_site.py", _edited(edits.rename_a_site)),
        Life("adopt everything", "multi_site.py", _forgotten, _adopting),
        Life("take over from the former name", "one_site.py", _renamed),
        Life("create clients and sites", "point_to_site_and_sites.py", _nothing),
        Life("remove the clients", "point_to_site_and_sites.py", _edited(edits.remove_point_to_site)),
        Life("one root certificate less", "point_to_site_certificates.py", _edited(edits.remove_a_root_certificate)),
        Life("no NAT any more", "hub_and_spokes.py", _edited(edits.without_nat)),
        Life("another IKE version", "one_site.py", _edited(edits.other_ike_version)),
        Life("two instances instead of one", "one_site.py", _edited(edits.one_instance_or_two)),
        Life(
            "one instance again", "one_site.py", _edited(edits.one_instance_or_two, applied=edits.one_instance_or_two)
        ),
        Life("create two regions", "vnet_to_vnet_and_sites.py", _nothing),
        Life("destroy two regions", "vnet_to_vnet_and_sites.py", _applied, destroys=True),
    )
}


@dataclass
class Scene:
    """A harness in which everything is prepared for a life."""

    life: Life
    harness: ChaosHarness
    blueprint: Any
    options: dict[str, Any]

    @classmethod
    def set(cls, life: Life, folder: Path) -> Scene:
        harness = ChaosHarness(folder, dict(ENVIRONMENT), FOLDER, Switches(echo_secrets=life.echoes))
        blueprint = life.before(harness, life.blueprint())
        options = life.options(harness, blueprint)
        harness.created.clear()
        harness.deleted.clear()
        harness.writes = 0
        return cls(life, harness, blueprint, options)

    def run(self, ending: Ending | None = None) -> Outcome:
        workspace = self.harness.workspace(ending)
        do = workspace.destroy if self.life.destroys else workspace.apply
        return do(self.blueprint, options=Options(**self.options))


@dataclass(frozen=True)
class Unharmed:
    """What an undisturbed run did: nothing that dies may do more."""

    steps: int
    created: dict[str, int]
    deleted: dict[str, int]
    ids: frozenset[str]
    secrets: dict[str, str]
    """What Azure really has: nobody but a simulator tells it."""


def undisturbed(life: Life, folder: Path) -> Unharmed:
    """The life without a death; also counts at how many points it can end."""
    scene, ending = Scene.set(life, folder), Ending(is_watched=True)
    outcome = scene.run(ending)
    assert outcome.outcome == "succeeded", (life.name, failures(outcome))
    _check_converged(scene)
    harness = scene.harness
    return Unharmed(
        ending.steps, dict(harness.created), dict(harness.deleted), frozenset(harness.ids()), harness.held_secrets()
    )


def die_and_go_on(life: Life, folder: Path, dies_at: int, gap: float, unharmed: Unharmed) -> str:
    """Die at a step, wait, run once more; everything must be as if nothing had happened. Returns where it died."""
    scene, ending = _died(life, folder, dies_at)
    harness, at = scene.harness, f"{life.name}, step {ending.steps} ({ending.at}), {gap:g} s later"
    harness.clock.advance(gap)
    runs = harness.workspace().history(scene.blueprint)
    if runs and runs[-1].outcome == "succeeded" and harness.writes:
        scene.options = {}  # it had done everything: asking once more for a replacement would be a second one

    outcome = scene.run()

    assert outcome.outcome == "succeeded", (at, failures(outcome))
    _check_converged(scene, at)
    assert dict(harness.created) == unharmed.created, at
    assert dict(harness.deleted) == unharmed.deleted, at
    assert harness.ids() == unharmed.ids, at
    assert harness.held_secrets() == unharmed.secrets, at
    return ending.at


def _died(life: Life, folder: Path, dies_at: int) -> tuple[Scene, Ending]:
    """A run that is dead: at this step, or at its last one.

    Answers that arrive together are recorded together, so one run has fewer steps than another; who outlives its death
    that way is run once more, and dies sooner.
    """
    while True:
        scene, ending = Scene.set(life, folder / f"dies-at-{dies_at}"), Ending(dies_at)
        with contextlib.suppress(Died):
            scene.run(ending)
        if ending.dead:
            return scene, ending
        assert 0 < ending.steps < dies_at, f"{life.name} has no step {dies_at}"
        dies_at = ending.steps


def _check_converged(scene: Scene, at: str = "") -> None:
    """Nothing is left to do, the state is exact, nobody holds the lock, and another run writes nothing."""
    harness = scene.harness
    session = harness.workspace().session(scene.blueprint)
    memory = session.store().load()
    assert memory is not None
    assert memory.in_flight == {}, at
    assert memory.state.check() == (), at
    assert session.store().owner() is None, at
    if scene.life.destroys:
        assert harness.entries(scene.blueprint) == set(), at
        return
    plan = harness.plan(scene.blueprint)
    assert differences_of(plan) == [], at
    assert plan.state_only_updates == (), at
    assert harness.entries(scene.blueprint) <= harness.ids(), at
    writes = harness.writes
    again = harness.apply(scene.blueprint)
    assert (again.outcome, harness.writes) == ("succeeded", writes), at


def every_death(
    names: list[str] | None = None, *, share: float = 1.0, seed: int = 0
) -> Iterator[tuple[str, int, float]]:
    """Points at which lives end: all of them, or a seeded share."""
    dice = random.Random(seed)
    for name in names or list(LIVES):
        with tempfile.TemporaryDirectory() as folder:
            steps = undisturbed(LIVES[name], Path(folder)).steps
        for step in range(1, steps + 1):
            if dice.random() < share:
                yield name, step, dice.choice(GAPS)
