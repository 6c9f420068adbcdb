"""What is wrong with a template, in Azure's words."""

from __future__ import annotations

_FUNCTIONS = "Please see https://aka.ms/arm-functions for usage details."


class TemplateError(Exception):
    """An expression or a template that Azure refuses; the text is the middle of its message."""


class NotSimulatedFunction(Exception):
    """A function that Azure has and this cloud has not; the text is its name."""


def unknown_function(name: str) -> TemplateError:
    """Azure's refusal of a function that does not exist (vscode-azurearmtools issue 531)."""
    return TemplateError(f"The template function '{name}' is not valid. {_FUNCTIONS}")


def wrong_arguments(name: str, why: str) -> TemplateError:
    """Azure's refusal of arguments."""
    return TemplateError(f"Unable to evaluate template language function '{name}': {why} {_FUNCTIONS}")


def no_property(name: str, available: list[str]) -> TemplateError:
    """A member that is not there (azure-quickstart-templates issue 4015)."""
    return TemplateError(
        f"The language expression property '{name}' doesn't exist, available properties are '{', '.join(available)}'."
    )
