"""Notes keep remarks apart, whatever labels they quote."""

import warnings

import numpy as np
import pytest
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.forecasting.notes import joined, remarks_of


@pytest.mark.parametrize("remarks", [[], ["one"], ["one", "two; three", "one"], ["", "a ; b;c"]])
def test_what_is_joined_comes_apart_again(remarks):
    expected = list(dict.fromkeys(r.replace("; ", ", ") for r in remarks if r))
    assert remarks_of(joined(remarks)) == expected
    assert joined(remarks_of(joined(remarks))) == joined(remarks)


def test_a_label_with_a_semicolon_is_one_remark():
    plan = bs.plan_runs(flops=1e22, benchmark="benchmark 00", mixture="web; books", chance={"benchmark 00": 0.25})
    with pytest.warns(ScalingWarning) as caught:
        ahead = bs.forecast(small_fit(), plan, seed=1)
    assert str(caught[0].message).count("web") >= 1
    assert all("books" in remark for remark in remarks_of(ahead["note"].item()) if "web" in remark)


def test_every_remark_of_an_average_names_its_benchmark():
    plan = bs.plan_runs(flops=1e22, benchmark=["benchmark 00", "benchmark 01"], mixture="a mixture that no run had")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ahead = bs.forecast(small_fit(), plan, seed=1)
    ahead = ahead.assign_coords(note=("row", np.array([joined(["first", "second"]), "first"], dtype=object)))
    note = bs.average_benchmarks(ahead)["note"].item()
    assert remarks_of(note) == ["benchmark 00: first", "benchmark 00: second", "benchmark 01: first"]
