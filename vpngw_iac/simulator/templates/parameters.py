"""What a template is given: its parameters, checked as Azure checks them before anything begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vpngw_iac.simulator.templates.checks import TYPES, as_text, is_type, type_name
from vpngw_iac.simulator.templates.errors import TemplateError

SECURE = frozenset({"securestring", "secureobject"})
_TYPES = {**TYPES, "securestring": str, "secureobject": dict}
_ANSWERED = {"securestring": "SecureString", "secureobject": "SecureObject"}


def answered_type(told: Mapping[str, Any]) -> str:
    """The type of a parameter or an output as Azure answers it (``test_network_vpn_connection_ipsec``)."""
    name = str(told.get("type", "")).lower()
    return _ANSWERED.get(name, name.capitalize())


def is_secure(told: Mapping[str, Any]) -> bool:
    """Whether Azure never tells the value."""
    return str(told.get("type", "")).lower() in SECURE


def parameter_values(
    told: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], default: Callable[[Mapping[str, Any], Any], Any]
) -> dict[str, Any]:
    """The value of each parameter by its name in lower case; raises `TemplateError`.

    `default` works out a default that is an expression: it gets the parameters, to ask them for others.
    """
    known = {name.lower() for name in told}
    if strangers := [name for name in given if name.lower() not in known]:
        raise TemplateError(
            f"The template parameters '{', '.join(strangers)}' in the parameters file are not valid; they are not "
            "present in the original template and can therefore not be provided at deployment time. The only supported "
            f"parameters for this template are '{', '.join(told)}'. Please see "
            "https://aka.ms/arm-pass-parameter-values for usage details."
        )
    values = _Values(told, {name.lower(): value for name, value in given.items()}, default)
    return {name.lower(): values[name.lower()] for name in told}


class _Values(Mapping[str, Any]):
    """The parameters, each worked out when it is asked for: a default may name any other parameter."""

    def __init__(
        self,
        told: Mapping[str, Mapping[str, Any]],
        given: Mapping[str, Any],
        default: Callable[[Mapping[str, Any], Any], Any],
    ) -> None:
        self._told = {name.lower(): (name, each) for name, each in told.items()}
        self._given, self._default = given, default
        self._known: dict[str, Any] = {}
        self._open: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def __getitem__(self, key: str) -> Any:
        name, told = self._told[key]
        if key in self._known:
            return self._known[key]
        if key in self._open:
            raise TemplateError(
                f"The template parameter '{name}' is not valid: its default value refers to itself. Please see "
                "https://aka.ms/arm-syntax-parameters for usage details."
            )
        self._open.add(key)
        self._known[key] = value = self._value(name, told)
        return value

    def _value(self, name: str, told: Mapping[str, Any]) -> Any:
        if self._given.get(name.lower()) is not None:
            value = self._given[name.lower()]
        elif "defaultValue" in told:
            value = self._default(self, told["defaultValue"])
        elif told.get("nullable") is True:
            return None
        else:
            raise TemplateError(
                f"The value for the template parameter '{name}' is not provided. Please see "
                "https://aka.ms/arm-create-parameter-file for usage details."
            )
        check_value(f"template parameter '{name}'", told, value)
        return value


def check_value(what: str, told: Mapping[str, Any], value: Any) -> None:
    """Raise `TemplateError` for a value that its declaration does not allow; the text never holds a secure value."""
    wanted = _TYPES.get(str(told.get("type", "")).lower())
    if wanted is None and "$ref" not in told:
        raise TemplateError(
            f"The {what} is not valid: the type '{told.get('type', '')}' is not one of "
            "'string, securestring, int, bool, object, secureObject, array'."
        )
    if wanted is not None and not is_type(value, wanted):
        raise _wrong(
            what, f"Expected a value of type '{answered_type(told)}', but received a value of type '{type_name(value)}'"
        )
    _check_allowed(what, told, value)
    _check_size(what, told, value)


def _check_allowed(what: str, told: Mapping[str, Any], value: Any) -> None:
    allowed = told.get("allowedValues")
    if allowed is None or value in allowed or (isinstance(value, list) and all(item in allowed for item in value)):
        return
    shown = "The value" if is_secure(told) else f"The value '{as_text(value)}'"
    raise _wrong(what, f"{shown} is not part of the allowed value(s): '{','.join(map(as_text, allowed))}'")


def _check_size(what: str, told: Mapping[str, Any], value: Any) -> None:
    length = len(value) if isinstance(value, str | list) else None
    number = value if is_type(value, int) else None
    for word, size in (("Length", length), ("Value", number)):
        if size is None:
            continue
        least, most = told.get(f"min{word}"), told.get(f"max{word}")
        if least is not None and size < least:
            raise _wrong(what, f"{word} of the value should be greater than or equal to '{least}'")
        if most is not None and size > most:
            raise _wrong(what, f"{word} of the value should be less than or equal to '{most}'")


def _wrong(what: str, why: str) -> TemplateError:
    return TemplateError(
        f"The provided value for the {what} is not valid. {why}. Please see "
        "https://aka.ms/arm-parameter-file for usage details."
    )
