"""Python in a sentence as YAML says it: ``ipsec=IpsecPolicy.strong()`` becomes ``ipsec: strong``."""

from __future__ import annotations

import ast
import json
import re
import typing

from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.part import nouns

_START = re.compile(
    r"(?<![\w.`'\"])(?P<name>[a-z][a-z_]*)=(?=[\w\"'\[({])|(?<![\w.])[A-Z]\w+(\.\w+)?\(|(?<!\w)\.existing\("
)
_PLAIN = re.compile(r"[A-Za-z][\w./-]*|\d+(\.\d+){3}(/\d+)?|\.\.\.")
_WORDS = {"got None": "got nothing", "got True": "got true", "got False": "got false", "True or False": "true or false"}
_KEPT_WORDS = ("true", "false", "null", "yes", "no", "on", "off")


def in_yaml(text: str) -> str:
    """The sentence for somebody who writes YAML or JSON; what is no Python stays as it is."""
    said, at = "", 0
    for python, word in _WORDS.items():
        text = re.sub(rf"\b{python}\b", word, text)
    for start in _START.finditer(text):
        if start.start() < at or not _is_ours(start):
            continue
        end = _end(text, start)
        try:
            written = _written(text[start.start() : end])
        except (SyntaxError, ValueError):
            continue
        said, at = said + text[at : start.start()] + written, end
    return said + text[at:]


def _is_ours(start: re.Match[str]) -> bool:
    """Whether a field of a noun is given, or a noun made."""
    if start["name"]:
        return any(start["name"] in noun.model_fields for noun in nouns().values())
    word = re.split(r"[.(]", start[0])[0]
    return word in nouns() or word in ("Secret", "")


def _end(text: str, start: re.Match[str]) -> int:
    """Where the expression ends: at the bracket that closes it, or after a word, a number or a quoted text."""
    depth, at = 0, start.end() - (not start["name"])
    while at < len(text):
        if text[at] in "\"'":
            at = text.find(text[at], at + 1)
            if at < 0:
                return len(text)
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
        if depth == 0 and not re.match(r"[\w(\[]|\.\w", text[at:]):
            return at
    return len(text)


def _written(python: str) -> str:
    if python.startswith(".existing"):
        return f"existing: {_flow(_parsed('X' + python))[1:-1].removeprefix('existing: ')}"
    if re.match(r"[a-z_]+=", python):
        (keyword,) = typing.cast("ast.Call", _parsed(f"f({python})")).keywords
        return f"{keyword.arg}: {_flow(keyword.value)}"
    made = typing.cast("ast.Call", _parsed(python))
    noun = made.func.id if isinstance(made.func, ast.Name) else ast.unparse(made.func).partition(".")[0]
    field = _field_of(noun)
    return f"{field}: {_flow(made)}" if field else _flow(made)


def _parsed(python: str) -> ast.expr:
    return ast.parse(python, mode="eval").body


def _field_of(noun: str) -> str:
    """The field that holds such a noun, where it is written without one."""
    if noun in kinds() or noun == "Secret":
        return ""
    models = nouns().values()
    fields = {n for model in models for n, i in model.model_fields.items() if nouns()[noun] in _nouns(i.annotation)}
    return min(fields, key=lambda name: (name.rstrip("s") not in noun.lower(), name), default="")


def _nouns(annotation: typing.Any) -> set[typing.Any]:
    return {annotation}.union(*(_nouns(argument) for argument in typing.get_args(annotation)))


def _flow(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text if _PLAIN.fullmatch(text) and text.lower() not in _KEPT_WORDS else json.dumps(text)
        case ast.Constant(value=value):
            return "..." if value is Ellipsis else json.dumps(value)
        case ast.List() | ast.Tuple():
            return f"[{', '.join(_flow(item) for item in node.elts)}]"
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return "{" + ", ".join(f"{_flow(key)}: {_flow(value)}" for key, value in pairs if key) + "}"
        case ast.Call():
            return _mapping(node)
    return ast.unparse(node)


def _mapping(call: ast.Call) -> str:
    """A noun that is made, as a mapping of its fields."""
    way = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    noun = owner.id if isinstance(owner, ast.Name) else ""
    if noun == "IpsecPolicy" and way:
        return way
    given = [_flow(value) for value in call.args]
    fields = [f"{keyword.arg}: {_flow(keyword.value)}" for keyword in call.keywords]
    if noun in kinds():
        fields.insert(0, f"kind: {noun}")
    if way in ("env", "existing", "other"):
        given = [f"{way}: {value}" for value in given]
    elif way == "file" and noun == "Secret":
        given = [f"file: {value}" for value in given]
    elif way in ("key_vault", "generated"):
        names = zip(("vault", "name", "version"), given, strict=False)
        given = [f"{way}: {{{', '.join(f'{name}: {value}' for name, value in names)}}}"]
    elif way in ("ingress", "egress"):
        given = [f"direction: {way}", *given]
    elif way:  # RootCertificate.file(name, path)
        given = [f"{name}: {value}" for name, value in zip(("name", way), given, strict=False)]
    return "{" + ", ".join([*given, *fields]) + "}"
