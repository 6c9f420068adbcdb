"""From what Azure has to a blueprint and a state, with the proof that a plan of it changes nothing. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.reading.documents import GATEWAYS
from vpngw_iac.engine.ports import CloudIdentity
from vpngw_iac.errors import Refused, UsageError
from vpngw_iac.state.check import checked_name
from vpngw_iac.text import listed
from vpngw_iac.usecases.document_files import documents_in
from vpngw_iac.usecases.import_files import refuse_existing, refuse_state
from vpngw_iac.usecases.import_names import ImportNames, TerraformState, chosen_names, clean_name
from vpngw_iac.usecases.import_run import ImportRun
from vpngw_iac.usecases.imported import Imported, Wanted
from vpngw_iac.usecases.session import OFFLINE_SUBSCRIPTION
from vpngw_iac.usecases.survey import OfflineCloud, Survey, from_files, survey, survey_of_subscription

if TYPE_CHECKING:
    from vpngw_iac.usecases.workspace import Workspace


class Importer:
    """One import in a workspace."""

    def __init__(self, workspace: Workspace, deployment: str | None) -> None:
        self._workspace = workspace
        self._deployment = deployment

    def run(self, wanted: Wanted) -> Imported:
        """Read, write, prove. Raises `Refused` where the file or a state of that name exists."""
        _refuse_contradictions(wanted)
        if wanted.into is None:
            refuse_existing(wanted.file)
        elif not wanted.into.exists():
            raise UsageError(f"There is no file {wanted.into}.", advice="Without --into a whole file is written.")
        chosen = chosen_names(wanted.names_file) if wanted.names_file and not wanted.scan else ImportNames()
        terraform = TerraformState.read(wanted.terraform_state) if wanted.terraform_state else TerraformState()
        chosen = replace(chosen, names={**terraform.names, **chosen.names})
        if wanted.files:
            return self._from_files(wanted, chosen, terraform)
        found = self._of_subscription() if wanted.whole_subscription else None
        groups, gateways = (found.groups, None) if found is not None else self._scope(wanted, terraform)
        name = checked_name(self._deployment or chosen.deployment or _name_of(groups, gateways))
        session = self._workspace.session_named(name)
        with session.redacted():
            if wanted.into is None and not wanted.scan:
                refuse_state(session.bound_store(), name)
            if found is None:
                found = survey(session.cloud, groups, gateways)
                _require_gateways(found, gateways or ())
            return ImportRun(self._workspace, session, wanted, chosen, terraform, found, gateways).go()

    def _from_files(self, wanted: Wanted, chosen: ImportNames, terraform: TerraformState) -> Imported:
        subscription = self._workspace.session_named("import").place.subscription or OFFLINE_SUBSCRIPTION
        homes = [ArmId.of(name) or ArmId.resource_group_of(subscription, name) for name in wanted.groups]
        found = from_files(documents_in(wanted.files, homes[0] if homes else None))
        gateways = frozenset(_gateway_id(text) for text in wanted.gateways)
        named = _name_of(found.groups, gateways or _gateways_in(found))
        session = self._workspace.session_named(checked_name(self._deployment or chosen.deployment or named))
        counts = Counter(identity.subscription for identity in found.documents())
        subscription = session.place.subscription or counts.most_common(1)[0][0]
        session._cloud = OfflineCloud(CloudIdentity("files", "", "", subscription))  # type: ignore[assignment]
        return ImportRun(self._workspace, session, wanted, chosen, terraform, found, gateways or None).go()

    def _scope(self, wanted: Wanted, terraform: TerraformState) -> tuple[frozenset[ArmId], frozenset[ArmId] | None]:
        if wanted.terraform_state:
            ids = terraform.required_ids
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
        return frozenset(groups | {gateway.resource_group for gateway in gateways}), gateways or None

    def _of_subscription(self) -> Survey:
        session = self._workspace.session_named("import")
        subscription = ArmId(f"/subscriptions/{session.place.required_subscription()}")
        with session.redacted():
            found = survey_of_subscription(session.cloud, subscription)
        if not found.groups:
            raise Refused("There is no gateway and no circuit in this subscription.", advice="Check --subscription.")
        return found


_GATEWAYS = GATEWAYS.lower()


def _refuse_contradictions(wanted: Wanted) -> None:
    """Raise `UsageError` for what would be ignored in silence."""
    ways = {
        "gateways": wanted.gateways,
        "-g": wanted.groups,
        "--subscription-wide": wanted.whole_subscription,
        "--terraform-state": wanted.terraform_state,
    }
    said = [way for way, is_said in ways.items() if is_said]
    if len(said) > 1 and not wanted.files:
        raise UsageError(f"{listed(said)} say twice what to import.", advice="Use one of them.")
    if wanted.files and wanted.whole_subscription:
        raise UsageError("--from-json asks no cloud for a subscription.", advice="Leave --subscription-wide out.")
    if wanted.yaml and wanted.csv:
        raise UsageError("A YAML file reads no table of sites.", advice="Use --csv without --yaml.")


def _require_gateways(found: Survey, gateways: Collection[ArmId]) -> None:
    if missing := [gateway for gateway in sorted(gateways) if gateway not in found.documents()]:
        one = missing[0]
        raise Refused(
            f"There is no gateway {one.name} in {one.group}.",
            advice=f"`az network vnet-gateway list -g {one.group} --query [].id` prints those that there are.",
        )


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
