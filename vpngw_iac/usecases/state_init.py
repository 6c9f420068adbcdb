"""Make the place of a state: what nobody who only plans, or only reads, may make. Safe to repeat."""

from __future__ import annotations

from vpngw_iac.errors import NoPlace
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.binding import binding_of
from vpngw_iac.state.model import State
from vpngw_iac.state.store import PreparedPlace
from vpngw_iac.usecases.locking import LockWait
from vpngw_iac.usecases.saved_place import keep_lineage
from vpngw_iac.usecases.session import Session


@dataclass(frozen=True, slots=True)
class StatePlace:
    """What is there now."""

    deployment: str
    state: str
    """How people find it."""
    made: tuple[str, ...]
    warnings: tuple[str, ...]
    hints: tuple[str, ...]
    key: str
    """Where its key is."""


def init_state(session: Session, lock_wait: LockWait, key_vault: str = "") -> StatePlace:
    """Container or folder, key and lineage of a deployment, each where it is missing; a key is moved to its place.

    `key_vault` is the vault in which the key is to be from now on; a key that is there stays the key. Raises
    `Forbidden` where a right is missing, `StateLocked` while a run has the lock, `UsageError` for what is no vault.
    """
    if key_vault:
        session.store().keep_key_in(key_vault)
    place = session.store().prepare() if _is_new(session) else _prepared_under_lock(session, lock_wait)
    store, made = session.bound_store(), list(place.made)
    if store.key() is None:
        session.required_key()
        made.append("the key")
    new = State.new(session.deployment, binding_of(session.cloud.identity))
    if session.former is None and store.load() is None and keep_lineage(session, new, "vpngw state init"):
        made.append(f"the lineage {new.lineage}")
    return StatePlace(session.deployment, store.url, tuple(made), place.warnings, place.hints, store.key_name)


def _is_new(session: Session) -> bool:
    """Whether there is no state yet, hence nobody to shut out; a place that is not there has none."""
    try:
        return session.store().load() is None
    except NoPlace:
        return True


def _prepared_under_lock(session: Session, lock_wait: LockWait) -> PreparedPlace:
    """No run reads the key while it moves."""
    with lock_wait.locked(session.bound_store(), session.owner("vpngw state init")):
        return session.bound_store().prepare()
