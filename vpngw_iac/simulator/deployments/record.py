"""What is remembered of a deployment, also between processes."""

from __future__ import annotations

from dataclasses import asdict, field, fields
from typing import Any, Literal

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.wire import HttpResponse, Json

ACCEPTED, RUNNING, SUCCEEDED, FAILED, CANCELED = "Accepted", "Running", "Succeeded", "Failed", "Canceled"
StepState = Literal["Waiting", "Running", "Succeeded", "Failed", "Skipped", "Canceled"]


@dataclass(slots=True)
class Step:
    """What a deployment did about one resource."""

    state: StepState = "Waiting"
    verb: str = "Create"
    began: float = 0.0
    ended: float | None = None
    operation: str | None = None
    """The long-running operation that is waited for."""
    number: str = ""
    """Name of the deployment operation."""
    tries: int = 0
    again: float | None = None
    """When to send it again: Azure's own client is told to come back, too."""
    status: str = ""
    error: Json | None = None

    def begin(self, guid: str, now: float) -> None:
        """Give the deployment operation its name, which is made of a GUID."""
        self.number, self.began = guid.replace("-", "")[:16].upper(), now


def error_of(answer: HttpResponse) -> Json:
    """Why a step failed, of what was answered to it; a page instead of JSON says nothing."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return dict(error) if isinstance(error, dict) else {"code": str(answer.status), "message": "No answer."}


@dataclass(slots=True)
class Deployment:
    """One deployment. The values of secure parameters are there while it runs, never afterwards."""

    id: str
    correlation: str
    template: Json
    values: Json
    """Parameters by name in lower case, defaults worked out."""
    mode: str
    location: str
    tags: Json
    api_version: str
    began: float
    digest: str
    polling: str
    """Last part of the URL it is polled at."""
    state: str = ACCEPTED
    ended: float | None = None
    error: Json | None = None
    outputs: Json = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    shape: Json = field(default_factory=dict)
    """What its template comes to, as answers tell it: providers, dependencies, names by key."""
    outer: Json | None = None
    """Of a nested template whose expressions are its parent's: names and the place they are worked out with."""
    caller: str = ""
    """Client id of who began it."""
    prepared: Any = field(default=None, compare=False, repr=False)
    """The template as it was read; not kept between processes."""

    @property
    def key(self) -> str:
        """The id in lower case."""
        return self.id.lower()

    @property
    def name(self) -> str:
        """Its own name."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def scope(self) -> str:
        """The group or the subscription that it deploys to."""
        return self.id[: self.id.lower().rindex("/providers/")]

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state in (ACCEPTED, RUNNING)

    def record(self) -> Json:
        """As the store keeps it."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("prepared", "steps")}
        return kept | {"steps": {key: asdict(step) for key, step in self.steps.items()}}

    @classmethod
    def of_record(cls, told: Json) -> Deployment:
        """The same back."""
        return cls(**{**told, "steps": {key: Step(**step) for key, step in told["steps"].items()}})
