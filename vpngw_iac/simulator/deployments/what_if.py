"""What-if: the deployment is carried out in a copy of this cloud, and both are compared.

Evidence: REST reference "Deployments - What If" (changeType, delta). What Azure would fill in counts as it would after
the deployment, so that a template that was deployed shows no changes; Azure's own answer has noise here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.simulator import manager
from vpngw_iac.simulator.clock import VirtualTime
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.deployments import engine, removal
from vpngw_iac.simulator.deployments.record import FAILED, Deployment
from vpngw_iac.simulator.kind import kind_of
from vpngw_iac.simulator.services.groups import is_top_level
from vpngw_iac.simulator.settling import next_event, settle
from vpngw_iac.simulator.store import DocumentStore
from vpngw_iac.simulator.templates.parameters import is_secure
from vpngw_iac.simulator.wire import Json

_OWN = frozenset({"etag", "provisioningState", "resourceGuid", "gatewayManagerEtag"})
"""What the service writes by itself with each change."""
_MASK = "*******"


def what_if(cloud: CloudView, deployment: Deployment, *, ids_only: bool) -> Json:
    """The answer: each resource of the template and of its groups, and what would become of it."""
    secrets = _secrets(deployment)
    copied = _copy(cloud)
    done = copy.deepcopy(replace(deployment, prepared=None))
    copied.store.save_deployment(done)
    _run(copied)
    failed = _failures(copied)
    touched = {key for each in copied.store.deployments.values() for key in _touched(each)}
    groups = {deployment.scope.lower()} if "/resourcegroups/" in deployment.scope.lower() else set()
    keys = touched | _beside(cloud, groups, touched)
    before, after = _shown(cloud, keys), _shown(copied, keys)
    changes = [
        _masked(change, secrets)
        for key in sorted(keys)
        for change in _change(key, before, after, failed, touched, ids_only)
    ]
    if done.mode == "Complete":
        gone = {each.key for each in removal.superfluous(cloud, deployment, deployment.prepared)}
        changes = [_deleted(change) if change["resourceId"].lower() in gone else change for change in changes]
    return {"status": "Succeeded", "properties": {"correlationId": deployment.correlation, "changes": changes}}


def _deleted(change: Json) -> Json:
    return {name: value for name, value in change.items() if name != "after"} | {"changeType": "Delete"}


def _copy(cloud: CloudView) -> CloudView:
    store = DocumentStore()
    for record in cloud.store.everything():
        if record["kind"] != "deployment":
            store.apply_record(record)
    store.counter = cloud.store.counter
    copied = CloudView(store, VirtualTime(cloud.now), cloud.switches)
    copied.governance, copied.subscriptions, copied.registered = cloud.governance, cloud.subscriptions, cloud.registered
    copied.caller = cloud.caller
    copied.send = lambda request: manager.handle(copied, request)
    return copied


def _run(cloud: CloudView) -> None:
    """To its end, at once."""
    engine.progress(cloud)
    while any(each.running for each in cloud.store.deployments.values()):
        moment = next_event(cloud)
        if moment is None:
            return
        cloud.time.spend(moment - cloud.now)
        settle(cloud)


def _shown(cloud: CloudView, keys: set[str]) -> dict[str, Json]:
    silent = cloud.telling(secrets=False)
    found = (document for document in map(cloud.find, keys) if document is not None)
    return {document.key: kind_of(document).show(silent, document, "get") for document in found}


def _touched(deployment: Deployment) -> Iterator[str]:
    for key, step in deployment.steps.items():
        if "/microsoft.resources/deployments/" not in key and step.verb == "Create" and step.state != "Skipped":
            yield key


def _beside(cloud: CloudView, groups: set[str], touched: set[str]) -> set[str]:
    """What is in the group and no part of the template."""
    found = (each for group in groups for each in cloud.store.below(group))
    return {each.key for each in found if is_top_level(each) and each.key not in touched}


def _failures(cloud: CloudView) -> dict[str, Json]:
    return {
        key: step.error
        for each in cloud.store.deployments.values()
        if each.state == FAILED
        for key, step in each.steps.items()
        if step.error is not None
    }


def _change(
    key: str,
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    failed: Mapping[str, Json],
    touched: set[str],
    ids_only: bool,
) -> Iterator[Json]:
    old, new = before.get(key), after.get(key)
    identifier = (new or old or {}).get("id", key)
    change: Json = {"resourceId": identifier}
    if key in failed or (old is None and new is None):
        error = failed.get(key) or {}
        why = f"{error.get('code', 'Unknown')}: {error.get('message', 'it never began')}"
        yield change | {"changeType": "Unsupported", "unsupportedReason": why}
        return
    if key not in touched:
        yield change | {"changeType": "Ignore"} | ({} if ids_only else {"before": _plain(old), "after": _plain(old)})
        return
    if ids_only:
        yield change | {"changeType": "Deploy"}
        return
    if old is None:
        yield change | {"changeType": "Create", "after": _plain(new)}
        return
    delta = list(_delta(_plain(old), _plain(new), ""))
    kind = "Modify" if delta else "NoChange"
    yield change | {"changeType": kind, "before": _plain(old), "after": _plain(new), "delta": delta}


def _plain(value: Any) -> Any:
    """A document without what the service writes by itself."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name not in _OWN}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _delta(old: Any, new: Any, path: str) -> Iterator[Json]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            inner = f"{path}.{name}" if path else name
            if name not in new:
                yield {"path": inner, "propertyChangeType": "Delete", "before": old[name], "after": None}
            elif name not in old:
                yield {"path": inner, "propertyChangeType": "Create", "before": None, "after": new[name]}
            else:
                yield from _delta(old[name], new[name], inner)
    elif isinstance(old, list) and isinstance(new, list) and old != new:
        children = [
            {
                "path": str(place),
                "propertyChangeType": "Create" if left is None else "Delete" if right is None else "Modify",
                "before": left,
                "after": right,
            }
            for place in range(max(len(old), len(new)))
            for left, right in [(_at(old, place), _at(new, place))]
            if left != right
        ]
        yield {"path": path, "propertyChangeType": "Array", "before": None, "after": None, "children": children}
    elif old != new:
        yield {"path": path, "propertyChangeType": "Modify", "before": old, "after": new}


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _secrets(deployment: Deployment) -> list[str]:
    """Texts of secure parameters, which no answer may show."""
    told = {name.lower(): each for name, each in (deployment.template.get("parameters") or {}).items()}
    secure = [value for name, value in deployment.values.items() if name in told and is_secure(told[name])]
    return sorted({text for value in secure for text in _leaves(value) if text}, key=len, reverse=True)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        return _MASK if any(secret == value or (len(secret) > 3 and secret in value) for secret in secrets) else value
    if isinstance(value, dict):
        return {name: item if name == "resourceId" else _masked(item, secrets) for name, item in value.items()}
    return [_masked(item, secrets) for item in value] if isinstance(value, list) else value
