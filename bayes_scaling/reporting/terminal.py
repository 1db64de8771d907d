"""Text for terminals: aligned tables and paragraphs, and the pages that the command line prints."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from bayes_scaling.data.columns import BENCHMARK, COLUMNS, LABEL, with_role
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.law_uncertainty import law_sentence
from bayes_scaling.messages import listed_names
from bayes_scaling.models.responses.all_responses import RESPONSES

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from bayes_scaling.models.model import Model

WIDTH = 100
WIDEST = 400  # of a table whose columns cannot be made narrower
SUMMARY = ("response", "interval_for", "mean", "decades_beyond", "note")  # columns of a summary that name no run


def table_text(table: pd.DataFrame) -> str:
    """Set a table in columns: numbers to the right, text to the left, a rule under the header."""
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="")
    for name in table:
        grid.add_column(str(name), justify="right" if table[name].dtype.kind in "if" else "left", no_wrap=True)
    for row in table.itertuples(index=False):
        grid.add_row(*(str(value) for value in row))
    console = Console(file=StringIO(), width=WIDEST, color_system=None, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip())


def wrapped(label: str, text: str) -> str:
    """Set a labelled paragraph to the width of a terminal, its further lines indented."""
    return textwrap.fill(f"{label}{text}", WIDTH, subsequent_indent=" " * min(len(label), 41), break_on_hyphens=False)


def overview(runs: pd.DataFrame) -> str:
    """Describe a table of runs in a few lines: rows, runs, benchmarks, mixtures and the range of compute."""
    from bayes_scaling.data.sizes import size_text

    def span(column: str) -> str:
        low, high = runs[column].min(), runs[column].max()
        return f"{size_text(low, 3)} to {size_text(high, 3)}" if low == low else "not given"

    def those(column: str) -> str:
        known = [str(name) for name in runs[column].dropna().unique()]
        return f"{len(known)}: {listed_names(known, 12)}" if known else "none"

    facts = {
        "rows": f"{len(runs)}, {runs['score'].notna().sum()} with a score, {runs['loss'].notna().sum()} with a loss",
        "runs": _runs_text(runs),
        "benchmarks": those("benchmark"),
        "mixtures": those("mixture"),
        "compute [FLOPs]": span("flops"),
        "params": span("params"),
        "tokens": span("tokens"),
    }
    return "\n".join(wrapped(f"  {what:<16}", texts) for what, texts in facts.items())


def _runs_text(runs: pd.DataFrame) -> str:
    """Number of runs, and of trained models where they are checkpoints of fewer."""
    import pandas as pd

    rows = runs.drop_duplicates("run")
    if rows["step"].isna().all():
        return str(len(rows))
    # Checkpoints of one training have its size and labels; text of the user's own may tell trainings apart.
    own = [c for c in rows if c not in COLUMNS and not pd.api.types.is_numeric_dtype(rows[c])]
    models = rows[[*with_role(LABEL), "params", "seed", *own]].drop_duplicates()
    return f"{len(rows)} checkpoints of {len(models)} {'training' if len(models) == 1 else 'trainings'}"


RECOMMENDED = ", recommended for: "


def usable(runs: pd.DataFrame) -> list[str]:
    """Which registered models the table can be used with, the recommended ones first, and what the others lack."""
    from bayes_scaling.inference.design import lay_out
    from bayes_scaling.inference.suitability import bent, doubt
    from bayes_scaling.models.documents import list_models, load_model

    can: list[str] = []
    cannot: dict[str, list[str]] = {}
    further: list[str] = []
    for name in list_models():
        model = load_model(name)
        try:
            lay_out(model, runs)
            best = f"{RECOMMENDED}{model.card.task}" if model.card.task else ""
            against = doubt(model, runs)
            can.append(f"  {name}: yes{f', but {against.brief}' if against else best}")
            further += [bent(model, runs)] if model.card.task else []
        except DataError as error:
            cannot.setdefault(str(error).removeprefix(f"model {name!r} "), []).append(name)
    refused = [wrapped("  ", f"{', '.join(names)}: no: {why}") for why, names in cannot.items()]
    order = (RECOMMENDED, ": yes, but ")
    first = sorted(can, key=lambda line: (order[0] not in line) + (order[1] in line))
    return [*first, *refused, *(wrapped("note: ", text) for text in [told for told in further if told][:1])]


def listed_models() -> list[str]:
    """Registered models with what they are, a text each; those that are recommended for a task come first."""
    from bayes_scaling.models.documents import list_models, load_model

    cards = {name: load_model(name).card for name in list_models()}
    first = sorted(cards, key=lambda name: not cards[name].task)
    tasks = {
        name: f"{RECOMMENDED.removeprefix(', ')}{cards[name].task}. " if cards[name].task else "" for name in first
    }
    return [wrapped(f"{name}  ", f"{tasks[name]}{cards[name].summary}") for name in first]


def page(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a summary to the width of a terminal: one line a planned score."""
    both = {name: part.reset_index(drop=True) for name, part in table.groupby("interval_for", sort=False)}
    law, new = both["expectation"], both["new run"]

    def span(part: pd.DataFrame, share: int) -> list[str]:
        ends = zip(part[f"lower_{share}"], part[f"upper_{share}"], strict=True)
        return [f"{low:.3f}–{high:.3f}" for low, high in ends]

    named = [c for c in law if c in (*with_role(BENCHMARK, LABEL), "k") or (c not in COLUMNS and c not in SUMMARY)]
    names: dict[str, Any] = {str(c): law[c].astype(str) for c in named if not str(c).startswith(("lower_", "upper_"))}
    if (law["response"] != next(iter(RESPONSES))).any():
        names["response"] = law["response"]
    numbers: dict[str, Any] = {
        "FLOPs": law["flops"].map("{:.2e}".format),
        "mean": law["mean"].map("{:.3f}".format),
        "expectation 80 %": span(law, 80),
        "new run 80 %": span(new, 80),
        "new run 95 %": span(new, 95),
        "beyond": law["decades_beyond"].map("{:.1f}".format),
    }
    return type(table)({**names, **numbers})


def foot(ahead: xr.Dataset) -> str:
    """What to know about the table above it: notes, what the intervals are, the verdict."""
    subjects = ahead["benchmark" if "benchmark" in ahead.coords else "run"]
    pairs = zip(subjects.to_numpy(), ahead["note"].to_numpy(), strict=True)
    notes = [f"  {b}: {n}" for b, n in dict.fromkeys(pairs) if n]
    return "\n".join(
        [
            "",
            *(["Notes:", *notes] if notes else []),
            "Intervals are equal-tailed and credible: 'expectation' is the law itself, what many runs would average;",
            "'new run' is one run evaluated once.  'beyond' counts decades of compute beyond the data.",
            law_sentence(ahead.attrs["law_uncertainty"]),
            f"Verdict: {ahead.attrs['verdict']}",
        ]
    )


def card(model: Model) -> str:
    """The card of a model, its responses, and its parameters with their priors."""
    card = model.card
    parts = [("", card.summary), ("recommended for: ", card.recommended_for)]
    parts += [("use when: ", card.use_when), ("fails when: ", card.fails_when)]
    lines = [model.name, *(wrapped("  " + label, text) for label, text in parts if text)]
    lines += [wrapped("  reference: ", reference) for reference in card.references]
    for part in model.responses:
        lines += ["", f"{part.name} = {part.law.name}, scattered as {part.likelihood.component.name}"]
        lines += [wrapped(f"  {law.name}: ", law.doc) for law in part.law.parts]
    lines += ["", f"Parameters: 90 % prior interval of the population value; pooling {model.pooling}"]
    for name, p in model.parameters.items():
        fixed = model.fixed.get(name)
        prior = f"{p.low:g} to {p.high:g}" if fixed is None else f"fixed at {fixed:g}"
        lines.append(wrapped(f"  {name:<21} {prior:<17}", p.meaning))
        effects = model.effects(name)
        if varies := ", ".join(" × ".join(e.group) for e in effects if not e.curve):
            lines.append(" " * 41 + f"varies over {varies}")
        if leaves := ", ".join(" × ".join(e.group) or "all runs together" for e in effects if e.curve):
            lines.append(" " * 41 + f"leaves the law along compute: {leaves}")
    return "\n".join(lines)
