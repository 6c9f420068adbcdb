"""Every shipped blueprint lives its whole life: validated, built, unchanged, not drifted, gone without a trace."""

from __future__ import annotations

import sys

import pytest

from tests.architectures.conftest import FILES, FOLDER, World, differences_of
from vpngw_iac.blueprints.load import load


@pytest.fixture(scope="module")
def created() -> dict[str, str]:
    """File to what it created: the table at the end of the module."""
    return {}


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_blueprint_is_built_stays_and_goes(name: str, world: World, created: dict[str, str]) -> None:
    loaded = load(FOLDER / name)

    for blueprint in loaded.blueprints:
        validation = world.workspace.validate(blueprint)
        assert [f for f in validation.findings if f.blocks] == []
        compilation = world.workspace.compile(blueprint)
        assert compilation.schedule.operations
        first = world.plan(blueprint)
        assert [f for f in first.findings if f.blocks] == []

        outcome = world.apply(blueprint)
        assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]

        made = [c.address for c in first.changes]
        assert {c.action for c in first.changes} == {"create"}
        assert {op.address for op in compilation.schedule.operations} == set(made)
        assert differences_of(world.plan(blueprint)) == []
        assert differences_of(world.plan(blueprint, deep=True)) == []
        assert world.workspace.drift(blueprint).items == ()
        created[name] = f"{len(made)} resources: " + ", ".join(sorted({a.split("/")[0] for a in made}))

    world.release_circuits()
    for blueprint in reversed(loaded.blueprints):
        gone = world.workspace.destroy(blueprint)
        assert gone.outcome == "succeeded", [(r.address, r.error) for r in gone.operations if r.error]
    assert world.simulator.documents() == {}


def test_there_is_a_table_of_what_each_created(created: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        width = max((len(name) for name in created), default=0)
        for name, text in sorted(created.items()):
            sys.stdout.write(f"\n  {name:<{width}}  {text}")
