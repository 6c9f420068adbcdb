"""The words of the package: each has a source, and no class name means two things.

A name of a module or a public class is made of words of the glossary, of Azure, of IPsec or of programming in general.
A word of ours that is none of these stands in docs/glossary.md with its meaning.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vpngw_iac"

WORDS = {
    "Azure": """
        aad access action actions active activity address advertised app arm as assigned assignment
        authentication authorization auto azure bandwidth blob blobs block certificate certificates circuit
        circuits client clients cloud clouds coexistence communities configuration connection connections
        credential custom data ddos delegation deployment dhcp diagnostic diagnostics dns domain effective encryption
        endpoint entra existing express expressroute extended extension failed federated gateway global governance group
        groups health high identity instance ip ipv6 key lease link local location lock locks log maintenance managed
        management mapping member metric microsoft migration nat network nic operation operations peering
        permissions point policies policy pool prefix prefixes principal private propagated properties provider public
        quota radius range reach region regions registration remote request resource resources restrictions
        retention revoked rights role root route routing rule rules scale scope secret secrets selector server
        service services setting settings site sku skus snapshot space spoke state status subnet subscription
        subscriptions switches tag tenant throttled token tokens topology traffic transit translate tunnel
        tunnels usage usages user vault virtual vnet vpn window zones""",
    "IPsec, IKE and BGP": "association associations bgp bounds facts ike ipsec key learned nat neighbour pair"
    " peer security traffic selector to tunnel",
    "Python and what every program has": """
        accepted again also answer any app ask async attached attachment attachments base begun best binding
        blocked body box break broken budget busy by cache cached call callable carried cascade case
        catalogue change check checking checks children clash cli clock closed code command commands common
        compare comparison compilation compiled compiling condition confirmed conflict contention context
        control damaged dataclass deadline deadlines decide declared default denial denials denied deployable detachable
        difference disk display document dot draft drawing drift dump durations edge ended engine entries entry
        environment error errors event exchange execute execution exit expire explain external fail fault faults field
        file files flag flags flight folder for forbidden format formatting found frames generated github grant
        graph guard guards hint holder http iac id identifier ids immutable in injection injector inputs
        inquiry inspection instead interrupted interrupts invalid inventory item items journal json keyed
        keys kill kind language late layout limit limited limits line lines list lists live load loaded
        loading locked locking logged long lookup loop lose loss lost main manager mark markdown marked mask masked
        masking masks match matching merge merged mermaid mismatch missing model moved name named naming
        need needed newer no not notice observed observing of offline only open opened options order other
        output overlap overlay owner ownership package page parse part parts path paths pending picture
        pictures place placed placement places plain plan planned planner ports practices precondition
        preflight prepared probe probes process progress put python question questions queue read reader reading
        reads real rebuild rebuilt recorder redact redacted ref refusal refused registry relations release
        removed renaming repair replaced replay report requested response result resume resumption retry run runner
        running sarif saved scaled schedule schema session set shape short sibling side sign signals
        simulate simulated simulator slow slowly source sources span spelling stale started statement stay
        step stop store strangely style summary svg switch sync table target task text time timed times tool transition
        threads transport type types unavailable unchecked unconfirmed unordered unread unreadable unverified
        unwritable url urls use usecases used validate validation value values verdict version view vpngw
        wait waiting watch wire worker workspace write""",
    "pipelines": "artifact chat ci comment decided event finish input inputs issue kept marks pipeline review step"
    " telling webhook",
    "projects": "beginning editor init new project schemas",
    "verify": "answers asking judging junit last on row told trouble unknown verifications verifier",
    "diagnose": "diagnoser gap parameter queries seen sheet walk",
    "imports": "argument csv exported expression imported importer imports listing recorded template wanted writing"
    " terraform yaml",
    "templates of Resource Manager": """
        addresses dependencies evaluation export exporter expressions function functions hashes if index literal
        parameters preparation record removal segment segments settling step surroundings syntax unit units unsayable
        what words""",
}
"""Where each word comes from, beside the glossary. A word of ours that is not plain goes into the glossary instead."""

SAME_THING = {
    "blueprints": "what people want of it",
    "resources": "what Azure has",
    "simulator/types": "the witness that does not know `resources`",
    "preflight/view": "what rules read of it",
}
"""Folders in which one thing of Azure bears its one name: a subnet is a subnet in each of them."""


def _glossary() -> frozenset[str]:
    """Every word that the glossary explains: the first column, and the verbs."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    first = re.findall(r"^\| (?!word)([^|]+) \|", text, re.MULTILINE)
    return frozenset(
        w.lower() for part in (*first, *re.findall(r"\*\*(\w+)\*\*", text)) for w in re.findall(r"\w+", part)
    )


def _words(name: str) -> frozenset[str]:
    return frozenset(
        w.lower() for w in re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]*|[A-Z]+", name.replace("_", " "))
    )


def _classes() -> dict[str, list[str]]:
    """Files of each public class."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(PACKAGE).as_posix())
    return found


def _modules() -> set[str]:
    paths = PACKAGE.rglob("*.py")
    return {(path.parent.name if path.stem.startswith("__") else path.stem).lstrip("_") for path in paths}


def _is_one_thing(files: list[str]) -> bool:
    """Whether each of these is in another of the folders where a thing of Azure bears its name."""
    homes = [next((home for home in SAME_THING if file.startswith(f"{home}/")), "") for file in files]
    return all(homes) and len(set(homes)) == len(homes)


def _doubles() -> set[str]:
    several = {name: files for name, files in _classes().items() if len(files) > 1}
    return {name for name, files in several.items() if not _is_one_thing(files)}


def test_every_name_is_made_of_words_that_have_a_source() -> None:
    known = _glossary().union(*(text.split() for text in WORDS.values()))
    unknown = {
        name
        for name in (*_modules(), *_classes())
        if any(w not in known and w.removesuffix("s") not in known for w in _words(name))
    }
    assert not unknown, "explain these in docs/glossary.md, or use the field's own words"


def test_no_class_name_means_two_things() -> None:
    assert not _doubles(), "two classes, one name: what is the difference?"
