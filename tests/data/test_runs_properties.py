"""Whatever a table holds: it becomes runs that checking again does not change, or a DataError says why."""

import warnings
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayes_scaling.data.columns import COLUMNS, METRICS
from bayes_scaling.data.runs import read_runs, validate
from bayes_scaling.errors import DataError, DataWarning

# 250 + 300 + 200 + 100 tables that are bad or odd, the same ones every time
QUIET = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, 10**400, -(2**63), 2**64, 1 + 2j, b"7B", Decimal("1e9"), datetime(2024, 1, 1)]),
    st.sampled_from([pd.NA, pd.NaT, np.float32(0.5), np.int8(3), np.bool_(True), (), [], {}, {1}, object]),
    st.sampled_from(["7B", "1e999", "1e9999999", "50%", "", " ", "nan", "-inf", "1,5", "\x00", "\ud800", "七"]),
    st.floats(),
    st.text(max_size=8),
)


@st.composite
def good_tables(draw):
    """Tables as a careful user would write them."""
    sizes = draw(st.lists(st.integers(10**6, 10**12), min_size=1, max_size=4, unique=True))
    tests = draw(st.lists(st.text("abcß_-", min_size=1, max_size=5), min_size=1, max_size=3, unique=True))
    n_items = draw(st.integers(1, 10**5))
    rows = [
        {"params": size, "tokens": size * 20, "benchmark": test, "n_correct": draw(st.integers(0, n_items))}
        for size in sizes
        for test in tests
    ]
    frame = pd.DataFrame(rows).assign(n_items=n_items, chance=draw(st.floats(0, 0.9)))
    if draw(st.booleans()):
        frame["score"] = frame["n_correct"] / n_items
    if draw(st.booleans()):
        frame["loss"] = frame["params"].map({size: 1 + 1e6 / size for size in sizes})
    if draw(st.booleans()):
        frame["metric"] = draw(st.sampled_from([name for name in METRICS if name != "pass@k"]))
    if draw(st.booleans()):
        frame["params"] = frame["params"].map(lambda size: f"{size:_}")
    return frame.sample(frac=1, random_state=draw(st.integers(0, 99)))


def outcome(check, *arguments):
    """Runs, or the DataError that refused them; any other exception escapes and fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        try:
            return check(*arguments)
        except DataError as error:
            return error


@settings(QUIET, max_examples=60)
@given(good_tables())
def test_good_tables_pass_and_stay_as_they_are(frame):
    runs = outcome(validate, frame)
    assert isinstance(runs, pd.DataFrame), runs
    assert len(runs) == len(frame)
    assert runs["score"].to_numpy() == pytest.approx((frame["n_correct"] / frame["n_items"]).to_numpy())
    pd.testing.assert_frame_equal(outcome(validate, runs), runs)


BREAKS = {
    "params": [0, -1, np.inf, "big", True, [7]],
    "tokens": [0, -1e9, np.inf, "1,5B", b"7"],
    "n_correct": [-1, 0.5, 10**6, np.inf, "many"],
    "n_items": [0, -3, 0.5, np.inf, 2.0**60],
    "chance": [1, -0.1, 25, np.nan, np.inf, "1/4"],
    "benchmark": [None, "", " ", [1]],
}


@settings(QUIET, max_examples=100)
@given(good_tables(), st.data())
def test_one_broken_cell_is_refused_and_named(frame, data):
    column = data.draw(st.sampled_from(sorted(BREAKS)))
    value = data.draw(st.sampled_from(BREAKS[column]))
    row = data.draw(st.integers(0, len(frame) - 1))
    cells = frame[column].tolist()
    cells[row] = value
    frame = frame.assign(metric="accuracy", **{column: pd.Series(cells, index=frame.index, dtype=object)})
    error = outcome(validate, frame)
    assert isinstance(error, DataError), f"{value!r} passed in {column!r}"
    assert column in str(error)
    assert f"[{row}]" in str(error)


@settings(QUIET, max_examples=100)
@given(st.data())
def test_odd_tables_are_refused_or_mended_for_good(data):
    names = st.sampled_from([*COLUMNS, "own", "parms", "scores"])
    columns = data.draw(st.lists(names, min_size=1, max_size=9))
    width = data.draw(st.integers(0, 4))
    cells = [data.draw(st.lists(ODD, min_size=width, max_size=width)) for _ in columns]
    frame = pd.DataFrame(dict(enumerate(cells)), dtype=object).set_axis(columns, axis=1)
    same_again(outcome(validate, frame))


@settings(QUIET, max_examples=100)
@given(good_tables(), st.data())
def test_odd_cells_in_good_tables_are_refused_or_mended_for_good(frame, data):
    for _ in range(data.draw(st.integers(1, 3))):
        column = data.draw(st.sampled_from(sorted(COLUMNS)))
        cells = frame[column].tolist() if column in frame else [None] * len(frame)
        cells[data.draw(st.integers(0, len(frame) - 1))] = data.draw(ODD)
        frame = frame.assign(**{column: pd.Series(cells, index=frame.index, dtype=object)})
    same_again(outcome(validate, frame))


def same_again(runs):
    if isinstance(runs, DataError):
        assert str(runs)
    else:
        pd.testing.assert_frame_equal(outcome(validate, runs), runs)


@settings(QUIET, max_examples=100)
@given(st.data())
def test_odd_files_are_refused_or_read(tmp_path_factory, data):
    text = st.text('params,tokens\nbenchmark;score"1B0.5-', max_size=120)
    content = data.draw(st.one_of(st.binary(max_size=120), text.map(str.encode)))
    path = tmp_path_factory.getbasetemp() / data.draw(st.sampled_from(["odd.csv", "odd.parquet"]))
    path.write_bytes(content)
    same_again(outcome(read_runs, path))
