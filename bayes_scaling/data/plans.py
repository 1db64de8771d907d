"""Plans: tables of runs that are not made yet, in the columns of runs, without their scores."""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import (
    BENCHMARK,
    BENCHMARK_FACT,
    COLUMNS,
    LABEL,
    NAME,
    PASS_AT_K,
    SIZE,
    UNSPECIFIED,
    typed,
    with_role,
)  # fmt: skip
from bayes_scaling.data.compute_counting import FROM_FLOPS, counted_as
from bayes_scaling.data.run_names import brief_run_names
from bayes_scaling.data.sizes import flops_of, sizes_of
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.files.tables import Place, refuse
from bayes_scaling.messages import listed

PLAN_COLUMNS = with_role(NAME, LABEL, SIZE, BENCHMARK, BENCHMARK_FACT)
KNOWN_OF_BENCHMARKS = ("chance", "n_items")  # filled in from the runs
EXAMPLE = "plan_runs(flops=[1e22], benchmark=['hellaswag']) makes some"

type Size = float | str
type Sizes = Size | Iterable[Size] | None
type PerBenchmark = float | Mapping[str, float] | None
type Labels = Mapping[str, str | Iterable[str]] | None


def plan_runs(
    *,
    flops: Sizes = None,
    params: Sizes = None,
    tokens: Sizes = None,
    tokens_per_param: Sizes = None,
    benchmark: str | Iterable[str] | None = None,
    mixture: str | Iterable[str] | None = None,
    labels: Labels = None,
    chance: PerBenchmark = None,
    n_items: PerBenchmark = None,
    k: Sizes = None,
) -> pd.DataFrame:
    """List runs you are thinking of making, to ask what they would reach.

    Every size is combined with every benchmark, mixture, label and k. A size is one of: ``flops`` alone;
    ``params`` and ``tokens``, paired one to one, with or without ``flops``; ``params`` or ``flops``,
    each combined with every ``tokens_per_param``.

    Parameters
    ----------
    flops, params, tokens
        Compute [FLOPs], size [parameters] and length [tokens] of the runs; text such as "7B" is understood.
    tokens_per_param
        Training length as a multiple of the size [tokens per parameter].
    benchmark
        Benchmarks to forecast; leave it out for a loss.
    mixture
        Training data; "unspecified" where it is not given.
    labels
        Further labels of the runs: ``{"family": ["A", "B"]}``, or a column of your own that a model varies over.
    chance
        Score of guessing [proportion], one for all benchmarks or one each; blank where the fit knows it.
    n_items
        Items of the benchmark [items], one number for all or one each.
    k
        Samples that count as one try, for pass@k.

    Returns
    -------
    DataFrame
        One row per run, benchmark and k, in the columns ``PLAN_COLUMNS`` and those of ``labels``; rows of one run
        share its name.  Without a benchmark the columns about one are left out.  ``metric`` is "pass@k" where k is
        given and blank elsewhere: the fit knows it.

    Raises
    ------
    DataError
        When the sizes do not go together, or a value cannot be.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> plan = bs.plan_runs(params=["1B", "7B"], tokens_per_param=20, benchmark="hellaswag", mixture="C4")
    >>> plan["run"].tolist()
    ['C4 · 1B params · 20B tokens · 1.2e20 FLOPs', 'C4 · 7B params · 140B tokens · 5.88e21 FLOPs']
    """
    sizes = _sizes(_values("flops", flops), _values("params", params), _values("tokens", tokens),
                   _values("params", tokens_per_param, "tokens_per_param"))  # fmt: skip
    given = {"mixture": _values("mixture", UNSPECIFIED if mixture is None else mixture), **_labels(labels)}
    tests = [np.nan] if benchmark is None else _values("benchmark", benchmark)
    tries = [np.nan] if k is None else _values("k", k)
    rows = [(*names, *size, b, n) for names in product(*given.values()) for size, b, n in product(sizes, tests, tries)]
    plan = pd.DataFrame(rows, columns=[*given, "params", "tokens", "flops", "benchmark", "k"]).drop_duplicates(
        ignore_index=True
    )
    plan = plan.assign(**{name: UNSPECIFIED for name in with_role(LABEL) if name not in given})
    own = [name for name in given if name not in COLUMNS]
    plan["run"] = brief_run_names(plan, own)
    plan["metric"] = PASS_AT_K if k is not None else np.nan
    plan["chance"] = _per_benchmark("chance", chance, plan["benchmark"])
    plan["n_items"] = _per_benchmark("n_items", n_items, plan["benchmark"])
    kept = [name for name in PLAN_COLUMNS if benchmark is not None or COLUMNS[name].role in (NAME, LABEL, SIZE)]
    plan = plan[[*kept, *own]].astype({name: COLUMNS[name].dtype for name in kept})
    plan.attrs[FROM_FLOPS] = bool(flops is not None and params is None and tokens_per_param is not None)
    return plan


def typed_plan(plan: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Give the columns of a plan their types: sizes as text become numbers, and compute follows from the sizes.

    Raises
    ------
    DataError
        Cells that their column cannot hold, with the rows and values.
    """
    clean, complaints = {}, []
    for name in (name for name in PLAN_COLUMNS if name in plan):
        clean[name], wrong = typed(name, plan[name])
        if wrong.size:
            complaints.append(place.complaint(f"column {name!r}", COLUMNS[name].rule, wrong.index, wrong))
    refuse(complaints, place)
    plan = plan.assign(**clean)
    if {"params", "tokens"} <= set(plan):
        flops = flops_of(plan["params"], plan["tokens"])
        plan = plan.assign(flops=plan["flops"].fillna(flops) if "flops" in plan else flops)
    return plan


def complete(
    plan: pd.DataFrame, runs: pd.DataFrame, *, needs: Collection[str], groups: Collection[str] = (), who: str
) -> pd.DataFrame:
    """Bring a plan into the form that forecasts read, with what the runs know about its benchmarks and labels.

    Every way to ask for a forecast goes through here, so that all take the same plans and give the same rows.

    Parameters
    ----------
    plan : DataFrame
        From `plan_runs`, or any table with some of its columns.
    runs : DataFrame
        The runs that the forecast rests on.
    needs : collection of str
        Columns that must have a value in every row.
    groups : collection of str
        Columns of labels that the forecast depends on.
    who : str
        What needs them, for messages, such as "model 'power_law'".

    Returns
    -------
    DataFrame
        With types, compute, names of runs, and ``chance`` and ``n_items`` where the runs know them.

    Raises
    ------
    DataError
        The plan is no table or has no rows, a cell cannot be, or a column that is needed has blanks.
    """
    plan = as_frame(plan, "the plan", example=EXAMPLE)
    if plan.empty:
        raise DataError(f"the plan has no rows; {EXAMPLE}")
    plan = counted_as(runs, typed_plan(plan.reset_index(drop=True), Place("plan")))
    if "run" not in plan:  # named by what the plan says, before more is known of it
        own = [group for group in groups if group not in COLUMNS]
        plan = plan.assign(run=brief_run_names(plan, own))
    for group in groups:
        plan = _labelled(plan, runs, group, who)
    for name in [name for name in KNOWN_OF_BENCHMARKS if "benchmark" in plan and name in runs]:
        known = runs.dropna(subset=[name]).groupby("benchmark")[name].max()  # all items, where some runs had fewer
        given = plan[name] if name in plan else pd.Series(np.nan, plan.index)
        plan[name] = given.fillna(plan["benchmark"].map(known)).astype(float)
    for name in needs:
        blank = plan.index[plan[name].isna()] if name in plan else plan.index
        if len(blank):
            raise DataError(f"{who} needs {name!r} in every row of the plan: rows {list(blank[:5])} have none")
    return plan


def _labelled(plan: pd.DataFrame, runs: pd.DataFrame, group: str, who: str) -> pd.DataFrame:
    """Fill in the label of a group where the plan leaves it open and the runs have one alone."""
    known = list(runs[group].dropna().astype(str).unique()) if group in runs else []
    open_ = plan[group].isna() | plan[group].eq(UNSPECIFIED) if group in plan else pd.Series(True, plan.index)
    if open_.any() and len(known) == 1 and group != "benchmark":
        given = plan[group] if group in plan else pd.Series(UNSPECIFIED, plan.index)
        return plan.assign(**{group: given.astype(object).where(~open_, known[0])})
    if group not in plan:
        raise DataError(f"{who} needs the column {group!r} in the plan; the runs have {listed(known)}")
    return plan


def _labels(labels: Labels) -> dict[str, list[str]]:
    """Read labels that are not the mixture."""
    found = {}
    if labels is not None and not (isinstance(labels, Mapping) and all(isinstance(name, str) for name in labels)):
        raise DataError(f"plan: labels must be a mapping such as {{'family': 'llama'}}, not {labels!r}")
    for name, given in (labels or {}).items():
        if name == "mixture" or (name in COLUMNS and COLUMNS[name].role != LABEL):
            raise DataError(f"plan: {name!r} is not one of the further labels; give it by its own argument")
        found[name] = _values("family", given, name)
    return found


def _values(column: str, given: object, name: str = "") -> list[Any]:
    """Read one argument into the type of its column: a scalar, or several."""
    if given is None:
        return []
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes) and getattr(given, "ndim", 1) != 0
    cells = list(given) if several else [given]  # type: ignore[call-overload]
    clean, wrong = typed(column, pd.Series(cells, dtype=object))
    if wrong.size or clean.isna().any() or not cells:
        bad = wrong if wrong.size else cells
        raise DataError(f"plan: {name or column} {COLUMNS[column].rule}, without blanks; not {list(bad)!r}")
    return clean.tolist()


def _sizes(flops: list, params: list, tokens: list, ratio: list) -> list[tuple[float, float, float]]:
    match bool(flops), bool(params), bool(tokens), bool(ratio):
        case True, False, False, False:
            sizes = [(np.nan, np.nan, c) for c in flops]
        case False, True, True, False:
            sizes = [(n, d, flops_of(n, d)) for n, d in _paired(params=params, tokens=tokens)]
        case True, True, True, False:
            sizes = [*_paired(params=params, tokens=tokens, flops=flops)]
        case False, True, False, True:
            sizes = [(n, r * n, flops_of(n, r * n)) for n, r in product(params, ratio)]
        case True, False, False, True:
            sizes = [(*sizes_of(c, r), c) for c, r in product(flops, ratio)]
        case _:
            raise DataError(
                "plan: give flops, or params and tokens (with or without flops), or tokens_per_param "
                "with params or with flops"
            )
    if not all(0 < c < np.inf for _, _, c in sizes):
        raise DataError(f"plan: 6 params tokens must be finite and above 0, not {[c for _, _, c in sizes]}")
    return sizes


def _paired(**sizes: list[float]) -> list[tuple[Any, ...]]:
    longest = max(map(len, sizes.values()))
    if any(len(values) not in (1, longest) for values in sizes.values()):
        counts = ", ".join(f"{len(values)} {name}" for name, values in sizes.items())
        raise DataError(f"plan: {' and '.join(sizes)} are paired; give equally many, or one; not {counts}")
    return list(zip(*(values * (longest // len(values)) for values in sizes.values()), strict=True))


def _per_benchmark(column: str, given: PerBenchmark, benchmarks: pd.Series) -> pd.Series:
    if given is None:
        return pd.Series(np.nan, index=benchmarks.index)
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - set(benchmarks))
        if unknown:
            raise DataError(f"plan: {column} names {unknown}, which are not among the benchmarks")
        values = {name: _values(column, value)[0] for name, value in given.items()}
        return benchmarks.map(values).astype("float64")
    return pd.Series(_one(column, given), index=benchmarks.index)


def _one(column: str, given: object) -> float:
    values = _values(column, given)
    if len(values) != 1:
        raise DataError(f"plan: give one {column} for all benchmarks, or one each as {{'piqa': ...}}; not {given!r}")
    return values[0]
