"""What can be asked of a subscription without changing anything in it."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from tests.live.conftest import Target
from tests.live.lives import gateway_hub, network
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import CloudError, ExitCode


def test_it_tells_its_tenant(target: Target) -> None:
    identity = target.cloud().identity

    assert uuid.UUID(identity.tenant)
    assert identity.subscription == target.subscription


def test_a_group_and_a_network_that_do_not_exist_are_absent(target: Target) -> None:
    assert not target.exists(target.group_id)
    assert not target.exists(target.id_of("virtualNetworks", "vnet"))
    assert not target.exists(target.id_of("virtualNetworks/subnets", "vnet", "GatewaySubnet"))


def test_a_subscription_that_does_not_exist_is_an_error_and_not_absent(target: Target) -> None:
    if target.cloud_name.startswith("https://"):
        pytest.skip("an endpoint of one's own may know every subscription")
    nowhere = replace(target, subscription=str(uuid.uuid4()))
    group = ArmId.resource_group_of(nowhere.subscription, target.group)

    with pytest.raises(CloudError) as error:
        target.cloud().read(group)

    assert error.value.exit_code is ExitCode.PERMISSION


@pytest.mark.parametrize("declared", [network, gateway_hub], ids=["network", "gateway"])
def test_a_plan_asks_everything_and_writes_nothing(target: Target, declared: object) -> None:
    deployment = declared(target)  # type: ignore[operator]

    plan = target.workspace().plan(deployment)

    assert {str(change.action) for change in plan.changes} == {"create"}
    assert [finding for finding in plan.blocking if finding.rule.startswith("V-EXIST")] == []
    assert not target.exists(target.group_id)
