"""A key vault of the simulated cloud: names and values, nothing more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from vpngw_iac.simulator.store import DocumentStore


class Vault:
    """Secrets by name, kept with the content."""

    def __init__(self, turn: Callable[[], AbstractContextManager[None]], store: DocumentStore) -> None:
        self._turn = turn
        self._store = store

    def get(self, vault: str, name: str) -> str | None:
        """The value, or none when there is no such secret."""
        with self._turn():
            return self._store.vault.get(_key(vault, name))

    def put(self, vault: str, name: str, value: str) -> None:
        """Keep a value."""
        with self._turn():
            self._store.save_secret(_key(vault, name), value)

    def names(self) -> tuple[str, ...]:
        """``vault/name`` of every secret."""
        with self._turn():
            return tuple(sorted(self._store.vault))

    def __repr__(self) -> str:
        return f"Vault({len(self._store.vault)} secrets)"


def _key(vault: str, name: str) -> str:
    return f"{vault}/{name}".lower()
