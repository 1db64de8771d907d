"""The examples in docstrings: every public function has one, and all of them run."""

import doctest
import importlib
import inspect
import pkgutil
import warnings

import pytest

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
        for name in ("power_law", "power_law_ceiling"):
            fit = bs.fit(load_model(name), runs, seed=1, draws=250, thin=4, target_accept=0.99, progress=False)
            fit.save(folder / f"{name}.nc")
            assert fit.verdict.passed, fit.verdict
    return folder


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
