"""Do two versions of the package give the same numbers?  The demo, backtests of both data sets, and the notebooks.

    python benchmarks/same_numbers.py OTHER_PYTHON [--notebooks FOLDER]

OTHER_PYTHON is the interpreter of an environment in which the other version is installed.  Both versions do the same
work, and this prints, part by part, whether the numbers are equal.  Draws of the parameters are compared bit by bit.
Forecasts of new runs contain random noise, and a version may draw it with another generator: they are compared by
means and standard deviations.  ``--notebooks`` is the folder ``notebooks`` of the other version; the notebooks of both
are executed, each by its own interpreter, and the numbers that they print are compared cell by cell.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
NUMBER = re.compile(r"(?<![\w.])[-+]?\d*\.\d+(?:e[-+]?\d+)?(?!\w)")
BACKTESTS = {"gadre2024": ("power_law_discrepancy", 5e20), "olmo_ladder": ("two_stage_params_tokens_discrepancy", 2e20)}
SETTINGS = {"seed": 1, "draws": 200, "tune": 300, "attempts": 1, "progress": False}


def of_fit(fit: Any) -> dict[str, Any]:
    """A hash of the draws of all parameters, in the order of their names."""
    posterior = fit.posterior
    digest = hashlib.sha256()
    for name in sorted(map(str, posterior.data_vars)):
        digest.update(np.ascontiguousarray(posterior[name].to_numpy()).tobytes())
    return {"draws of the parameters, hash": digest.hexdigest()[:16]}


def of_forecast(forecast: Any) -> dict[str, Any]:
    """Mean and standard deviation over all draws and rows of every quantity."""
    return {f"{v}, mean": float(forecast[v].mean()) for v in forecast.data_vars} | {
        f"{v}, sd": float(forecast[v].std()) for v in forecast.data_vars
    }


def work() -> dict[str, dict[str, Any]]:
    """What one version answers."""
    import bayes_scaling as bs

    warnings.simplefilter("ignore")
    parts: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bayes_scaling", "demo", "--quick", "--out", folder]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        fit = bs.Fit.load(Path(folder) / "fit.nc")
        plan = bs.plan_runs(
            params=["3B", "30B"],
            tokens_per_param=20,
            benchmark=[*fit.runs["benchmark"].dropna().unique(), "never seen"],
            mixture=fit.runs["mixture"].unique(),
            chance=0.25,
        )
        parts["demo"] = of_fit(fit) | of_forecast(bs.forecast(fit, plan, seed=1, even_if_not_converged=True))
    for dataset, (law, limit) in BACKTESTS.items():
        runs = bs.load_dataset(dataset)
        runs = runs[runs["benchmark"].isin(runs["benchmark"].dropna().unique()[:4])]
        result = bs.backtest(bs.load_model(law), runs, bs.split_above(runs, "flops", limit), **SETTINGS)
        scores = result.scores.select_dtypes("number")
        parts[f"backtest {dataset}"] = {str(c): float(scores[c].mean()) for c in scores}
    return parts


def notebook_numbers(source: Path, python: str) -> list[list[str]]:
    """The numbers with a decimal point that each cell of an executed notebook prints."""
    import jupytext
    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notebook.ipynb"
        for table in source.parent.glob("*.csv"):
            (Path(folder) / table.name).write_bytes(table.read_bytes())
        nbformat.write(jupytext.read(source, fmt="py:percent"), path)
        command = [python, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook", "--inplace", str(path)]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        cells = nbformat.read(path, as_version=4).cells
    texts = [
        "".join(o.get("text", "") + str(o.get("data", {}).get("text/plain", "")) for o in cell.outputs)
        for cell in cells
        if cell.cell_type == "code"
    ]
    return [NUMBER.findall(text) for text in texts]


def difference(ours: Any, theirs: Any) -> str:
    """In words."""
    if ours == theirs:
        return "equal"
    if isinstance(ours, str) or isinstance(theirs, str) or None in (ours, theirs):
        return f"DIFFERENT: {theirs} before, {ours} now"
    return f"{theirs:.6g} before, {ours:.6g} now: differs by {abs(ours - theirs) / max(abs(theirs), 1e-300):.1e} of it"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", nargs="?", help="Python of the other version")
    parser.add_argument("--notebooks", type=Path, help="the notebooks of the other version")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        print(json.dumps(work()))
        return
    if not chosen.other:
        parser.error("needs the Python of the other version")
    answers = [
        json.loads(
            subprocess.run(
                [python, str(HERE / "same_numbers.py"), "--work"], check=True, stdout=subprocess.PIPE, text=True
            ).stdout.splitlines()[-1]
        )
        for python in (sys.executable, chosen.other)
    ]
    for part, ours in answers[0].items():
        theirs = answers[1][part]
        for name in sorted(ours | theirs):
            print(f"{part}: {name}: {difference(ours.get(name), theirs.get(name))}", flush=True)
    for source in sorted((HERE.parent / "notebooks").glob("[0-9][0-9]_*.py")):
        if chosen.notebooks and (other := chosen.notebooks / source.name).exists():
            now, before = notebook_numbers(source, sys.executable), notebook_numbers(other, chosen.other)
            same = sum(a == b for a, b in zip(now, before, strict=False))
            print(f"notebook {source.stem}: {same} of {max(len(now), len(before))} cells print the same numbers")
            for number, (a, b) in enumerate(zip(now, before, strict=False)):
                if a != b:
                    print(f"  cell {number}: before {' '.join(b)[:200]}\n  cell {number}: now    {' '.join(a)[:200]}")


if __name__ == "__main__":
    main()
