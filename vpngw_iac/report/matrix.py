"""Jobs of a fleet as the matrix of a pipeline: one line of JSON that its next stage reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from vpngw_iac.usecases.fleet_jobs import Job


def matrix(jobs: Iterable[Job], form: str) -> dict[str, Any]:
    """``github``: ``{"include": [{"name", "deployments", "files"}]}``; ``azure-devops``: the same by name of the job.

    Names of jobs in Azure Pipelines begin with a letter, hold letters, digits and ``_``, at most 100 of them
    (https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/jobs-job-strategy); variables there are texts.
    """
    if form == "github":
        return {"include": [{"name": j.name, "deployments": list(j.deployments), "files": j.files} for j in jobs]}
    found: dict[str, Any] = {}
    for job in jobs:
        name = re.sub(r"[^A-Za-z0-9_]", "_", job.name)[:90]
        name = name if name[0].isalpha() else f"d_{name}"
        while name.lower() in (other.lower() for other in found):
            name += "_"
        found[name] = {"name": job.name, "deployments": " ".join(job.deployments), "files": job.files}
    return found
