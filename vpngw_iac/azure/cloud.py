"""Azure as the engine sees it: the `Cloud` port over the real SDK, for every type through one driver."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.azure.attached import Attachments
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.operations import Operations
from vpngw_iac.azure.probes import Probes
from vpngw_iac.azure.reading import Reader, sdk_of
from vpngw_iac.azure.redact import is_masked
from vpngw_iac.azure.retry import Retry
from vpngw_iac.azure.tunnel_questions import TunnelQuestions
from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.engine.ports import (
    Clock,
    CloudIdentity,
    Fingerprinter,
)
from vpngw_iac.errors import OutputMissing
from vpngw_iac.paths import objects
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import SecretValue

_TOLD_BY = {"sharedKey": ("get_shared_key",), "radiusServerSecret": ("list_radius_secrets",)}
"""Methods of the SDK that tell a key by itself."""


class AzureCloud:
    """The `Cloud` port, and questions about tunnels. Every method may be called from several threads at once."""

    def __init__(
        self,
        arm: Arm,
        identity: CloudIdentity,
        *,
        key: Fingerprinter | None,
        clock: Clock,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.identity = identity
        self._arm = arm
        self._retry = Retry(clock, arm.budget, tell)
        self._reader = reader = Reader(arm, self._retry, key, clock)
        operations = Operations(arm, reader, clock)
        # The verbs of the port, each where it is done.
        self.observe, self.listed, self.read = reader.observe, reader.listed, reader.read
        self.shared_key = reader.shared_key
        self.attached = Attachments(reader, self._retry).of
        self.probe = Probes(arm, reader, self._retry).replies
        self.begin, self.poll, self.room = operations.begin, operations.poll, operations.room
        self.ask = TunnelQuestions(arm, reader, clock).ask

    def secret(self, output: Output) -> SecretValue:
        """A secret that Azure made. Raises `OutputMissing` if the source is absent or does not tell it."""
        doing = f"get {output.source}"
        document = self._retry.read(output.source.subscription, lambda: self._reader.raw(output.source), doing)
        value = lookup(document or {}, output.path)
        if is_masked(value) and document is not None:
            value = self._listed_key(output, document)
        if is_masked(value):
            raise OutputMissing(
                f"Azure does not tell {output.path} of {output.source}.",
                advice="Its owner must give the right to list keys, or hand over the value as a secret.",
            )
        self._arm.remember((value,))
        return SecretValue(value)

    def _listed_key(self, output: Output, document: Mapping[str, Any]) -> object:
        """Newer api-versions may leave a key out of GET and tell it by a call of its own only."""
        sdk, subscription = sdk_of(output.source), output.source.subscription
        place, _, key = output.path.rpartition(".")
        methods = ("list_keys", *_TOLD_BY.get(key, ()))
        method = next((method for method in methods if self._arm.has(subscription, sdk, method)), "")
        if not method:
            return None
        told = self._reader.told(output.source, method, f"list the keys of {output.source}")
        if method != "list_radius_secrets":
            return told.get("value" if method == "get_shared_key" else key)
        server = lookup(document, f"{place}.radiusServerAddress")
        alike = (item for item in objects(told.get("value")) if item.get("radiusServerAddress") == server)
        return next((item.get(key) for item in alike), None)

    def ready_to_write(self, ids: Collection[ArmId]) -> None:
        """Load the SDK's packages for these."""
        for each in ids:
            self._arm.load(sdk_of(each))
