"""The same tests on the simulator and, with ``VPNGW_LIVE=1``, in an Azure subscription.

They never ran against Azure so far: whoever does it first should read what they find with that in mind.

* ``VPNGW_LIVE=1``: ask a real subscription, and live one small life in it (a network, an address; a few cents).
* ``VPNGW_LIVE_GATEWAY=1`` besides: build a gateway too (an hour, and its price).
* ``VPNGW_SUBSCRIPTION`` or ``AZURE_SUBSCRIPTION_ID``, and whatever azure-identity signs in with.
* ``VPNGW_LIVE_REGION`` (default ``westeurope``), ``VPNGW_CLOUD`` (default ``public``).

Everything is made in one resource group with a new name, which must not exist, and that group is deleted at the end.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import RealClock, VirtualClock
from vpngw_iac.engine.ports import Call, Clock, Cloud, Ended, Pending, Progress, Running
from vpngw_iac.simulator import Simulator, VirtualTime
from vpngw_iac.usecases.workspace import Workspace

SIMULATED = "00000000-0000-0000-0000-000000000000"
PATIENCE = 3600.0
"""Seconds after which a resource group that is being deleted is left to itself."""


@dataclass
class Target:
    """Where a test works: a cloud, a subscription, a region, and a resource group that is nobody's."""

    cloud_name: str
    subscription: str
    region: str
    folder: Path
    simulator: Simulator | None = None
    clock: Clock = field(default_factory=RealClock)
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def is_azure(self) -> bool:
        """Whether it costs money."""
        return self.simulator is None

    @property
    def group(self) -> str:
        """Name of the resource group."""
        return f"rg-vpngw-live-{self.token}"

    @property
    def group_id(self) -> ArmId:
        """Its id."""
        return ArmId.resource_group_of(self.subscription, self.group)

    def id_of(self, kind: str, *names: str) -> ArmId:
        """Id of a resource of Microsoft.Network in the group."""
        return ArmId.build(self.subscription, self.group, f"Microsoft.Network/{kind}", *names)

    def workspace(self) -> Workspace:
        """A new one, as a command would open it."""
        environment = dict(os.environ) if self.is_azure else {}
        return Workspace(
            self.cloud_name,
            subscription=self.subscription,
            directory=self.folder,
            environment=environment | {"VPNGW_LIVE_KEY": f"live0{self.token}"},
            simulator=self.simulator,
            clock=self.clock,
        )

    def cloud(self) -> Cloud:
        """The cloud, for questions of a test's own."""
        return self.workspace().session_named(f"live-{self.token}").cloud

    def exists(self, resource_id: ArmId) -> bool:
        """Whether Azure has it."""
        return self.cloud().read(resource_id).present

    def done(self, call: Call) -> None:
        """Send a request of a test's own, as a stranger would, and wait until it ended."""
        cloud = self.cloud()
        begun = cloud.begin(call)
        progress: Progress = begun if isinstance(begun, Ended) else Running()
        since = self.clock.now()
        while isinstance(begun, Pending) and not isinstance(progress, Ended):
            assert self.clock.now() - since < PATIENCE, f"{call} still runs: look after {self.group} by hand."
            self.clock.sleep(10)
            progress = cloud.poll(begun)

    def remove_group(self) -> None:
        """Delete the group with all that is in it; it did not exist before this test."""
        if self.exists(self.group_id):
            self.done(Call("delete", self.group_id))


def _simulated(folder: Path) -> Target:
    time, clock = VirtualTime(), VirtualClock()
    clock.on_advance(time.advance_to)
    simulator = Simulator(time=time, subscriptions=[SIMULATED])
    return Target("simulator", SIMULATED, "westeurope", folder, simulator, clock)


def _real(folder: Path) -> Target:
    if os.environ.get("VPNGW_LIVE") != "1":
        pytest.skip("needs a real Azure subscription: VPNGW_LIVE=1")
    subscription = os.environ.get("VPNGW_SUBSCRIPTION") or os.environ.get("AZURE_SUBSCRIPTION_ID")
    if not subscription:
        pytest.fail("VPNGW_LIVE=1 needs VPNGW_SUBSCRIPTION or AZURE_SUBSCRIPTION_ID.")
    cloud = os.environ.get("VPNGW_CLOUD", "public")
    return Target(cloud, subscription, os.environ.get("VPNGW_LIVE_REGION", "westeurope"), folder)


@pytest.fixture(params=["simulator", pytest.param("azure", marks=pytest.mark.live)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """A place to ask questions in."""
    return _simulated(tmp_path) if request.param == "simulator" else _real(tmp_path)


@pytest.fixture
def empty_group(target: Target) -> Iterator[Target]:
    """A place to build in: its group does not exist before, and not afterwards."""
    refuse_existing(target)
    try:
        yield target
    finally:
        target.remove_group()
    assert not target.exists(target.group_id), f"{target.group} is still there: look after it by hand."


def refuse_existing(target: Target) -> None:
    """Fail if the group is there: what is in it is somebody's."""
    if target.exists(target.group_id):
        pytest.fail(f"The resource group {target.group} exists already: nothing is built or deleted in it.")
