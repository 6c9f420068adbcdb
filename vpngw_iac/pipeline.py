"""Jobs of pipelines: whose one this process is, and how its runner is told what it must not show."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Literal

from vpngw_iac.text import logging_data, workflow_data

Home = Literal["github", "azure-pipelines", ""]


def home_of(environment: Mapping[str, str]) -> Home:
    """Whether this is a job of GitHub Actions or of Azure Pipelines; empty anywhere else."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "azure-pipelines" if environment.get("TF_BUILD", "").lower() == "true" else ""


def mask_commands(value: str, home: Home) -> Iterator[str]:
    """What tells a runner to show ``***`` in place of a value: a command for each of its lines.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions, ``::add-mask::``;
    https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands, ``task.setsecret``.
    """
    for line in value.splitlines():
        if line.strip() and home == "github":
            yield f"::add-mask::{workflow_data(line)}\n"
        elif line.strip() and home == "azure-pipelines":
            yield f"##vso[task.setsecret]{logging_data(line)}\n"


def tell_runner(command: str) -> None:
    """Say it on stderr, which the runner reads; never into a file, where the value would stay."""
    try:
        if not stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode):
            sys.stderr.write(command)
            sys.stderr.flush()
    except (OSError, ValueError):
        return  # there is no stderr, hence no log
