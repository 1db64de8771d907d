"""The reader of the leaderboard's table, as published and in tidy form."""

import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.boundaries.base_models import TOKENS, known_base
from bayes_scaling.errors import DataError, ScalingWarning


def published(**change):
    table = pd.DataFrame(
        {
            "Model": ["a/one", "b/two", "c/three", "a/one"],
            "#Params (B)": [7.0, 7.6, 7.2, 7.0],
            "Base Model": ["meta-llama/Llama-2-7b-hf", None, "mistralai/Mistral-7B-v0.1", "meta-llama/Llama-2-7b-hf"],
            "Upload To Hub Date": ["2024-02-03", "2024-07-01", "2024-02-03", "2024-02-03"],
            "Flagged": [False, False, False, False],
            "IFEval Raw": [0.4, 0.5, 0.3, 0.45],
            "MMLU-PRO Raw": [0.2, 0.3, 0.1, 0.25],
        }
    )
    table.loc[1, "Model"] = "b/Qwen2.5-7B-two"
    return table.assign(**change)


def test_compute_comes_from_the_tokens_of_the_base_and_the_last_evaluation_counts():
    with pytest.warns(ScalingWarning, match="1 of 3 models are left out, 1 of them .* such as mistralai"):
        scores = bs.read_leaderboard(published())
    one = scores[(scores["model"] == "a/one") & (scores["benchmark"] == "IFEval")]
    assert one["flops"].tolist() == [6 * 7e9 * 2e12] and one["score"].tolist() == [0.45]
    assert one[["organisation", "base_model", "period"]].to_numpy().tolist() == [["a", "llama-2-7b", "2024-Q1"]]
    assert set(scores["base_model"]) == {"llama-2-7b", "qwen2.5-7.6b"}
    assert set(scores["benchmark"]) == {"IFEval", "MMLU-Pro"} and scores["n_items"].isin([541, 12032]).all()


def test_the_user_may_add_base_models_and_correct_figures():
    bases = pd.DataFrame({"base_model": ["mistral-7b", "Llama-2"], "tokens": ["0.8T", "1T"], "params": ["7B", "10B"]})
    scores = bs.read_leaderboard(published(), bases=bases).drop_duplicates("model").set_index("model")
    assert scores.loc["c/three", "flops"] == pytest.approx(6 * 7e9 * 0.8e12)
    assert scores.loc["a/one", "flops"] == pytest.approx(6 * 10e9 * 1e12)


def test_flagged_models_are_left_out_unless_wanted():
    flagged = published(Flagged=[False, True, False, False])
    with pytest.warns(ScalingWarning):
        assert bs.read_leaderboard(flagged)["model"].nunique() == 1
    with pytest.warns(ScalingWarning):
        assert bs.read_leaderboard(flagged, keep_flagged=True)["model"].nunique() == 2


def test_a_file_and_the_tidy_form_are_read(tmp_path):
    board = bs.simulated_board(models=20, seed=1).rename(columns={"organisation": "org"})
    board.assign(date="2024-05-06").drop(columns="period").to_csv(tmp_path / "board.csv", index=False)
    scores = bs.read_leaderboard(tmp_path / "board.csv")
    assert scores["period"].unique().tolist() == ["2024-Q2"] and "organisation" in scores


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (published().drop(columns="#Params (B)"), r"'#Params \(B\)'.* are missing"),
        (published().drop(columns=["IFEval Raw", "MMLU-PRO Raw"]), "none of the columns"),
        (published(**{"Base Model": "nobody/knows", "Model": list("abcd")}), "no model has a base"),
        ("leaderboard.csv", "there is no such file"),
        ({"Model": 1}, "must be a DataFrame"),
    ],
)
def test_other_tables_are_refused(table, match):
    with pytest.raises(DataError, match=match):
        bs.read_leaderboard(table)


@pytest.mark.parametrize(
    ("bases", "match"),
    [
        (pd.DataFrame({"base_model": ["x"]}), r"\['tokens'\] are missing"),
        (pd.DataFrame({"base_model": ["x"], "tokens": ["-1"]}), "must be positive"),
        (pd.DataFrame({"base_model": ["x"], "tokens": ["many"]}), "not a size"),
    ],
)
def test_wrong_base_models_are_refused(bases, match):
    with pytest.raises(DataError, match=match):
        bs.read_leaderboard(published(), bases=bases)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("meta-llama/Meta-Llama-3-8B", "llama-3"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1"),
        ("Qwen/Qwen2-0.5B-Instruct", "qwen2-0.5b"),
        ("Qwen/Qwen2.5-72B", "qwen2.5"),
        ("google/gemma-2-9b-it", "gemma-2-9b"),
        ("google/gemma-2b", "gemma-2b"),
        ("mistralai/Mistral-7B-v0.1", None),
        ("someone/llama-4-17b", None),
    ],
)
def test_names_of_models_lead_to_their_base(name, base):
    assert known_base([name], {start: tokens for start, (tokens, _) in TOKENS.items()}) == base
