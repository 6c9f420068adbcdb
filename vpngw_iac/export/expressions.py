"""From values of a resource to values of a template: ids become ``resourceId``, secrets become parameters.

Evidence: "Resource functions for ARM templates" and "Template structure and syntax" (learn.microsoft.com).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.wire import SECRET_TYPES, Output
from vpngw_iac.secret import KeyVaultCertificate, SecretReference


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a template is deployed to: a subscription, perhaps a group of it."""

    subscription: str
    group: str = ""

    @classmethod
    def of(cls, identifier: ArmId) -> Place:
        """Where a resource with this id lies; names have no case."""
        return cls(identifier.subscription.lower(), (identifier.group or "").lower())


class Unsayable(Exception):
    """A value that a template has no words for; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Words:
    """How values are said in a template at one place."""

    place: Place
    parameter: Callable[[SecretReference], str]
    """The name of the parameter that stands for a secret."""
    version: Callable[[ArmId], str]
    """The api-version to ask a resource with."""

    def value(self, value: Any) -> Any:
        """A value of a body as the template has it; raises `Unsayable`."""
        if isinstance(value, Output):
            return f"[{self.asked(value)}]"
        if isinstance(value, SECRET_TYPES):
            return self._secret(value)
        if isinstance(value, Mapping):
            return {_literal(name): self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        certificate = KeyVaultCertificate.described(text) if text.startswith("key-vault:") else None
        if certificate is not None:
            return self._secret(certificate)
        identifier = ArmId.of(text) if text.lower().startswith("/subscriptions/") else None
        if identifier is not None:
            return f"[{self.id(identifier)}]"
        return _literal(text)

    def _secret(self, reference: SecretReference) -> str:
        return f"[parameters({quoted(self.parameter(reference))})]"

    def asked(self, output: Output) -> str:
        """The expression that asks Azure for what only Azure knows."""
        if "[" in output.path or not output.path.startswith("properties."):
            raise Unsayable(
                f"{output.path} of {output.source}: only Azure knows it, and a template cannot find it there"
            )
        inner = output.path.removeprefix("properties.")
        return f"reference({self.id(output.source)}, {quoted(self.version(output.source))}).{inner}"

    def id(self, identifier: ArmId) -> str:
        """The expression of an id, as short as it can be said at this place."""
        parent = identifier.parent
        if identifier.is_extension and parent is not None:
            own = [identifier.type, *identifier.names]
            return f"extensionResourceId({self.id(parent)}, {', '.join(map(quoted, own))})"
        here = Place.of(identifier)
        outside = [] if here.subscription == self.place.subscription else [identifier.subscription]
        if not identifier.names or not identifier.group:
            names = identifier.names or (identifier.name,)
            arm_type = identifier.type if identifier.names else RESOURCE_GROUP_TYPE
            return _call("subscriptionResourceId", [*outside, arm_type, *names])
        if here != self.place:
            outside = [*outside, identifier.group]
        return _call("resourceId", [*outside, identifier.type, *identifier.names])


def _literal(text: str) -> str:
    """A text, or a member's name, that is no expression; brackets around it would make it one."""
    return f"[{text}" if text.startswith("[") and text.endswith("]") else text


def _call(function: str, arguments: list[str]) -> str:
    return f"{function}({', '.join(map(quoted, arguments))})"


def quoted(text: str) -> str:
    """A literal of the expression language."""
    return "'" + text.replace("'", "''") + "'"
