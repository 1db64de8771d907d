"""Build the documentation site: generated pages, Zensical, and a check of every link.

    python docs/build_site.py [--out site]

Needs the packages of ``pip install -e ".[docs]"`` and no network.  Pages come from this folder, from the notebooks with
their outputs, and from the code: the table of columns, the model cards, and the public functions.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import bayes_scaling as bs
from bayes_scaling import _HOMES
from bayes_scaling.data.columns import COLUMNS

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FROM_ROOT = ("CONTRIBUTING.md", "CHANGELOG.md")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
EXAMPLES = {
    "run": "C4-1B", "family": "llama", "mixture": "C4", "params": "7B or 7e9", "tokens": "1.4T", "flops": "6e22",
    "benchmark": "hellaswag", "metric": "accuracy_norm", "score": "0.712", "n_correct": "7150", "n_items": "10042",
    "n_samples": "200", "k": "10", "problem": "HumanEval/17", "chance": "0.25", "loss": "2.41", "val_set": "c4",
    "seed": "1", "step": "20000",
}  # fmt: skip
ROOMS = {
    "data": "Tables of runs and plans",
    "models": "Models",
    "laws": "Laws",
    "inference": "Fits",
    "forecasting": "Forecasts",
    "evaluation": "How good forecasts are",
    "decisions": "Decisions",
    "boundaries": "Boundaries of released models",
    "logs": "Evaluation logs",
    "reporting": "Figures and reports",
    "errors": "Errors and warnings",
}


def columns_page() -> str:
    """The table of columns, from the code that checks them."""
    lines = [
        "# Columns\n",
        "A table of runs has one row per score of a run, or per loss of a run. Other columns are kept. Needed are",
        "`benchmark` and `score` (or `loss`), and `flops` or both `params` and `tokens`.\n",
        "| column | meaning | unit | type | allowed | if missing | example |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, column in COLUMNS.items():
        kind = "text" if column.dtype == "str" else "number"
        cells = (f"`{name}`", column.meaning, column.unit, kind, column.rule, column.missing, f"`{EXAMPLES[name]}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def cards_page() -> str:
    """The card of every registered model."""
    parts = ["# Model cards\n"]
    for name in bs.list_models():
        model = bs.load_model(name)
        card = model.card
        parts.append(f"## {name}\n\n{card.summary}\n")
        texts = (
            ("Recommended for", card.recommended_for),
            ("Use it when", card.use_when),
            ("It fails when", card.fails_when),
        )
        parts += [f"**{title}:** {text}\n" for title, text in texts if text]
        rows = [f"| `{n}` | {p.meaning} | {p.low:g} to {p.high:g} |" for n, p in model.parameters.items()]
        parts.append("\n".join(["| parameter | meaning | prior, 90 % |", "|---|---|---|", *rows]) + "\n")
        parts += [f"*Sources:* {'; '.join(card.references)}\n"] if card.references else []
    return "\n".join(parts)


def functions_page() -> str:
    """Every public name, by room, with its docstring."""
    parts = ["# Functions\n", "`import bayes_scaling as bs` gives all of these as `bs.<name>`.\n"]
    for room, title in ROOMS.items():
        names = [name for name, home in _HOMES.items() if home.split(".")[0] == room]
        if names:
            parts.append(f"## {title}\n")
            parts += [f"::: bayes_scaling.{_HOMES[name]}.{name}\n" for name in names]
    return "\n".join(parts)


def notebook_pages(folder: Path) -> None:
    """Notebooks with their outputs, as Markdown with pictures beside it."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    command = [sys.executable, "-m", "nbconvert", "--to", "markdown", "--output-dir", str(folder), *map(str, notebooks)]
    subprocess.run(command, check=True, capture_output=True, text=True)


def write_pages(folder: Path) -> None:
    """Write all pages of the site into a folder."""
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.py", "*.toml", "__pycache__"))
    for name in FROM_ROOT:
        shutil.copy(ROOT / name, folder)
    notebook_pages(folder)
    for name, text in (("columns", columns_page()), ("cards", cards_page()), ("api", functions_page())):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    for path in folder.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(LINK.sub(lambda found, at=path: _link(found, at, folder), text), encoding="utf-8")


def _link(found: re.Match[str], page: Path, folder: Path) -> str:
    """A link of a page, as the site needs it; a link to a file that the site does not have becomes its text."""
    text, target = found.groups()
    parts = urlsplit(target)
    if parts.scheme or not parts.path:
        return found.group(0)
    name = parts.path.removesuffix(".ipynb") + ".md" if parts.path.endswith(".ipynb") else parts.path
    for tried in (page.parent / name, folder / Path(name).name):
        if tried.is_file() and tried.suffix in (".md", ".png"):
            way = Path(
                *[".."] * len(page.parent.relative_to(folder).parts), tried.resolve().relative_to(folder.resolve())
            )
            return f"[{text}]({way.as_posix()}{'#' + parts.fragment if parts.fragment else ''})"
    return text


class _Links(HTMLParser):
    """Links and identifiers of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, and what it is called."""
        found = dict(attrs)
        self.names |= {value for value in (found.get("id"), found.get("name")) if value}
        self.links += [value for name in ("href", "src") if (value := found.get(name)) and tag != "base"]


def broken_links(site: Path) -> list[str]:
    """Links between the pages of a built site that lead nowhere."""
    pages = {}
    for path in site.rglob("*.html"):
        pages[path.resolve()] = parser = _Links()
        parser.feed(path.read_text(encoding="utf-8"))
    problems = []
    for path, parser in pages.items():
        if path.name == "404.html":  # its links start at the root of the site
            continue
        for link in parser.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                problems.append(f"{path.relative_to(site.resolve())}: {link} leads nowhere")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names:
                problems.append(f"{path.relative_to(site.resolve())}: {link} names no part of that page")
    return problems


def build(out: Path) -> list[str]:
    """Build the site into a folder, and return what is wrong with its links."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        write_pages(work / "pages")
        shutil.copy(DOCS / "zensical.toml", work)
        shutil.copytree(ROOT / "bayes_scaling", work / "bayes_scaling", ignore=shutil.ignore_patterns("__pycache__"))
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--clean"], cwd=work, capture_output=True, text=True
        )
        if done.returncode or not (work / "site" / "index.html").exists():
            raise SystemExit(f"the site was not built:\n{done.stdout}\n{done.stderr}")
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(work / "site", out)
    return broken_links(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("site"))
    out = parser.parse_args().out
    if out.exists() and not (out / "objects.inv").exists() and any(out.iterdir()):
        raise SystemExit(f"{out} is there and is no site; name another folder")
    problems = build(out)
    print("\n".join([*problems, f"{len(problems)} broken links; the site is in {out}"]))
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
