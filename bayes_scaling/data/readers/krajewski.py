"""Readers: tables that others have published, turned into runs.

The published tables of arXiv 2512.08894 are long: one row per run and measured number, named by
``benchmark`` and ``metric_type``. Losses stand there as benchmarks too, named after the validation set.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import COLUMNS
from bayes_scaling.data.runs import validate
from bayes_scaling.data.sizes import flops_of, size_text
from bayes_scaling.errors import DataError
from bayes_scaling.files.tables import read_table, refuse


class Published(NamedTuple):
    """A benchmark of the published tables: its name here, its number of items, and its guessing rate."""

    name: str
    n_items: int
    chance: float


# Items and mixtures: Section 3 and Appendix of arXiv 2512.08894; chance is 1 / choices, 0 for open answers.
BENCHMARKS = {
    "arc_challenge": Published("arc_challenge", 1172, 0.25),
    "arc_easy": Published("arc_easy", 2376, 0.25),
    "gsm8k_cot_llama": Published("gsm8k", 1319, 0.0),
    "hellaswag": Published("hellaswag", 10042, 0.25),
    "humaneval-py": Published("humaneval", 164, 0.0),
    "lambada_openai": Published("lambada", 5153, 0.0),
    "lbpp": Published("lbpp", 161, 0.0),
    "math_minerva": Published("minerva_math", 5000, 0.0),
    "mbpp": Published("mbpp", 500, 0.0),
    "mmlu": Published("mmlu", 14042, 0.25),
    "piqa": Published("piqa", 1838, 0.5),
    "sciq": Published("sciq", 1000, 0.25),
    "triviaqa_1shot": Published("triviaqa", 11313, 0.0),
    "webqs_1shot": Published("webqs", 2032, 0.0),
    "winogrande": Published("winogrande", 1267, 0.5),
}
VAL_SETS = ("c4", "dclm", "fineweb")
MIXTURES = {"c4": "C4", "dclm": "DCLM+Stack+OpenMath"}
NEEDED = {
    "c4": ("flops", "params", "tokens", "benchmark", "metric_type", "score", "tpr"),
    "dclm": ("tokens", "benchmark", "metric_type", "score", "tpr"),
}
OUTCOMES = ("n_assertionerror", "n_exception", "n_invalid_status", "n_ok", "n_syntaxerror")
WITH_C4_TWIN = 20.0
CELL = ["run", "benchmark", "metric_type"]


def read_krajewski(
    c4: str | Path | None = None,
    dclm: str | Path | None = None,
    *,
    metric: str | Mapping[str, str] = "acc",
    loss: str = "c4",
) -> pd.DataFrame:
    """Read the published runs of arXiv 2512.08894 from the files you downloaded.

    Subject scores of MMLU and MATH, and benchmarks other than the fifteen in ``BENCHMARKS``, are left out.
    The second file states no model sizes: at 20 tokens per parameter N is that of the run on C4 with the
    same tokens, where both files are given; elsewhere it is nominal, N = D / tpr, as ``size_source`` says.
    Where one sample was drawn per problem the file prints 1 for pass@2 and beyond; those rows are dropped.

    Parameters
    ----------
    c4
        Path of ``metrics_c4_mixture.csv``.
    dclm
        Path of ``metrics_dclm_data_mixture.csv``.
    metric
        ``"acc"`` or ``"acc_norm"`` (normalised by length), one for all benchmarks or one each by name;
        a benchmark published without ``acc_norm`` keeps ``acc``.
    loss
        Validation set whose loss [nats per token] stands beside the scores: ``"c4"``, ``"dclm"`` or
        ``"fineweb"``. The other losses have rows of their own.

    Returns
    -------
    DataFrame
        Checked runs, with the columns ``tokens_per_param`` and ``size_source`` besides those of ``COLUMNS``,
        and ``own_loss`` [nats per item]: minus the benchmark's own ``loglikelihood``, where one is published.

    Raises
    ------
    DataError
        When no file is given, a file lacks a column, or its numbers cannot be.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.read_krajewski("krajewski_c4.csv")  # doctest: +SKIP
    """
    choices = _choices(metric)
    if loss not in VAL_SETS:
        raise DataError(f"loss must be one of {', '.join(VAL_SETS)}, not {loss!r}")
    files = {"c4": c4, "dclm": dclm}
    tables = {name: _read(Path(path), name) for name, path in files.items() if path is not None}
    if not tables:
        raise DataError("give the path of at least one of the two published files, c4 and dclm")
    sized = [_sized(table, tables.get("c4")) for table in tables.values()]
    where = " and ".join(Path(path).name for path in files.values() if path is not None)
    return validate(_runs(pd.concat(sized, ignore_index=True), choices, loss), where)


def _choices(metric: str | Mapping[str, str]) -> dict[str, str]:
    named = {test.name: "acc" for test in BENCHMARKS.values()}
    chosen = dict.fromkeys(named, metric) if isinstance(metric, str) else dict(metric)
    odd = {name: kind for name, kind in chosen.items() if name not in named or kind not in ("acc", "acc_norm")}
    if odd:
        raise DataError(f"metric must be acc or acc_norm, for any of {', '.join(named)}; not {odd}")
    return named | chosen


def _read(path: Path, name: str) -> pd.DataFrame:
    frame, place = read_table(path, ["benchmark", "metric_type"])
    missing = [column for column in NEEDED[name] if column not in frame]
    if missing:
        raise DataError(f"{place.where}: the published table has the columns {NEEDED[name]}; missing are {missing}")
    numbers = [column for column in NEEDED[name] if column not in ("benchmark", "metric_type")]
    parsed = frame[numbers].apply(pd.to_numeric, errors="coerce")
    complaints = []
    for column in numbers:
        blank = frame["score"].isna() if column == "score" else False
        wrong = frame.loc[~(np.isfinite(parsed[column]) | blank), column]
        if wrong.size:
            complaints.append(place.complaint(f"column {column!r}", "must be a number", wrong.index, wrong))
    refuse(complaints, place)
    table = frame.assign(**parsed, mixture=MIXTURES[name])
    return table[[*NEEDED[name], "mixture"]].drop_duplicates()


def _sized(table: pd.DataFrame, c4: pd.DataFrame | None) -> pd.DataFrame:
    """Give each run its N and C, from the run on C4 with as many tokens where there is one."""
    if "params" in table:
        return table.assign(size_source="reported")
    twins = {} if c4 is None else dict(zip(c4["tokens"], c4["params"], strict=True))
    exact = table["tokens"].map(twins).where(table["tpr"] == WITH_C4_TWIN).astype("float64")
    params = exact.fillna(table["tokens"] / table["tpr"])
    source = pd.Series(np.where(exact.notna(), "the run on C4 with the same tokens", "nominal"), table.index)
    return table.assign(params=params, flops=flops_of(params, table["tokens"]), size_source=source)


def _runs(long: pd.DataFrame, choices: Mapping[str, str], loss: str) -> pd.DataFrame:
    names = {
        key: f"{key[0]} · {size_text(key[1])} tokens · {key[2]:g} per parameter"
        for key in long[["mixture", "tokens", "tpr"]].drop_duplicates().itertuples(index=False, name=None)
    }
    keys = zip(long["mixture"], long["tokens"], long["tpr"], strict=True)
    long = long.assign(run=[names[key] for key in keys]).rename(columns={"tpr": "tokens_per_param"})
    losses = long[long["benchmark"].isin(VAL_SETS) & long["metric_type"].eq("loss") & long["score"].notna()]
    losses = losses.rename(columns={"score": "loss", "benchmark": "val_set"})
    beside = losses[losses["val_set"] == loss].set_index("run")["loss"]
    scores = _scores(long[long["benchmark"].isin(BENCHMARKS)], choices)
    if beside.index.is_unique:
        scores = scores.assign(loss=scores["run"].map(beside))
        scores["val_set"] = scores["loss"].map(lambda value: loss if value == value else np.nan)
        losses = losses[losses["val_set"].ne(loss) | ~losses["run"].isin(scores["run"])]
    kept = [*(name for name in COLUMNS if name in {*scores, *losses}), "tokens_per_param", "size_source"]
    kept += ["own_loss"] if scores["own_loss"].notna().any() else []
    return pd.concat([scores, losses], ignore_index=True)[kept]


def _scores(long: pd.DataFrame, choices: Mapping[str, str]) -> pd.DataFrame:
    test = long["benchmark"].map(BENCHMARKS)
    facts = {field: test.map(lambda value, field=field: getattr(value, field)) for field in ("n_items", "chance")}
    long = long.assign(benchmark=test.map(lambda value: value.name), **facts)
    long = long.assign(k=long["metric_type"].str.extract(r"^pass@(\d+)$", expand=False).astype("float64"))
    normed = set(long.loc[long["metric_type"] == "acc_norm", "benchmark"])
    wanted = {name: kind if name in normed else "acc" for name, kind in choices.items()}
    chosen = long["metric_type"].eq("exact_match") | long["metric_type"].eq(long["benchmark"].map(wanted))
    own = long[long["metric_type"] == "loglikelihood"].groupby(["run", "benchmark"])["score"].mean()
    draws = long[long["metric_type"].isin(OUTCOMES)].groupby(["run", "benchmark"])["score"].sum()
    samples = _beside(long, draws) / long["n_items"]
    scores = long.assign(n_samples=samples.round().where(long["k"].notna()), own_loss=-_beside(long, own))
    scores = scores[(chosen | (scores["k"].notna() & ~_unsampled(scores))) & scores["score"].notna()]
    return scores.assign(metric=scores["metric_type"].mask(scores["k"].notna(), "pass@k"))


def _beside(long: pd.DataFrame, numbers: pd.Series) -> pd.Series:
    """Put one number of every run and benchmark beside all rows of both."""
    found = pd.MultiIndex.from_frame(long[["run", "benchmark"]]).map(numbers.to_dict().get)
    return pd.Series(found, index=long.index, dtype="float64")


def _unsampled(scores: pd.DataFrame) -> pd.Series:
    """Find pass@k beyond the samples drawn; where their number is not told, all ones beyond k = 1 tell it."""
    several = scores["k"] > 1
    lowest = scores["score"].where(several).groupby([scores["run"], scores["benchmark"]]).transform("min")
    return several & (scores["k"].gt(scores["n_samples"]) | (scores["n_samples"].isna() & lowest.eq(1)))
