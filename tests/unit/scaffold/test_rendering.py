"""Templates: every value is quoted by one filter, whatever it holds, and a user's own take precedence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.scaffold.rendering import FOLDER, Templates, quoted

ROOT = Path(__file__).parents[3]
YAML_TEMPLATES = sorted(path.name for path in FOLDER.iterdir() if path.name.endswith(".yaml.j2"))
# What PyYAML cannot read at all is no text of YAML 1.1; c2kit writes it escaped.
VALUES = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=20), inner),
    max_leaves=8,
)


@given(VALUES)
def test_yaml_reads_exactly_what_was_quoted_in_one_line_also_after_a_key_and_before_a_comment(value: object) -> None:
    text = quoted(value)
    assert len(f"{text}.".splitlines()) == 1
    assert yaml.safe_load(f"key: {text} # said by the script")["key"] == value
    assert json.loads(text) == value


@pytest.mark.parametrize("value", [None, float("nan"), b"x", jinja2.Undefined()])
def test_what_yaml_has_no_words_for_is_not_written(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        quoted(value)


@pytest.mark.parametrize("name", YAML_TEMPLATES)
def test_every_value_of_every_template_goes_through_the_filter_last(name: str) -> None:
    environment = Templates().environment
    tree = environment.parse((FOLDER / name).read_text(encoding="utf-8"))
    shown = [node for output in tree.find_all(jinja2.nodes.Output) for node in output.nodes]
    macros = {macro.name for macro in tree.find_all(jinja2.nodes.Macro)}
    bare = [node.lineno for node in shown if not is_quoted(node, macros)]
    assert bare == []


def is_quoted(node: jinja2.nodes.Node, macros: set[str]) -> bool:
    """Text, a value whose last filter is q, or a macro of the same template, which is made of such."""
    if isinstance(node, jinja2.nodes.Call):
        return isinstance(node.node, jinja2.nodes.Name) and node.node.name in macros
    is_filtered = isinstance(node, jinja2.nodes.Filter) and node.name == "q"
    return is_filtered or isinstance(node, jinja2.nodes.TemplateData)


def test_there_are_templates_and_the_link_at_the_root_leads_to_them() -> None:
    assert "settings.yaml.j2" in YAML_TEMPLATES
    assert (ROOT / "k8s-templates").is_symlink()
    link = {path.name for path in (ROOT / "k8s-templates").iterdir()}
    assert link == {path.name for path in (ROOT / "src/c2kit/scaffold/templates").iterdir()}


def test_a_name_that_nobody_gives_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Templates().render("settings.yaml.j2")


def test_a_template_of_the_user_wins_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml.j2").write_text("# ours\nnamespace: {{ namespace|q }}\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("no template", encoding="utf-8")
    templates = Templates(tmp_path)
    assert templates.render("settings.yaml.j2", namespace="x") == '# ours\nnamespace: "x"\n'
    names = set(templates.environment.list_templates())
    assert names >= {path.name for path in FOLDER.iterdir()}


def test_a_template_that_nobody_would_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "setings.yaml.j2").touch()
    with pytest.raises(UsageError, match=r"setings\.yaml\.j2; did you mean settings\.yaml\.j2\?"):
        Templates(tmp_path)
    with pytest.raises(UsageError, match=r"expected a folder, found .*missing"):
        Templates(tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\nb: {{ nobody.gives|q }}\n", 2), ("{% if x %}\n", 1), ("a: 1\n\nb: {{ none|q }}\n", 3)]
)
def test_a_template_of_the_user_that_fails_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "settings.yaml.j2").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=rf"settings\.yaml\.j2:{line}: .*; mend your template"):
        Templates(tmp_path).render("settings.yaml.j2")


def test_without_jinja_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match=r"pip install 'c2kit\[scaffold\]'"):
        Templates()
