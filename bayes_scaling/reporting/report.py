"""One page that tells what a fit forecasts, and how far to trust it: HTML by itself, or Markdown (`report`)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
import xarray as xr
from great_tables import GT
from jinja2 import Environment, PackageLoader, StrictUndefined

from bayes_scaling.decisions.further_runs import further_runs
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.forecasting.law_uncertainty import law_sentence
from bayes_scaling.forecasting.notes import told_of
from bayes_scaling.forecasting.summaries import NEW_RUN, summarise
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.reporting.answers import (
    NOTE,
    UNSPECIFIED,
    answer_sentences,
    forecast_sentences,
    further_sentences,
    note_sentence,
)
from bayes_scaling.reporting.report_figures import answer_figure, backtest_figure, law_figure
from bayes_scaling.version import __version__

HTML, MARKDOWN = "html", "markdown"
SHOWN = ("benchmark", "mixture", "params", "tokens", "flops", "k", "mean", "lower_50", "upper_50", "lower_80",
         "upper_80", "lower_95", "upper_95", "decades_beyond")  # fmt: skip
WORDS = {
    "flops": "compute [FLOPs]", "params": "parameters", "mean": "expected", "lower_50": "50 % from", "upper_50": "to",
    "lower_80": "80 % from", "upper_80": "to ", "lower_95": "95 % from", "upper_95": "to  ",
    "decades_beyond": "decades beyond the runs",
}  # fmt: skip


def report(
    fit: Fit | Average,
    plan: pd.DataFrame,
    *,
    answers: Sequence[xr.Dataset | pd.DataFrame] = (),
    past: Backtest | None = None,
    title: str = "What the planned models will score",
    kind: str = HTML,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> str:
    """Write one page about planned runs, for a reader who knows no statistics.

    The answers come first, then tables and figures, what would change the answers, how such forecasts did before,
    whether the sampler converged, what was assumed beforehand, and the sources.  The HTML page has no script and asks
    for nothing from the network: it opens from a mail and prints.

    Parameters
    ----------
    fit : Fit or Average
    plan : DataFrame
        As for `forecast`.
    answers : sequence
        What `compute_for`, `elasticity`, `worth`, `rank`, `allocate`, `trade` and `next_runs` said, in the order in
        which to tell them.
    past : Backtest, optional
        Your own, as the record of how such forecasts did.
    title : str
    kind : str
        "html" or "markdown"; Markdown has no figures.
    seed : int, optional
        The same seed gives the same page.
    even_if_not_converged : bool
        The page says at its head that the fit did not converge.

    Returns
    -------
    str

    Raises
    ------
    DataError
        An argument is none of those above.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops="1e22", benchmark="hellaswag", mixture="C4")
    >>> page = bs.report(fit, plan, answers=[bs.compute_for(fit, 0.7, mixture="C4", seed=1)], seed=1)
    >>> page.startswith("<!doctype html>") and "<script" not in page
    True
    """
    _check(fit, title, kind, past)
    told = [answer_sentences(answer) for answer in _several(answers)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # the page says it
        go_on: dict[str, Any] = {"seed": seed, "even_if_not_converged": even_if_not_converged}
        ahead = forecast(fit, plan, **go_on)
        further = further_runs(fit, plan, ahead, **go_on)
    summary = summarise(ahead, everything=True)
    summary = summary[summary["interval_for"] == NEW_RUN]
    content: dict[str, Any] = {
        "title": title,
        "converged": ahead.attrs["converged"] == "True",
        "forecasts": forecast_sentences(ahead),
        "answers": _noted_once(told, _notes(ahead)),
        "notes": _notes(ahead),
        "law": law_sentence(ahead.attrs["law_uncertainty"]),
        "further": further_sentences(further),
        "fit": fit,
        "cards": [(law.model.name, law.model.card) for law in fit.laws],
        "runs": _runs(fit),
        "verdict": ahead.attrs["verdict"],
        "priors": _priors(fit),
        "past": None if past is None else _record(past),
        "records": _records(told, answers),
        "origin": {name: ahead.attrs[name] for name in ("runs_sha256", "plan_sha256", "seed")},
        "version": __version__,
    }
    if kind == MARKDOWN:
        content["table"] = _pipes(_shown(summary))
        return _filled("report.md.jinja", content)
    content["table"] = _html_table(_shown(summary), "What a new run of each plan should score")
    content["figures"] = [
        *law_figure(fit, plan, ahead, even_if_not_converged),
        *(figure for answer in answers for figure in answer_figure(answer)),
        *([] if past is None else [backtest_figure(past)]),
    ]
    return _filled("report.html.jinja", content)


def _check(fit: object, title: object, kind: object, past: object) -> None:
    """Refuse what no page can be made of."""
    require_fit(fit)
    if kind not in (HTML, MARKDOWN):
        raise DataError(f"kind must be {HTML!r} or {MARKDOWN!r}, not {kind!r}")
    if not (isinstance(title, str) and title.strip()):
        raise DataError(f"title must be text, not {title!r}")
    if not (past is None or isinstance(past, Backtest)):
        raise DataError("past must be what bs.backtest returns")


def _filled(name: str, content: dict[str, Any]) -> str:
    """A template with its content; what is not marked as safe is escaped in HTML."""
    environment = Environment(
        loader=PackageLoader("bayes_scaling.reporting"), autoescape=name.endswith(".html.jinja"),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(name).render(content)


def _several(answers: object) -> list[Any]:
    if not isinstance(answers, list | tuple):
        raise DataError("answers must be a list, such as [bs.rank(fit, 1e22)]")
    return list(answers)


def _noted_once(told: list[tuple[str, list[str]]], notes: list[str]) -> list[tuple[str, list[str]]]:
    """Answers without notes that the page has already."""
    seen = {note_sentence(note) for note in notes}
    kept = []
    for question, sentences in told:
        kept.append((question, [sentence for sentence in sentences if sentence not in seen]))
        seen.update(sentence for sentence in sentences if sentence.startswith(NOTE))
    return kept


def _records(told: list[tuple[str, list[str]]], answers: Sequence[xr.Dataset | pd.DataFrame]) -> list[tuple[str, str]]:
    """How often answers to each question were right on public data, where that was measured."""
    said = [
        (question, str(answer.attrs.get("track_record", "")))
        for (question, _), answer in zip(told, answers, strict=True)
    ]
    return [(question, record) for question, record in dict.fromkeys(said) if record]


def _notes(ahead: xr.Dataset) -> list[str]:
    """Each note once, with the benchmarks that it is about."""
    count = ahead.sizes["row"]
    return told_of(
        ahead["benchmark"].to_numpy() if "benchmark" in ahead.coords else [""] * count, ahead["note"].to_numpy()
    )


def _runs(fit: Fit | Average) -> str:
    runs = fit.runs
    mixtures = [name for name in runs["mixture"].dropna().unique() if name != UNSPECIFIED]
    on = f" on {', '.join(map(str, mixtures))}" if mixtures else ""
    return (
        f"{runs['run'].nunique()} training runs{on} of {runs['flops'].min():.2g} to {runs['flops'].max():.2g} FLOPs, "
        f"with {len(runs)} results on {runs['benchmark'].nunique()} benchmarks"
    )


def _priors(fit: Fit | Average) -> list[str]:
    """What was taken as plausible before any run was seen, each parameter once."""
    told: dict[str, str] = {}
    for law in fit.laws:
        for name, parameter in law.model.parameters.items():
            value = law.model.fixed.get(name)
            where = f"lies between {parameter.low:g} and {parameter.high:g} with 90 % probability"
            told.setdefault(
                name, f"{parameter.meaning} ({name}): " + (where if value is None else f"held at {value:g}")
            )
    return list(told.values())


def _record(past: Backtest) -> str:
    """How a backtest went, in a sentence."""
    each = [
        f"{law}: 80 % bands held {100 * own['inside_80'].mean():.0f} % of {len(own)} results"
        for law, own in past.scores.groupby("law", sort=False)
    ]
    return f"In the backtest, {'; '.join(each)}."


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    """The table of a summary, rounded, without columns that say nothing."""
    table = summary[[name for name in SHOWN if name in summary]].copy()
    table = table.drop(
        columns=[name for name in table if table[name].isna().all() or table[name].eq(UNSPECIFIED).all()]
    )
    for name in table:
        if name in ("params", "tokens", "flops"):
            table[name] = table[name].map("{:.3g}".format)
        elif table[name].dtype.kind == "f":
            table[name] = table[name].map("{:.3f}".format if name != "decades_beyond" else "{:.1f}".format)
    return table.rename(columns=WORDS)


def _html_table(table: pd.DataFrame, caption: str) -> str:
    return GT(table).tab_header(title=caption).tab_options(table_font_size="13px").as_raw_html()


def _pipes(table: pd.DataFrame) -> str:
    """A table in Markdown."""
    rows = [list(map(str.strip, map(str, table.columns))), ["---"] * table.shape[1]]
    rows += [[str(value).replace("|", "\\|") for value in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
