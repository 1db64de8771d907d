"""The documentation site is built without a network, and its links lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

import bayes_scaling as bs

ROOT = Path(__file__).resolve().parents[1]


def build_site():
    """The script that builds the site, as a module."""
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "docs" / "build_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("zensical")
    out = tmp_path_factory.mktemp("site") / "site"
    assert build_site().build(out) == []
    return out


@pytest.mark.slow
def test_every_public_name_has_an_entry(site):
    text = (site / "api.html").read_text()
    for name in set(bs.__all__) - {"__version__", "summarize"}:
        assert re.search(rf'id="bayes_scaling\.[\w.]*\b{name}"', text), name


@pytest.mark.slow
def test_every_page_is_there_and_asks_no_other_host(site):
    pages = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert {"index.html", "columns.html", "cards.html", "glossary.html", "questions/score.html"} <= pages
    assert len(pages) > 25
    for path in site.rglob("*.html"):
        asked = re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="(https?://[^"]+)"', path.read_text())
        assert asked == [], path


@pytest.mark.slow
def test_every_column_and_model_is_described(site):
    columns, cards = ((site / f"{name}.html").read_text() for name in ("columns", "cards"))
    assert "<code>tokens</code>" in columns
    assert all(f'id="{name}"' in cards for name in bs.list_models())


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "one.html").write_text('<h1 id="top">One</h1><a href="two.html#here">2</a><a href="#top">up</a>')
    (tmp_path / "two.html").write_text('<a href="three.html">3</a><a href="https://example.org/x">out</a>')
    found = build_site().broken_links(tmp_path)
    assert sorted(found) == [
        "one.html: two.html#here names no part of that page", "two.html: three.html leads nowhere",
    ]  # fmt: skip
