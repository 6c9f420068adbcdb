"""What a workspace does with a blueprint alone: `validate`. Loads neither engine nor state, which take long to load."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vpngw_iac import preflight
from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import LoadedFile
from vpngw_iac.errors import BlueprintError, Finding, Findings, UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import CachedSecrets
from vpngw_iac.state_url import read_state_url
from vpngw_iac.usecases.session import SIMULATOR_SPEED, Deployable, SessionSettings, said_by
from vpngw_iac.usecases.settings import CLOUDS, SIMULATOR_DIR, SettingsSource, no_cloud
from vpngw_iac.value_check import checked

if TYPE_CHECKING:
    from vpngw_iac.engine.ports import Clock


@dataclass(frozen=True, slots=True)
class Validation:
    """Offline findings of a blueprint."""

    deployment: str
    findings: tuple[Finding, ...]


class OfflineWorkspace:
    """The part of a `Workspace` that needs blueprints alone."""

    @checked
    def __init__(
        self,
        cloud: str | None = None,
        *,
        subscription: str | None = None,
        tenant: str | None = None,
        resource_group: str | None = None,
        state: str | None = None,
        deployment: str | None = None,
        directory: Path | str = ".",
        environment: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        credential: Any = None,
        simulator: Any = None,
        simulator_dir: str = SIMULATOR_DIR,
        simulator_speed: float | None = None,
        secret_directory: Path | str | None = None,
        profile: str | None = None,
        allowed_subscriptions: Sequence[str] = (),
        allowed_tenants: Sequence[str] = (),
        settings: SettingsSource | None = None,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        """`cloud` is ``public`` if none is given; `state` a folder, a ``file:///`` or an ``azblob://`` URL.

        `allowed_subscriptions` and `allowed_tenants` are where a saved graph may name something besides the default.
        `settings` says where these values were found; `on_notice` hears, from any thread, why a read takes long.
        Raises `UsageError` for a value of another type, for what is no cloud, and for a state that cannot be meant.
        """
        if wrong := no_cloud(cloud or "public"):
            raise UsageError(f"{wrong.removesuffix('?')}.", advice=f"Write one of {', '.join(CLOUDS)}.")
        if state:
            read_state_url(state)
        self._place = SessionSettings(
            cloud=cloud or "public",
            cloud_given=cloud is not None,
            subscription=subscription,
            tenant=tenant,
            resource_group=resource_group,
            state=state,
            directory=Path(directory),
            environment=os.environ if environment is None else environment,
            simulator_dir=simulator_dir,
            simulator_speed=SIMULATOR_SPEED if simulator_speed is None else simulator_speed,
            clock=clock,
            credential=credential,
            simulator=simulator,
            secret_directory=None if secret_directory is None else Path(secret_directory),
            profile=profile,
            allowed_subscriptions=tuple(allowed_subscriptions),
            allowed_tenants=tuple(allowed_tenants),
            settings=settings or SettingsSource(directory=Path(directory)),
            on_notice=on_notice,
        )
        self._deployment = deployment

    @checked
    def beside(self, file: LoadedFile | Path | str) -> Self:
        """The same workspace, with relative paths of secrets starting at the folder of a blueprint file.

        Of a loaded file findings tell the line.
        """
        other, path = copy.copy(self), file.path if isinstance(file, LoadedFile) else Path(file)
        other._place = replace(self._place, secret_directory=path.resolve().parent)
        if isinstance(file, LoadedFile):
            other._place = replace(other._place, told=file.told)
        return other

    @property
    def offline_scope(self) -> Scope:
        """Where resources live when nobody says: a subscription of its own that is none where none was told."""
        return self._place.scope

    @checked
    def with_state(self, state: str) -> Self:
        """The same workspace with its states at another place: a folder, a ``file:///`` or an ``azblob://`` URL."""
        read_state_url(state)
        other = copy.copy(self)
        other._place = replace(self._place, state=state)
        return other

    def require_subscription(self) -> Self:
        """This workspace; raises `UsageError` where ids would be those of no subscription."""
        self._place.required_subscription()
        return self

    @checked
    def name_of(self, blueprint: Deployable) -> str:
        """Name of the deployment: what was asked for, else the blueprint's."""
        return self._deployment or blueprint.name

    @checked
    def validate(self, *blueprints: Deployable, profile: str | None = None) -> Validation:
        """Preflight without a cloud; several blueprints of one file are judged as one topology.

        Secrets in variables and files are judged where they are at hand; no value enters a finding.
        """
        scope, findings = self._place.scope, list[Finding]()
        made: list[tuple[str, Sequence[Resource | Existing]]] = []
        for blueprint in blueprints:
            try:
                made.append((blueprint.name, tuple(blueprint.resources(scope))))
            except BlueprintError as error:
                findings += error.findings
                if scope.resource_group is None:
                    findings += _in_any_group(blueprint, scope)
        items = [item for _, parts in made for item in parts]
        findings += preflight.managed_twice(made)
        findings += preflight.check(
            items,
            **blueprint_context(scope, *blueprints),
            profile=profile or self._place.profile,
            reveal=CachedSecrets(self._place.local_secrets).reveal,
        )
        cycle = Graph.of(items).cycle() if len(blueprints) == 1 else None
        name = ", ".join(blueprint.name for blueprint in blueprints)
        told = map(self._place.told, [*findings, *([cycle] if cycle else [])])
        return Validation(name, Findings.of(told).items)

    def managed_twice(self, *blueprints: Deployable) -> tuple[Finding, ...]:
        """What two deployments both manage; a blueprint that contradicts itself is left out, `validate` tells why."""
        made: list[tuple[str, Sequence[Resource | Existing]]] = []
        for blueprint in blueprints:
            with contextlib.suppress(BlueprintError):
                made.append((blueprint.name, tuple(blueprint.resources(self._place.scope))))
        return tuple(preflight.managed_twice(made))


def blueprint_context(scope: Scope, *blueprints: Deployable) -> dict[str, Any]:
    """What blueprints say that no resource shows: accepted rules, failover paths, networks of existing gateways."""
    whole = tuple(blueprint for blueprint in blueprints if isinstance(blueprint, Blueprint))
    if len(whole) < len(blueprints):
        return {"waive": {rule: why for b in blueprints for rule, why in said_by(b, "waive").items()}}
    return {
        "waive": preflight.waivers_of(*whole),
        "backups": preflight.backups_of(*whole),
        "gateway_networks": preflight.gateway_networks_of(scope, *whole),
    }


def _in_any_group(blueprint: Deployable, scope: Scope) -> Sequence[Finding]:
    """What is wrong beside the resource group that is not given."""
    try:
        tuple(blueprint.resources(replace(scope, resource_group="rg-unspecified")))
    except BlueprintError as error:
        return error.findings
    return ()
