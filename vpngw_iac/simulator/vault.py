"""A key vault of the simulated cloud: secrets by name, each with its versions.

What `key_vault.py` answers over the wire and what hands put there are the same secrets.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from vpngw_iac.simulator.store import DocumentStore
from vpngw_iac.simulator.wire import Json

_VERSIONS = "#versions"
"""No name of a secret has a ``#``: what ends in it are the versions of one, oldest first."""


class SecretVersions:
    """The versions of secrets in a store: ``{"version", "value", "enabled"}`` each; those that were deleted stay."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def of(self, vault: str, name: str) -> list[Json]:
        """All versions, oldest first; a secret that was put by name alone has one."""
        key = _key(vault, name)
        kept = self._store.vault.get(key + _VERSIONS)
        if kept is not None:
            return list(json.loads(kept)["versions"])
        value = self._store.vault.get(key)
        return [] if value is None else [{"version": "0" * 32, "value": value, "enabled": True}]

    def is_deleted(self, vault: str, name: str) -> bool:
        """Whether it was deleted and can be recovered."""
        return bool(json.loads(self._store.vault.get(_key(vault, name) + _VERSIONS) or "{}").get("deleted"))

    def add(self, vault: str, name: str, value: str) -> Json:
        """Another version, the newest from now on."""
        made = {"version": uuid.uuid4().hex, "value": value, "enabled": True}
        self._keep(vault, name, [*self.of(vault, name), made])
        return made

    def enable(self, vault: str, name: str, *, enabled: bool) -> None:
        """Let all versions be read, or none of them."""
        self._keep(vault, name, [{**each, "enabled": enabled} for each in self.of(vault, name)])

    def delete(self, vault: str, name: str, *, deleted: bool = True) -> None:
        """Take a secret away, or have it back."""
        self._keep(vault, name, self.of(vault, name), deleted=deleted)

    def purge(self, vault: str, name: str) -> None:
        """Take it away for good."""
        self._keep(vault, name, [])

    def _keep(self, vault: str, name: str, versions: list[Json], *, deleted: bool = False) -> None:
        key = _key(vault, name)
        self._store.save_secret(key + _VERSIONS, json.dumps({"versions": versions, "deleted": deleted}))
        self._store.save_secret(key, None if deleted or not versions else versions[-1]["value"])


class Vault:
    """The hands that Key Vault does not have."""

    def __init__(self, turn: Callable[[], AbstractContextManager[None]], store: DocumentStore) -> None:
        self._turn = turn
        self._store = store
        self._versions = SecretVersions(store)

    def get(self, vault: str, name: str) -> str | None:
        """The value, or none when there is no such secret."""
        with self._turn():
            return self._store.vault.get(_key(vault, name))

    def put(self, vault: str, name: str, value: str) -> None:
        """Keep a value, as the newest version."""
        with self._turn():
            self._versions.add(vault, name, value)

    def enable(self, vault: str, name: str, *, enabled: bool = True) -> None:
        """Let a secret be read, or not."""
        with self._turn():
            self._versions.enable(vault, name, enabled=enabled)

    def delete(self, vault: str, name: str) -> None:
        """Delete a secret; it can be recovered."""
        with self._turn():
            self._versions.delete(vault, name)

    def recover(self, vault: str, name: str) -> None:
        """Have a deleted secret back, with all its versions."""
        with self._turn():
            self._versions.delete(vault, name, deleted=False)

    def purge(self, vault: str, name: str) -> None:
        """Delete a secret for good."""
        with self._turn():
            self._versions.purge(vault, name)

    def names(self) -> tuple[str, ...]:
        """``vault/name`` of every secret."""
        with self._turn():
            return tuple(sorted(name for name in self._store.vault if not name.endswith(_VERSIONS)))

    def __repr__(self) -> str:
        return f"Vault({sum(not name.endswith(_VERSIONS) for name in self._store.vault)} secrets)"


def _key(vault: str, name: str) -> str:
    return f"{vault}/{name}".lower()
