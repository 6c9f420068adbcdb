"""Types of providers whose SDK we do not use, held against Microsoft's REST reference: names, levels, api-versions.

The tables are what the reference of the pinned version lists. There is no SDK that could contradict us, therefore each
table names its page.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field

import pytest
from azure.mgmt.resource.resources.operations import ResourcesOperations
from pydantic import BaseModel

from vpngw_iac.resources import registry, type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.diagnostic_setting import DiagnosticSettingProperties, LogSetting, MetricSetting
from vpngw_iac.resources.diagnostic_setting import RetentionPolicy as Retention
from vpngw_iac.resources.maintenance_assignment import MaintenanceAssignmentProperties
from vpngw_iac.resources.maintenance_configuration import MaintenanceConfigurationProperties, MaintenanceWindow
from vpngw_iac.resources.management_lock import LockOwner, ManagementLockProperties
from vpngw_iac.resources.role_assignment import RoleAssignmentProperties


@dataclass(frozen=True)
class Reference:
    """One object of the REST reference."""

    model: type[BaseModel]
    names: set[str]
    required: set[str] = field(default_factory=set)
    """Required there; we may require more."""
    left_to_others: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)
    """Ours to leave alone, whatever the reference says."""


# learn.microsoft.com/rest/api/monitor/diagnostic-settings/create-or-update
DIAGNOSTICS = [
    Reference(
        DiagnosticSettingProperties,
        {
            "eventHubAuthorizationRuleId",
            "eventHubName",
            "logAnalyticsDestinationType",
            "logs",
            "marketplacePartnerId",
            "metrics",
            "serviceBusRuleId",
            "storageAccountId",
            "workspaceId",
        },
    ),
    Reference(LogSetting, {"category", "categoryGroup", "enabled", "retentionPolicy"}, {"enabled"}),
    Reference(MetricSetting, {"category", "enabled", "retentionPolicy", "timeGrain"}, {"enabled"}),
    Reference(Retention, {"days", "enabled"}, {"days", "enabled"}),
]
# learn.microsoft.com/rest/api/resources/management-locks/create-or-update-by-scope
LOCKS = [
    Reference(ManagementLockProperties, {"level", "notes", "owners"}, {"level"}),
    Reference(LockOwner, {"applicationId"}),
]
# learn.microsoft.com/rest/api/maintenance/maintenance-configurations/create-or-update, configuration-assignments
MAINTENANCE = [
    Reference(
        MaintenanceConfigurationProperties,
        {
            "extensionProperties",
            "installPatches",
            "maintenanceScope",
            "maintenanceWindow",
            "namespace",
            "visibility",
            "configurationType",
        },
        left_to_others={"installPatches"},
        read_only={"configurationType"},
    ),
    Reference(MaintenanceWindow, {"duration", "expirationDateTime", "recurEvery", "startDateTime", "timeZone"}),
    Reference(
        MaintenanceAssignmentProperties,
        {"filter", "maintenanceConfigurationId", "resourceId"},
        left_to_others={"filter"},
        read_only={"resourceId"},
    ),
]
# learn.microsoft.com/rest/api/authorization/role-assignments/create
ROLES = [
    Reference(
        RoleAssignmentProperties,
        {
            "condition", "conditionVersion", "createdBy", "createdOn", "delegatedManagedIdentityResourceId",
            "description", "principalId", "principalType", "roleDefinitionId", "scope", "updatedBy", "updatedOn",
        },
        {"principalId", "roleDefinitionId"},
        read_only={"createdBy", "createdOn", "scope", "updatedBy", "updatedOn"},
    )
]  # fmt: skip
VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Authorization/locks": "2016-09-01",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Maintenance/configurationAssignments": "2023-04-01",
    "Microsoft.Maintenance/maintenanceConfigurations": "2023-04-01",
}

per_object = pytest.mark.parametrize(
    "page", [*DIAGNOSTICS, *LOCKS, *MAINTENANCE, *ROLES], ids=lambda page: page.model.__name__
)


def names_of(model: type[BaseModel]) -> dict[str, bool]:
    """Wire names, and whether one only reads them."""
    return {info.alias or name: info.annotation is type(None) for name, info in model.model_fields.items()}


@per_object
def test_every_name_is_in_the_reference_and_none_of_it_is_missing(page: Reference) -> None:
    assert page.names - page.left_to_others == set(names_of(page.model))


@per_object
def test_what_the_reference_requires_is_required(page: Reference) -> None:
    required = {info.alias or name for name, info in page.model.model_fields.items() if info.is_required()}

    assert page.required <= required


@per_object
def test_what_is_azures_to_write_is_said_to_be(page: Reference) -> None:
    assert page.read_only == {name for name, is_read in names_of(page.model).items() if is_read}


def test_enum_values_are_those_of_the_reference() -> None:
    level = ManagementLockProperties.model_fields["level"].annotation
    scopes = MaintenanceConfigurationProperties.model_fields["maintenance_scope"].annotation

    assert {"CanNotDelete", "ReadOnly"} == set(typing.get_args(level))
    assert {
        "Extension", "Host", "InGuestPatch", "OSImage", "Resource", "SQLDB", "SQLManagedInstance",
    } == set(typing.get_args(scopes))  # fmt: skip


def by_id() -> list[type[Resource]]:
    return [model for model in registry().values() if model.api_version]


def test_types_without_an_operation_group_name_the_version_they_were_written_for() -> None:
    assert {model.arm_type: model.api_version for model in by_id()} == VERSIONS
    assert {"resource.resources"} == {model.sdk for model in by_id()}
    assert all(hasattr(ResourcesOperations, name) for name in ("get_by_id", "begin_update_by_id"))


def test_they_are_never_listed_because_each_is_one_request() -> None:
    for arm_type in VERSIONS:
        model = type_of(arm_type)

        assert model is not None
        assert model.listed_by == "none"
