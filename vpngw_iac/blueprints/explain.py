"""Turns pydantic's errors into findings for people: where it is, what is wrong, what to write. Never shows an input."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vpngw_iac.blueprints.part import Part
from vpngw_iac.errors import Finding
from vpngw_iac.paths import dotted
from vpngw_iac.text import suggestion

Location = tuple[str | int, ...]

_TEXT = "T-TYPE"

_SIMPLE: dict[str, str] = {
    "string_type": "Expected a text; write it in quotes.",
    "int_type": "Expected a whole number.",
    "int_parsing": "Expected a whole number.",
    "int_from_float": "Expected a whole number.",
    "float_type": "Expected a number.",
    "bool_type": "Expected true or false.",
    "bool_parsing": "Expected true or false.",
    "tuple_type": "Expected a list.",
    "list_type": "Expected a list.",
    "dict_type": "Expected a mapping of names to values.",
    "none_required": "Nothing may stand here.",
}

_BOUNDS: dict[str, tuple[str, str]] = {
    "greater_than_equal": ("ge", "The smallest allowed number is {}."),
    "less_than_equal": ("le", "The largest allowed number is {}."),
    "too_short": ("min_length", "At least {} is needed."),
    "too_long": ("max_length", "At most {} are allowed."),
    "string_too_short": ("min_length", "At least {} character is needed."),
    "string_too_long": ("max_length", "At most {} characters are allowed."),
}

_FORMS: dict[str, str] = {
    "[0-9a-f]{8}-": "Expected a GUID such as 72f988bf-86f1-41af-91ab-2d7cd011db47.",
    "^[a-z0-9]+$": "Expected an Azure region such as westeurope.",
    "[\\w()-]$": "A resource group's name has 1 to 90 letters, digits, '.', '_', '-', '(' or ')'.",
    "Standard|Premium|Local": "Expected for example Standard_MeteredData or Premium_UnlimitedData.",
    "[A-Za-z_][A-Za-z0-9_]*$": "Expected the name of an environment variable, never the secret itself.",
    "0-9A-Za-z-]{1,127}": "A Key Vault secret's name has letters, digits and '-' only.",
    "\\s/": 'Spaces and / \\ ? # % & < > : " * | are not allowed in this name (R-CERTP-03).',
}


def explain(
    error: ValidationError, *, whole: bool = False, locate: Callable[[Location], str] | None = None
) -> tuple[Finding, ...]:
    """One finding for each problem.

    With `whole` the error is about a whole file and paths start at its top; otherwise it is about one constructor call
    and paths start with the class. `locate` says file and line of a path.
    """
    root = Part.models.get(error.title)
    found: dict[str, Finding] = {}
    for details in sorted(error.errors(include_url=False, include_context=True), key=_usefulness):
        location, model = _resolved(details["loc"], root)
        path = dotted(location)
        shown = path if whole else f"{error.title}.{path}".rstrip(".")
        place = locate(details["loc"]) if locate else ""
        finding = _finding(details, shown, model, place or shown)
        found.setdefault(shown, finding)
    for wrong in [finding for finding in found.values() if finding.rule == "T-FIELD"]:
        # A misspelt field that must be given is one mistake: the hint names what is missing.
        meant = re.fullmatch(r"Did you mean '(\w+)'\?", wrong.advice)
        missing = f"{wrong.address.rpartition('.')[0]}.{meant[1] if meant else ''}".lstrip(".")
        if missing in found and found[missing].rule == "T-MISSING":
            del found[missing]
    return tuple(sorted(found.values(), key=lambda finding: (finding.address, finding.rule)))


def _usefulness(details: ErrorDetails) -> int:
    """Of several errors at one place the one that says most: a rule before a missing type."""
    if re.match(r"^[A-Z]+-", details["type"]):
        return 0
    return 2 if details["type"] in ("is_instance_of", "string_type", "model_type") else 1


def _finding(details: ErrorDetails, path: str, model: type[BaseModel] | None, place: str) -> Finding:
    rule, detail, advice = _words(details, model)
    return Finding(
        rule=rule,
        level="error",
        address=path,
        summary=_SUMMARIES.get(rule, "A value is not acceptable"),
        detail=detail,
        advice=advice,
        location=place,
    )


_SUMMARIES = {
    "T-FIELD": "There is no such field",
    "T-MISSING": "A field is missing",
    "T-TYPE": "A value has the wrong type",
    "T-SECRET": "A secret stands in plain text",
    "T-SKU": "There is no such SKU",
    "T-CHOICE": "A value is not one of the allowed ones",
    "T-BOUNDS": "A value is out of bounds",
}


def _words(details: ErrorDetails, model: type[BaseModel] | None) -> tuple[str, str, str]:
    """Rule, detail and advice."""
    kind, context = details["type"], details.get("ctx") or {}
    last = str(details["loc"][-1]) if details["loc"] else ""
    if re.match(r"^[A-Z]+-", kind):
        return kind, details["msg"], ""
    if kind == "extra_forbidden":
        return ("T-FIELD", *_unknown_field(last, model))
    if kind == "missing":
        return "T-MISSING", f"{last} is required.", f"Add {last}."
    if kind == "literal_error":
        return ("T-CHOICE", *_choice(context, details["input"]))
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return "T-BOUNDS", words.format(context.get(name)), ""
    if kind == "string_pattern_mismatch":
        return _TEXT, _form(str(context.get("pattern", ""))), ""
    if kind in ("value_error", "assertion_error"):
        return _TEXT, re.sub(r"^(Value|Assertion) error, ", "", details["msg"]), ""
    return (_TEXT, *_structure(kind, context, model))


def _structure(kind: str, context: Mapping[str, Any], model: type[BaseModel] | None) -> tuple[str, str]:
    if kind in ("model_type", "model_attributes_type"):
        name = str(context.get("class_name", "")) or (model.__name__ if model else "")
        return f"Expected {name}.", f"Write {name}(...), in YAML a mapping with its fields."
    if kind == "is_instance_of":
        return _INSTANCES.get(str(context.get("class", "")), ("The value is not acceptable here.", ""))
    if kind.startswith("union_tag"):
        return "It is not clear what this is.", f"Write one of {_alternatives(model)}."
    return _SIMPLE.get(kind, "The value is not acceptable here."), ""


_INSTANCES = {
    "ArmId": ("Expected an ARM id.", "Write /subscriptions/<id>/resourceGroups/<group>/providers/<type>/<name>."),
    "Blueprint": ("Expected a blueprint.", "Write one with its kind, for example {kind: SiteToSite, name: ...}."),
}


def _alternatives(model: type[BaseModel] | None) -> str:
    named = {
        "ClientAccess": "EntraId(...), Certificates(...), Radius(...)",
        "PointToSite": "EntraId(...), Certificates(...), Radius(...)",
        "UserGroup": "EntraGroup(...), CertificateDomain(...), RadiusGroup(...)",
    }
    return named.get(model.__name__ if model else "", "the nouns that may stand here")


def _unknown_field(name: str, model: type[BaseModel] | None) -> tuple[str, str]:
    owner = model.__name__ if model else "This"
    if model and name in model.model_fields:  # one of several kinds may stand there, and another one was chosen
        return f"This kind has no field {name!r}.", f"It is one of {owner}."
    fields = sorted({field for each in _models(model) for field in each.model_fields})
    return f"{owner} has no field {name!r}.", suggestion(name, fields) or f"It has: {', '.join(fields)}."


def _choice(context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    expected = str(context.get("expected", ""))
    known = re.findall(r"'([^']+)'", expected)
    hint = suggestion(value, known) if isinstance(value, str) and known else ""
    return f"Expected {expected}.", hint


def _form(pattern: str) -> str:
    return next((words for part, words in _FORMS.items() if part in pattern), "The text does not have the right form.")


# --- where in the model --------------------------------------------------------------------------------------------


def _resolved(location: Location, root: type[BaseModel] | None) -> tuple[Location, type[BaseModel] | None]:
    """The location without what pydantic adds for unions, and the model that the last part belongs to."""
    kept: list[str | int] = []
    models: set[type[BaseModel]] = {root} if root else set()
    owner = root
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if isinstance(part, int):
            kept.append(part)
            continue
        if part.startswith("<"):
            models = _chosen(part.strip("<>"), models)
            continue
        annotations = [
            info.annotation
            for model in models
            for name, info in model.model_fields.items()
            if part in (name, info.alias)
        ]
        if not annotations and (not is_last or not _could_be_field(part, models)):
            continue
        owner = next((m for m in models if part in m.model_fields), next(iter(sorted(models, key=str)), owner))
        kept.append(part)
        models = {found for annotation in annotations for found in _models(annotation)} or models
    return tuple(kept), owner


def _chosen(tag: str, models: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """The member of a union that a tag of ours means: known by the one field that only it has."""
    if tag == "ours":
        return {model for model in models if "existing" not in model.model_fields}
    return {model for model in models if tag in model.model_fields}


def _could_be_field(part: str, models: set[type[BaseModel]]) -> bool:
    """An unknown field is the user's word; ``<ours>``, ``str`` or ``function-after[...]`` are pydantic's."""
    pydantic_words = ("function-", "is-instance", "str", "int", "tuple", "lax-or", "nullable", "tagged-union")
    return not part.startswith(pydantic_words) and part not in Part.models and bool(models)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            # Where a base class may stand, each of its kinds may.
            yield from (annotation, *(model for model in Part.models.values() if issubclass(model, annotation)))
        return
    for argument in typing.get_args(annotation):
        yield from _models(argument)
