"""Every shipped blueprint, once it is applied, is as it says: verify finds nothing, strict or not."""

from __future__ import annotations

import pytest

from tests.architectures.conftest import FILES, FOLDER, World
from vpngw_iac import VpnGateway
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


def test_a_failover_at_the_other_end_of_a_pair_is_no_alarm_though_only_this_end_is_ours(world: World) -> None:
    both = load(FOLDER / "vnet_to_vnet.py").blueprint
    world.apply(both)
    world.clock.advance(300)
    pair = both.pairs[0]
    far = next(one for one in world.ids("/virtualNetworkGateways/") if one.endswith(f"/{pair.b.name}"))
    mine = pair.model_copy(update={"b": VpnGateway.existing(far), "manage": "a"})
    ours = both.model_copy(update={"name": "ours", "pairs": (mine,)})
    before = [one.word for one in world.workspace.verify(ours).subjects]
    world.simulator.set(far, {"happens": "failover"})

    during = world.workspace.verify(ours).subjects[0]

    assert (before, during.word) == (["up"], "unknown")
    assert "planned maintenance" in during.reason
