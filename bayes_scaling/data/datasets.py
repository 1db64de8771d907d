"""The data sets that ship with the package, and their cards."""

from __future__ import annotations

import tomllib
from typing import Any

import pandas as pd

from bayes_scaling.data.runs import read_runs
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import DATASET
from bayes_scaling.library import library_folder, names
from bayes_scaling.messages import close_to


def load_dataset(name: str) -> pd.DataFrame:
    """Load a shipped data set of real training runs.

    Parameters
    ----------
    name
        One of the names that ``describe_datasets`` lists.

    Returns
    -------
    DataFrame
        Checked runs; ``frame.attrs["dataset"]`` holds the name.

    Raises
    ------
    DataError
        When no data set has that name.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> runs["run"].nunique(), runs["benchmark"].nunique()
    (104, 46)
    """
    known = names("datasets")
    if not isinstance(name, str) or name not in known:
        near = close_to(name, known)
        hint = f"; did you mean {near!r}?" if near else "."
        raise DataError(f"no data set {name!r}{hint} There are: {', '.join(known)}")
    folder = library_folder("datasets") / name
    runs = read_runs(folder / "runs.csv")
    runs.attrs[DATASET] = name
    return runs


def describe_datasets() -> pd.DataFrame:
    """List the shipped data sets, from their cards alone.

    Returns
    -------
    DataFrame
        One row per data set: name, title, runs and benchmarks (counts), mixtures, licence, source.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> bs.describe_datasets()[["name", "runs"]].values.tolist()
    [['gadre2024', 104], ['olmo_ladder', 32]]
    """
    return pd.DataFrame([_card_row(name) for name in names("datasets")])


def read_card(name: str) -> dict[str, Any]:
    """Read the card of a shipped data set: source, licence, citation, units, known problems.

    Parameters
    ----------
    name
        One of the names that ``describe_datasets`` lists.

    Returns
    -------
    dict
        The document ``dataset.toml``.
    """
    return tomllib.loads((library_folder("datasets") / name / "dataset.toml").read_text(encoding="utf-8"))


def _card_row(name: str) -> dict[str, Any]:
    card = read_card(name)
    return {
        "name": name,
        "title": card["title"],
        "runs": card["n_runs"],
        "benchmarks": card["n_benchmarks"],
        "mixtures": ", ".join(card["mixtures"]),
        "licence": card["licence"]["name"],
        "source": card["source"]["repository"],
    }
