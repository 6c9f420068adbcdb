"""Every shipped blueprint, once it is applied, is as it says: verify finds nothing, strict or not."""

from __future__ import annotations

import pytest

from tests.architectures.conftest import FILES, FOLDER, World
from vpngw_iac.blueprints.load import load


@pytest.mark.parametrize("name", FILES)
def test_an_applied_blueprint_is_verified(name: str, world: World) -> None:
    for blueprint in load(FOLDER / name).blueprints:
        world.apply(blueprint)
        world.clock.advance(300)

        found = world.workspace.verify(blueprint)

        assert found.subjects
        assert [(one.name, one.word, one.reason) for one in found.subjects if one.word != "up"] == []
        assert not found.fails("degraded", strict=True)
        assert set(world.workspace.verifiable(blueprint)) == {one.name for one in found.subjects}
