"""Every shipped data set loads without a word and is what its card says."""

import importlib.util

import pandas as pd
import pytest

from bayes_scaling import library
from bayes_scaling.data import datasets as shipped
from bayes_scaling.data import runs as data

NAMES = library.names("datasets")


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def runs(name):
    return shipped.load_dataset(name)


@pytest.fixture(scope="module")
def card(name):
    return shipped.read_card(name)


def test_both_data_sets_are_there():
    assert NAMES == ["gadre2024", "olmo_ladder"]


def test_the_card_counts_right(runs, card, name):
    assert runs.attrs["dataset"] == name
    assert runs["run"].nunique() == card["n_runs"]
    assert runs["benchmark"].nunique() == card["n_benchmarks"]
    assert sorted(runs["mixture"].unique()) == card["mixtures"]


def test_the_checks_of_the_card_hold(runs, card):
    checks = card["checks"]
    assert len(runs) == checks["rows"]
    assert runs["score"].notna().sum() == checks["score_rows"]
    assert runs["score"].isna().sum() == checks["loss_rows"]
    assert (runs.groupby("run")["benchmark"].nunique() == card["n_benchmarks"]).all() == checks["complete"]
    for spot in checks["spot"]:
        row = runs[(runs["run"] == spot["run"]) & (runs["benchmark"] == spot["benchmark"])]
        assert row[["score", "loss"]].to_numpy().tolist() == [[spot["score"], spot["loss"]]]


def test_the_card_says_whose_it_is(card, name):
    assert {"title", "summary", "citation", "columns", "known_problems", "corrections"} <= set(card)
    assert {"repository", "commit"} <= set(card["source"])
    folder = library.library_folder("datasets") / name
    assert (folder / card["made_by"]).is_file()
    assert (folder / card["licence"]["file"]).stat().st_size > 500


def test_own_columns_are_explained_and_checking_changes_nothing(runs, card):
    own = [column for column in runs if column not in data.COLUMNS]
    assert set(own) <= set(card["columns"])
    pd.testing.assert_frame_equal(data.validate(runs), runs)


def test_data_sets_are_listed_from_their_cards():
    listed = shipped.describe_datasets()
    assert listed.columns.tolist() == ["name", "title", "runs", "benchmarks", "mixtures", "licence", "source"]
    assert listed["name"].tolist() == NAMES


def test_corrections_of_gadre2024_are_in_the_table():
    tests = shipped.load_dataset("gadre2024").groupby("benchmark")
    assert tests["n_items"].first()["arc_challenge"] == 1172
    assert tests["chance"].first()["commonsense_qa"] == 0.2
    macro = tests["metric"].first().eq("macro_accuracy")
    assert sorted(macro.index[macro]) == ["bbq", "jeopardy", "mmlu", "mmlu_zeroshot"]


def test_rerun_pairs_and_targets_of_olmo_ladder_are_told_apart():
    runs = shipped.load_dataset("olmo_ladder").drop_duplicates("run")
    assert runs["seed"].eq("1").sum() == 5
    assert runs.loc[runs["is_target"] == 1, "run"].tolist() == ["7B-4T", "13B-5T"]
    assert runs.groupby(["params", "tokens"]).size().eq(2).sum() == 5


def test_compose_joins_and_corrects_the_source_tables(tmp_path):
    path = library.library_folder("datasets") / "gadre2024" / "compose.py"
    spec = importlib.util.spec_from_file_location("compose", path)
    compose = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compose)
    sources = {
        "runs": {
            "run_id": ["a"],
            "family": "f",
            "mixture": "C4",
            "params": 1e9,
            "tokens": 2e10,
            "tokens_per_param": 20.01,
            "nominal_tokens_per_param": 20,
        },
        "losses": {"run_id": ["a", "a"], "val_set": ["c4_val", "pile"], "loss": [3.0, 2.5]},
        "evals": {
            "run_id": ["a"] * 3,
            "benchmark": ["arc_challenge", "mmlu", "squad"],
            "metric": ["acc", "acc", "exact_match"],
            "accuracy": [0.25, 0.26, 0.0],
            "n_items": [2376, 14042, 10],
            "n_correct": [293, None, 0],
            "chance": [0.25, 0.25, 0],
        },
        "benchmarks": {"benchmark": ["arc_challenge", "mmlu", "squad"], "macro_average": [0, 1, 0]},
    }
    for name, table in sources.items():
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
    made = compose.compose(tmp_path)
    assert made["metric"].tolist()[:3] == ["accuracy", "macro_accuracy", "exact_match"]
    assert made["n_items"].fillna(0).tolist() == [1172, 0, 10, 0]
    assert made["val_set"].tolist() == ["c4_val"] * 3 + ["pile"]
