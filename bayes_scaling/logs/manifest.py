"""The manifest: what logs of evaluations do not say of the models and benchmarks in them.

A CSV file has one row a model, with the columns ``model`` and, where one has them, ``revision``, ``params``,
``tokens``, ``flops``, ``mixture``, ``family``, ``seed``, ``step`` and ``run``.  ``model`` and ``revision`` may be
patterns such as ``lab/toy-*``.  A TOML file holds the same, and facts about benchmarks::

    [models."lab/toy-120m"]
    params = "120M"
    tokens = "2.4B"

    [benchmarks.my_test]
    chance = 0.25
    metric = "acc_norm"
    filter = "strict-match"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.files.tables import read_table
from bayes_scaling.messages import listed, suggest

OF_MODELS = ("params", "tokens", "flops", "mixture", "family", "seed", "step", "run")
OF_BENCHMARKS = ("chance", "n_items", "metric", "filter")


@dataclass(frozen=True)
class Manifest:
    """Facts by model, in the order given, and by benchmark.

    Attributes
    ----------
    models : list of tuple
        Patterns of model and revision, and the facts.
    benchmarks : dict of dict
    """

    models: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    benchmarks: dict[str, dict[str, object]] = field(default_factory=dict)

    def of(self, model: str, revision: str) -> dict[str, object]:
        """Facts of the first entry that fits a model and its revision."""
        for name, wanted, facts in self.models:
            if fnmatchcase(model, name) and fnmatchcase(revision, wanted or "*"):
                return facts
        return {}


def read_manifest(source: str | Path | pd.DataFrame | None) -> Manifest:
    """Read a manifest from a CSV or TOML file, or a frame.

    Raises
    ------
    DataError
        It is neither, names no model, or holds what has no place in it.
    """
    if source is None:
        return Manifest()
    if isinstance(source, str | Path) and str(source).lower().endswith(".toml"):
        return _from_toml(Path(source))
    if isinstance(source, str | Path):
        table, where = read_table(Path(source), ["model", "revision", "run"])[0], Path(source).name
    else:
        table, where = as_frame(source, "the manifest"), "the manifest"
    if "model" not in table:
        raise DataError(f"{where}: a manifest has the column 'model' and any of {listed(OF_MODELS, len(OF_MODELS))}")
    _refuse_unknown([str(name) for name in table], ("model", "revision", *OF_MODELS), where)
    models = []
    for row in table.to_dict("records"):
        known = {str(name): value for name, value in row.items() if not pd.isna(value)}
        if "model" in known:
            models.append((str(known.pop("model")), str(known.pop("revision", "")), known))
    return Manifest(models)


def _from_toml(path: Path) -> Manifest:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path.name}: not a manifest in TOML: {error}") from None
    _refuse_unknown(list(document), ("models", "benchmarks"), path.name)
    parts: dict[str, dict[str, dict[str, object]]] = {"models": {}, "benchmarks": {}}
    for part, allowed in (("models", ("revision", *OF_MODELS)), ("benchmarks", OF_BENCHMARKS)):
        for name, facts in document.get(part, {}).items() if isinstance(document.get(part, {}), dict) else ():
            if not isinstance(facts, dict):
                raise DataError(f"{path.name}: [{part}.{name}] must be a table of facts, not {facts!r}")
            _refuse_unknown(list(facts), allowed, f"{path.name}: [{part}.{name}]")
            parts[part][name] = facts
    models = [(name, str(facts.pop("revision", "")), facts) for name, facts in parts["models"].items()]
    return Manifest(models, parts["benchmarks"])


def _refuse_unknown(names: list[str], known: tuple[str, ...], where: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise DataError(f"{where}: {unknown[0]!r} has no place here; {suggest(unknown[0], known)}")
