"""Putting documents there as they are: what exists, exists, whatever a PUT would say of it.

A document is what GET answers: id, type, location, tags, sku, properties. Of a type that is simulated it is taken
apart: children inside it become documents of their own, and what a PUT would have filled in is filled in, so that it
can be written, linked and deleted like any other. It is answered as it was found until something changes it; only the
texts "true" and "false" become booleans where Azure has no others.
What was found at work (``Updating``, ``Deleting``) is at work: it ends after the time that such an operation takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId, InvalidArmId
from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator.body import read_file
from vpngw_iac.simulator.cloud_view import CloudView, with_plain_words, without_nulls
from vpngw_iac.simulator.document import FAILED, SUCCEEDED, Document, spread
from vpngw_iac.simulator.kind import READERS, PutRequest, kind_of, kinds, normal
from vpngw_iac.simulator.operations import begin
from vpngw_iac.simulator.spelling import canonical, with_booleans
from vpngw_iac.simulator.wire import Json

LONG_AGO = -1e9
"""When what is loaded was made: no status of it is still unknown."""


_ENDED = frozenset({SUCCEEDED.lower(), FAILED.lower(), "canceled"})
_VERSION = "2024-05-01"
"""Of the request that began what was found at work; nobody asks for it."""


def read_documents(path: Path) -> tuple[list[Json], Mapping[str, str]]:
    """Documents and keys of connections from a JSON or YAML file.

    It holds a list, the answer of a LIST (``value``), one document, or ``{"documents": [...], "secrets": {id: key}}``;
    ``documents`` may be an object by id, as ``vpngw simulator show --json`` prints it.
    """
    content = read_file(path, "documents", lambda content: content)
    secrets: Mapping[str, str] = {}
    if isinstance(content, dict) and "id" not in content:
        secrets = content.get("secrets", {})
        content = content.get("documents", content.get("value"))
    found = list(content.values()) if isinstance(content, dict) and "id" not in content else content
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not isinstance(secrets, dict):
        raise SimulatorError(
            f"{path} holds no documents.",
            advice='It takes a list of documents, or an object with "documents" (and "secrets": key by connection id).',
        )
    return found, secrets


def load_documents(cloud: CloudView, documents: Iterable[Json], secrets: Mapping[str, str]) -> list[str]:
    """Put documents there, and the groups that hold them; answers their ids. All of them, or none and an error."""
    told = [_checked(item, position) for position, item in enumerate(documents, 1)]
    keys = {identifier.lower(): key for identifier, key in secrets.items()}
    before = cloud.store.everything(), cloud.store.counter
    try:
        stored = [each for item in [*_groups(cloud, told), *told] for each in _store(cloud, item, keys)]
        for document, item in stored:
            _fill(cloud, document, item)
        for document, item in reversed(stored):  # what is inside first
            _compare(cloud, document, item)
        for document, item in sorted(stored, key=lambda each: each[0].key):  # what holds others first
            _go_on(cloud, document, item)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        cloud.store.clear()
        for record in before[0]:
            cloud.store.apply_record(record)
        cloud.store.counter = before[1]
        wrong = f"{type(error).__name__} {error}"
        raise SimulatorError(f"A document is not as Azure answers it: {wrong}. Nothing was loaded.") from error
    return [str(item["id"]) for item in told]


def _checked(item: Any, position: int) -> Json:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise SimulatorError(f"Document {position} has no id.", advice="Load what GET answers, one object each.")
    try:
        identifier = ArmId(with_plain_words(item["id"]))
    except InvalidArmId as error:
        raise SimulatorError(f"Document {position}: {error}") from error
    if not isinstance(item.get("properties") or {}, dict):
        raise SimulatorError(f"Document {position}, {identifier}: its properties are not an object.")
    arm_type = item.get("type") or identifier.type
    whole = with_booleans(item) if str(arm_type).lower() in kinds() else item
    return {**whole, "id": str(identifier), "type": arm_type}


def _groups(cloud: CloudView, told: list[Json]) -> Iterator[Json]:
    """The groups that nobody told and that must be there."""
    known = {item["id"].lower() for item in told}
    for item in told:
        group = ArmId(item["id"]).resource_group if ArmId(item["id"]).group else None
        if group is not None and group.key not in known and cloud.find(group) is None:
            known.add(group.key)
            yield {"id": str(group), "type": RESOURCE_GROUP_TYPE, "location": item.get("location") or "westeurope"}


def _store(cloud: CloudView, item: Json, keys: Mapping[str, str]) -> Iterator[tuple[Document, Json]]:
    """Keep a document and those inside it as they were told; what they lack comes later."""
    identifier = ArmId(item["id"])
    arm_type = RESOURCE_GROUP_TYPE if identifier.type == RESOURCE_GROUP_TYPE else item["type"]
    told: Json = without_nulls(item.get("properties") or {})
    if (key := keys.get(identifier.key)) is not None:
        secret = "authorizationKey" if told.get("connectionType") == "ExpressRoute" else "sharedKey"
        told.setdefault(secret, key)
    document = Document(str(identifier), arm_type, {**item, "properties": told}, created=LONG_AGO, changed=LONG_AGO)
    document.state = str(told.get("provisioningState") or SUCCEEDED)
    document.etag = str(item.get("etag") or cloud.etag())
    document.guid = str(told.get("resourceGuid") or cloud.guid())
    cloud.save(document)
    yield document, item
    for member, child_type in kind_of(document).members.items():
        for old in cloud.children(document.id, child_type):
            cloud.store.remove(old, cloud.now)
        for child in told.get(member) or []:
            name = child.get("name") or str(child["id"]).rsplit("/", 1)[-1]
            inside = {"id": str(identifier.child(child_type.rsplit("/", 1)[-1], name)), "type": child_type}
            yield from _store(cloud, {**child, **inside}, keys)


def _fill(cloud: CloudView, document: Document, item: Json) -> None:
    """Fill in what a PUT would have filled in, had it met what was told."""
    told = dict(document.properties)
    kind = kinds().get(document.type.lower())
    if "location" in document.body:
        document.body["location"] = normal(str(document.body["location"]))
    if kind is None:
        return
    document.body = canonical(document.body)
    change = PutRequest(cloud, document.arm_id, canonical({**item, "properties": told}), document)
    properties = {name: value for name, value in kind.fill(change).items() if name not in kind.members}
    document.body = {name: document.body[name] for name in kind.top_level if document.body.get(name) is not None}
    kind.complete(change, document.body)
    document.body["properties"] = properties
    kind.stored(change, document)
    kind.hide(document, told)
    cloud.save(document)


def _compare(cloud: CloudView, document: Document, item: Json) -> None:
    """Remember where the cloud would say something else than what was found.

    What GET tells and another answer leaves out (a key, a status) is left out there too.
    """
    found = spread(item)
    whole = {reader: spread(kind_of(document).whole(cloud, document, reader)) for reader in READERS}
    for reader, said in whole.items():
        pairs = {
            path: [[value[path] for _ in range(path in value)] for value in (said, found)]
            for path in sorted(said.keys() | found.keys())
            if path in said or path not in whole["get"]
        }
        document.found[reader] = [[path, *pair] for path, pair in pairs.items() if pair[0] != pair[1]]
    cloud.save(document)


def _go_on(cloud: CloudView, document: Document, item: Json) -> None:
    """Let an operation that was found running go on; one inside another ends with that."""
    kind = kinds().get(document.type.lower())
    if kind is None or document.state.lower() in _ENDED or _is_at_work_above(cloud, document):
        return
    before = None if document.state.lower() == "creating" else document
    change = PutRequest(cloud, document.arm_id, {**item, "properties": document.properties}, before)
    holds = kind.holds(change)
    if document.state.lower() == "deleting":
        begin(cloud, "delete", document, kind.remove_seconds, _VERSION, holds)
    else:
        begin(cloud, "put", document, kind.put_seconds(change, document.properties), _VERSION, holds)


def _is_at_work_above(cloud: CloudView, document: Document) -> bool:
    above = cloud.find(document.parent_key)
    return above is not None and above.operation is not None
