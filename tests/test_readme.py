"""The README is short, its links lead somewhere, and what it shows runs as it stands."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import bayes_scaling as bs
from bayes_scaling.cli.commands import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.S)


def test_it_has_at_most_900_words():
    assert len(README.split()) <= 900


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if path.name == "index.md" and path.parent.name == "docs":
            continue  # the first page of the site links to generated pages; `test_site` checks it
        assert link.startswith("https://") or (path.parent / link).exists(), link


def test_the_commands_print_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table, shown = (text for language, text in BLOCKS if not language)
    (tmp_path / "runs.csv").write_text(table)
    commands = next(text for language, text in BLOCKS if language == "sh" and "forecast" in text)
    for command in commands.strip().splitlines():
        done = CliRunner().invoke(main, command.split()[1:])
        assert done.exit_code == 0, done.output
    wanted, found = (
        [line.split() for line in text.splitlines() if line[:4] in ("hell", "piqa")] for text in (shown, done.output)
    )
    for first, second in zip(wanted, found, strict=True):
        assert first[:3] == second[:3]
        assert float(first[3]) == pytest.approx(float(second[3]), abs=0.01)  # draws differ a little between machines


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_snippets_call_functions_as_they_are(path):
    for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.S):
        for call in (node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)):
            of_package = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
            if of_package and call.func.value.id == "bs":
                signature = inspect.signature(getattr(bs, call.func.attr))
                signature.bind(*call.args, **{keyword.arg: None for keyword in call.keywords})


@pytest.mark.slow
def test_the_snippet_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(next(text for language, text in BLOCKS if language == "python"), {})
    assert (tmp_path / "law.png").exists()
