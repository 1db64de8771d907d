import pandas as pd
import pyarrow
import pytest

import bayes_scaling as bs
from bayes_scaling.errors import DataError

RUNS = pd.DataFrame(
    {"params": [1e8, 1e9, 1e10], "tokens": 2e10, "benchmark": "piqa", "score": [0.6, 0.7, 0.8], "chance": 0.5}
)


def test_a_table_of_arrow_is_read_as_one_of_pandas():
    # polars frames offer the same interface.
    theirs = bs.read_runs(pyarrow.Table.from_pandas(RUNS))
    pd.testing.assert_frame_equal(theirs, bs.read_runs(RUNS))


def test_splits_and_baselines_take_arrow_too():
    runs = pyarrow.Table.from_pandas(bs.read_runs(RUNS))
    assert len(bs.split_groups(runs, "run")) == 3
    assert bs.baseline("direct", runs, bs.plan_runs(flops=1e23, benchmark="piqa"), resamples=0).sizes["row"] == 1


@pytest.mark.parametrize(
    "make", [bs.split_above, lambda t: bs.split_groups(t, "run"), lambda t: bs.backtest("power_law", t)]
)
@pytest.mark.parametrize("table", [None, "runs.csv", {"flops": [1e20]}, [1, 2]])
def test_what_is_no_table_is_refused(make, table):
    with pytest.raises(DataError, match="must be a DataFrame of pandas or polars, not"):
        make(table)


@pytest.mark.parametrize("column", [1e20, None, "flop"])
def test_a_column_that_is_none_is_refused(column):
    with pytest.raises(DataError, match="have no column"):
        bs.split_above(bs.read_runs(RUNS), column)
