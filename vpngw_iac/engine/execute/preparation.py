"""What a worker finds before a call: the call itself, or why none is made now. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ports import Call, Observed
from vpngw_iac.errors import AzureRefused
from vpngw_iac.resources.wire import Document
from vpngw_iac.state.model import Entry


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A call that is ready to be sent, and what the journal may know about it."""

    call: Call
    etag: str
    digest: str
    entry: Entry | None = None
    declared: Document = field(default_factory=dict)
    """What is declared, sealed: for checking the answer."""


@dataclass(frozen=True, slots=True)
class Settled:
    """No call is needed: Azure already has it (or has lost it, for a delete)."""

    entry: Entry | None = None
    forget: str = ""
    """Why the entry is forgotten instead of deleted."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Azure is still at work on this resource; wait for it and prepare again."""

    observed: Observed


@dataclass(frozen=True, slots=True)
class Gated:
    """People outside must act first."""

    says: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Azure keeps refusing, and something that has to do with it is in a failed state."""

    blocker: ArmId
    error: AzureRefused
    """What it comes to if nothing of ours can repair it."""


Preparation = Prepared | Settled | Busy | Gated | Blocked
