"""Tables inside files come back as they were, whatever their columns are called and hold."""

from io import BytesIO

import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayes_scaling as bs
from bayes_scaling.errors import DataError
from bayes_scaling.files.netcdf import netcdf
from bayes_scaling.files.stored_tables import to_dataset, to_frame

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=True), st.text(),
    st.dates().map(pd.Timestamp),
)  # fmt: skip
COLUMNS = st.dictionaries(st.text(min_size=1), st.lists(CELLS, min_size=3, max_size=3), max_size=4)
BASE = {"params": [1e9, 2e9, 4e9], "tokens": 2e10, "benchmark": "piqa", "score": [0.6, 0.7, 0.8], "chance": 0.5}


def kept(table):
    with xr.open_datatree(BytesIO(netcdf(xr.DataTree(to_dataset(table)))), engine="h5netcdf") as tree:
        return to_frame(tree.load().to_dataset())


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(COLUMNS)
@pytest.mark.filterwarnings("ignore")
def test_whatever_can_be_read_can_be_stored(columns):
    try:
        runs = bs.read_runs(pd.DataFrame({**columns, **BASE}))
    except DataError:
        return
    back = kept(runs)
    assert list(back) == [str(name) for name in runs]
    for name in runs:
        for before, after in zip(runs[name], back[name], strict=True):
            missing = not isinstance(before, str) and pd.isna(before)
            same = pd.isna(after) if missing else after == before or str(after) == str(before)
            assert same, (name, before, after)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([1.5, 2.5, None], dtype="float32"),
        pd.to_datetime(pd.Series(["2026-01-01", None, "2026-01-03"])),
        pd.to_datetime(pd.Series(["2026-01-01", None, "2026-01-03"])).dt.tz_localize("Asia/Tokyo"),
        pd.Series(["a", None, ""], dtype="str"),
        pd.Series([True, None, "x/y"], dtype=object),
    ],
)
def test_types_and_blanks_come_back(column):
    table = pd.DataFrame({"train/loss": column})
    pd.testing.assert_frame_equal(kept(table), table)


def test_tables_of_files_with_one_variable_a_column_are_still_read():
    old = xr.Dataset({"run": ("row", ["a", ""]), "params": ("row", [1.0, 2.0])})
    frame = to_frame(old)
    assert frame["run"].tolist()[0] == "a"
    assert frame["run"].isna().tolist() == [False, True]
    assert frame["params"].tolist() == [1.0, 2.0]
