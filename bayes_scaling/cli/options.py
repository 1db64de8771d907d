"""What the options of ``bayes-scaling forecast`` ask for: which runs, of which benchmarks, and in which figure."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.files.writing import require_writable
from bayes_scaling.messages import close_to

if TYPE_CHECKING:
    import pandas as pd

    from bayes_scaling.inference.fitting import Fit

type Strings = tuple[str, ...]

NOT_CONVERGED = 1  # exit status
FIGURES = (".png", ".pdf", ".svg")
MAP = click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="YOURS=OURS",
    help="A column of yours and its name here: 'Params (B)=params*1e9'.",
)


def refuse_unknown(wanted: Strings, runs: pd.DataFrame, column: str, has: str, advice: str = "") -> None:
    """Refuse names that a column does not hold, with the one that was probably meant.

    Raises
    ------
    DataError
    """
    known = sorted(runs[column].dropna().unique())
    for name in wanted:
        if name not in known:
            near = close_to(name, known)
            hint = f"did you mean {near!r}?" if near else f"but {', '.join(known)}"
            raise DataError(f"{has} no {column} {name!r}; {hint}{advice}")


def runs_of(source: str, mapping: Strings = ()) -> pd.DataFrame:
    """Read a file, or load a shipped data set where no such file exists and the name has no suffix."""
    from bayes_scaling.data.datasets import load_dataset
    from bayes_scaling.data.runs import read_runs

    if not (Path(source).suffix or Path(source).exists() or mapping):
        return load_dataset(source)
    if bad := [pair for pair in mapping if not all(pair.partition("="))]:
        raise DataError(f"--map needs YOURS=OURS, such as --map model_size=params, not {bad[0]!r}")
    return read_runs(source, dict(pair.split("=", 1) for pair in mapping))


def only_these(runs: pd.DataFrame, column: str, wanted: Strings) -> pd.DataFrame:
    """Rows with the labels that an option names, or all."""
    refuse_unknown(wanted, runs, column, "the table has")
    return runs[runs[column].isin(wanted)] if wanted else runs


def planned(
    found: Fit, sizes: dict[str, Strings], path: Path | None, benchmark: Strings, mixture: Strings
) -> pd.DataFrame:
    """Make the plan that the options describe."""
    from bayes_scaling.data.plans import plan_runs

    given = {name: list(values) for name, values in sizes.items() if values}
    if path is not None:
        if given or benchmark or mixture:
            raise DataError("--plan says everything; leave out sizes, --k, --benchmark and --mixture")
        return read_plan(path)
    if not set(given) - {"k"}:
        raise DataError("say which runs: --flops 1e22, or --params 7B --tokens 4T, or --plan plan.csv")
    refuse_unknown(
        benchmark, found.runs, "benchmark", "the fit saw", "; name unseen ones, with their chance, in --plan"
    )
    tests = list(benchmark) or list(found.runs["benchmark"].dropna().unique()) or None
    mixtures = list(mixture) or (list(found.runs["mixture"].unique()) if "mixture" in found.model.groups else None)
    return plan_runs(**given, benchmark=tests, mixture=mixtures)  # type: ignore[arg-type]


def read_plan(path: Path) -> pd.DataFrame:
    """Read planned runs from a CSV or Parquet file, with sizes as people write them."""
    from bayes_scaling.data.columns import COLUMNS
    from bayes_scaling.data.plans import PLAN_COLUMNS, typed_plan
    from bayes_scaling.files.tables import read_table

    plan, place = read_table(path, [name for name in PLAN_COLUMNS if COLUMNS[name].dtype == "str"])
    return typed_plan(plan, place).reset_index(drop=True)


def require_outputs(outputs: dict[str, Path | None], inputs: dict[str, Path | None], *, force: bool) -> None:
    """Refuse places to write before any work is done.

    Parameters
    ----------
    outputs, inputs : dict of paths
        By the option that names them, as messages do.
    force : bool
        Files that are there may be replaced.

    Raises
    ------
    FileError
        A file that cannot be written, is there already, is named twice, or is one that the command reads.
    """
    taken = {realpath(path): name for name, path in inputs.items() if path is not None}
    for name, path in outputs.items():
        if path is None:
            continue
        if (other := taken.get(realpath(path))) is not None:
            raise FileError(f"{path}: {name} and {other} are the same file; choose another name for {name}")
        taken[realpath(path)] = name
        if name == "--plot" and path.suffix.lower() not in FIGURES:
            raise FileError(f"{path}: a figure has the suffix {', '.join(FIGURES)}; choose such a name")
        if name == "--lock":
            require_writable(
                path, replace=False, advice=", and a locked forecast never replaces a file; choose another name"
            )
        else:
            require_writable(path, replace=force, advice="; choose another name, or replace it with --force")


def draw_plot(found: Fit, wanted: pd.DataFrame, path: Path, seed: int | None) -> None:
    """Draw the law for the planned benchmarks that the fit saw, as far as the plan reaches."""
    from math import log10

    from bayes_scaling.files.writing import filled, write_whole
    from bayes_scaling.reporting.law_figure import plot_law

    seen = [b for b in dict.fromkeys(wanted["benchmark"]) if b in set(found.runs["benchmark"])]
    if not seen:
        raise DataError("--plot shows benchmarks that the fit saw, and none of these is among them")
    planned = dict.fromkeys(wanted["mixture"]) if "mixture" in wanted else {}
    mixtures = [m for m in planned if m in set(found.runs["mixture"])]
    reach = max(0.5, log10(wanted["flops"].max() / found.runs["flops"].max()) + 0.2)
    figure = plot_law(
        found,
        benchmarks=seen,
        mixtures=mixtures or None,
        reach=reach,
        planned=wanted,
        seed=seed,
        even_if_not_converged=True,
    )
    write_whole(path, filled(lambda file: figure.savefig(file, format=path.suffix[1:].lower(), dpi=150)))
