"""Plans: a table of runs that are not made yet, in the columns of runs, without their scores."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import COLUMNS, UNSPECIFIED, typed
from bayes_scaling.data.run_names import run_names
from bayes_scaling.errors import DataError
from bayes_scaling.files.tables import Place

PLAN = Place("plan")
PLAN_COLUMNS = (
    "run", "family", "mixture", "params", "tokens", "flops", "benchmark", "metric", "n_items", "k", "chance",
)  # fmt: skip

type Size = float | str
type Sizes = Size | Iterable[Size] | None
type PerBenchmark = float | Mapping[str, float] | None


def plan_runs(
    *,
    flops: Sizes = None,
    params: Sizes = None,
    tokens: Sizes = None,
    tokens_per_param: Sizes = None,
    benchmark: str | Iterable[str] | None = None,
    mixture: str | Iterable[str] | None = None,
    chance: PerBenchmark = None,
    n_items: PerBenchmark = None,
    k: Sizes = None,
) -> pd.DataFrame:
    """List runs you are thinking of making, to ask what they would reach.

    Every size is combined with every benchmark, mixture and k. A size is one of: ``flops`` alone;
    ``params`` and ``tokens``, paired one to one, with or without ``flops``; ``params`` or ``flops``,
    each combined with every ``tokens_per_param``.

    Parameters
    ----------
    flops, params, tokens
        Compute [FLOPs], size [parameters] and length [tokens] of the runs; text such as "7B" is understood.
    tokens_per_param
        Training length as a multiple of the size [tokens per parameter].
    benchmark
        Benchmarks to forecast.
    mixture
        Training data; "unspecified" where it is not given.
    chance
        Score of guessing [proportion], one for all benchmarks or one each; blank where the fit knows it.
    n_items
        Items of the benchmark [items], one number for all or one each.
    k
        Samples that count as one try, for pass@k.

    Returns
    -------
    DataFrame
        One row per run, benchmark and k, in the columns ``PLAN_COLUMNS``; rows of one run share its name.
        ``metric`` is "pass@k" where k is given and blank elsewhere: the fit knows it.

    Raises
    ------
    DataError
        When the sizes do not go together, or a value cannot be.
    """
    sizes = _sizes(_values("flops", flops), _values("params", params), _values("tokens", tokens),
                   _values("params", tokens_per_param, "tokens_per_param"))  # fmt: skip
    mixtures = _values("mixture", UNSPECIFIED if mixture is None else mixture)
    if benchmark is None:
        raise DataError("plan: name at least one benchmark, such as benchmark='hellaswag'")
    tests = _values("benchmark", benchmark)
    tries = [np.nan] if k is None else _values("k", k)
    rows = [(m, *size, b, n) for m, size, b, n in product(mixtures, sizes, tests, tries)]
    plan = pd.DataFrame(rows, columns=["mixture", "params", "tokens", "flops", "benchmark", "k"])
    plan = plan.drop_duplicates(ignore_index=True).assign(family=UNSPECIFIED, seed=np.nan, step=np.nan)
    plan["run"] = _names(plan)
    plan["metric"] = "pass@k" if k is not None else np.nan
    plan["chance"] = _per_benchmark("chance", chance, plan["benchmark"])
    plan["n_items"] = _per_benchmark("n_items", n_items, plan["benchmark"])
    return plan[list(PLAN_COLUMNS)].astype({name: COLUMNS[name].dtype for name in PLAN_COLUMNS})


def _values(column: str, given: Any, name: str = "") -> list[Any]:
    """Read one argument into the type of its column: a scalar, or several."""
    if given is None:
        return []
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes) and getattr(given, "ndim", 1) != 0
    cells = list(given) if several else [given]
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
            sizes = [(n, d, 6.0 * n * d) for n, d in _paired(params=params, tokens=tokens)]
        case True, True, True, False:
            sizes = [*_paired(params=params, tokens=tokens, flops=flops)]
        case False, True, False, True:
            sizes = [(n, r * n, 6.0 * n * r * n) for n, r in product(params, ratio)]
        case True, False, False, True:
            roots = [((c / (6.0 * r)) ** 0.5, c, r) for c, r in product(flops, ratio)]
            sizes = [(n, r * n, c) for n, c, r in roots]
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


def _one(column: str, given: Any) -> float:
    values = _values(column, given)
    if len(values) != 1:
        raise DataError(f"plan: give one {column} for all benchmarks, or one each as {{'piqa': ...}}; not {given!r}")
    return values[0]


def _names(plan: pd.DataFrame) -> pd.Series:
    """Name runs briefly, and in full only where that would give two runs one name."""
    brief, full = run_names(plan, 4), run_names(plan)
    return brief if brief.nunique() == full.nunique() else full
