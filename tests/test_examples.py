"""The examples in docstrings: every public function has one, and all of them run."""

import doctest
import importlib
import inspect
import pkgutil
import warnings

import numpy as np
import pytest
from simulate import unfitted

import bayes_scaling as bs
from bayes_scaling.models.documents import load_model

BOUNDARIES = ("fit_boundary", "boundary", "moved", "saturation", "shift_probe", "plot_boundary")
SAMPLING = ("fit", "compare", *BOUNDARIES)  # take longer, because they sample
FUNCTIONS = [name for name in bs.__all__ if inspect.isfunction(getattr(bs, name))]
MODULES = [info.name for info in pkgutil.walk_packages(bs.__path__, "bayes_scaling.") if "__main__" not in info.name]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """A folder with the fits that examples load."""
    folder = tmp_path_factory.mktemp("examples")
    runs = bs.load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(["arc_easy", "hellaswag"]) & runs["tokens_per_param"].between(19, 21.5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, table in (("power_law", runs), ("power_law_ceiling", runs), ("pass_at_k", tried())):
            fit = bs.fit(load_model(name), table, seed=1, draws=250, thin=4, target_accept=0.99, progress=False)
            fit.save(folder / f"{name}.nc")
            assert fit.verdict.passed, fit.verdict
    unfitted(load_model("params_tokens"), benchmarks=2, mixtures=1, ratios=(5.0, 20.0, 80.0)).save(
        folder / "params_tokens.nc"
    )
    return folder


def tried():
    """Reported pass@k of six runs, as the law says with a little noise."""
    plan = bs.plan_runs(
        flops=np.geomspace(1e19, 1e21, 6), tokens_per_param=20, k=[1, 2, 4, 8, 16, 32], benchmark="humaneval"
    )
    scale = np.exp(np.random.default_rng(1).normal(0, 0.03, len(plan)))
    score = np.exp(-3.0 * (plan["flops"] / 1e20) ** -0.15 * plan["k"] ** -0.3 * scale)
    return bs.read_runs(plan.assign(score=score, metric="pass@k"))


def examples_of(thing, name):
    finder = doctest.DocTestFinder(exclude_empty=True, recurse=inspect.ismodule(thing))
    return [found for found in finder.find(thing, name) if found.examples]


def check(examples):
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an example may be short of draws
        for example in examples:
            report = []
            runner.run(example, out=report.append)
            assert not runner.failures, "".join(report)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SAMPLING else []) for name in FUNCTIONS]
)
def test_every_public_function_has_an_example_that_runs(name, fits, tmp_path, monkeypatch):
    function = getattr(bs, name)
    assert "Examples\n--------" in inspect.getdoc(function)
    examples = examples_of(function, name)
    assert examples
    for path in fits.glob("*.nc"):
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    check(examples)


def test_all_other_examples_run():
    public = {(getattr(bs, name).__module__, name) for name in FUNCTIONS}
    count = 0
    for module in map(importlib.import_module, MODULES):
        found = [e for e in examples_of(module, module.__name__) if tuple(e.name.rsplit(".", 1)) not in public]
        check(found)
        count += len(found)
    assert count > 4
