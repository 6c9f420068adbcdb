"""One import of what was read: read into nouns, written, loaded again, planned, and adopted; nothing is sent."""

from __future__ import annotations

import contextlib
import tempfile
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vpngw_iac._version import __version__
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.blueprints.reading.deployment import Reading, read
from vpngw_iac.blueprints.reading.documents import SUBNETS, Documents, Seen, id_in
from vpngw_iac.blueprints.reading.notes import MissingSecret
from vpngw_iac.blueprints.reading.unsaid import unsaid
from vpngw_iac.blueprints.writing.csv import SiteTable, table_of
from vpngw_iac.blueprints.writing.python import Remarks, nouns_text, python_text
from vpngw_iac.blueprints.writing.yaml import yaml_text
from vpngw_iac.engine.compare.observing import read_existing
from vpngw_iac.engine.compare.secret_masking import entry_of, resolver
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import deployment_in
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.errors import Finding, Forbidden, OtherTenant, OutputMissing, PlanError, Refused, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.secret import KeyVaultSecret
from vpngw_iac.state.binding import binding_of
from vpngw_iac.state.journal import LoadedState
from vpngw_iac.state.model import Entry, State
from vpngw_iac.text import listed, plain
from vpngw_iac.usecases.import_files import write_import, write_over
from vpngw_iac.usecases.import_names import ImportNames, TerraformState, names_text
from vpngw_iac.usecases.imported import Imported, Wanted
from vpngw_iac.usecases.planner import decide
from vpngw_iac.usecases.survey import Recorded, Survey

if TYPE_CHECKING:
    from vpngw_iac.usecases.session import Session
    from vpngw_iac.usecases.workspace import Workspace

FOUND = "found at import"
"""The reason of waivers that import writes."""


@dataclass(slots=True)
class _Proof:
    """The last reading and what a plan of it would do."""

    reading: Reading
    blueprint: Blueprint
    plan: Plan
    differing: tuple[str, ...] = ()


class ImportRun:
    """One import of what was read: written, proven, adopted."""

    def __init__(
        self,
        workspace: Workspace,
        session: Session,
        wanted: Wanted,
        chosen: ImportNames,
        terraform: TerraformState,
        found: Survey,
        gateways: frozenset[ArmId] | None,
    ) -> None:
        self.workspace, self.session, self.wanted, self.found = workspace, session, wanted, found
        self.terraform = terraform
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
        """Prove, write, and answer what became of everything."""
        with tempfile.TemporaryDirectory(prefix="vpngw-import-") as folder:
            proof = self._proved(Path(folder))
        missing = tuple(secret for secret in proof.reading.secrets if secret not in self.kept)
        state, second = self._adopted(proof)
        blocked = (f"{each.rule} {each.address}: {each.detail}" for each in second.blocking)
        differing = (*proof.differing, *(_told(change) for change in second.changes), *blocked)
        text = self._text(proof, missing)
        is_kept = self.wanted.into is None
        if self.wanted.scan:
            text = names_text(self.name, proof.reading.names)
            write_over(self.wanted.file, text)
        elif is_kept:
            table = self._table(proof.blueprint)
            kept = None if self.wanted.files else state
            write_import(self.session, self.wanted.file, text, table.text if table else "", kept)
        return Imported(
            deployment=self.name,
            file=str(self.wanted.file),
            text=text,
            accounts=proof.reading.accounts,
            secrets=missing,
            differing=differing,
            broken=second.broken_at_import,
            busy=tuple(_at_work(second)),
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
            together = reading.joined
            apart = frozenset[ArmId]().union(*(together[culprit] for culprit in culprits if culprit in together))
            if apart:
                self.documents = replace(self.documents, apart=self.documents.apart | apart)
            else:
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
            self._keep_secrets(reading)  # before a plan looks for them
        self.recorded.source, self.recorded.at_rest = "get", True
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
        for subnet, gone in self._dangling_subnets(managed):
            yield subnet, f"it refers to {gone.type.rpartition('/')[2]} {gone.name}, which is not there"
        for gone in _not_there(proof.plan):
            for edge in proof.plan.graph.holders(gone):
                if (holder := proof.plan.graph.resources[edge.holder].id) in managed:
                    yield holder, f"it refers to {gone.type.rpartition('/')[2]} {gone.name}, which is not there"

    def _dangling_subnets(self, managed: Collection[ArmId]) -> Iterator[tuple[ArmId, ArmId]]:
        """Subnets with a security group that its group does not list and a GET does not find."""
        if self.wanted.files:
            return  # no whole list of a group
        for subnet in sorted(identity for identity in managed if identity.type.lower() == SUBNETS.lower()):
            named = id_in(self.documents.by_id[subnet], "properties.networkSecurityGroup")
            if named is None or named.resource_group not in self.found.groups or named in self.documents.by_id:
                continue
            seen = read_existing(self.session.cloud, named)
            if seen.document is None and not seen.unread:
                yield subnet, named

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
        self.recorded.source, self.recorded.at_rest = "list", False
        return state, self._planned(proof.blueprint, LoadedState(state), adopting=False)

    def _keep_secrets(self, reading: Reading) -> None:
        """Read each key once, and put it into the vault; no value stays here."""
        vaults = self.session.vaults()
        for secret in reading.secrets:
            if secret.value is None or not isinstance(secret.reference, KeyVaultSecret) or secret in self.kept:
                continue
            try:
                value = self.session.cloud.secret(secret.value).value
            except (OutputMissing, Forbidden, OtherTenant):
                continue  # it is on the list of what to fill in
            vaults.keep(secret.reference, value)
            self.kept.add(secret)

    # --- write -------------------------------------------------------------------------------------------------------

    def _text(self, proof: _Proof, missing: Sequence[MissingSecret]) -> str:
        remarks = self._remarks(proof)
        if self.wanted.into is not None and not self.wanted.yaml:
            return nouns_text(proof.blueprint, remarks)
        return self._file_text(proof.blueprint, _introduction(self.name, missing), remarks, _ending(proof.reading))

    def _file_text(self, blueprint: Blueprint, introduction: str, remarks: Remarks, ending: Sequence[str] = ()) -> str:
        if self.wanted.yaml:
            return yaml_text(blueprint, introduction, remarks, ending)
        return python_text(blueprint, introduction, remarks, ending, self._table(blueprint))

    def _table(self, blueprint: Blueprint) -> SiteTable | None:
        wanted = self.wanted.csv and not self.wanted.yaml and self.wanted.into is None
        return table_of(blueprint) if wanted else None

    def _terraform_lines(self, state: State) -> Iterator[str]:
        """What hands over what is managed here: Terraform must forget it."""
        ours = {entry.id for entry in state.entries.values()}
        known = sorted(self.terraform.addresses.items())
        yield from (f"terraform state rm '{address}'" for identity, address in known if identity in ours)

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


def _of_others(documents: Mapping[ArmId, Seen], name: str) -> dict[ArmId, str]:
    """What bears the mark of another deployment."""
    return {
        identity: f"it belongs to the deployment {owner}"
        for identity, document in documents.items()
        if (owner := deployment_in(document)) is not None and owner != name
    }


def _not_there(plan: Plan) -> Iterator[ArmId]:
    """What the blueprint uses and Azure does not have."""
    for identity in (*plan.graph.existing, *(i for i in plan.snapshot.observed if i not in plan.graph.by_id)):
        seen = plan.snapshot.get(identity)
        if seen.document is None and not seen.unread:
            yield identity


def _at_work(plan: Plan) -> Iterator[str]:
    """What Azure was at work on while it was read, of all that is managed."""
    for address, resource in plan.graph.resources.items():
        seen = plan.snapshot.get(resource.id)
        if seen.present and not seen.is_terminal:
            yield f"{address} ({seen.state})"


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


def _introduction(name: str, missing: Sequence[MissingSecret]) -> str:
    lines = [f"{name}: taken over from Azure by `vpngw import`."]
    if missing:
        lines += ["", "Fill in before the first apply (nobody has fetched these):", ""]
        for secret in missing:
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
