"""Law: every function, method, verb of a port, constant and attribute is used in the package, or is in ``__all__``.

Read from the syntax trees, by name: a function is used by its name or through its module, a method through a value, and
through ``self`` only by its own family. What calls itself, or is only relayed by namesakes that nobody calls (a verb of
a port and of what implements it), is called by nobody.
"""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import vpngw_iac

PACKAGE = Path(vpngw_iac.__file__).parent

REGISTERED = ("rule(", "command(", "app.", "model_validator(", "field_validator(", "model_serializer(", "overload")
"""Decorators that hand a function to somebody who calls it."""

CALLED_BY_OTHERS: dict[str, str] = {
    "cli.options.LateCommand.*": "Typer reads and calls it as it does any command's",
    "report.progress.Quiet.quiet": "rich's console reads it",
    "simulator.server._Handler.close_connection": "the library's server reads it",
    "state.log.Logged*.ended*": "printed with all other fields, by asdict",
    "simulator.types.*.KIND": "the folder is the registry: found by this name",
    "verify.signatures.Signature.quoted": "the line that each phrase is held against, by tests",
    "simulator.vault.*.enable": "a hand of tests: somebody disables a secret",
    "simulator.vault.*.recover": "a hand of tests: somebody has a deleted secret back",
    "simulator.vault.*.purge": "a hand of tests: somebody purges a secret",
    "simulator.simulator.Simulator.finish": "a hand of tests: ends what is in flight",
    "simulator.simulator.Simulator.migrate": "a hand of tests: what Microsoft does to SKUs",
    "simulator.simulator.Simulator.next_event": "a hand of tests: when something will end",
}
"""What is called by others than the package's own code, and by whom."""


@dataclass(frozen=True)
class Definition:
    """Something with a name that others may use."""

    module: str
    owner: str
    name: str
    handed_on: bool = False
    """A decorator calls it."""

    def __str__(self) -> str:
        return ".".join(part for part in (self.module, self.owner, self.name) if part)


@dataclass(frozen=True)
class Use:
    """A name that is loaded in a function (or outside of any), through ``self`` of a class or not."""

    inside: Definition | None
    of_self: str = ""


@dataclass
class Code:
    """A package as far as this law looks at it."""

    definitions: list[Definition] = field(default_factory=list)
    functions: dict[str, set[Use]] = field(default_factory=lambda: defaultdict(set))
    methods: dict[str, set[Use]] = field(default_factory=lambda: defaultdict(set))
    bases: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Names of the base classes of each class."""

    def add(self, module: str, text: str) -> None:
        """Read one module."""
        tree = ast.parse(text)
        _Reader(self, module, _module_names(tree)).visit(tree)

    def related(self, one: str, other: str) -> bool:
        """Whether one class is the other, or inherits from it."""
        return one == other or other in self._ancestors(one) or one in self._ancestors(other)

    def _ancestors(self, name: str) -> set[str]:
        direct = self.bases.get(name, set())
        return direct | {far for base in direct if base != name for far in self._ancestors(base)}

    def uses_of(self, item: Definition) -> Iterator[Use]:
        """Where it is used, itself left out."""
        for use in (self.methods if item.owner else self.functions)[item.name]:
            if use.inside != item and (not use.of_self or self.related(use.of_self, item.owner)):
                yield use

    def without_a_caller(self, public: Iterable[str] = ()) -> list[Definition]:
        """What nobody calls; names in `public`, and methods of classes in it, are called by users."""
        known, called = set(public), set[Definition]()
        while fresh := {
            item for item in self.definitions if item not in called and self._is_called(item, known, called)
        }:
            called |= fresh
        return [item for item in self.definitions if item not in called]

    def _is_called(self, item: Definition, public: set[str], called: set[Definition]) -> bool:
        if item.handed_on or item.name in public or item.owner in public or item.name.startswith("__"):
            return True
        return any(
            use.inside is None or use.inside.name != item.name or use.inside in called for use in self.uses_of(item)
        )


class _Reader(ast.NodeVisitor):
    def __init__(self, code: Code, module: str, modules: set[str]) -> None:
        self._code, self._module, self._modules = code, module, modules
        self._class, self._is_dataclass = "", False
        self._inside: Definition | None = None

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._code.bases[node.name] |= {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
        before = self._class, self._is_dataclass
        self._class = node.name
        self._is_dataclass = any("dataclass" in ast.unparse(found) for found in node.decorator_list)
        self.generic_visit(node)
        self._class, self._is_dataclass = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        handed_on = any(ast.unparse(found).startswith(REGISTERED) for found in node.decorator_list)
        before = self._inside
        if self._inside is None:
            self._inside = Definition(self._module, self._class, node.name, handed_on)
            self._code.definitions.append(self._inside)
        self.generic_visit(node)
        self._inside = before

    def visit_Assign(self, node: ast.Assign) -> None:
        self._constants(node.targets)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._constants([node.target])
        self.generic_visit(node)

    def _constants(self, targets: Iterable[ast.expr]) -> None:
        for target in (part for whole in targets for part in ast.walk(whole)):
            if isinstance(target, ast.Name) and self._inside is None and (not self._class or self._is_dataclass):
                self._define(self._class, target.id)
            elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                self._define(self._class, target.attr)

    def _define(self, owner: str, name: str) -> None:
        item = Definition(self._module, owner, name)
        if item not in self._code.definitions:
            self._code.definitions.append(item)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._code.functions[node.id].add(Use(self._inside))
            if self._class and self._inside is None:
                self._code.methods[node.id].add(Use(None, self._class))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if isinstance(node.ctx, ast.Load):
            kinds = self._code.functions if name in self._modules else self._code.methods
            kinds[node.attr].add(Use(self._inside, self._class if name in ("self", "cls") else ""))
        self.generic_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        for name in node.kwd_attrs:
            self._code.methods[name].add(Use(self._inside))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) == "getattr" and isinstance(node.args[1], ast.Constant):
            self._code.methods[str(node.args[1].value)].add(Use(self._inside))
        self.generic_visit(node)


def _module_names(tree: ast.Module) -> set[str]:
    """Names that mean modules here: their attributes are functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            folder = PACKAGE.parent / (node.module or "").replace(".", "/")
            found |= {a.asname or a.name for a in node.names if (folder / f"{a.name}.py").exists()}
            found |= {a.asname or a.name for a in node.names if (folder / a.name).is_dir()}
    return found


def _is_promised_to_others(item: Definition) -> bool:
    """Whether a class of another library has this method too, and calls it."""
    if not item.owner:
        return False
    owner = getattr(importlib.import_module(f"vpngw_iac.{item.module}"), item.owner, None)
    others = [base for base in getattr(owner, "__mro__", ()) if not base.__module__.startswith("vpngw_iac")]
    return any(hasattr(base, item.name) for base in others)


def the_package() -> Code:
    code = Code()
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        code.add(".".join(part for part in parts if part != "__init__"), file.read_text(encoding="utf-8"))
    return code


def test_everything_has_a_caller() -> None:
    lonely = [item for item in the_package().without_a_caller(vpngw_iac.__all__) if not _is_promised_to_others(item)]

    assert [str(item) for item in lonely if not any(fnmatch(str(item), name) for name in CALLED_BY_OTHERS)] == []


def test_no_reason_is_given_for_what_has_a_caller() -> None:
    lonely = [str(item) for item in the_package().without_a_caller(vpngw_iac.__all__)]

    assert [name for name in CALLED_BY_OTHERS if not any(fnmatch(item, name) for item in lonely)] == []


def found_in(text: str) -> list[str]:
    code = Code()
    code.add("one", text)
    return [str(item) for item in code.without_a_caller(["shown"])]


def test_what_nobody_calls_is_found() -> None:
    assert found_in("LIMIT = 3\ndef shown(): return f()\ndef f(): return 1\ndef g(): return g()\n") == [
        "one.LIMIT",
        "one.g",
    ]


def test_a_verb_that_is_only_relayed_is_found() -> None:
    relay = """
class Port:
    def ask(self): ...
class Cloud(Port):
    def ask(self): return self.arm.ask()
class Arm:
    def ask(self): ...
"""
    assert found_in(relay) == ["one.Port.ask", "one.Cloud.ask", "one.Arm.ask"]
    assert found_in(relay + "def shown(cloud): return cloud.ask()\n") == []


def test_what_is_called_on_oneself_is_no_call_of_others() -> None:
    two = """
class A:
    def ask(self): ...
    def shown(self): return self.ask()
class B:
    def ask(self): ...
"""
    assert found_in(two) == ["one.B.ask"]


def test_a_function_of_a_module_is_no_method() -> None:
    text = "import check\nclass State:\n    def check(self): ...\ndef shown(): return check.check()\n"
    assert found_in(text) == ["one.State.check"]


def test_a_pattern_and_getattr_are_uses() -> None:
    text = """
class A:
    def one(self): ...
    def two(self): ...
def shown(a):
    match a:
        case A(one=1): return getattr(a, "two")
"""
    assert found_in(text) == []
