"""Splits: what is fitted lies below the cut, what is forecast above, and nothing is in both."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import grid

import bayes_scaling as bs
from bayes_scaling.data.runs import validate
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.row_masks import Split, check_splits


@pytest.fixture(scope="module")
def runs():
    return grid(benchmarks=2, mixtures=2, sizes=8, ratios=(10.0, 20.0, 80.0))


@pytest.fixture(scope="module")
def dated(runs):
    months = runs["flops"].rank(method="dense").astype(int)
    return runs.assign(released=[f"{2020 + m // 12}-{m % 12 + 1:02d}-15" for m in months])


def names(splits):
    return [split.name for split in splits]


def test_the_small_are_fitted_and_the_large_forecast(runs):
    (split,) = bs.split_above(runs, cuts=1e20)
    np.testing.assert_array_equal(split.fitted, runs["flops"] <= 1e20)
    np.testing.assert_array_equal(split.held_out, runs["flops"] > 1e20)
    assert repr(split) == f"<Split 'flops ≤ 1e20': {split.fitted.sum()} rows fitted, {split.held_out.sum()} held out>"


@pytest.mark.parametrize(
    ("column", "text", "number"),
    [("flops", "6e19", 6e19), ("params", "0.8B", 8e8), ("tokens", "10B", 1e10), ("tokens_per_param", "20", 20)],
)
def test_cuts_are_read_as_people_write_them(runs, column, text, number):
    (one,), (other,) = bs.split_above(runs, column, text), bs.split_above(runs, column, [number])
    assert one.name == other.name
    np.testing.assert_array_equal(one.fitted, other.fitted)
    values = runs["tokens"] / runs["params"] if column == "tokens_per_param" else runs[column]
    np.testing.assert_array_equal(one.fitted, values <= number)


def test_cuts_come_in_order_and_once(runs):
    assert names(bs.split_above(runs, "params", ["1B", 8e8, 1e9])) == ["params ≤ 800M", "params ≤ 1B"]


def test_names_of_cuts_that_are_close_tell_them_apart(runs):
    found = names(bs.split_above(runs, "params", [1_000_001, 800_000_001, 800_000_002], least_sizes=0))
    assert len(set(found)) == 3


def test_rolling_holds_out_what_lies_before_the_next_cut(runs):
    cuts = ["4e19", "1e20", "2e20"]
    rolling, whole = bs.split_above(runs, cuts=cuts, rolling=True), bs.split_above(runs, cuts=cuts)
    assert sum(split.held_out.astype(int) for split in rolling).max() == 1
    np.testing.assert_array_equal(np.any([s.held_out for s in rolling], axis=0), whole[0].held_out)
    for one, other in zip(rolling, whole, strict=True):
        np.testing.assert_array_equal(one.fitted, other.fitted)
    np.testing.assert_array_equal(rolling[-1].held_out, whole[-1].held_out)


def test_default_cuts_hold_out_a_half_and_a_quarter_of_the_decades(runs):
    low, high = bs.split_above(runs)
    decades = np.log10(runs["flops"])
    for split, share in ((low, 0.5), (high, 0.25)):
        end = decades.max() - share * np.ptp(decades)
        np.testing.assert_array_equal(split.fitted, decades <= end + 1e-6)


def test_dates_are_cut_as_dates(dated):
    (split,) = bs.split_above(dated, "released", "2021-01-15")
    np.testing.assert_array_equal(split.fitted, dated["released"] <= "2021-01-15")
    assert split.name == "released ≤ 2021-01-15"
    for cut in (datetime.date(2021, 1, 15), pd.Timestamp("2021-01-15"), "2021-01-15T00:00:00+00:00"):
        np.testing.assert_array_equal(bs.split_above(dated, "released", [cut])[0].fitted, split.fitted)
    typed = dated.assign(released=pd.to_datetime(dated["released"]))
    np.testing.assert_array_equal(bs.split_above(typed, "released", "2021-01-15")[0].fitted, split.fitted)


def test_default_cuts_of_dates_are_named_as_dates(dated):
    found = bs.split_above(dated, "released")
    days = pd.to_datetime(dated["released"])
    for split, share in zip(found, (0.5, 0.25), strict=True):
        end = days[split.fitted].max()
        assert split.name == f"released ≤ {end:%Y-%m-%d}"
        assert (days.max() - end) / (days.max() - days.min()) >= share - 1e-9


def test_rows_without_a_value_are_in_neither(dated):
    blank = dated["benchmark"].eq("benchmark 00").to_numpy() & (np.arange(len(dated)) % 3 == 0)
    (split,) = bs.split_above(dated.assign(released=dated["released"].mask(blank)), "released", "2021-01-15")
    assert not (split.fitted | split.held_out)[blank].any()
    assert (split.fitted | split.held_out)[~blank].all()


def test_losses_are_fitted_and_never_held_out(runs):
    losses = runs.drop_duplicates("run").assign(benchmark=np.nan, score=np.nan, metric=np.nan, chance=np.nan)
    table = validate(pd.concat([runs, losses], ignore_index=True))
    (split,) = bs.split_above(table, cuts="1e20")
    alone = table["score"].isna().to_numpy()
    assert split.fitted[alone].any()
    assert not split.held_out[alone].any()
    np.testing.assert_array_equal(split.held_out[~alone], table["flops"][~alone] > 1e20)
    with pytest.raises(DataError, match=r"there are scores at 0 sizes"):
        bs.split_above(table[alone], cuts="1e20")


def test_what_is_hardly_known_below_is_not_forecast(runs):
    sizes = sorted(runs["flops"].unique())
    rare = runs["benchmark"].eq("benchmark 01") & runs["flops"].lt(sizes[-5])
    table = runs[~rare].reset_index(drop=True)
    (split,) = bs.split_above(table, cuts=sizes[-3])
    assert set(table["benchmark"][split.held_out]) == {"benchmark 00"}
    (split,) = bs.split_above(table, cuts=sizes[-3], least_sizes=1)
    assert set(table["benchmark"][split.held_out]) == {"benchmark 00", "benchmark 01"}


def test_a_cut_that_leaves_nothing_is_named(runs):
    with pytest.warns(ScalingWarning, match=r"^nothing to forecast above flops 1e30: left out$"):
        found = bs.split_above(runs, cuts=["1e20", "1e30"])
    assert names(found) == ["flops ≤ 1e20"]


WRONG = [
    (("no_such_column",), r"the runs have no column 'no_such_column'; they have \['run'"),
    (("benchmark",), r"column 'benchmark' must hold numbers, or dates such as '2024-06-30'.*got \['benchmark 00'"),
    (("flops", ["1e20", "big"]), r"cuts of 'flops' must be numbers: 'big' is not a size"),
    (("flops", "2021-01-15"), r"cuts of 'flops' must be numbers: '2021-01-15' is not a size"),
    (("flops", [np.nan]), r"cuts of 'flops' must be numbers; got \[nan\]"),
    (("released", [2021]), r"cuts of 'released' must be dates such as '2024-06-30'; got \[2021\]"),
    (("released", ["soon"]), r"cuts of 'released' must be dates such as '2024-06-30'; got \['soon'\]"),
    (("flops", "1e30"), r"no cut of flops at 1e30 leaves 4 sizes of a benchmark and its mixture below and a score"),
    (("flops", "1e10"), r"no cut of flops at 10B leaves 4 sizes.*there are scores at 24 sizes"),
    (("flops", []), r"no cut of flops at any value leaves 4 sizes"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_cannot_be_cut_is_refused(dated, arguments, said):
    with pytest.raises(DataError, match=said):
        bs.split_above(dated, *arguments)


SOME = st.lists(st.floats(1e18, 1e22), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    flops=st.lists(st.one_of(st.floats(1e18, 1e22), st.just(np.nan)), min_size=6, max_size=30),
    cuts=SOME,
    rolling=st.booleans(),
    least=st.integers(0, 5),
    blank=st.integers(2, 7),
)
def test_fitted_and_held_out_never_overlap(flops, cuts, rolling, least, blank):
    n = len(flops)
    scores = np.where(np.arange(n) % blank == 0, np.nan, 0.5)
    table = pd.DataFrame({"run": np.arange(n).astype(str), "flops": flops, "score": scores, "benchmark": "one"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ScalingWarning)
            found = bs.split_above(table, cuts=cuts, rolling=rolling, least_sizes=least)
    except DataError:
        return
    for split in found:
        assert not (split.fitted & split.held_out).any()
        below, above = table["flops"][split.fitted], table["flops"][split.held_out]
        assert any(below.max() <= cut < above.min() for cut in cuts) or below.empty
        assert np.isfinite(scores[split.held_out]).all()
        assert below[np.isfinite(scores[split.fitted])].nunique() >= least
    assert len(set(names(found))) == len(found)


def test_targets_are_forecast_from_smaller_runs_that_are_no_targets(runs):
    order = runs.drop_duplicates("run").sort_values("flops")["run"].tolist()
    chosen = [order[-1], order[-6]]
    found = bs.split_targets(runs, chosen)
    assert names(found) == [f"target {name}" for name in chosen]
    for split, name in zip(found, chosen, strict=True):
        assert set(runs["run"][split.held_out]) == {name}
        assert not set(runs["run"][split.fitted]) & set(chosen)
        assert runs["flops"][split.fitted].max() < runs["flops"][split.held_out].min()
    marked = runs.assign(is_target=runs["run"].isin(chosen).astype(float).where(runs["run"].isin(chosen)))
    same = {s.name: s.held_out.tolist() for s in bs.split_targets(marked, "is_target")}
    assert same == {s.name: s.held_out.tolist() for s in found}
    assert names(bs.split_targets(runs, order[-1])) == [f"target {order[-1]}"]


def test_targets_that_cannot_be_are_refused(runs):
    order = runs.drop_duplicates("run").sort_values("flops")["run"].tolist()
    with pytest.raises(DataError, match=r"no runs are called \['GPT-9'\]; there are \["):
        bs.split_targets(runs, ["GPT-9", order[-1]])
    with pytest.raises(DataError, match=r"no run with a score took less compute than the target"):
        bs.split_targets(runs, order[0])
    with pytest.raises(DataError, match=r"^the target .* has no score yet; lock its forecast"):
        bs.split_targets(runs.assign(score=runs["score"].mask(runs["run"] == order[-1])), order[-1])
    with pytest.raises(DataError, match=r"column 'mixture' must be true or false to mark targets; it holds \['mix"):
        bs.split_targets(runs, "mixture")


def test_groups_are_left_out_in_turn(runs):
    found = bs.split_groups(runs, "mixture")
    assert names(found) == ["without mixture mixture 0", "without mixture mixture 1"]
    for split, label in zip(found, ("mixture 0", "mixture 1"), strict=True):
        np.testing.assert_array_equal(split.held_out, runs["mixture"] == label)
        np.testing.assert_array_equal(split.fitted, ~split.held_out)


def test_a_benchmark_is_left_out_at_large_scale_only(runs):
    split = bs.split_groups(runs, "benchmark", above="1e20")[0]
    assert split.name == "without benchmark benchmark 00 above 1e20 FLOPs"
    np.testing.assert_array_equal(split.held_out, (runs["benchmark"] == "benchmark 00") & (runs["flops"] > 1e20))
    np.testing.assert_array_equal(split.fitted, ~split.held_out)


def test_a_loss_of_a_group_that_is_left_out_is_in_neither(runs):
    losses = runs.drop_duplicates("run").assign(benchmark=np.nan, score=np.nan, metric=np.nan, chance=np.nan)
    table = validate(pd.concat([runs, losses], ignore_index=True))
    alone = table["score"].isna().to_numpy()
    split = bs.split_groups(table, "mixture")[0]
    np.testing.assert_array_equal(split.fitted[alone], table["mixture"][alone] != "mixture 0")
    assert not split.held_out[alone].any()


def test_groups_that_cannot_be_left_out_are_refused(runs):
    with pytest.raises(DataError, match=r"the runs have no column 'recipe'"):
        bs.split_groups(runs, "recipe")
    with pytest.raises(DataError, match=r"leaving out one family leaves nothing to fit .*of \['unspecified'\]"):
        bs.split_groups(runs, "family")
    with pytest.raises(DataError, match=r"leaving out one mixture above 1e30 FLOPs leaves nothing to fit or"):
        bs.split_groups(runs, "mixture", above=1e30)


def test_splits_are_checked_against_the_runs(runs):
    (split,) = bs.split_above(runs, cuts=1e20)
    every, none = np.ones(len(runs), bool), np.zeros(len(runs), bool)
    check_splits([split], runs)
    wrong = {
        r"come more than once": [split, split],
        r"has masks over \d+ rows; the runs have": [Split("short", split.fitted[1:], split.held_out[1:])],
        r"'both' fits rows that it should forecast": [Split("both", every, split.held_out)],
        r"'nothing' leaves nothing to fit or nothing to forecast": [Split("nothing", every, none)],
    }
    for said, splits in wrong.items():
        with pytest.raises(DataError, match=said):
            check_splits(splits, runs)


@pytest.mark.parametrize(
    ("fitted", "held_out", "said"),
    [([0, 1, 2], [3, 4], "fitted of split 'own' must be a mask"), (np.array([True]), "rest", "held_out of split 'own'"),
     (np.ones((2, 2), bool), np.ones(2, bool), "must be a mask"),
     ([True, False], [True], "the masks of split 'own' are over 2 and 1 rows")],
)  # fmt: skip
def test_masks_that_are_none_are_refused(fitted, held_out, said):
    with pytest.raises(DataError, match=said):
        Split("own", fitted, held_out)


def test_masks_may_be_columns_of_a_table_and_must_be_as_long_as_it(runs):
    small = runs["flops"] < runs["flops"].max()
    own = Split("own", small, ~small)
    check_splits([own], runs)
    with pytest.raises(DataError, match="the runs have"):
        bs.backtest("power_law", runs.iloc[1:], [own], seed=1)
