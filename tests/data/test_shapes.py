"""Tables as people bring them: what is refused says what to write instead, and what that gives is right."""

import ast
import re

import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.data.known_benchmarks import overlaps
from bayes_scaling.data.spellings import with_unit
from bayes_scaling.errors import DataError, DataWarning

PARAMS = np.array([6e7, 1.2e8, 2.5e8, 5e8, 1e9])
TOKENS = 20 * PARAMS
SCORES = np.array([0.31, 0.36, 0.41, 0.47, 0.53])
TRUTH = bs.read_runs(
    pd.DataFrame({"params": PARAMS, "tokens": TOKENS, "benchmark": "hellaswag", "score": SCORES, "chance": 0.25})
)


def advice(table, **columns):
    """The mapping that the message offers, beyond what is given already."""
    with pytest.raises(DataError) as refused:
        bs.read_runs(table, columns=columns or None)
    found = [ast.literal_eval(text) for text in re.findall(r"columns=(\{[^{}]*\})", str(refused.value))]
    return found[0] if found else {}, str(refused.value)


def following(table):
    """What comes out when the advice of the messages is followed to the end."""
    columns = {}
    for _ in range(4):
        try:
            return bs.read_runs(table, columns=columns)
        except DataError:
            more, text = advice(table, **columns)
            assert more, text
            columns |= more
    raise AssertionError(columns)


SHAPES = {
    "billions": {"params_b": PARAMS / 1e9, "tokens_b": TOKENS / 1e9},
    "billions in brackets": {"Params (B)": PARAMS / 1e9, "Tokens [B]": TOKENS / 1e9},
    "text that counts": {"Model size (M)": PARAMS / 1e6, "tokens": TOKENS},
    "giga": {"gflops": 6 * PARAMS * TOKENS / 1e9, "params": PARAMS, "tokens": TOKENS},
    "petaflop days": {"PF-days": 6 * PARAMS * TOKENS / 8.64e19, "params": PARAMS, "tokens": TOKENS},
    "logarithm": {"log10_flops": np.log10(6 * PARAMS * TOKENS), "params": PARAMS, "tokens": TOKENS},
    "synonyms": {"n_params": PARAMS, "n_tokens": TOKENS},
}


@pytest.mark.parametrize("sizes", SHAPES.values(), ids=SHAPES)
def test_following_the_advice_on_sizes_gives_the_right_sizes(sizes):
    runs = following(pd.DataFrame({**sizes, "benchmark": "hellaswag", "score": SCORES, "chance": 0.25}))
    np.testing.assert_allclose(runs["flops"], TRUTH["flops"])
    np.testing.assert_allclose(runs["params"], TRUTH["params"])


@pytest.mark.parametrize(
    "table",
    [
        {"task": "hellaswag", "acc": SCORES},
        {"task": "hellaswag", "primary_metric": 100 * SCORES},
        {"benchmark": "hellaswag", "score": 100 * SCORES},
    ],
)
def test_following_the_advice_on_scores_gives_the_right_scores(table):
    runs = following(pd.DataFrame({**table, "params": PARAMS, "tokens": TOKENS, "chance": 0.25}))
    np.testing.assert_allclose(runs["score"], SCORES)
    assert (runs["benchmark"] == "hellaswag").all()


def test_a_loss_under_another_name():
    runs = following(pd.DataFrame({"n_params": PARAMS, "n_tokens": TOKENS, "val_loss": 4 - SCORES}))
    np.testing.assert_allclose(runs["loss"], 4 - SCORES)


def test_a_column_that_is_meant_to_stay_stays():
    table = pd.DataFrame({"params": PARAMS, "tokens": TOKENS, "loss": 4 - SCORES, "task": "x"})
    runs = bs.read_runs(table, columns={"task": "task"})
    assert (runs["task"] == "x").all()
    assert runs["benchmark"].isna().all()


@pytest.mark.parametrize("name", ["tokens_per_param", "flops_share", "param_group", "team_b", "b", "log_flops"])
def test_names_without_a_known_unit_have_none(name):
    assert with_unit(name) is None


def test_bits_per_byte_are_a_loss_and_no_percent():
    table = {"params": PARAMS, "tokens": TOKENS, "benchmark": "hellaswag", "score": 1.8 - SCORES, "chance": 0}
    _, text = advice(pd.DataFrame(table))
    assert "losses and bits per byte" in text
    assert "percent" not in text


def test_counts_as_text_are_named():
    table = {"params": PARAMS, "tokens": TOKENS, "benchmark": "hellaswag", "score": "3131/10042", "chance": 0.25}
    assert "'n_correct' and 'n_items'" in advice(pd.DataFrame(table))[1]


def test_an_untrained_checkpoint_is_named():
    table = {"flops": [0, 1e20, 1e21, 1e22], "benchmark": "hellaswag", "score": 0.3, "chance": 0.25}
    assert "leave step 0 out" in advice(pd.DataFrame(table))[1]


def test_a_wide_table_gets_the_call_that_makes_it_long():
    table = pd.DataFrame(
        {"Model": list("abcde"), "params": PARAMS, "tokens": TOKENS, "HellaSwag": 100 * SCORES,
         "PIQA": ["60", "-", "62", "63", "64"], "Avg": 50.0}
    )  # fmt: skip
    call = re.search(r"one row a score: (.*)", advice(table)[1])[1]
    long = eval(call, {"table": table, "float": float})
    runs = bs.read_runs(long.assign(chance=0.25), columns={"score": "score*0.01"})
    assert sorted(runs["benchmark"].unique()) == ["HellaSwag", "PIQA"]
    assert len(runs) == 9
    np.testing.assert_allclose(runs.loc[runs["benchmark"].eq("HellaSwag"), "score"], SCORES)


def test_repeats_name_the_column_in_which_they_differ():
    one = pd.DataFrame({"run": list("abc"), "flops": [1e20, 1e21, 1e22], "benchmark": "arc_easy", "chance": 0.25})
    table = pd.concat([one.assign(num_fewshot=0, score=0.3), one.assign(num_fewshot=5, score=0.4)])
    text = advice(table)[1]
    assert "num_fewshot" in text
    assert "'seed'" not in text


def test_fewer_items_are_accepted_with_a_warning_and_plans_have_all():
    table = TRUTH.assign(n_items=[200, 200, 10042, 10042, 10042])
    with pytest.warns(DataWarning, match="rest on fewer items than others"):
        runs = bs.read_runs(table)
    assert runs["n_items"].tolist() == [200, 200, 10042, 10042, 10042]


def test_groups_beside_their_parts_are_named_and_not_averaged_in_silence():
    items = {"mmlu": 300, "mmlu_stem": 100, "mmlu_other": 200, "mmlu_anatomy": 30, "piqa": 500}
    table = pd.concat([TRUTH.assign(benchmark=name, n_items=n) for name, n in items.items()])
    with pytest.warns(DataWarning, match=r"'mmlu' holds again.*keep the parts mmlu_stem, mmlu_other, whose items add"):
        bs.read_runs(table.drop(columns="run"))


def test_parts_that_add_up_are_found_among_many():
    sizes = {f"bbh_{i}": float(s) for i, s in enumerate((250, 178, 187, 146, 250, 250, 90, 41))}
    whole = sum(sizes.values()) - 41
    ((name, parts, level),) = overlaps(pd.Series({"bbh": whole, **sizes}))
    assert name == "bbh"
    assert len(parts) == 8
    assert sum(sizes[part] for part in level) == whole
    assert not [level for *_, level in overlaps(pd.Series({"bbh": 7.0, **sizes})) if level]


def test_one_variant_is_no_part():
    assert not list(overlaps(pd.Series({"hellaswag": 1.0, "hellaswag_zeroshot": 1.0, "hellaswag_5shot": 1.0})))


def test_sizes_that_no_model_has_are_questioned():
    with pytest.warns(DataWarning, match="is it in another unit"):
        bs.read_runs(TRUTH.assign(params=TRUTH["params"] / 1e9, tokens=np.nan).drop(columns="run"))


def test_seeds_may_be_words():
    runs = bs.read_runs(TRUTH.drop(columns="run").assign(seed=["default", "a", "1", "2", "3"]))
    assert runs["seed"].tolist() == ["default", "a", "1", "2", "3"]
    assert "seed default" in runs["run"].iloc[0]


def test_the_usual_chance_is_offered():
    table = pd.DataFrame({"params": PARAMS, "tokens": TOKENS, "benchmark": "hellaswag", "score": SCORES})
    assert "usual are 0.25 for hellaswag" in advice(table)[1]


@pytest.mark.parametrize("factor", ["params*", "params*1e", "10**", "*1e9", "params*0"])
def test_a_factor_that_is_none_is_no_silent_other_column(factor):
    table = pd.DataFrame({"size": PARAMS / 1e9, "tokens": TOKENS, "loss": 4 - SCORES})
    with pytest.raises(DataError):
        bs.read_runs(table, columns={"size": factor})


def test_a_plan_of_losses_names_no_benchmark():
    plan = bs.plan_runs(params="1B", tokens="20B")
    assert not {"benchmark", "metric", "chance", "n_items", "k"} & set(plan)
