"""Deploying exported templates into a simulated cloud, through the SDK's own deployments package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azure.core.exceptions import HttpResponseError

from tests.simulator.conftest import Token, VirtualTransport
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.export.exported import Exported
from vpngw_iac.export.parameters import vault_name
from vpngw_iac.secret import EnvironmentSecret, FileSecret
from vpngw_iac.simulator import Simulator, Switches, VirtualTime
from vpngw_iac.usecases.workspace import Workspace

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"


class Cloud:
    """An empty simulated cloud, a workspace on it, and hands that deploy templates there."""

    def __init__(self, folder: Path, environment: dict[str, str], subscription: str = SUBSCRIPTION, **switches: Any):
        self.time, self.clock = VirtualTime(), VirtualClock()
        self.simulator = Simulator(time=self.time, switches=Switches(**switches))
        self.clock.on_advance(self.time.advance_to)
        self.folder, self.environment, self.subscription = folder, environment, subscription

    @property
    def workspace(self) -> Workspace:
        return Workspace(
            "simulator",
            subscription=self.subscription,
            directory=self.folder,
            environment=self.environment,
            clock=self.clock,
            simulator=self.simulator,
            secret_directory=self.folder,
        )

    def deploy(self, exported: Exported, group: dict[str, Any] | None = None) -> list[Any]:
        """Every template in its order; the one group is made first, as the commands say."""
        from azure.mgmt.resource.deployments import DeploymentsMgmtClient

        client = DeploymentsMgmtClient(
            Token(),
            exported.subscription or self.subscription,
            transport=VirtualTransport(self.simulator, self.time),
            retry_total=0,
        ).deployments
        found = []
        for file, template in exported.templates.items():
            parameters = {name: {"value": self._secret(exported, name)} for name in exported.given[file]}
            body: dict[str, Any] = {
                "properties": {"mode": "Incremental", "template": template, "parameters": parameters}
            }
            name = file.removesuffix(".json")
            if exported.scope == "group":
                path = f"/subscriptions/{self.subscription}/resourceGroups/{exported.place}"
                self.simulator.put(path, group or {"location": exported.location})
                found.append(client.begin_create_or_update(exported.place, name, body).result())
            else:
                body["location"] = exported.location
                found.append(client.begin_create_or_update_at_subscription_scope(name, body).result())
        return found

    def deploy_with_provider(self, exported: Exported) -> list[Any]:
        """The same; where the export says that a provider must do its part first, it does, and it is deployed again."""
        told = any("does not wait" in line for line in exported.unsaid)
        try:
            return self.deploy(exported)
        except HttpResponseError:
            assert told, exported.unsaid
        for identifier in list(self.simulator.documents()):
            if identifier.lower().split("/")[-2] == "expressroutecircuits":
                self.simulator.provision_circuit(identifier)
        return self.deploy(exported)

    def _secret(self, exported: Exported, name: str) -> str:
        reference = exported.parameters[name]
        if isinstance(reference, EnvironmentSecret):
            return self.environment[reference.name]
        if isinstance(reference, FileSecret):
            return (self.folder / reference.path).read_text().strip()
        value = self.simulator.vault.get(vault_name(reference), reference.name)
        assert value is not None
        return value
