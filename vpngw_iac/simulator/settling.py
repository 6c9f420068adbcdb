"""Bringing the cloud up to the present: operations end, deployments go on, each at the moment when it was due."""

from __future__ import annotations

from vpngw_iac.simulator import operations
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.deployments import engine


def settle(cloud: CloudView) -> None:
    """Everything that is due, in the order in which it falls due."""
    while any(deployment.running for deployment in cloud.store.deployments.values()):
        moment = next_event(cloud)
        if moment is None or moment > cloud.now:
            break
        with cloud.at(moment):
            operations.settle(cloud)
            engine.progress(cloud)
    operations.settle(cloud)


def next_event(cloud: CloudView) -> float | None:
    """When something falls due next; none when nothing runs."""
    running = cloud.store.running()
    moments = [running[0].due] if running else []
    wake = engine.next_wake(cloud)
    return min([*moments, wake] if wake is not None else moments, default=None)
