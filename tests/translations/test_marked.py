"""No sentence that a person sees is forgotten: all are marked for translation.

The checks know where sentences usually are: in the text and attributes of templates, in texts that
templates choose among, and in what scripts write into a page.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.translations.pages import Texts

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(ROOT.glob("*/templates/**/*.html")) + sorted(
    (ROOT / "common/web/templates").glob("*.html")
)
SCRIPTS = sorted((ROOT / "frontend/src/js").rglob("*.js"))

# What is the same in every language: names of products and formats, keys, and examples of code.
UNTRANSLATED = re.compile(
    r"Matinee|HLS|MP4|WebVTT|SRT|SHA.256|JavaScript|UTC|Ctrl|Shift|Esc|Home|End|"
    r"docker compose .*|make run|\.venv/bin/.*"
)
# Pages that are not the product's: a developer's page of all components.
NOT_TRANSLATED = {"design.html", "design.js"}
MARKS = {"_", "gettext", "ngettext"}
CALLS_WITHOUT_SENTENCES = {"icon", "asset", "url_for", "include"}

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_IMPORT = re.compile(r'\{% (?:from|import) "([^"]+)"(.*?)%\}', re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_WORDS = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]+ [a-z]+")


def unmarked_texts(source: str) -> list[str]:
    """Return the texts of a template that are written in it, and not marked."""
    texts = Texts()
    texts.feed(_EXPRESSION.sub(" ", _STATEMENT.sub(" ", source)))
    return [
        text.strip() for text in texts.found if _WORDS.search(UNTRANSLATED.sub("", text.strip()))
    ]


def unmarked_choices(source: str) -> list[str]:
    """Return the sentences in a template's expressions that are not marked."""
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    return list(_sentences(environment.parse(source)))


def _name(node: nodes.Node) -> str:
    return node.name if isinstance(node, nodes.Name) else ""


def _sentences(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, (nodes.Compare, nodes.Import, nodes.FromImport, nodes.Extends,
                         nodes.Include, nodes.Filter)):  # fmt: skip
        if isinstance(node, nodes.Filter) and node.node is not None:
            yield from _sentences(node.node)
        return
    if isinstance(node, nodes.Call) and _name(node.node) in MARKS | CALLS_WITHOUT_SENTENCES:
        return
    if isinstance(node, nodes.Dict):
        for pair in node.items:
            yield from _sentences(pair.value)
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        if _SENTENCE.search(UNTRANSLATED.sub("", node.value)):
            yield node.value
        return
    for child in node.iter_child_nodes():
        yield from _sentences(child)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_texts_of_templates_are_marked(path: Path) -> None:
    if path.name in NOT_TRANSLATED:
        return
    source = path.read_text(encoding="utf-8")
    assert unmarked_texts(source) == []
    assert unmarked_choices(source) == []


def translated_once(source: str) -> list[int]:
    """Return the lines of Python on which a sentence is translated when the module is loaded."""
    found = []
    bodies: list[ast.AST] = [ast.parse(source)]
    while bodies:
        for node in ast.iter_child_nodes(bodies.pop()):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                continue
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS:
                found.append(node.lineno)
            bodies.append(node)
    return found


def test_no_sentence_is_translated_for_all_readers_at_once() -> None:
    for package in ("auth_service", "common", "streaming_service", "upload_service"):
        for path in (ROOT / package).rglob("*.py"):
            assert translated_once(path.read_text(encoding="utf-8")) == [], path
    assert translated_once("class A:\n    sentence = gettext('No')") == [2]


def test_templates_that_are_kept_hold_no_sentence() -> None:
    """What is imported without context is rendered once, and kept for all readers."""
    sources = {path: path.read_text(encoding="utf-8") for path in TEMPLATES}
    imports = [re.findall(_IMPORT, source) for source in sources.values()]
    kept = {name for found in imports for name, rest in found if "with context" not in rest}
    for path, source in sources.items():
        if any(path.as_posix().endswith(f"/{name}") for name in kept):
            outside = re.sub(r"\{% macro .*?\{% endmacro %\}", "", source, flags=re.DOTALL)
            assert not re.search(r"\b_\(|\bngettext\(", outside), path


# What scripts write into a page: a property or attribute, and the literal that it gets.
_SHOWN = re.compile(
    r"""(?:\.(?:textContent|innerText|title|placeholder|ariaLabel|alt)\s*=\s*
        |setAttribute\(\s*["'](?:aria-label|title|placeholder|alt)["']\s*,\s*)
        (?P<literal>"[^"\n]*"|'[^'\n]*'|`[^`]*`)(?!\s+in\b)""",
    re.VERBOSE,
)
# What is not shown: comments, errors for developers, and what is marked.
_NOT_SHOWN = re.compile(
    r"""/\*.*?\*/ | (?<!:)//[^\n]* | \bt\(\s*"[^"]*" | \btn\(\s*"[^"]*",\s*"[^"]*"
        | new\ \w*Error\([^)]*\) | console\.\w+\([^)]*\) | ^import\ .*?;$""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_LITERAL = re.compile(r'"([^"\n]*)"|`([^`]*)`')
_WHOLE_SENTENCE = re.compile(r"[A-Z][a-z']+ [\w ,'…-]*|[A-Z].* .*[.!?]")


def unmarked_in_script(source: str) -> list[str]:
    """Return what a script shows, or what looks like a sentence in it, and is not marked."""
    shown = (re.sub(r"\$\{[^}]*\}", "", match["literal"]) for match in _SHOWN.finditer(source))
    found = [text for text in shown if _WORDS.search(text)]
    for match in _LITERAL.finditer(_NOT_SHOWN.sub(" ", source)):
        text = match[1] or match[2] or ""
        if _WHOLE_SENTENCE.fullmatch(text):
            found.append(text)
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_the_sentences_of_scripts_are_marked(path: Path) -> None:
    if path.name not in NOT_TRANSLATED:
        assert unmarked_in_script(path.read_text(encoding="utf-8")) == []


def test_the_checks_find_what_is_not_marked() -> None:
    assert unmarked_texts('<p title="{{ _(\'Good\') }}">{{ _("Fine") }} 12</p>') == []
    assert unmarked_texts('<p title="Not so">{{ x }} videos</p>') == ["Not so", "videos"]
    assert unmarked_choices("{{ _('A') if x == 'yes' else icon('lock') }}") == []
    assert unmarked_choices("{{ 'Your videos' if x else y }}") == ["Your videos"]
    assert unmarked_in_script('status.textContent = t("It is saved.");') == []
    assert unmarked_in_script('status.textContent = "saved";') == ['"saved"']
    assert unmarked_in_script('const NEWS = { done: "It is saved." };') == ["It is saved."]
