"""What complete mode deletes: everything at the top of the group that the template does not hold."""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.deployments.preparation import PreparedTemplate
from vpngw_iac.simulator.deployments.record import Deployment, Step, error_of
from vpngw_iac.simulator.document import DELETING, Document
from vpngw_iac.simulator.services.groups import is_top_level
from vpngw_iac.simulator.wire import HttpRequest, Json

_VERSION = "2025-05-01"


def superfluous(cloud: CloudView, deployment: Deployment, prepared: PreparedTemplate) -> list[Document]:
    """What is in the group and not in the template."""
    kept = {instance.key for instance in prepared.instances if instance.active}
    return [each for each in cloud.store.below(deployment.scope) if is_top_level(each) and each.key not in kept]


def advance(cloud: CloudView, deployment: Deployment, prepared: PreparedTemplate) -> list[Json] | None:
    """Delete what can be deleted now; none while something is on its way, else the errors of what resists."""
    while True:
        left = superfluous(cloud, deployment, prepared)
        for key, step in deployment.steps.items():
            if step.verb == "Delete" and step.state == "Running" and cloud.find(key) is None:
                step.state, step.ended = "Succeeded", cloud.now
        refused: list[Json] = []
        moved = False
        for document in left:
            if document.state == DELETING:
                continue
            error = _delete(cloud, deployment, document)
            moved = moved or error is None
            refused += [error] if error is not None else []
        if any(document.state == DELETING for document in superfluous(cloud, deployment, prepared)):
            return None
        if not moved:
            return refused


def _delete(cloud: CloudView, deployment: Deployment, document: Document) -> Json | None:
    answer = cloud.send(HttpRequest("DELETE", document.id, {"api-version": _VERSION}))
    step = deployment.steps.get(document.key)
    if step is None or step.verb != "Delete":  # what a condition excludes was skipped before
        step = deployment.steps[document.key] = Step(verb="Delete")
        step.begin(cloud.guid(), cloud.now)
    if answer.status >= 400:
        step.state, step.status = "Failed", str(answer.status)
        step.error = error_of(answer)
        return step.error
    step.state, step.status, step.error = "Running", "Accepted", None
    if cloud.find(document.id) is None:
        step.state, step.ended = "Succeeded", cloud.now
    return None
