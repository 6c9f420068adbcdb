"""Things that a blueprint only uses: they are read at plan, and never managed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Existing:
    """An existing resource that something declared refers to.

    `facts` are wire paths (``location``, ``properties.activeActive``) with the value that the blueprint claims for
    offline checks; Azure contradicting one is an error, being absent is a finding.
    """

    address: str
    id: ArmId
    facts: Mapping[str, Any] = field(default_factory=dict)
    tenant: str | None = None
