"""Documents and operations by id, ignoring case, and what changed since the last save.

Knows nothing of Azure and nothing of files; `files.py` keeps it between processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.deployments.record import Deployment
from vpngw_iac.simulator.document import Document, LongRunningOperation
from vpngw_iac.simulator.wire import Json

KEEP_ENDED = 24 * 3600.0
"""Simulated seconds for which an ended operation can still be asked for."""


class DocumentStore:
    """Everything the cloud remembers, with the indices that answers need."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.operations: dict[str, LongRunningOperation] = {}
        self.vault: dict[str, str] = {}
        self.deployments: dict[str, Deployment] = {}
        self.counter = 0
        self._by_type: dict[str, dict[str, Document]] = {}
        self._by_parent: dict[str, dict[str, Document]] = {}
        self._running: dict[str, LongRunningOperation] = {}
        self._gone: dict[str, float] = {}
        self._dirty: set[tuple[str, str]] = set()

    def find(self, identifier: str | ArmId) -> Document | None:
        """The document of that id, or none."""
        return self.documents.get(str(identifier).lower().rstrip("/"))

    def of_type(self, arm_type: str) -> Iterator[Document]:
        """All documents of a type, sorted by id."""
        found = self._by_type.get(arm_type.lower(), {})
        return iter([found[key] for key in sorted(found)])

    def children(self, parent: str | ArmId, arm_type: str | None = None) -> Iterator[Document]:
        """Direct children in the order in which they were made; of one type if given."""
        found = self._by_parent.get(str(parent).lower(), {})
        wanted = arm_type.lower() if arm_type else None
        return iter([document for document in found.values() if wanted in (None, document.type.lower())])

    def below(self, above: str | ArmId) -> Iterator[Document]:
        """Every document below an id, sorted by id."""
        prefix = str(above).lower() + "/"
        return iter([self.documents[key] for key in sorted(self.documents) if key.startswith(prefix)])

    def running(self) -> list[LongRunningOperation]:
        """Operations in flight, the next to end first."""
        return sorted(self._running.values(), key=lambda operation: (operation.due, operation.id))

    def save(self, document: Document) -> None:
        """Keep a new or changed document."""
        self._index(document)
        self._dirty.add(("document", document.key))

    def save_operation(self, operation: LongRunningOperation) -> None:
        """Keep a new or changed operation."""
        self._index_operation(operation)
        self._dirty.add(("operation", operation.id))

    def save_secret(self, name: str, value: str | None) -> None:
        """Keep a secret of the vault; none takes it away."""
        self._set_secret(name, value)
        self._dirty.add(("secret", name))

    def save_deployment(self, deployment: Deployment) -> None:
        """Keep a new or changed deployment."""
        self.deployments[deployment.key] = deployment
        self._dirty.add(("deployment", deployment.key))

    def remove_deployment(self, key: str) -> None:
        """Forget a deployment; what it deployed stays."""
        self.deployments.pop(key, None)
        self._dirty.add(("deployment", key))

    def remove(self, document: Document, now: float) -> None:
        """Forget a document; for a moment the provider itself still answers that it is gone."""
        self._unindex(document.key)
        self._gone[document.key] = now
        self._dirty.add(("document", document.key))

    def gone_since(self, identifier: str | ArmId) -> float | None:
        """When a document of that id was removed, if it was."""
        return self._gone.get(str(identifier).lower())

    def forget_ended(self, now: float) -> None:
        """Drop operations that ended long ago."""
        old = [o.id for o in self.operations.values() if not o.running and o.due < now - KEEP_ENDED]
        for identifier in old:
            del self.operations[identifier]
            self._dirty.add(("operation", identifier))

    def next_number(self) -> int:
        """A number that was never given before."""
        self.counter += 1
        return self.counter

    def take_changes(self) -> list[Json]:
        """What changed since the last call, as records for `apply_record`."""
        records = [self._record(kind, key) for kind, key in sorted(self._dirty)]
        self._dirty.clear()
        return records

    def everything(self) -> list[Json]:
        """The whole content as records."""
        kinds = (
            ("document", self.documents),
            ("operation", self.operations),
            ("secret", self.vault),
            ("deployment", self.deployments),
        )
        return [self._record(kind, key) for kind, entries in kinds for key in sorted(entries)]

    def apply_record(self, record: Json) -> None:
        """Replay one record of another process or an earlier one."""
        kind, key, value = record["kind"], record["key"], record["value"]
        if kind == "document":
            self._unindex(key)
            if value is not None:
                self._index(Document(**value))
        elif kind == "operation":
            self.operations.pop(key, None)
            self._running.pop(key, None)
            if value is not None:
                self._index_operation(LongRunningOperation(**value))
        elif kind == "secret":
            self._set_secret(key, value)
        elif kind == "deployment":
            self.deployments.pop(key, None)
            if value is not None:
                self.deployments[key] = Deployment.of_record(value)

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]

    def _set_secret(self, name: str, value: str | None) -> None:
        if value is None:
            self.vault.pop(name, None)
        else:
            self.vault[name] = value

    def _record(self, kind: str, key: str) -> Json:
        if kind == "secret":
            return {"kind": kind, "key": key, "value": self.vault.get(key)}
        if kind == "deployment":
            deployment = self.deployments.get(key)
            return {"kind": kind, "key": key, "value": deployment.record() if deployment else None}
        entry = self.documents.get(key) if kind == "document" else self.operations.get(key)
        return {"kind": kind, "key": key, "value": asdict(entry) if entry else None}

    def _index(self, document: Document) -> None:
        self.documents[document.key] = document
        self._by_type.setdefault(document.type.lower(), {})[document.key] = document
        self._by_parent.setdefault(document.parent_key, {})[document.key] = document
        self._gone.pop(document.key, None)

    def _unindex(self, key: str) -> None:
        document = self.documents.pop(key, None)
        if document is not None:
            self._by_type[document.type.lower()].pop(key, None)
            self._by_parent[document.parent_key].pop(key, None)

    def _index_operation(self, operation: LongRunningOperation) -> None:
        self.operations[operation.id] = operation
        if operation.running:
            self._running[operation.id] = operation
        else:
            self._running.pop(operation.id, None)
