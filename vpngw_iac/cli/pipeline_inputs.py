"""Inputs of a pipeline's step that must be there before its command line is read: secrets, and further arguments."""

from __future__ import annotations

import os
import shlex
from typing import Any

from typer.core import TyperGroup

from vpngw_iac.errors import UsageError
from vpngw_iac.pipeline import home_of, mask_commands, tell_runner

SECRETS, ARGUMENTS = "SECRETS", "ARGUMENTS"
_TAKE_ARGUMENTS = ("plan", "drift")


class PipelineGroup(TyperGroup):
    """``vpngw ci``: what ARGUMENTS holds is added to the command line, and each line of SECRETS becomes a variable."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The command line with what the variables add to it."""
        given = list(args)
        if given and given[0] in _TAKE_ARGUMENTS:
            given += _arguments()
        if given and given[0] in self.commands:
            take_secrets()
        return list(super().parse_args(ctx, given))


def _arguments() -> list[str]:
    text = os.environ.get(ARGUMENTS, "")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"ARGUMENTS cannot be read: {error}.", advice="Close every quote.") from None


def take_secrets() -> None:
    """Make a variable of each line of SECRETS that is not set yet, and tell the runner to mask its value.

    Only whole secrets are masked by the runner itself, which this one is not: it holds several.
    """
    from vpngw_iac.usecases.settings import variables_in

    for name, value in variables_in(os.environ.pop(SECRETS, ""), SECRETS):
        for command in mask_commands(value, home_of(os.environ)):
            tell_runner(command)
        os.environ.setdefault(name, value)
