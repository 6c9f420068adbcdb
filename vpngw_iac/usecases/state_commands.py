"""What can be done to a state by hand: look, rename, forget, unlock, carry away, bring back, rebuild.

Works without a cloud, except for rebuilding. Every write is done under the lock and told in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from vpngw_iac._version import __version__
from vpngw_iac.errors import ExitCode, NotConfirmed, StateError, StateLocked, UsageError
from vpngw_iac.state.check import check
from vpngw_iac.state.document import check_belongs, load_state
from vpngw_iac.state.journal import EntriesMoved, EntryRemoved, EntrySet, LoadedState, RunClosed, RunOpened
from vpngw_iac.state.model import Binding, Entry, State
from vpngw_iac.state.process import lives_here
from vpngw_iac.state.store import LockedStore, Owner, Store
from vpngw_iac.text import suggestion
from vpngw_iac.usecases.locking import LockWait
from vpngw_iac.usecases.planner import tell_of_links

if TYPE_CHECKING:
    from vpngw_iac.engine.plan.rebuild import Rebuilt
    from vpngw_iac.secret import Fingerprint
    from vpngw_iac.usecases.session import Deployable
    from vpngw_iac.usecases.workspace import Workspace


class StateCommands:
    """The state of one deployment, in the hands of a person."""

    def __init__(self, workspace: Workspace, deployment: str, lock_wait: LockWait | None = None) -> None:
        """`lock_wait` says how long to wait for another run's lock; not at all if there is none."""
        self.deployment = deployment
        self._workspace = workspace
        self._session = workspace.session_named(deployment)
        tell_of_links(self._session)
        self._lock_wait = lock_wait or LockWait()

    # --- look --------------------------------------------------------------------------------------------------------

    def state(self) -> State:
        """The state, journal included; raises `StateError` if there is none."""
        return self._loaded(self._session.store()).state

    def entry(self, address: str) -> Entry:
        """One entry; raises `UsageError` that names the nearest address."""
        return _entry(self.state(), address)

    # --- repair ------------------------------------------------------------------------------------------------------

    def move(self, old: str, new: str) -> Entry:
        """Give an entry another address; nothing changes in Azure."""
        with self._held("state mv") as (locked, loaded):
            entry = _entry(loaded.state, old)
            if new in loaded.state.entries:
                raise UsageError(f"There is an entry {new} already.", advice="Forget or move that one first.")
            if old.partition("/")[0] != new.partition("/")[0]:
                raise UsageError(
                    f"{old} is a {old.partition('/')[0]}: its address keeps that first part.",
                    advice=f"Write {old.partition('/')[0]}/... as the new address.",
                )
            _refuse_busy(loaded, old)
            _refuse_invalid(loaded, old, new)
            locked.append(EntriesMoved(at=self._now(), addresses={old: new}))
        return entry.model_copy(update={"address": new})

    def remember_keys(self, found: Mapping[str, tuple[str, Fingerprint]]) -> None:
        """Keep the fingerprints (path and value by address) of keys that Azure has as the blueprint says."""
        with self._held("secret check") as (locked, loaded):
            entries = [
                (loaded.state.entries[a], path, key) for a, (path, key) in found.items() if a in loaded.state.entries
            ]
            kept = ((entry, entry.fingerprints | {path: key.dump()}) for entry, path, key in entries)
            locked.append_all(
                [EntrySet(at=self._now(), entry=e.model_copy(update={"fingerprints": prints})) for e, prints in kept]
            )

    def forget(self, address: str) -> Entry:
        """Drop an entry: the resource stays in Azure and is nobody's; refused while others need it or it is busy.

        Our tag is taken off it; where that is not possible the state remembers its id as forgotten.
        """
        from vpngw_iac.engine.execute.release import Release

        with self._held("state forget") as (locked, loaded):
            entry = _entry(loaded.state, address)
            _refuse_busy(loaded, address)
            users = sorted(e.address for e in loaded.state.entries.values() if entry.id in e.needs)
            if users:
                raise StateError(
                    f"{address} is needed by {', '.join(users)}.",
                    advice="Forget those first, or remove them with apply.",
                )
            session = self._session
            release = Release(lambda: session.cloud, locked, session.clock, session.run, self.deployment)
            tagged = release.bears_tag_still(entry)
            locked.append(EntryRemoved(at=self._now(), address=address, why="forgotten", tagged=tagged))
        return entry

    def unlock(self, confirm: Callable[[Owner], bool] | None = None) -> Owner | None:
        """Break the lock; returns whose it was, None if nobody had it.

        Raises `StateLocked` while the holder's process lives on this machine, or if the lock changes hands while
        `confirm` is asked; `NotConfirmed` if that says no. A run that lives elsewhere finds out before its next write.
        """
        store = self._session.store()
        found = store.claimant()
        if found is None:
            return None
        self._refuse_living(found)
        if confirm is not None:
            if not confirm(found):
                raise NotConfirmed("Nothing was done.", advice="Type yes, or give --yes, to break the lock.")
            now = store.claimant()
            if now is not None and now.run != found.run:
                raise StateLocked(f"The lock of {self.deployment} changed hands meanwhile: {now.describe()}.")
        return store.unlock()

    def _refuse_living(self, owner: Owner) -> None:
        if lives_here(owner):
            raise StateLocked(
                f"The lock of {self.deployment} is not broken: {owner.describe()} is alive on this machine.",
                advice=f"Wait for it (--lock-timeout), or end it with Ctrl-C or `kill {owner.process}`: "
                "it then gives the lock back.",
            )

    # --- carry away, bring back --------------------------------------------------------------------------------------

    def push(self, text: str, name: str) -> State:
        """Replace the state by a document, checked and bound like ours; the previous one is kept."""
        state = load_state(text, name=name)
        store = self._session.store()
        check_belongs(state, self.deployment, self._binding(state), name)
        with self._lock_wait.locked(store, self._owner("vpngw state push")) as locked:
            store.replace(locked, state)
        return self.state()

    def _binding(self, pushed: State) -> Binding:
        """What a pushed document must be bound to: as the stored state is; if there is none, this cloud at least."""
        try:
            loaded = self._session.store().load()
        except StateError:
            loaded = None
        if loaded is not None:
            return loaded.state.binding
        cloud = self._session.place.cloud
        return pushed.binding.model_copy(update={"cloud": "custom" if "://" in cloud else cloud})

    def rebuild(self, blueprint: Deployable, include: Collection[str] = ()) -> Rebuilt:
        """A new state from what the blueprint declares and Azure has; what was stored before is kept beside it.

        It looks in every group that the blueprint or the old state names for what bears our tag. `include` names (by
        id, or by the address it had) what of that gets an entry, protected, although nobody declares it.
        """
        from vpngw_iac.engine.compare.observing import groups_of, hanging_on, observe
        from vpngw_iac.engine.plan.rebuild import included, rebuild
        from vpngw_iac.resources.graph import Graph
        from vpngw_iac.state.binding import binding_of
        from vpngw_iac.usecases.planner import fingerprints_of

        session = self._workspace.session(blueprint)
        with session.redacted():
            key = session.key(create=True)
            graph = Graph.of(session.items)
            old = self._predecessor(State.new(self.deployment, binding_of(session.cloud.identity)))
            empty = old.model_copy(update={"entries": {}})
            snapshot = observe(session.cloud, graph, empty, deep=True)
            inside, unseen = hanging_on(session.cloud, groups_of([*graph.by_id, *(e.id for e in old.entries.values())]))
            found = (item for item in (*snapshot.attached, *inside) if item.owner == self.deployment)
            fingerprints, _ = fingerprints_of(graph, session.secrets(), key)
            rebuilt = rebuild(
                empty, graph, snapshot, fingerprints, tagged={item.id for item in found if item.id is not None}
            )
            if include:
                rebuilt = included(rebuilt, old, include, session.cloud.read)
            rebuilt = replace(rebuilt, unseen=unseen)
            store = session.bound_store()
            with self._lock_wait.locked(store, self._owner("vpngw state rebuild")) as locked:
                store.replace(locked, rebuilt.state)
            return rebuilt

    def _predecessor(self, fresh: State) -> State:
        """The stored state, if it can still be read: its history goes on; else a fresh one."""
        try:
            loaded = self._session.store().load()
        except StateError:
            return fresh
        if loaded is None:
            return fresh
        return loaded.state.model_copy(update={"binding": fresh.binding})

    # --- under the lock ----------------------------------------------------------------------------------------------

    @contextmanager
    def _held(self, command: str) -> Iterator[tuple[LockedStore, LoadedState]]:
        """The lock, with a run in the journal around what is done; the checkpoint is written when it went well."""
        store = self._session.store()
        self._loaded(store)
        owner = self._owner(f"vpngw {command}")
        with self._lock_wait.locked(store, owner) as locked:
            loaded = self._loaded(store)
            opened = RunOpened(
                at=self._now(), run=owner.run, command=command, actor=owner.actor, correlation="", version=__version__
            )
            locked.append(opened)
            outcome, code = "failed", ExitCode.ERROR
            try:
                yield locked, loaded
                outcome, code = "succeeded", ExitCode.DONE
            finally:
                locked.append(RunClosed(at=self._now(), run=owner.run, outcome=outcome, exit_code=int(code)))
            locked.checkpoint(self._loaded(store).state)

    def _loaded(self, store: Store) -> LoadedState:
        loaded = store.load()
        if loaded is None:
            raise StateError(
                f"There is no state of {self.deployment} at {store.url}.",
                advice="Check --deployment, --cloud and --state; `vpngw state rebuild FILE` makes a lost one anew.",
            )
        return loaded

    def _now(self) -> str:
        return self._session.clock.utc()

    def _owner(self, command: str) -> Owner:
        return self._session.owner(command, signed_in=False)


def _refuse_invalid(loaded: LoadedState, old: str, new: str) -> None:
    """Nothing is recorded that would break the state for every later command."""
    entries = dict(loaded.state.entries)
    entries[new] = entries.pop(old).model_copy(update={"address": new})
    if problems := check(loaded.state.model_copy(update={"entries": entries})):
        kind = old.partition("/")[0]
        raise UsageError(
            f"{new!r} cannot be an address: {' '.join(problems)}", advice=f"Write {kind}/NAME as the new address."
        )


def _refuse_busy(loaded: LoadedState, address: str) -> None:
    if any(flight.begun.address == address for flight in loaded.in_flight.values()):
        raise StateError(f"An operation on {address} is still open.", advice="Run `vpngw wait` first.")


def _entry(state: State, address: str) -> Entry:
    found = state.entries.get(address)
    if found is not None:
        return found
    hint = suggestion(address, state.entries) or "`vpngw state list` shows them all."
    raise UsageError(f"The state of {state.deployment} has no entry {address}.", advice=hint)
