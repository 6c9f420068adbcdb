"""Turns pydantic's errors into findings for people: where it is, what is wrong, what to write. Never shows an input."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.part import Part, nouns
from vpngw_iac.errors import Finding
from vpngw_iac.paths import dotted
from vpngw_iac.text import in_words, suggestion

Location = tuple[str | int, ...]

_TEXT = "T-TYPE"

_SIMPLE: dict[str, str] = {
    "string_type": "Expected a text in quotes",
    "int_type": "Expected a whole number",
    "int_parsing": "Expected a whole number",
    "int_parsing_size": "Expected a whole number of fewer digits",
    "int_from_float": "Expected a whole number",
    "float_type": "Expected a number",
    "bool_type": "Expected True or False",
    "bool_parsing": "Expected True or False",
    "tuple_type": "Expected a list",
    "list_type": "Expected a list",
    "dict_type": "Expected a mapping of names to values",
    "none_required": "Nothing may stand here",
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
    error: ValidationError, data: Any, *, whole: bool = False, locate: Callable[[Location], str] | None = None
) -> tuple[Finding, ...]:
    """One finding for each problem of `data`; what one noun lacks is one problem.

    With `whole` the error is about a whole file and paths start at its top; otherwise it is about one constructor call
    and paths start with the class. `locate` says file and line of a path.
    """
    root = nouns().get(error.title)
    found: dict[Location, Finding] = {}
    missing: dict[Location, dict[str, type[BaseModel] | None]] = {}

    def tell(location: Location, at: Location, words: tuple[str, str, str]) -> None:
        rule, detail, advice = words
        path = dotted(location) if whole else f"{error.title}.{dotted(location)}".rstrip(".")
        found.setdefault(
            location,
            Finding(
                rule=rule,
                address=path,
                summary=_SUMMARIES.get(rule, "A value is not acceptable"),
                detail=of_element(detail, _elements(data, at, "" if whole else error.title)),
                advice=advice,
                location=(locate(at) if locate else "") or path,
            ),
        )

    for details in sorted(error.errors(include_url=False, include_context=True), key=_usefulness):
        location, model = _resolved(details["loc"], root)
        if details["type"] == "missing":
            missing.setdefault(location[:-1], {})[str(location[-1])] = model
        else:
            tell(location, details["loc"], _words(details, model, in_file=whole))
    for holder, lacking in missing.items():
        # A misspelt field that must be given is one mistake: the hint names what is missing.
        wrong = [f.advice for at, f in found.items() if f.rule == "T-FIELD" and at[:-1] == holder]
        names = [name for name in lacking if f"Did you mean {name!r}?" not in wrong]
        if names:
            only = names if len(names) == 1 else []
            tell((*holder, *only), (*holder, *only), _lacks(names, lacking[names[0]]))
    return tuple(sorted(found.values(), key=lambda finding: (finding.address, finding.rule)))


def _lacks(names: list[str], model: type[BaseModel] | None) -> tuple[str, str, str]:
    whole = model.instead if model is not None and issubclass(model, Part) else ""
    told = ", ".join(names)
    advice = f"Add {told}" + (f", or take a whole one: {whole}." if whole and len(names) > 1 else ".")
    return "T-MISSING", f"{told} {'is' if len(names) == 1 else 'are'} required.", advice


def _usefulness(details: ErrorDetails) -> int:
    """Of several errors at one place the one that says most: a rule before a missing type."""
    if re.match(r"^[A-Z]+-", details["type"]):
        return 0
    return 2 if details["type"] in ("is_instance_of", "string_type", "model_type") else 1


_SUMMARIES = {
    "T-FIELD": "There is no such field",
    "T-MISSING": "A field is missing",
    "T-TYPE": "A value has the wrong type",
    "T-SECRET": "A secret is not given by reference",
    "T-SKU": "There is no such SKU",
    "T-CHOICE": "A value is not one of the allowed ones",
    "T-BOUNDS": "A value is out of bounds",
}


def _words(details: ErrorDetails, model: type[BaseModel] | None, *, in_file: bool) -> tuple[str, str, str]:
    """Rule, detail and advice."""
    kind, context, value = details["type"], details.get("ctx") or {}, details["input"]
    last = str(details["loc"][-1]) if details["loc"] else ""
    if kind == "T-TYPE":
        return (kind, *_with_got(details["msg"], value))
    if re.match(r"^[A-Z]+-", kind):
        return kind, details["msg"], ""
    if kind == "extra_forbidden":
        return ("T-FIELD", *_unknown_field(last, model))
    if kind == "literal_error":
        return ("T-CHOICE", *_choice(context, value))
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return "T-BOUNDS", words.format(context.get(name)), ""
    if kind == "string_pattern_mismatch":
        return _TEXT, _form(str(context.get("pattern", ""))), ""
    if kind in ("value_error", "assertion_error"):
        return _TEXT, re.sub(r"^(Value|Assertion) error, ", "", details["msg"]), ""
    expected, advice = _structure(details, model, in_file=in_file)
    told, better = _with_got(expected, value)
    return _TEXT, told, better or advice


def _structure(details: ErrorDetails, model: type[BaseModel] | None, *, in_file: bool) -> tuple[str, str]:
    """What was expected, and what to write."""
    kind, context, value = details["type"], details.get("ctx") or {}, details["input"]
    if kind in ("model_type", "model_attributes_type"):
        name = str(context.get("class_name", "")) or (model.__name__ if model else "")
        fields = nouns()[name].model_fields if name in nouns() else {}
        needed = [field for field, info in fields.items() if info.is_required()] or list(fields)[:3]
        written = f"a mapping: {{{': ..., '.join(needed)}: ..., ...}}" if in_file else f"{name}(...)"
        return f"Expected {name}", f"Write {written}."
    if kind == "is_instance_of":
        return _INSTANCES.get(str(context.get("class", "")), ("The value is not acceptable here", ""))
    if kind.startswith("union_tag"):
        return "It is not clear what this is", f"Write one of {_alternatives(model, in_file=in_file)}."
    advice = _AS_LIST[in_file] if kind in ("tuple_type", "list_type") and isinstance(value, Mapping) else ""
    return _SIMPLE.get(kind, "The value is not acceptable here"), advice


_AS_LIST = ("Write a list: [...].", "Begin each entry with a dash: - name: ...")
_INSTANCES = {
    "ArmId": ("Expected an ARM id", "Write /subscriptions/<id>/resourceGroups/<group>/providers/<type>/<name>."),
    "Blueprint": ("Expected a blueprint", "Write one with its kind, for example {kind: SiteToSite, name: ...}."),
}


def _with_got(expected: str, value: Any) -> tuple[str, str]:
    """``Expected a list, got None.`` and, where what stands there says it, what to do. Never shows a text or number."""
    what, advice = got(value)
    expected = expected.rstrip(".")
    return (f"{expected}, got {what}." if what else f"{expected}."), advice


def got(value: Any) -> tuple[str, str]:
    """What stands there, without showing a text or a number, and what to write if that is plain."""
    if value is None or isinstance(value, bool):
        return str(value), ""
    if isinstance(value, type):
        return f"the class {value.__name__}", f"Write {getattr(value, 'instead', '') or f'{value.__name__}(...)'}."
    if callable(value):
        name = str(getattr(value, "__qualname__", "")).rpartition("<locals>.")[2]
        if not name.isprintable() or "<" in name:
            return "a function", ""
        values = "..." if _takes_values(value) else ""
        return f"the {'method' if '.' in name else 'function'} {name}", f"Call it: {name}({values})."
    if isinstance(value, BaseModel):
        called = getattr(value, "name", None)
        noun = type(value).__name__
        return f"the {noun} {called!r}" if isinstance(called, str) else f"a {noun}", ""
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], BaseModel):
        return f"a tuple with one {type(value[0]).__name__}", "Take away the comma that makes a tuple of it."
    words = {str: "a text", bytes: "bytes", int: "a number", float: "a number with a fraction", Mapping: "a mapping"}
    words |= {tuple: "a tuple", Iterable: "a list"}
    found = next((word for kind, word in words.items() if isinstance(value, kind)), "")
    if found and type(value).__module__ in ("builtins", "vpngw_iac.blueprints.part"):
        return found, ""
    name = type(value).__name__
    instead = getattr(value, "instead", "")
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}", f"Write {instead or 'str(...) around it'}."


def _takes_values(function: Callable[..., Any]) -> bool:
    try:
        return bool(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return True


_WAYS_IN = {"EntraId": "tenant", "Certificates": "roots", "Radius": "servers"}
_MEMBERS = {"EntraGroup": "id", "CertificateDomain": "name", "RadiusGroup": "value"}
_NOUNS = {"ClientAccess": _WAYS_IN, "PointToSite": _WAYS_IN, "UserGroup": _MEMBERS}


def _alternatives(model: type[BaseModel] | None, *, in_file: bool) -> str:
    """The nouns that may stand in a place, each told by the one field that it must have."""
    nouns = _NOUNS.get(model.__name__ if model else "", {})
    written = [f"{{{field}: ...}}" if in_file else f"{noun}(...)" for noun, field in nouns.items()]
    return ", ".join(written) or "the nouns that may stand here"


def _unknown_field(name: str, model: type[BaseModel] | None) -> tuple[str, str]:
    owner = model.__name__ if model else "This"
    if model and name in model.model_fields:  # one of several kinds may stand there, and another one was chosen
        return f"This kind has no field {name!r}.", f"It is one of {owner}."
    fields = sorted({field for each in _models(model) for field in each.model_fields})
    return f"{owner} has no field {name!r}.", suggestion(name, fields) or f"It has: {', '.join(fields)}."


def _choice(context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    expected = str(context.get("expected", ""))
    known = re.findall(r"'([^']+)'", expected)
    if not isinstance(value, str):
        return _with_got(f"Expected {expected}", value)
    return f"Expected {expected}.", suggestion(value, known) if known else ""


def _form(pattern: str) -> str:
    return next((words for part, words in _FORMS.items() if part in pattern), "The text does not have the right form.")


# --- which element -------------------------------------------------------------------------------------------------


def _elements(data: Any, location: Location, title: str) -> list[str]:
    """``site 'berlin'``, ``link 'telekom'``: the named items of lists on the way, and with `title` the noun itself."""
    found = [_element(in_words(title), data)] if title and title not in kinds() else []
    field = ""
    for step in location:
        inner = part_at(data, step)
        if inner is None:
            continue  # a tag of a union
        data = inner
        if isinstance(step, int):
            noun = type(data).__name__ if isinstance(data, Part) else field.removesuffix("s").replace("_", " ")
            found.append(_element(in_words(noun), data))
        else:
            field = step
    return [element for element in found if element]


def _element(noun: str, value: Any) -> str:
    name = part_at(value, "name")
    return f"{noun} {name!r}" if isinstance(name, str) and 0 < len(name) <= 80 else ""


def part_at(value: Any, step: str | int) -> Any:
    """What stands one step further in a mapping, a list or a noun; None if nothing does."""
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(step, int):
        return value[step] if isinstance(value, list | tuple) and step < len(value) else None
    return getattr(value, step, None) if isinstance(value, BaseModel) else None


def of_element(detail: str, elements: list[str]) -> str:
    """The detail, after the elements that it does not name itself: ``Site 'berlin', link 'telekom': ...``."""
    if all(re.search(r"'.*'", element)[0] in detail for element in elements):  # type: ignore[index]
        return detail
    told = ", ".join(elements)
    inner = re.match(r"[A-Z][\w ]+ '[^']+'(, [a-z ]+ '[^']+')*: ", detail)
    rest = f", {detail[0].lower()}{detail[1:]}" if inner else f": {detail}"
    return f"{told[0].upper()}{told[1:]}{rest}"


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
    of_pydantic = re.fullmatch(r"str|int|float|bool|dict|list|tuple|[a-z-]+\[.*\]", part)
    return not of_pydantic and part not in nouns() and bool(models)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            # Where a base class may stand, each of its kinds may.
            yield from (annotation, *(model for model in nouns().values() if issubclass(model, annotation)))
        return
    for argument in typing.get_args(annotation):
        yield from _models(argument)
