"""What every noun of a blueprint shares: strictness, secrets by reference, SKUs by name, values used by name.

Knows no noun and no resource. Values are frozen, refuse unknown fields and never show their input in an error, since
an input may be a secret that somebody pasted. A wrong value raises `InvalidValue`, whoever makes the noun.
"""

import copy
import functools
import importlib
import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, TypeVar, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.annotated_handlers import GetCoreSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import InvalidValue
from vpngw_iac.field import Wire, rule_error, settled, share_fields_set
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.secret import SecretReference
from vpngw_iac.text import suggestion


class Sources:
    """Where the nouns of a blueprint file are made: for each the instruction of the user's own code, innermost first.

    Kept beside the nouns, so that equal values stay equal wherever they are written.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._folder = str(file), f"{file.resolve().parent}/"
        self._made: dict[int, tuple[Part, CodeType, int]] = {}

    def owns(self, code: CodeType) -> bool:
        """Whether this is code of the file, or of a module beside it."""
        name = code.co_filename
        return name == self._file or (name.startswith(self._folder) and "site-packages" not in name)

    def note(self, part: "Part") -> None:
        """Remember the line that is being run."""
        frame = sys._getframe(2)
        while frame is not None and not self.owns(frame.f_code):
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None:
            self._made[id(part)] = part, frame.f_code, frame.f_lasti

    def of(self, part: object) -> tuple[CodeType, int] | None:
        """Code and instruction that made a noun, if they were seen."""
        found = self._made.get(id(part))
        return found[1:] if found else None


class Part(BaseModel):
    """One noun of a blueprint. Equal values mean the same thing, wherever they are written."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    stands: ClassVar[str] = ""
    """Kind of the resource that the noun becomes and, for a value inside one, the path: ``VpnGateway: properties``."""

    instead: ClassVar[str] = ""
    """What gives all of its fields at once: ``IpsecPolicy.strong()``."""

    models: ClassVar[dict[str, "type[Part]"]] = {}
    """Every noun that is loaded, by its class name; `nouns` has those too that are not."""

    sources: ClassVar[Sources | None] = None
    """Where nouns are made is remembered here, while a file runs."""

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        if not cls.__name__.startswith("_"):
            Part.models[cls.__name__] = cls

    def model_post_init(self, _: Any, /) -> None:
        """Thousands of sites are written alike."""
        share_fields_set(self)

    if not TYPE_CHECKING:

        def __init__(self, /, *values: Any, **fields: Any) -> None:
            if values:
                raise _by_keyword(type(self), len(values))
            try:
                self.__pydantic_validator__.validate_python(fields, self_instance=self)
            except ValidationError as error:
                raise _invalid(error, fields) from None
            if Part.sources is not None:
                Part.sources.note(self)

        __init__.__pydantic_base_init__ = True  # a noun inside another one is not made by this

        def __copy__(self) -> Self:
            twin = super().__copy__()
            if Part.sources is not None:
                Part.sources.note(twin)
            return twin

        def __setattr__(self, name: str, value: Any) -> None:
            what = f"{type(self).__name__}.{name} cannot be changed: a blueprint is a value."
            raise InvalidValue(what, advice=f"Give {name} where it is made, or use model_copy(update={{...}}).")

        @classmethod
        def model_validate(cls, obj: Any, **settings: Any) -> Self:
            """A noun from a mapping; raises `InvalidValue`."""
            try:
                made = super().model_validate(obj, **settings)
            except ValidationError as error:
                raise _invalid(error, obj) from None
            if Part.sources is not None:
                Part.sources.note(made)
            return made

    def given_as_none(self, *fields: str) -> str:
        """``; got public_ip=None`` for those that were written, with nothing as their value."""
        none = [f"{name}=None" for name in fields if name in self.model_fields_set and getattr(self, name) is None]
        return f"; got {', '.join(none)}" if none else ""

    @model_validator(mode="before")
    @classmethod
    def _as_meant(cls, data: Any) -> Any:
        """What people write, as the fields have it.

        ``sites=berlin`` means ``sites=[berlin]``: a model is iterable, and its fields would pass for sites. A word is
        taken in any casing, and as Azure spells it: ``IkeV2``, ``InitiatorOnly``.
        """
        if not isinstance(data, Mapping):
            return data
        lists, choices = _shapes(cls)
        made = {name: (value,) if name in lists and isinstance(value, Part) else value for name, value in data.items()}
        for name in choices.keys() & made.keys():
            value, words = made[name], choices[name]
            if isinstance(value, str):
                made[name] = words.get(_folded(value), value)
            elif isinstance(value, list | tuple):
                made[name] = [words.get(_folded(v), v) if isinstance(v, str) else v for v in value]
        return made


settled(Part)


def _invalid(error: ValidationError, data: Any) -> InvalidValue:
    """Pydantic's error about what a noun was given, as ours."""
    from vpngw_iac.blueprints.explain import explain

    findings = explain(error, data)
    first = findings[0]
    return InvalidValue(f"{first.address}: {first.detail}", findings=findings, advice=first.advice)


def _by_keyword(noun: type[Part], count: int) -> InvalidValue:
    """What to write in place of values without their names."""
    fields = noun.model_fields
    own = sorted(fields, key=lambda n: (n != "name", not fields[n].is_required(), n not in noun.__annotations__))
    names = ", ".join(f"{name}=..." for name in own[:count])
    advice = f"Write {noun.__name__}({names})."
    return InvalidValue(f"{noun.__name__} takes its values by keyword, it got {count} without.", advice=advice)


@functools.cache
def _shapes(noun: type[Part]) -> tuple[frozenset[str], dict[str, dict[str, str]]]:
    """Names of the fields that are lists, and for each field that has a choice of words these by their folded form."""
    lists = frozenset(n for n, info in noun.model_fields.items() if get_origin(info.annotation) is tuple)
    choices: dict[str, dict[str, str]] = {}
    for name, info in noun.model_fields.items():
        words = {_folded(word): word for word in _literals(info.annotation)}
        for mark in info.metadata if words else ():
            azure = mark.values if isinstance(mark, Wire) and mark.values else {}
            words = {_folded(v): k for k, v in azure.items() if isinstance(k, str) and isinstance(v, str)} | words
        choices |= {name: words} if words else {}
    return lists, choices


def _folded(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (word for word in typing.get_args(annotation) if isinstance(word, str))
    elif not isinstance(annotation, type) or get_origin(annotation):
        for argument in typing.get_args(annotation):
            yield from _literals(argument)


class NamedPart:
    """A noun that addresses call by its label or its name."""

    if TYPE_CHECKING:
        label: str | None

        @property
        def name(self) -> str: ...

    @property
    def address_name(self) -> str:
        """How addresses call it."""
        return self.label or self.name


class ExistingPart(NamedPart):
    """A noun that stands for a resource which is only used."""

    if TYPE_CHECKING:
        existing: ArmId

    @property
    def name(self) -> str:
        """Its name in Azure."""
        return self.existing.name


if TYPE_CHECKING:
    Many = Sequence

    AnyId = str | ArmId
else:
    AnyId = ArmId

    class Many:
        """Several values: people write a list or a tuple, it is kept as a tuple."""

        def __class_getitem__(cls, item: Any) -> Any:
            return tuple[item, ...]


Tags = dict[str, str]
"""Tags as Azure keeps them: keys without case, values as written."""

Waive = Annotated[
    dict[str, str],
    Field(description='Findings that are accepted, rule id to reason: `{"R-LNG-06": "the device is behind NAT"}`.'),
]
"""Findings that are accepted: rule id to the reason, which stays visible in every report."""

OnRemoval = Annotated[
    Literal["delete", "forget"],
    Field(description="What happens in Azure when it is taken out of the blueprint: deleted, or left there."),
]
"""What happens in Azure when the part is removed from the blueprint: deleted, or left there and forgotten."""


# --- names ---------------------------------------------------------------------------------------------------------


def _name(value: str) -> str:
    if not value or len(value) > 80:
        raise rule_error("T-NAME", "A name has 1 to 80 characters.")
    if not (value[0].isalnum() and (value[-1].isalnum() or value[-1] == "_")):
        raise rule_error("T-NAME", f"The name {value!r} must start and end with a letter, a digit (or end with _).")
    if not all(c.isascii() and (c.isalnum() or c in "._-") for c in value):
        raise rule_error("T-NAME", f"The name {value!r} may hold letters, digits, '.', '_' and '-' only.")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""A name that Azure and our addresses accept: 1 to 80 letters, digits, ``.``, ``_``, ``-``, starting alphanumeric."""


def _label_name(value: str) -> str:
    if not value or len(value) > 260:
        raise rule_error("T-NAME", "A name has 1 to 260 characters.")
    if not value.isprintable() or any(c in "<>*%&:\\?/" for c in value):
        raise rule_error("T-NAME", f"The name {value!r} may not hold any of < > * % & : \\ ? / and control characters.")
    if value != value.strip() or value.endswith("."):
        raise rule_error("T-NAME", f"The name {value!r} may not begin or end with a blank, nor end with a dot.")
    return value


LabelName = Annotated[str, AfterValidator(_label_name)]
"""A name of a lock or a diagnostic setting: blanks may stand in it. Microsoft, "Naming rules for Azure resources"
(Microsoft.Insights)."""


# --- values used by their name ------------------------------------------------------------------------------------


_AS_TEXT = re.compile(r"\$(\w+$|[{(])|%\w+%$|\{\{|(env|file|key[-_]vault|generated):|(\w+\.)*(Secret|environ|getenv)\b")
"""How texts begin that were meant as references: ``${PSK}``, ``env:PSK``, ``Secret.env("PSK")``."""


def _in_plain_text(text: Any, where: str = "") -> PydanticCustomError:
    """The refusal of a text where a reference belongs; the text is not shown, it may be a secret."""
    if isinstance(text, str) and _AS_TEXT.match(text.strip()):
        says = 'A reference stands here as a text, and no text is filled in. Write Secret.env("NAME") without quotes'
        return rule_error("T-SECRET", f"{says} around it, and set that environment variable.")
    return rule_error(
        "T-SECRET",
        f'A secret stands here in plain text{where}. Write Secret.env("NAME") and set that environment variable.',
    )


@dataclass(frozen=True, slots=True)
class NamedValues:
    """The sections of a YAML or JSON file whose entries other places use by name."""

    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    directory: Path | None = None
    """Folder of the file: relative paths in it start here."""


class Named:
    """Allows the name of an entry of a file's section where a value is expected (``gateway: hub``)."""

    def __init__(self, section: str, write: str) -> None:
        self.section = section
        self.write = write

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def resolve(value: Any, info: core_schema.ValidationInfo) -> Any:
            return self._entry(value, info.context) if isinstance(value, str) else value

        return core_schema.with_info_before_validator_function(resolve, handler(source))

    def _entry(self, name: str, context: Any) -> Any:
        known = context.sections.get(self.section) or {} if isinstance(context, NamedValues) else {}
        found = known.get(name)
        if found is None:
            raise self._refusal(name, known, in_file=isinstance(context, NamedValues))
        if isinstance(found, Mapping) and self.section != "secrets" and not {"name", "existing"} & set(found):
            return {"name": name, **found}
        return found

    def _refusal(self, name: str, known: Iterable[str], *, in_file: bool) -> PydanticCustomError:
        """The text itself is not shown: it may be a secret."""
        if self.section == "secrets":
            close = suggestion(name, known)
            where = f" (or a name that is not under 'secrets:'. {close})" if close else ""
            return _in_plain_text(name, where)
        if not in_file:
            return rule_error("T-NAMED", f"A text stands here. Write {self.write}.")
        hint = suggestion(name, known) or f"Write it out here, or add it under '{self.section}:'."
        return rule_error("T-NAMED", f"There is no entry of that name under '{self.section}:'. {hint}")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        by_name = {"type": "string", "description": f"Name of an entry under '{self.section}:'."}
        return {"anyOf": [by_name, handler(schema)]}


def nouns() -> Mapping[str, type[Part]]:
    """Every noun by its class name, so that an error that names a model can tell which fields that model has."""
    importlib.import_module("vpngw_iac.blueprints.parts")
    return Part.models


def sections_of(field_name: str) -> tuple[str, ...]:
    """The sections whose entries a field of that name may name (``gateway: hub`` is one of `gateways`)."""
    found = {
        named.section
        for model in nouns().values()
        if (info := model.model_fields.get(field_name)) is not None
        for named in _named(info.annotation, info.metadata)
    }
    return tuple(sorted(found))


def _named(annotation: Any, metadata: Iterable[Any] = ()) -> Iterator[Named]:
    yield from (mark for mark in metadata if isinstance(mark, Named))
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *marks = typing.get_args(annotation)
        yield from _named(annotation, marks)
    else:
        for argument in typing.get_args(annotation):
            yield from _named(argument)


# --- short forms -----------------------------------------------------------------------------------------------------


class Short:
    """Accepts a short form before the field's own; the JSON Schema shows both."""

    def __init__(self, convert: Callable[[Any], Any], *schemas: JsonSchemaValue) -> None:
        self.convert = convert
        self.schemas = schemas

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.convert, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        own = handler(schema)
        items = own.get("items") or next(iter(own.get("prefixItems", ())), None)
        short = self.schemas or ((items,) if items else ())
        return {"anyOf": [*short, own]}


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str | BaseModel | Mapping) else value


listed = Short(_listed)
"""One value where several may stand is a list of one."""


def _both_sides(value: Any) -> Any:
    return value if value is None or (isinstance(value, list | tuple) and len(value) == 2) else (value, value)


if TYPE_CHECKING:
    T = TypeVar("T")
    Sides: TypeAlias = T | Sequence[T | None]
else:

    class Sides:
        """One value for both of two sides, or a list of two; kept as two."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Annotated[tuple[item | None, item | None], Short(_both_sides)]


# --- secrets -------------------------------------------------------------------------------------------------------

_SHORT_FORMS = ("env", "file", "key_vault", "generated")


def _secret(value: Any) -> Any:
    """Refuse a literal without showing it; ``{env: NAME}`` becomes a reference."""
    if isinstance(value, str | bytes | int | float):
        raise _in_plain_text(value)
    if isinstance(value, Mapping) and "source" not in value:
        forms = [form for form in _SHORT_FORMS if form in value]
        if len(forms) != 1 or len(value) != 1:
            raise rule_error("T-SECRET", "Write one of {env: NAME}, {file: PATH}, {key_vault: {vault, name}}.")
        return _long_form(forms[0], value[forms[0]])
    if not isinstance(value, Mapping | BaseModel | None):
        raise rule_error("T-TYPE", "Expected a reference to a secret.")
    return value


def _long_form(source: str, value: Any) -> dict[str, Any]:
    if source in ("env", "file"):
        what, name = ("the name of an environment variable", "name") if source == "env" else ("a path", "path")
        if value is None:
            raise rule_error("T-SECRET", f"Expected {what} after {source}: {{{source}: {name.upper()}}}.")
        return {"source": source, name: value}
    if not isinstance(value, Mapping):
        raise rule_error("T-SECRET", f"Write {{{source}: {{vault: VAULT, name: NAME}}}}.")
    return {**value, "source": source}


def _in_vault(description: str, *fields: str) -> JsonSchemaValue:
    return {
        "type": "object",
        "description": description,
        "properties": {field: {"type": "string"} for field in fields},
        "required": ["vault", "name"],
        "additionalProperties": False,
    }


SECRET_SCHEMA: Final[JsonSchemaValue] = {
    "type": "object",
    "description": "Where a secret's value is found: exactly one of these. The value itself is refused.",
    "properties": {
        "env": {"type": "string", "description": "An environment variable, read at apply: `Secret.env(NAME)`."},
        "file": {
            "type": "string",
            "description": "A file, its text without the trailing newline; a relative path starts at the blueprint's "
            "folder: `Secret.file(PATH)`.",
        },
        "key_vault": _in_vault(
            "`vault` (name or URL), `name` and perhaps `version` of a secret in Azure Key Vault; without a version the "
            "newest at apply: `Secret.key_vault(VAULT, NAME)`.",
            "vault",
            "name",
            "version",
        ),
        "generated": _in_vault(
            "`vault` and `name`: made at the first apply if absent, kept in Key Vault, never overwritten: "
            "`Secret.generated(VAULT, NAME)`.",
            "vault",
            "name",
        ),
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
"""A secret as files write it; the schema of a file has it once, as ``Secret``."""


class _ShortSecret(Short):
    """In a file a secret is written in its short form; the long one is for saved documents."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return copy.deepcopy(SECRET_SCHEMA)


_SHORT_SECRET = _ShortSecret(_secret)

SecretField = Annotated[SecretReference, _SHORT_SECRET, Named("secrets", 'Secret.env("NAME")')]
"""Where a secret's value is found; a value itself is refused and not shown."""

Rotation = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/ +-]*$")]
"""What tells one rotation of a secret from the one before: a month, a ticket; never a part of the secret."""


# --- SKUs ----------------------------------------------------------------------------------------------------------


class Sku(Part):
    """A SKU that this version does not know, sent as it is written: ``Sku.other("VpnGw6AZ")``."""

    name: Annotated[str, Field(alias="other", min_length=1)]

    @classmethod
    def other(cls, name: str) -> "Sku":
        """Use a SKU name without checking it against the list."""
        return cls(name=name)


def sku_field(family: str, known: tuple[str, ...]) -> AfterValidator:
    """A validator that corrects the casing of a known SKU and refuses an unknown text with a suggestion (R-SKU-22)."""
    spelling = {name.lower(): name for name in known}

    def check(value: str | Sku) -> str | Sku:
        if isinstance(value, Sku) or value.lower() in spelling:
            return value if isinstance(value, Sku) else spelling[value.lower()]
        hint = suggestion(value, known) or f"Known are {', '.join(known)}."
        raise rule_error(
            "T-SKU", f"{value!r} is not {family} SKU. {hint} If Azure has it by now: Sku.other({value!r})."
        )

    return AfterValidator(check)


def sku_name(sku: str | Sku) -> str:
    """The name on the wire."""
    return sku.name if isinstance(sku, Sku) else sku


# --- ids -------------------------------------------------------------------------------------------------------------


def ids_only(what: str) -> Callable[[ArmId], ArmId]:
    """A validator: the id must be of this ARM type."""

    def check(value: ArmId) -> ArmId:
        if value.type.lower() != what.lower():
            raise rule_error("T-ID", f"Expected the id of a {what}, this one names a {value.type}.")
        return value

    return check


def _existing_or_new(value: Any) -> str:
    """Discriminator of a part that is either ours or only used: the latter is written with ``existing: <id>``."""
    if isinstance(value, Mapping):
        return "<existing>" if "existing" in value else "<ours>"
    return "<existing>" if isinstance(getattr(value, "existing", None), ArmId) else "<ours>"


if TYPE_CHECKING:
    New = TypeVar("New")
    Old = TypeVar("Old")
    OursOrExisting: TypeAlias = New | Old
else:

    class OursOrExisting:
        """A part that is ours, or one that is only used."""

        def __class_getitem__(cls, item: Any) -> Any:
            ours, existing = item
            union = Annotated[ours, Tag("<ours>")] | Annotated[existing, Tag("<existing>")]
            return Annotated[union, Discriminator(_existing_or_new)]
