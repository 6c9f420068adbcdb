"""A fleet in jobs of its own, past one machine: which deployments a job of a pipeline takes. Asks no cloud."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from vpngw_iac.errors import VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.usecases.fleet import Fleet, FleetMember
from vpngw_iac.usecases.fleet_uses import OpenedMember, makers_of, order_of
from vpngw_iac.usecases.threads import attempt

MOST_JOBS = 256
"""Jobs that a matrix of GitHub Actions may have in one run, and Azure Pipelines in one matrix.

https://docs.github.com/en/actions/reference/limits
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its name, its deployments, and what to hand to ``vpngw apply`` for them."""

    name: str
    deployments: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def files(self) -> str:
        """The targets as words of a POSIX shell."""
        return shlex.join(self.targets)


def jobs_of(fleet: Fleet, most: int = MOST_JOBS) -> tuple[Job, ...]:
    """At most `most` jobs, as even as can be; what uses another deployment of the fleet is in the same job.

    Raises the error of a file that is no blueprint: its deployments would be left out.
    """
    groups = _groups(fleet.members)
    if not groups:
        return ()
    jobs: list[list[FleetMember]] = [[] for _ in range(min(most, len(groups)))]
    for group in sorted(groups, key=len, reverse=True):
        min(jobs, key=len).extend(group)
    return tuple(sorted((_job(members) for members in jobs), key=lambda job: job.name))


def _job(members: Sequence[FleetMember]) -> Job:
    names = sorted(member.name for member in members)
    name = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    by_name = {member.name: member for member in members}
    return Job(name, tuple(names), tuple(_target(by_name[each]) for each in names))


def _target(member: FleetMember) -> str:
    """The file with the name of the deployment: it may hold several."""
    if member.saved is not None or member.file.endswith(f":{member.name}"):
        return member.file
    return f"{member.file}:{member.name}" if member.file else member.name


def _groups(members: Sequence[FleetMember]) -> list[list[FleetMember]]:
    """The members, those together that use or manage what others make."""
    opened = []
    for member in members:
        session, error = attempt(lambda member=member: member.workspace.session(member.deployable()))  # type: ignore[misc]
        if session is None:
            assert isinstance(error, VpngwError)  # noqa: S101 - one of both is there
            raise error
        opened.append(OpenedMember(member.name, session))
    group = {member.name: {member.name} for member in opened}
    for name, others in order_of(opened, makers_of(opened)).items():
        for other in others:
            joined = group[name] | group[other]
            group |= dict.fromkeys(joined, joined)
    by_name = {member.name: member for member in members}
    unique = {min(names): names for names in group.values()}
    return [[by_name[name] for name in sorted(names)] for _, names in sorted(unique.items())]
