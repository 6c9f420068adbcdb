"""What documents say is held against the program: links, commands, options, exit codes, JSON keys, rule ids."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml

import vpngw_iac
from vpngw_iac import preflight
from vpngw_iac.cli.app import app
from vpngw_iac.errors import PRECEDENCE, ExitCode
from vpngw_iac.usecases.pipeline_settings import OTHER_NAMES
from vpngw_iac.usecases.settings import setting_names

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").glob("*.md")])
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FLOWS = [*WORKFLOWS, ROOT / "action.yml", *sorted((ROOT / "examples" / "pipelines").glob("*.yml"))]
SHIPPED = [
    *PAGES,
    *FLOWS,
    *sorted(p for folder in ("blueprints", "examples", ".github") for p in (ROOT / folder).rglob("*") if p.is_file()),
]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# --- links -----------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(target)

    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, frontier = set(), [ROOT / "README.md"]
    while frontier:
        page = frontier.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)", text_of(page)):
            frontier.append((page.parent / target).resolve())

    assert sorted(name_of(page) for page in DOCS.rglob("*.md") if page not in seen) == []


# --- commands --------------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"(?:(?<=`)|(?<=^    )|(?<=^          )|(?<= run: ))vpngw ([a-z][^`\n]*)", re.MULTILINE)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


KNOWN = dict(commands(typer.main.get_command(app)))


def problems_of(call: str) -> Iterator[str]:
    words = call.split("#", maxsplit=1)[0].split()
    path = tuple(words[:1])
    if path not in KNOWN:
        yield f"vpngw {call}: no such command"
        return
    if hasattr(KNOWN[path], "commands") and len(words) > 1 and re.match(r"[a-z]", words[1]):
        path = (path[0], words[1].split("|", maxsplit=1)[0])
    if path not in KNOWN:
        yield f"vpngw {call}: no such command"
        return
    options = {name for p in KNOWN[path].params for name in (*p.opts, *p.secondary_opts)}
    for word in words:
        if word.startswith("-") and len(word) > 1 and word.split("=")[0].rstrip(".,)") not in options:
            yield f"vpngw {call}: no option {word}"


@pytest.mark.parametrize("page", [*PAGES, *FLOWS, *sorted((ROOT / "blueprints").glob("*.py"))], ids=name_of)
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    assert [problem for call in COMMAND.findall(text_of(page)) for problem in problems_of(call)] == []


def test_commands_are_found_in_the_documents() -> None:
    found = [call for page in PAGES for call in COMMAND.findall(text_of(page))]

    assert len(found) > 100
    assert list(problems_of("frobnicate x"))
    assert list(problems_of("plan hub.py --frobnicate"))


# --- generated pages -------------------------------------------------------------------------------------------------


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(generator().PAGES))
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert generator().PAGES[name]() == text_of(DOCS / name), "run `make docs`"


def test_every_noun_that_is_exported_is_in_the_reference() -> None:
    from vpngw_iac.blueprints.part import Part

    exported = {n for n in vpngw_iac.__all__ if isinstance(getattr(vpngw_iac, n), type)}
    nouns = {n for n in exported if issubclass(getattr(vpngw_iac, n), Part)} - {"Blueprint"}

    assert sorted(nouns - generator().nouns()) == []


# --- tables ----------------------------------------------------------------------------------------------------------


def cells(page: str) -> Iterator[list[str]]:
    """Rows of the tables of a page."""
    for line in text_of(DOCS / page).splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def test_the_table_of_exit_codes_is_complete() -> None:
    told = {int(row[0]) for row in cells("reference/exit-codes.md") if row[0].isdigit()}

    assert told == {int(code) for code in ExitCode}


def test_the_order_of_exit_codes_is_the_one_that_counts() -> None:
    line = re.search(r"first of this order counts: ([\d, ]+)\.", text_of(DOCS / "reference" / "exit-codes.md"))

    assert line is not None
    assert [int(code) for code in line[1].split(",") if int(code) != 64] == [int(code) for code in PRECEDENCE]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_exit_codes_that_are_mentioned_exist(page: Path) -> None:
    mentioned = {int(code) for code in re.findall(r"exit code (\d+)", text_of(page), re.IGNORECASE)}

    assert mentioned <= {int(code) for code in ExitCode}


def test_the_table_of_settings_is_complete() -> None:
    rows = {row[0].strip("`"): row for row in cells("reference/settings.md") if row[1].startswith("`VPNGW_")}

    assert set(rows) == set(setting_names())
    for name, row in rows.items():
        variables = [f"VPNGW_{name.upper()}", *OTHER_NAMES.get(name, ())]
        assert re.findall(r"`(\w+)`", row[1]) == variables


def finding_ids() -> set[str]:
    """Every id of a finding that is not a rule, as the source names it (the sources of rules use such codes too)."""
    found = set()
    for file in (ROOT / "vpngw_iac").rglob("*.py"):
        if "preflight" not in file.parts:
            strings = (n.value for n in ast.walk(ast.parse(text_of(file))) if isinstance(n, ast.Constant))
            found |= {s for s in strings if isinstance(s, str) and re.fullmatch(r"[VBT]-[A-Z0-9]+(-[A-Z0-9]+)*", s)}
    return found


def test_every_finding_is_told() -> None:
    told = {i for row in cells("reference/findings.md") for i in re.findall(r"`([VBT]-[A-Z0-9-]+)`", row[0])}

    assert told == finding_ids()


def test_rules_that_are_mentioned_exist() -> None:
    known = {rule.id for rule in preflight.rules()}
    pages = [p for p in [*PAGES, *(ROOT / "blueprints").glob("*.py")] if p.name != "rules.md"]
    mentioned = {i for page in pages for i in re.findall(r"\bR-[A-Z0-9]+-\d+\b", text_of(page))}

    assert len(mentioned) > 20
    assert sorted(mentioned - known) == []


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """One document of each kind, from the simulator."""
    folder = tmp_path_factory.mktemp("json")
    file = str(ROOT / "blueprints" / "one_site.py")
    variables = ("--cloud", "simulator", "--env-file", str(ROOT / "blueprints" / "example.env"))
    lines = [
        ("init", "SiteToSite", "--dir", "begun"),
        ("validate", file), ("compile", file), ("export", file), ("graph", file), ("rule",), ("plan", file),
        ("role", file), ("state", "init", file), ("apply", file, "--yes"),
        ("import", "-g", "rg-office", "--deployment", "one-site", "--into", file),
        ("drift", file), ("show", file), ("verify", file), ("log", file), ("wait", file), ("secret", "check", file),
        ("diagnose", file), ("diagnose", file, "--for-peer"),
        ("destroy", file, "--yes"), ("validate", "absent.py"),
    ]  # fmt: skip
    found = {}
    for line in lines:
        answer = subprocess.run(
            [sys.executable, "-m", "vpngw_iac", *line, *variables, "--json"],
            cwd=folder, capture_output=True, text=True, check=False, env={"VPNGW_SIMULATOR_SPEED": "3000"},
        )  # fmt: skip
        document = json.loads(answer.stdout)
        found[document["kind"]] = document
    return found


def test_json_documents_have_the_keys_that_are_promised(documents: dict[str, dict[str, Any]]) -> None:
    missing = []
    for row in cells("reference/json.md"):
        kinds, keys = re.findall(r"`([\w-]+)`", row[0]), re.findall(r"`(\w+)`", row[2].split(", and ")[0])
        for kind in kinds:
            assert documents[kind]["format"] == 1
            missing += [f"{kind}: {key}" for key in keys if key not in documents[kind]]

    assert missing == []


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("changes", "plan", "changes"),
        ("findings", "validate", "findings"),
        ("rules", "rule", "rules"),
    ],
)
def test_items_of_json_documents_have_the_keys_that_are_promised(
    documents: dict[str, dict[str, Any]], name: str, kind: str, key: str
) -> None:
    line = next(x for x in text_of(DOCS / "reference" / "json.md").splitlines() if x.startswith(f"* **{name}**"))
    told = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", line))
    item = documents[kind][key][0]

    assert told
    assert [name for name in told if name not in item] == []


def test_operations_have_the_keys_that_are_promised(documents: dict[str, dict[str, Any]]) -> None:
    page = text_of(DOCS / "reference" / "json.md")
    for heading, kind in (("operations** of `compile`", "compile"), ("operations** of a run", "apply")):
        line = next(x for x in page.splitlines() if x.startswith(f"* **{heading}"))
        told = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", line.partition(":")[2]))

        assert told
        assert [key for key in told if key not in documents[kind]["operations"][0]] == []


# --- Python and YAML in documents ------------------------------------------------------------------------------------


def python_blocks() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for number, code in enumerate(re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL), 1):
            yield f"{name_of(page)}-{number}", code


@pytest.mark.parametrize(("name", "code"), list(python_blocks()), ids=[name for name, _ in python_blocks()])
def test_python_in_documents_uses_names_and_fields_that_exist(name: str, code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        if not isinstance(function, ast.Name) or not function.id[0].isupper():
            continue
        noun = getattr(vpngw_iac, function.id)  # raises for a name that is not public
        if isinstance(node.func, ast.Attribute):
            assert hasattr(noun, node.func.attr)
        elif hasattr(noun, "model_fields"):
            given = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            assert sorted(given - set(noun.model_fields)) == []


@pytest.mark.parametrize("file", FLOWS, ids=name_of)
def test_workflows_are_yaml_and_pin_what_they_use(file: Path) -> None:
    content = yaml.safe_load(text_of(file))
    used = re.findall(r"^\s*(?:- )?uses: (\S+)(.*)$", text_of(file), re.MULTILINE)

    assert isinstance(content, dict)
    loose = [name for name, comment in used if not _is_pinned(name, comment)]
    assert loose == []


def _is_pinned(name: str, comment: str) -> bool:
    if name in ("./", "./.vpngw-source") or name.startswith("OWNER/"):
        return True
    return (
        re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) is not None
        and re.match(r" # v\d+\.\d+\.\d+$", comment) is not None
    )


@pytest.mark.parametrize("file", WORKFLOWS, ids=name_of)
def test_workflows_grant_nothing_by_default(file: Path) -> None:
    content = yaml.safe_load(text_of(file))

    assert content["permissions"] == {}
    assert all("permissions" in job for job in content["jobs"].values())


@pytest.mark.parametrize("file", FLOWS, ids=name_of)
def test_workflows_put_no_expression_into_a_script(file: Path) -> None:
    """What somebody can choose (a branch, an input) reaches a shell through its environment only."""
    scripts = re.findall(r"^(\s*)(?:- )?run: (?:\|\n((?:\1\s+.*\n|\n)+)|(.+))", text_of(file) + "\n", re.MULTILINE)

    assert [text for _, block, line in scripts if "${{" in (text := block or line)] == []


def test_the_last_job_of_our_ci_waits_for_all_others() -> None:
    jobs = yaml.safe_load(text_of(ROOT / ".github" / "workflows" / "ci.yml"))["jobs"]

    assert list(jobs)[-1] == "green"
    assert set(jobs["green"]["needs"]) == set(jobs) - {"green"}


# --- manners ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", SHIPPED, ids=name_of)
def test_nothing_that_is_shipped_names_a_place_on_somebody_s_machine(file: Path) -> None:
    if file.suffix in (".cer", ".pem") or "__pycache__" in file.parts:
        return

    assert re.findall(r"(?<![\w.$}])/(?:work|root|tmp|home|Users)/\w+", text_of(file)) == []


def test_only_what_takes_none_has_none_for_a_default() -> None:
    rows = re.findall(
        r"^### (\w+)$|^\| `(\w+)` \|.*\| (none|empty) \| ", text_of(DOCS / "reference/blueprint.md"), re.M
    )
    noun, wrong, seen = "", [], 0
    for heading, field, told in rows:
        noun = heading or noun
        known = getattr(getattr(vpngw_iac, noun, None), "model_fields", {})
        if field in known:
            default = known[field].get_default(call_default_factory=True)
            wrong += [f"{noun}.{field}: {told}"] if (default is None) is not (told == "none") else []
            seen += 1

    assert wrong == []
    assert seen > 200


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.name not in ("blueprint.md", "cli.md", "rules.md")], ids=name_of
)
def test_prose_has_one_sentence_a_line_at_most(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    lines = [line for line in prose.splitlines() if not line.startswith(("|", "    ", "#", "<!--"))]

    assert [line for line in lines if re.search(r"[a-z)`]\. [A-Z][a-z]+ [a-z]", line) and len(line) > 200] == []


# --- the architecture page -------------------------------------------------------------------------------------------

FEATURES = {"import", "export", "speed", "fleet", "pipeline", "verify", "device", "rehearse", "report"}


def test_each_planned_feature_has_a_folder_that_is_there_or_marked_as_planned() -> None:
    table = text_of(DOCS / "architecture.md").partition("| feature |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| (\w+) \| [^|]+ \| (.+) \|$", table, re.MULTILINE))
    assert set(rows) == FEATURES
    for feature, cell in rows.items():
        folders = re.findall(r"`([^`]+/)`( \(planned\))?", cell)
        assert folders, f"{feature} has no folder"
        for folder, planned in folders:
            assert (ROOT / folder).is_dir() is not bool(planned), f"{feature}: {folder}"


def test_the_architecture_page_names_every_room_and_no_other() -> None:
    package = ROOT / "vpngw_iac"
    rooms = {path.parent.relative_to(package).as_posix() + "/" for path in package.rglob("*/__init__.py")} - {"./"}
    page = text_of(DOCS / "architecture.md").partition("## From a blueprint")[0].partition("Each larger feature")[0]
    named = {name for name in re.findall(r"`([a-z_/]+/)`", page) if not name.startswith("vpngw_iac/")}
    assert named == rooms


def test_every_attribute_of_what_the_library_returns_is_explained() -> None:
    page = (DOCS / "reference" / "library.md").read_text(encoding="utf-8")

    assert {"## Plan", "## Outcome", "## Inventory", "## Drift"} <= set(page.splitlines())
    assert [line for line in page.splitlines() if line.endswith("|  |")] == []
