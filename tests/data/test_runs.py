"""Runs: what a good table becomes, and how each bad one is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayes_scaling import library
from bayes_scaling.data import datasets as shipped
from bayes_scaling.data import runs as data
from bayes_scaling.data import sizes as units
from bayes_scaling.data.columns import COLUMNS
from bayes_scaling.data.runs import plan_runs, read_runs, validate
from bayes_scaling.errors import DataError, DataWarning, FileError
from bayes_scaling.messages import SHOWN

SIZES = [1e8, 1e9, 7e9]


def table(**changes):
    """Three runs on one benchmark, changed as asked."""
    good = {
        "params": SIZES,
        "tokens": [20 * size for size in SIZES],
        "mixture": "C4",
        "benchmark": "piqa",
        "score": [0.6, 0.7, 0.8],
        "chance": 0.5,
    }
    return pd.DataFrame({name: value for name, value in (good | changes).items() if value is not None})


def csv(folder, text, name="runs.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_the_contract():
    expected = {
        "run": "str", "family": "str", "mixture": "str", "params": "float64", "tokens": "float64",
        "flops": "float64", "benchmark": "str", "metric": "str", "score": "float64", "n_correct": "float64",
        "n_items": "float64", "n_samples": "float64", "k": "float64", "chance": "float64", "loss": "float64",
        "problem": "str", "val_set": "str", "seed": "str", "step": "float64",
    }  # fmt: skip
    assert {name: column.dtype for name, column in COLUMNS.items()} == expected
    assert validate(table()).dtypes.astype(str).to_dict() == expected
    assert all(name in data.__doc__ for name in COLUMNS)


def test_what_follows_from_the_rest_is_filled_in():
    runs = validate(table(mixture=None))
    assert runs["flops"].tolist() == [6.0 * size * 20 * size for size in SIZES]
    assert runs["mixture"].unique() == runs["family"].unique() == "unspecified"
    assert runs["metric"].unique() == "accuracy"
    assert runs["run"].tolist()[0] == "100M params · 2B tokens · 1.2e18 FLOPs"


def test_sizes_beyond_64_bits_are_computed_in_floating_point():
    runs = validate(table(params=pd.Series([10**9, 10**12, 10**30], dtype=object), tokens=[10**13] * 3))
    assert runs["flops"].tolist() == pytest.approx([6e22, 6e25, 6e43])


def test_generative_scores_have_no_chance_unless_told():
    assert validate(table(metric="em", chance=None))["chance"].tolist() == [0.0] * 3
    assert validate(table(metric="em", chance=0.1))["chance"].tolist() == [0.1] * 3


def test_counts_make_scores():
    runs = validate(table(score=None, n_correct=[60, 70, 80], n_items=100))
    assert runs["score"].tolist() == [0.6, 0.7, 0.8]


def test_the_users_own_columns_and_table_are_kept():
    frame = table(learning_rate=[1, 2, 3]).set_index(pd.Index([7, 7, 9]))
    before = frame.copy(deep=True)
    runs = validate(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert runs.columns.tolist() == [*COLUMNS, "learning_rate"]
    assert isinstance(runs.index, pd.RangeIndex)
    pd.testing.assert_frame_equal(validate(runs), runs)


def test_csv_parquet_and_frame_agree(tmp_path):
    frame = table(run=["007", "8", "9"], params=["100M", "1_000_000_000", "7B"], tokens=["2B", "20e9", "0.14T"])
    frame.to_csv(tmp_path / "runs.csv", index=False)
    frame.to_parquet(tmp_path / "runs.parquet")
    expected = read_runs(frame)
    assert expected["run"].tolist() == ["007", "8", "9"]
    pd.testing.assert_frame_equal(read_runs(tmp_path / "runs.csv"), expected)
    pd.testing.assert_frame_equal(read_runs(str(tmp_path / "runs.parquet")), expected)


def test_mapped_columns(tmp_path):
    frame = table(speed=[1, 2, 3]).rename(columns={"params": "model size", "score": "acc"})
    runs = read_runs(frame, columns={"model size": "params", "acc": "score", "speed": "speed"})
    assert runs["params"].tolist() == SIZES
    assert runs["speed"].tolist() == [1, 2, 3]
    frame.rename(columns={"mixture": "run"}).assign(run=["01", "02", "03"]).to_csv(tmp_path / "a.csv", index=False)
    names = {"model size": "params", "acc": "score", "speed": "speed"}
    assert read_runs(tmp_path / "a.csv", names)["run"].tolist() == ["01", "02", "03"]


def test_loss_rows_and_repeated_losses():
    scores = table(run=["a", "b", "c"], loss=[3.0, 2.5, 2.0], val_set="c4")
    losses = pd.DataFrame({"run": ["a"], "mixture": "C4", "params": 1e8, "tokens": 2e9, "loss": 3.5, "val_set": "pile"})
    runs = validate(pd.concat([scores, losses], ignore_index=True))
    assert runs["val_set"].tolist() == ["c4", "c4", "c4", "pile"]
    assert runs["metric"].isna().tolist() == [False, False, False, True]


BAD_VALUES = {
    "negative size": (
        {"params": [-1.0, 1e9, 7e9]},
        r"column 'params' must be a positive.*rows \[0\] hold \[-1\]",
    ),
    "zero size": (
        {"tokens": ["0", "1B", "2B"]},
        r"column 'tokens' must be a positive.*rows \[0\] hold \['0'\]",
    ),
    "not a size": (
        {"params": ["7 billion", "1B", "2B"]},
        r"such as 7e9 or '7B'; rows \[0\] hold \['7 billion'\]",
    ),
    "infinite size": ({"params": [np.inf, 1e9, 7e9]}, r"finite number.*rows \[0\] hold \[inf\]"),
    "infinite flops": ({"params": [1e200] * 3, "tokens": [1e200] * 3}, "must be a finite number of FLOPs"),
    "huge integer": ({"params": pd.Series([10**400, 1, 2], dtype=object)}, r"column 'params'.*rows \[0\]"),
    "percent": (
        {"score": [60.0, 70.0, 80.0]},
        r"between 0 and 1 \(this looks like percent: columns=\{'score': 'score\*0.01'\}\)",
    ),
    "percent sign": ({"score": ["60%", "0.7", "0.8"]}, r"looks like percent.*rows \[0\] hold \['60%'\]"),
    "score too low": ({"score": [-0.1, 0.7, 0.8]}, r"between 0 and 1; rows \[0\] hold \[-0.1\]"),
    "score of truth": ({"score": [True, False, True]}, r"between 0 and 1; rows \[0, 1, 2\]"),
    "no score": ({"score": [np.nan, 0.7, 0.8]}, r"column 'score' is empty in rows \[0\]"),
    "chance of one": ({"chance": 1.0}, r"column 'chance' must be.*below 1; rows \[0, 1, 2\]"),
    "chance in percent": ({"chance": 50}, r"column 'chance' must be.*looks like percent"),
    "no chance": ({"chance": None}, r"column 'chance' is empty in rows \[0, 1, 2\]: give 1 / choices"),
    "two chances": (
        {"chance": [0.5, 0.5, 0.25]},
        r"'chance' must be one.*rows \[2\].*0.25 where piqa · accuracy has 0.5",
    ),
    "part of an item": ({"n_items": [10.5] * 3}, r"'n_items' must be a whole number, 1 or more"),
    "no items": ({"n_items": [0, 0, 0]}, "'n_items' must be a whole number, 1 or more"),
    "more right than asked": (
        {"score": None, "n_correct": [11, 7, 8], "n_items": 10},
        r"'n_correct' must not exceed 'n_items'; rows \[0\] hold \[11 of 10\]",
    ),
    "right of nothing": ({"n_correct": [6, 7, 8]}, r"'n_items' is empty in rows .*n_correct needs n_items"),
    "score against counts": (
        {"n_correct": [1, 7, 8], "n_items": 10},
        r"'score' must agree.*\[0.6 beside 1 of 10\]",
    ),
    "unknown metric": ({"metric": ["bleu"] * 3}, "column 'metric' must be one of accuracy, "),
    "blank metric": ({"metric": ["acc", "acc", None]}, r"column 'metric' is empty in rows \[2\]"),
    "blank mixture": ({"mixture": ["C4", None, "C4"]}, r"column 'mixture' is empty in rows \[1\]"),
    "empty name": ({"mixture": ["C4", " ", "C4"]}, r"column 'mixture' must be text; rows \[1\]"),
    "mixed names": ({"run": [1, "1", "b"]}, r"column 'run' must be text; rows \[0\] hold \[1\]"),
    "blank benchmark": ({"benchmark": ["piqa", None, "piqa"]}, r"column 'benchmark' is empty in rows \[1\]"),
    "no size": (
        {"params": [np.nan, 1e9, 7e9]},
        r"column 'flops' is empty in rows \[0\]: give flops, or both",
    ),
    "negative loss": ({"loss": [-1, 2, 2]}, r"column 'loss' must be a positive.*rows \[0\]"),
    "lists": (
        {"score": [[1], {}, 0.8]},
        r"column 'score' must be a proportion.*rows \[0, 1\] hold \[\[1\], {}\]",
    ),
    "k of accuracy": ({"k": [2, 1, 1]}, r"column 'k' belongs to the metric pass@k only; rows \[0\]"),
    "pass@k without k": ({"metric": "pass@k"}, "the metric pass@k needs k"),
    "k beyond samples": (
        {"metric": "pass@k", "k": 4, "n_samples": 2},
        r"'k' must not exceed 'n_samples'.*\[4 of 2",
    ),
    "one run, two sizes": (
        {"run": "a", "benchmark": ["x", "y", "z"]},
        r"'params' must be the same in all rows of one run",
    ),
    "one run, two seeds": (
        {"run": "a", "params": 1e9, "tokens": 1e10, "benchmark": ["x", "y", "z"], "seed": [1, 1, None]},
        r"'seed' must be the same in all rows of one run",
    ),
    "twice": (
        {"params": [1e9, 1e9, 7e9], "tokens": 1e10},
        r"rows \[0, 1\] repeat \[C4 · 1B params · .* · piqa · accuracy\].*name reruns apart",
    ),
    "two losses": (
        {
            "run": "a",
            "params": 1e9,
            "tokens": 1e10,
            "benchmark": ["x", "y", "z"],
            "loss": [2, 3, 2],
            "val_set": "c4",
        },
        r"'loss' must be one for a run and val_set; rows \[1\] hold \[3 where a · c4 has 2\]",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_bad_values_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        validate(table(**changes))


BAD_COLUMNS = {
    "misspelt": (table(parms=1).drop(columns="params"), "column 'parms' looks like 'params'"),
    "capitals": (table().rename(columns={"score": "Score"}), "column 'Score' looks like 'score'"),
    "no sizes": (table(params=None), "the table needs flops"),
    "no outcome": (
        table(score=None, own=1),
        r"the table needs benchmark and score.*its other columns are \[own\]",
    ),
    "twice": (pd.concat([table(), table()[["score"]]], axis=1), "column 'score' is there more than once"),
    "empty": (table().head(0), "the table is empty"),
    "numbers for names": (pd.DataFrame([[1, 2]]), r"column names must be text, not \[0, 1\]"),
    "levels": (
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
        "column names must be text",
    ),
    "no frame": ([1, 2], "source must be a DataFrame of pandas or polars, not list; or give the path of a table"),
}


@pytest.mark.parametrize(("frame", "message"), BAD_COLUMNS.values(), ids=BAD_COLUMNS)
def test_bad_columns_are_refused(frame, message):
    with pytest.raises(DataError, match=message):
        read_runs(frame)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"size": "params"}, r"columns maps \['size'\], which the table does not have; it has \[params"),
        ({"tokens": "params"}, "column 'params' is there more than once"),
        ({"params": 3}, "columns must map your names to the names here"),
        ("params", "columns must map your names to the names here"),
    ],
)
def test_bad_mappings_are_refused(columns, message):
    with pytest.raises(DataError, match=message):
        read_runs(table(), columns=columns)


HEAD = "params,tokens,benchmark,score,chance\n"
BAD_FILES = {
    "line numbers": (HEAD + "1B,2B,a,0.5,0\n\n-1,2B,a,0.5,0\n", r"^runs.csv: .*lines \[4\] hold \['-1'\]"),
    "nothing": ("", "the file is empty"),
    "header only": (HEAD, "the table is empty"),
    "semicolons": (HEAD.replace(",", ";") + "1;2;a;0;0\n", "the header has ';' and no comma"),
    "ragged": (
        HEAD + "1B,2B,a,0.5,0\n1B,2B,a,0.5,0,7,8\n",
        "not a CSV file with commas and one header .*line 3",
    ),
    "one more field": (HEAD + "1B,2B,a,0.5,0,7\n", "rows have more fields than the header"),
    "column twice": (
        HEAD.replace("chance", "score") + "1B,2B,a,0.5,0\n",
        "column 'score' is there more than once",
    ),
    "misspelt": (HEAD.replace("score", "scor") + "1B,2B,a,0.5,0\n", "'scor' looks like 'score'"),
    "words": ("once upon a time\nthere was\n", "the table needs flops"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files_are_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_runs(csv(tmp_path, text))


def test_files_that_are_something_else_are_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + "1B,2B,caf\xe9,0.5,0\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin.csv: not a text file in UTF-8"):
        read_runs(tmp_path / "latin.csv")
    with pytest.raises(DataError, match=r"runs.parquet: not a Parquet file"):
        read_runs(csv(tmp_path, HEAD, "runs.parquet"))
    with pytest.raises(DataError, match="there is no such file"):
        read_runs(tmp_path / "absent.csv")


def test_every_problem_is_told_at_once_and_briefly():
    many = pd.concat([table()] * 3, ignore_index=True).assign(score=7, tokens=-1)
    with pytest.raises(DataError, match=r"^table: 2 problems\n  column 'tokens'.*\n  column 'score'") as caught:
        validate(many)
    assert f"and {9 - SHOWN} more" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_doubtful_tables_are_kept_with_a_warning():
    with pytest.warns(DataWarning, match=r"fewer than 3 sizes to learn a law from in \[piqa · C4: 2\]"):
        validate(table().head(2))
    with pytest.warns(DataWarning, match=r"'flops' differs from 6 params tokens by more than a factor 3; rows \[0\]"):
        validate(table(flops=[1e19, None, None]))


def test_plans_cross_sizes_benchmarks_and_mixtures():
    plan = plan_runs(flops=["1e22", 1e23], benchmark=["piqa", "sciq"], mixture=["C4", "Pile"], chance={"piqa": 0.5})
    assert len(plan) == 8
    assert plan["run"].nunique() == 4
    assert plan["run"].iloc[0] == "C4 · 1e22 FLOPs"
    assert plan.loc[plan["benchmark"] == "piqa", "chance"].tolist() == [0.5] * 4
    assert plan[["params", "tokens"]].isna().all(axis=None)
    assert "score" not in plan


def test_plans_derive_what_is_not_given():
    by_ratio = plan_runs(flops=6e21, tokens_per_param=[10, 40], benchmark="piqa")
    assert by_ratio["tokens"].div(by_ratio["params"]).tolist() == pytest.approx([10, 40])
    assert (6 * by_ratio["tokens"] * by_ratio["params"]).tolist() == pytest.approx([6e21, 6e21])
    pairs = plan_runs(params=["1B", "7B"], tokens="1T", benchmark="x", k=[1, 8])
    assert pairs["flops"].unique().tolist() == [6e21, 4.2e22]
    assert pairs["metric"].tolist() == ["pass@k"] * 4
    crossed = plan_runs(params=["1B", "7B"], tokens_per_param=[20, 40], benchmark="x")
    assert crossed["tokens"].tolist() == [2e10, 4e10, 1.4e11, 2.8e11]
    own = plan_runs(params="7B", tokens="4T", flops="2e23", benchmark="x")
    assert own["flops"].tolist() == [2e23]
    close = plan_runs(flops=[1e22, 1.000001e22], benchmark="x")
    assert close["run"].nunique() == 2


BAD_PLANS = {
    "no size": ({"benchmark": "x"}, "plan: give flops, or params and tokens"),
    "half a size": ({"params": 1e9, "benchmark": "x"}, "plan: give flops, or params and tokens"),
    "unpaired": ({"params": [1, 2], "tokens": [1, 2, 3], "benchmark": "x"}, "not 2 params, 3 tokens"),
    "negative": ({"flops": [1e22, -1], "benchmark": "x"}, r"plan: flops must be a positive.*not \[-1\]"),
    "nothing": ({"flops": [], "benchmark": "x"}, "plan: flops must be a positive"),
    "chance": ({"flops": 1e22, "benchmark": "x", "chance": 25}, "plan: chance must be a proportion"),
    "other chance": (
        {"flops": 1e22, "benchmark": "x", "chance": {"y": 0.5}},
        "plan: chance names .'y'., which are not",
    ),
    "two chances": (
        {"flops": 1e22, "benchmark": "x", "chance": [0.5, 0.2]},
        "give one chance for all benchmarks",
    ),
    "overflow": ({"params": 1e200, "tokens": 1e200, "benchmark": "x"}, "must be finite and above 0"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_PLANS.values(), ids=BAD_PLANS)
def test_bad_plans_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        plan_runs(**arguments)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7B", 7e9),
        ("1.2T", 1.2e12),
        (" 190m ", 190e6),
        ("3e21", 3e21),
        ("1_000_000", 1e6),
        ("1,000", 1e3),
        (5, 5.0),
    ],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "7 billion", "1,5B", "B", "1__0", "nan", "inf", "7BB", "0x10", True, None, b"7B"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(DataError, match="is not a"):
        units.parse_size(text)


def test_sizes_are_written_as_people_say_them():
    assert [units.size_text(size) for size in (7e9, 1.2e12, 3e21, 12)] == ["7B", "1.2T", "3e21", "12"]


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(DataError, match=r"did you mean 'gadre2024'\? There are: gadre2024, olmo_ladder"):
        shipped.load_dataset("gadre")


def test_a_missing_shelf_says_where_it_looked(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "PACKAGE", tmp_path / "bayes_scaling")
    with pytest.raises(FileError, match=r"no folder 'datasets': looked in .*_library"):
        library.library_folder("datasets")


def test_a_table_of_error_rates_is_questioned():
    flops = 10.0 ** np.arange(18, 24)
    table = pd.DataFrame({"flops": flops, "benchmark": "piqa", "chance": 0.5, "score": np.linspace(0.6, 0.5, 6)})
    other = table.assign(benchmark="copa")
    with pytest.warns(DataWarning, match="scores of every benchmark fall with compute: are these error rates"):
        read_runs(pd.concat([table, other]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_runs(pd.concat([table, other.assign(score=other["score"][::-1].to_numpy())]))
