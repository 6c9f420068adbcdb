"""What an export comes to."""

from __future__ import annotations

from collections.abc import Mapping

from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Document
from vpngw_iac.secret import SecretReference


@dataclass(frozen=True, slots=True)
class Exported:
    """Templates of one deployment, and what goes with them."""

    deployment: str
    scope: str
    """``group`` or ``sub``: what `az deployment` deploys them to."""
    place: str
    """The group, or the subscription."""
    subscription: str
    """The one that the commands must name, because there are several; else empty."""
    location: str
    templates: Mapping[str, Document]
    """By file name, to be deployed in this order."""
    parameters_files: Mapping[str, Document]
    """By file name; empty when no secret is in a key vault."""
    parameters: Mapping[str, SecretReference]
    """What has to be given: each secret by its parameter."""
    given: Mapping[str, tuple[str, ...]]
    """Per template the parameters that it takes."""
    before: tuple[str, ...]
    """What must be there, or be done, before."""
    unsaid: tuple[str, ...]
    """What the blueprint says and no template can."""
    commands: tuple[str, ...]
    """How it is deployed with the Azure CLI."""
    refusals: tuple[Finding, ...] = ()
    """Why Azure would refuse it as it is; the templates say the same."""
