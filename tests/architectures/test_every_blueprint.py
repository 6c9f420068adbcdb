"""Every shipped blueprint lives its whole life: validated, built, unchanged, not drifted, gone without a trace."""

from __future__ import annotations

import pytest

from tests.architectures.conftest import FILES, FOLDER, World, differences_of
from tests.summary import Summary
from vpngw_iac.blueprints.load import load


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_blueprint_is_built_stays_and_goes(name: str, world: World, summary: Summary) -> None:
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
        kinds = ", ".join(sorted({address.split("/")[0] for address in made}))
        summary.row("what each shipped blueprint created", name, f"{len(made)} resources: {kinds}")

    world.release_circuits()
    for blueprint in reversed(loaded.blueprints):
        gone = world.workspace.destroy(blueprint)
        assert gone.outcome == "succeeded", [(r.address, r.error) for r in gone.operations if r.error]
    assert world.simulator.documents() == {}
