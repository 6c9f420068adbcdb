"""From what Azure has to a blueprint and a state, with the proof that a plan of it changes nothing. Reads only."""

from __future__ import annotations

import contextlib
import os
import tempfile
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vpngw_iac._version import __version__
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.blueprints.reading.deployment import Reading, read
from vpngw_iac.blueprints.reading.documents import CIRCUITS, GATEWAYS, Documents, Seen
from vpngw_iac.blueprints.reading.notes import Account, MissingSecret
from vpngw_iac.blueprints.reading.unsaid import unsaid
from vpngw_iac.blueprints.writing.csv import SiteTable, table_of
from vpngw_iac.blueprints.writing.python import Remarks, nouns_text, python_text
from vpngw_iac.blueprints.writing.yaml import yaml_text
from vpngw_iac.engine.compare.secret_masking import entry_of, resolver
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import deployment_in
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.ports import CloudIdentity, Listing
from vpngw_iac.errors import ExitCode, Finding, PlanError, Refused, UsageError, VpngwError
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.secret import KeyVaultSecret
from vpngw_iac.state.binding import binding_of
from vpngw_iac.state.check import checked_name
from vpngw_iac.state.journal import LoadedState, RunClosed, RunOpened
from vpngw_iac.state.model import Entry, State
from vpngw_iac.text import listed, plain
from vpngw_iac.usecases.document_files import documents_in
from vpngw_iac.usecases.import_names import (
    ImportNames,
    chosen_names,
    clean_name,
    names_text,
    terraform_addresses,
    terraform_ids,
    terraform_names,
)
from vpngw_iac.usecases.locking import LockWait
from vpngw_iac.usecases.planner import decide
from vpngw_iac.usecases.session import OFFLINE_SUBSCRIPTION
from vpngw_iac.usecases.survey import OfflineCloud, Recorded, Survey, from_files, survey

if TYPE_CHECKING:
    from vpngw_iac.state.store import LockedStore, Store
    from vpngw_iac.usecases.session import Session
    from vpngw_iac.usecases.workspace import Workspace

FOUND = "found at import"
"""The reason of waivers that import writes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported, and where to."""

    groups: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Files with documents, in place of a cloud; then no state is written."""
    whole_subscription: bool = False
    """Every group of the subscription that holds a gateway or a circuit."""
    terraform_state: str = ""
    """A Terraform state: its gateways, and its names."""
    names_file: str = ""
    """A file of names and of what to skip."""
    vault: str = ""
    """Read the keys once, and keep them in this Key Vault."""
    scan: bool = False
    """Only write the file of names."""
    file: Path = Path("blueprint.py")
    yaml: bool = False
    csv: bool = False
    """Keep twelve alike sites or more in ``sites.csv`` beside the blueprint."""
    into: Path | None = None
    """Print the nouns for this file instead of writing one; no state either."""

    @property
    def writes_state(self) -> bool:
        """Whether a blueprint is written, and the state to it."""
        return self.into is None and not self.scan and not self.files


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, the account of everything in scope, and what the proof showed."""

    deployment: str
    file: str
    text: str
    accounts: tuple[Account, ...]
    secrets: tuple[MissingSecret, ...]
    differing: tuple[str, ...] = ()
    """Sentences about what the proof found, if it failed."""
    broken: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    written: bool = False
    entries: int = 0
    terraform: tuple[str, ...] = ()
    """Lines that hand over from Terraform."""

    @property
    def exit_code(self) -> ExitCode:
        """2 where the plan of what was written is not empty."""
        return ExitCode.CHANGES if self.differing else ExitCode.DONE


class Importer:
    """One import in a workspace."""

    def __init__(self, workspace: Workspace, deployment: str | None) -> None:
        self._workspace = workspace
        self._deployment = deployment

    def run(self, wanted: Wanted) -> Imported:
        """Read, write, prove. Raises `Refused` where the file or a state of that name exists."""
        if wanted.into is None:
            _refuse_existing(wanted.file)
        elif not wanted.into.exists():
            raise UsageError(f"There is no file {wanted.into}.", advice="Without --into a whole file is written.")
        chosen = chosen_names(wanted.names_file) if wanted.names_file and not wanted.scan else ImportNames()
        if wanted.terraform_state:
            chosen = replace(chosen, names={**terraform_names(wanted.terraform_state), **chosen.names})
        if wanted.files:
            return self._from_files(wanted, chosen)
        groups, gateways = self._scope(wanted)
        name = checked_name(self._deployment or chosen.deployment or _name_of(groups, gateways))
        session = self._workspace.session_named(name)
        with session.redacted():
            if wanted.into is None and not wanted.scan:
                _refuse_state(session.bound_store(), name)
            found = survey(session.cloud, groups, gateways)
            return _Import(self._workspace, session, wanted, chosen, found, gateways).go()

    def _from_files(self, wanted: Wanted, chosen: ImportNames) -> Imported:
        subscription = self._workspace.session_named("import").place.subscription or OFFLINE_SUBSCRIPTION
        homes = [ArmId.of(name) or ArmId.resource_group_of(subscription, name) for name in wanted.groups]
        found = from_files(documents_in(wanted.files, homes[0] if homes else None))
        gateways = frozenset(_gateway_id(text) for text in wanted.gateways)
        named = _name_of(found.groups, gateways or _gateways_in(found))
        session = self._workspace.session_named(checked_name(self._deployment or chosen.deployment or named))
        counts = Counter(identity.subscription for identity in found.documents())
        subscription = session.place.subscription or counts.most_common(1)[0][0]
        session._cloud = OfflineCloud(CloudIdentity("files", "", "", subscription))  # type: ignore[assignment]
        return _Import(self._workspace, session, wanted, chosen, found, gateways or None).go()

    def _scope(self, wanted: Wanted) -> tuple[frozenset[ArmId], frozenset[ArmId] | None]:
        if wanted.whole_subscription:
            return self._groups_with_gateways(), None
        if wanted.terraform_state:
            ids = terraform_ids(wanted.terraform_state)
            named = frozenset(i for i in ids if i.type.lower() == _GATEWAYS)
            return frozenset(i.resource_group for i in ids), named or None
        if not wanted.groups and not wanted.gateways:
            raise UsageError(
                "Nothing to import was named.",
                advice="Name a gateway by its id or a resource group with -g, or say --subscription-wide.",
            )
        subscription = self._workspace.session_named("import").place.required_subscription()
        groups = {ArmId.of(name) or ArmId.resource_group_of(subscription, name) for name in wanted.groups}
        gateways = frozenset(_gateway_id(text) for text in wanted.gateways)
        if gateways and groups:
            raise UsageError("Gateways and resource groups cannot be named together.", advice="Name one or the other.")
        return frozenset(groups | {gateway.resource_group for gateway in gateways}), gateways or None

    def _groups_with_gateways(self) -> frozenset[ArmId]:
        """Groups of the subscription that hold a gateway or a circuit: one LIST tells."""
        session = self._workspace.session_named("import")
        whole = Listing(ArmId(f"/subscriptions/{session.place.required_subscription()}"))
        kinds = (_GATEWAYS, CIRCUITS.lower())
        items = session.cloud.listed([whole])[whole]
        found = frozenset(item.id.resource_group for item in items if item.id.type.lower() in kinds)
        if not found:
            raise Refused("There is no gateway and no circuit in this subscription.", advice="Check --subscription.")
        return found


_GATEWAYS = GATEWAYS.lower()


def _gateway_id(text: str) -> ArmId:
    found = ArmId.of(text)
    if found is None or found.type.lower() != _GATEWAYS:
        raise UsageError(
            f"{text} is not the id of a virtual network gateway.",
            advice="`az network vnet-gateway list -g GROUP --query [].id` prints them.",
        )
    return found


def _gateways_in(found: Survey) -> frozenset[ArmId]:
    return frozenset(i for i in found.observed if i.type.lower() == _GATEWAYS)


def _name_of(groups: Collection[ArmId], gateways: Collection[ArmId] | None) -> str:
    """The gateway's name, or the group's."""
    first = sorted(gateways)[0] if gateways else sorted(groups)[0]
    return clean_name(first.name) or "imported"


def _refuse_existing(file: Path) -> None:
    if os.path.lexists(file):
        raise Refused(
            f"{file} exists.",
            advice="Move it away, choose another --output, or print the nouns to add with --into FILE.",
        )


def _refuse_state(store: Store, name: str) -> None:
    """A state that a run has worked with is not written over; one that only import has written is."""
    loaded = store.load()
    if loaded is None or not loaded.state.entries:
        return
    runs = {record.command for record in store.history() if isinstance(record, RunOpened)}
    if loaded.in_flight or runs - {"import"}:
        raise Refused(
            f"There is a state of {name} with {len(loaded.state.entries)} entries.",
            advice="Give another name with --deployment, or forget that state first.",
        )


# --- one import ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Proof:
    """The last reading and what a plan of it would do."""

    reading: Reading
    blueprint: Blueprint
    plan: Plan
    differing: tuple[str, ...] = ()


class _Import:
    def __init__(
        self,
        workspace: Workspace,
        session: Session,
        wanted: Wanted,
        chosen: ImportNames,
        found: Survey,
        gateways: frozenset[ArmId] | None,
    ) -> None:
        self.workspace, self.session, self.wanted, self.found = workspace, session, wanted, found
        self.name = name = session.deployment
        seen = found.documents()
        documents = Documents.of(
            seen.values(),
            groups=found.groups,
            subscription=session.cloud.identity.subscription,
            unread=found.unread,
            vault=wanted.vault,
            gateways=gateways,
            left={**_of_others(seen, name), **_unread(found), **chosen.skip},
            names=chosen.names,
        )
        self.documents = replace(documents, scope=frozenset(documents.by_id)) if gateways is None else documents
        self.recorded = Recorded(session.cloud, found, self.documents.by_id)
        self.kept: set[MissingSecret] = set()
        """Keys that were read and put into the vault."""

    def go(self) -> Imported:
        with tempfile.TemporaryDirectory(prefix="vpngw-import-") as folder:
            proof = self._proved(Path(folder))
        state, second = self._adopted(proof)
        differing = (*proof.differing, *(_told(change) for change in second.changes))
        text = self._text(proof)
        is_kept = self.wanted.into is None
        if self.wanted.scan:
            text = names_text(self.name, proof.reading.names)
            _temporary(self.wanted.file, text).replace(self.wanted.file)
        elif is_kept:
            self._write(proof.blueprint, text, None if self.wanted.files else state)
        return Imported(
            deployment=self.name,
            file=str(self.wanted.file),
            text=text,
            accounts=proof.reading.accounts,
            secrets=proof.reading.secrets,
            differing=differing,
            broken=second.broken_at_import,
            unread=tuple(f"{i}: {why}" for i, why in sorted(self.found.unread.items())),
            warnings=() if self.wanted.files else tuple(self._elsewhere(state)),
            waived=tuple(sorted(proof.blueprint.waive)),
            written=is_kept,
            entries=len(state.entries) if self.wanted.writes_state else 0,
            terraform=tuple(self._terraform_lines(state)),
        )

    # --- read until what was read compiles to what is there ----------------------------------------------------------

    def _proved(self, folder: Path) -> _Proof:
        """Read; what a plan would change is left alone, and it is read again without that, until nothing is left."""
        while True:
            reading = read(self.documents, self.name)
            if reading.blueprint is None:
                raise Refused(
                    "There is nothing here that a blueprint can say.",
                    advice="\n".join(f"{a.id}: {a.why}" for a in reading.accounts if a.fate == "left")[:2000],
                )
            proof = self._tried(reading, folder)
            culprits = dict(self._culprits(proof))
            if not culprits:
                told = tuple(_told(change) for change in proof.plan.changes if change.action is not Action.ADOPT)
                return replace(proof, differing=told) if told else proof
            self.documents = replace(self.documents, left={**self.documents.left, **culprits})

    def _tried(self, reading: Reading, folder: Path) -> _Proof:
        """What was read, written, loaded again, and planned on what was recorded."""
        assert reading.blueprint is not None  # noqa: S101 - the caller has looked
        file = folder / f"blueprint{'.yaml' if self.wanted.yaml else '.py'}"
        file.write_text(self._file_text(reading.blueprint, "Tried.", {}), encoding="utf-8")
        if table := self._table(reading.blueprint):
            (folder / "sites.csv").write_text(table.text, encoding="utf-8")
        blueprint = load(file).blueprint
        if blueprint != reading.blueprint:
            raise PlanError("What was written says something else than what was read.", advice="Please report it.")
        if self.wanted.vault and self.wanted.writes_state:
            self._keep_secrets(reading)
        self.recorded.source = "get"
        plan = self._planned(blueprint, None, adopting=True)
        findings = (*plan.findings, *self.workspace.validate(blueprint).findings)
        waive = dict.fromkeys(sorted(set(_to_waive(findings))), FOUND)
        if waive:
            blueprint = blueprint.model_copy(update={"waive": waive})
            plan = self._planned(blueprint, None, adopting=True)
        return _Proof(reading, blueprint, plan)

    def _planned(self, blueprint: Blueprint, loaded: LoadedState | None, *, adopting: bool) -> Plan:
        session = self.workspace.session(blueprint)
        session._cloud = self.recorded
        addresses = frozenset(
            item.address
            for item in session.items
            if isinstance(item, Resource)
            and not item.only_if_absent
            and self.recorded.observe([item.id])[item.id].present
        )
        options = Options(adopt=addresses if adopting else frozenset(), probe=False)
        return decide(session, loaded, options, resumed=True)

    def _culprits(self, proof: _Proof) -> Iterator[tuple[ArmId, str]]:
        """What must be left alone so that nothing is changed, with the reason."""
        managed = {account.id for account in proof.reading.accounts if account.fate == "managed"}
        compiled = set(proof.plan.graph.by_id)
        for missing in sorted(managed - compiled):
            yield missing, "the blueprint would make another one in its place"
        for change in proof.plan.changes:
            if change.action is Action.ADOPT and change.adopted and change.id in managed:
                paths = ", ".join(sorted(change.adopted))
                yield change.id, f"{paths}: Azure has what cannot be written here"
            elif change.action is Action.CREATE and (holder := change.id.parent) in managed and holder is not None:
                yield holder, f"{change.address} would be made for it"

    # --- adopt -------------------------------------------------------------------------------------------------------

    def _adopted(self, proof: _Proof) -> tuple[State, Plan]:
        """The state as `apply --adopt` of everything would have left it, and the plan that follows from it."""
        plan, session = proof.plan, self.session
        state = State.new(self.name, binding_of(session.cloud.identity))
        resolve = resolver(plan.snapshot.get)
        taken = [change.address for change in plan.changes if change.action is Action.ADOPT]
        entries: dict[str, Entry] = {}
        kept = {plan.graph.resources[address].id for address in taken}
        for address in plan.graph.needed_first(taken):
            resource = plan.graph.resources[address]
            needs = tuple(needed for needed in plan.needed_entries(address) if needed in kept)
            entry = entry_of(resource, needs, {}, resolve, None)
            trouble = type(resource).trouble(plan.snapshot.get(resource.id).document or {})
            entries[address] = entry.model_copy(update={"created": False, "broken": trouble})
        ours = {i for i, seen in self.documents.by_id.items() if deployment_in(seen) == self.name}
        forgotten = tuple(sorted(ours - {entry.id for entry in entries.values()}))
        state = state.model_copy(update={"entries": entries, "forgotten": forgotten, "written_by": __version__})
        self.recorded.source = "list"
        return state, self._planned(proof.blueprint, LoadedState(state), adopting=False)

    def _keep_secrets(self, reading: Reading) -> None:
        """Read each key once, and put it into the vault; no value stays here."""
        vaults = self.session.vaults()
        for secret in reading.secrets:
            if secret.value is None or not isinstance(secret.reference, KeyVaultSecret) or secret in self.kept:
                continue
            vaults.keep(secret.reference, self.session.cloud.secret(secret.value).value)
            self.kept.add(secret)

    # --- write -------------------------------------------------------------------------------------------------------

    def _text(self, proof: _Proof) -> str:
        remarks = self._remarks(proof)
        if self.wanted.into is not None and not self.wanted.yaml:
            return nouns_text(proof.blueprint, remarks)
        return self._file_text(proof.blueprint, _introduction(self.name, proof), remarks, _ending(proof.reading))

    def _file_text(self, blueprint: Blueprint, introduction: str, remarks: Remarks, ending: Sequence[str] = ()) -> str:
        if self.wanted.yaml:
            return yaml_text(blueprint, introduction, remarks, ending)
        return python_text(blueprint, introduction, remarks, ending, self._table(blueprint))

    def _table(self, blueprint: Blueprint) -> SiteTable | None:
        wanted = self.wanted.csv and not self.wanted.yaml and self.wanted.into is None
        return table_of(blueprint) if wanted else None

    def _terraform_lines(self, state: State) -> Iterator[str]:
        """What hands over what is managed here: Terraform must forget it."""
        ids = terraform_addresses(self.wanted.terraform_state) if self.wanted.terraform_state else {}
        ours = {entry.id for entry in state.entries.values()}
        yield from (f"terraform state rm '{address}'" for identity, address in sorted(ids.items()) if identity in ours)

    def _remarks(self, proof: _Proof) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for address, resource in proof.plan.graph.resources.items():
            document = self.documents.by_id.get(resource.id)
            if told := proof.reading.remarks.get(resource.id):
                found.setdefault(proof.blueprint.path_of(address), []).extend(told)
            if document is None or resource.only_if_absent:
                continue
            if paths := unsaid(resource, document):
                place = proof.blueprint.path_of(address)
                found.setdefault(place, []).append(f"Kept as it is and not said here: {', '.join(paths)}.")
        return found

    def _write(self, blueprint: Blueprint, text: str, state: State | None) -> None:
        """Everything complete under a temporary name, the state under its lock, the blueprint renamed last.

        Where another import took the name meanwhile, the state is again what it was.
        """
        file = self.wanted.file
        file.parent.mkdir(parents=True, exist_ok=True)
        table = self._table(blueprint)
        beside = file.with_name("sites.csv")
        if table:
            _refuse_existing(beside)
        temporary = _temporary(file, text)
        try:
            with contextlib.ExitStack() as stack:
                undo = contextlib.ExitStack()
                if state is not None:
                    owner = self.session.owner("vpngw import")
                    locked = stack.enter_context(LockWait().locked(self.session.bound_store(), owner))
                    _refuse_existing(file)
                    before = self._keep(locked, state)
                    undo.callback(self.session.bound_store().replace, locked, before)
                with undo:
                    if table:
                        _appear(_temporary(beside, table.text), beside)
                        undo.callback(beside.unlink, missing_ok=True)
                    _appear(temporary, file)
                    undo.pop_all()
        finally:
            temporary.unlink(missing_ok=True)

    def _elsewhere(self, state: State) -> Iterator[str]:
        """Other states in the same folder that remember something of this."""
        root = self.session.place.state_root(self.name)
        home = root / self.session.place.cloud_name if isinstance(root, Path) else None
        ids = {entry.id for entry in state.entries.values()}
        for folder in sorted(home.iterdir()) if home is not None and home.is_dir() else ():
            with contextlib.suppress(VpngwError):
                known = self.workspace.session_named(folder.name).store().load() if folder.name != self.name else None
                twice = ids & {entry.id for entry in known.state.entries.values()} if known else set()
                if twice:
                    names = listed(sorted(identity.name for identity in twice))
                    yield f"The state of {folder.name} remembers {names} too: two deployments must not manage one thing"

    def _keep(self, locked: LockedStore, state: State) -> State:
        """Write the state; the one before is returned, without entries where there was none."""
        session, store = self.session, self.session.bound_store()
        _refuse_state(store, self.name)
        session.key(create=True)
        loaded = store.load()
        before = loaded.state if loaded else state.model_copy(update={"entries": {}, "forgotten": ()})
        if loaded is None:
            locked.checkpoint(before)
        now = session.clock.utc
        locked.append(
            RunOpened(
                at=now(), run=session.run, command="import", actor=session.owner("").actor,
                correlation=session.correlation, version=__version__,
            )
        )  # fmt: skip
        store.replace(
            locked,
            before.model_copy(
                update={"entries": state.entries, "forgotten": state.forgotten, "written_by": __version__}
            ),
        )
        locked.append(RunClosed(at=now(), run=session.run, outcome="succeeded", exit_code=0))
        return before


def _appear(temporary: Path, file: Path) -> None:
    """Give a complete file its name, unless somebody took that meanwhile; the temporary one is gone either way."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        _refuse_existing(file)
    except OSError:  # a file system without links
        temporary.rename(file)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(file: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    with contextlib.suppress(OSError):
        Path(name).chmod(0o644)
    return Path(name)


def _of_others(documents: Mapping[ArmId, Seen], name: str) -> dict[ArmId, str]:
    """What bears the mark of another deployment."""
    return {
        identity: f"it belongs to the deployment {owner}"
        for identity, document in documents.items()
        if (owner := deployment_in(document)) is not None and owner != name
    }


def _unread(found: Survey) -> dict[ArmId, str]:
    return {identity: f"it cannot be read: {why}" for identity, why in found.unread.items() if identity.names}


def _to_waive(findings: Iterable[Finding]) -> Iterator[str]:
    """Rules whose findings would refuse the plan, or `validate`."""
    for finding in findings:
        if finding.blocks and finding.rule.startswith("R-"):
            yield finding.rule


def _told(change: Change) -> str:
    paths = ", ".join(difference.path for difference in change.differences if difference.path)
    return f"{change.action} {change.address}" + (f": {paths}" if paths else "")


def _introduction(name: str, proof: _Proof) -> str:
    lines = [f"{name}: taken over from Azure by `vpngw import`."]
    if proof.reading.secrets:
        lines += ["", "Fill in before the first apply (nobody has fetched these):", ""]
        for secret in proof.reading.secrets:
            told = f"{secret.reference}  {plain(secret.what)}"
            lines += textwrap.wrap(
                told, 84, initial_indent="    ", subsequent_indent="        ", break_long_words=False
            )
    return "\n".join(lines) + ("\n" if len(lines) > 1 else "")


def _ending(reading: Reading) -> Sequence[str]:
    left = [account for account in reading.accounts if account.fate == "left" and type_of(account.id.type) is not None]
    return [
        f"Left alone: {account.id.type.rpartition('/')[2]} {'/'.join(account.id.names)} ({account.why})."
        for account in left
    ]
