"""What a killed or detached run has begun is ours, also for a plan that is made before it has ended."""

from __future__ import annotations

from pathlib import Path

from tests.architectures.conftest import FOLDER, World, differences_of
from vpngw_iac.blueprints.load import load
from vpngw_iac.usecases.settings import read_env_file


def test_a_gateway_that_is_still_being_made_is_ours_in_a_plan(tmp_path: Path) -> None:
    world = World(tmp_path, read_env_file(FOLDER / "example.env"))
    blueprint = load(FOLDER / "one_site.py").blueprint
    while not world.ids("/virtualNetworkGateways/"):
        assert world.workspace.apply(blueprint, detach=True).outcome == "running"
        world.clock.advance(30)

    plan = world.plan(blueprint)

    assert [finding.rule for finding in plan.findings if finding.blocks] == []
    assert "V-JOURNAL-01" in {finding.rule for finding in plan.findings}
    assert not any("VpnGateway/" in line for line in differences_of(plan))
    assert world.workspace.drift(blueprint).items == ()
    assert world.apply(blueprint).outcome == "succeeded"
    assert differences_of(world.plan(blueprint)) == []
