"""Logs of evaluation tools become a table of runs; what is not taken is said with the reason."""

import contextlib
import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written import evalplus, every_eval_ever, helm, lm_eval, lm_eval_03, olmes, put, samples

import bayes_scaling as bs
from bayes_scaling.cli.commands import main
from bayes_scaling.errors import DataError, ScalingError
from bayes_scaling.logs.formats import read_log

pytestmark = pytest.mark.filterwarnings("ignore:.*fewer than 3 sizes")  # one model is enough here
FILTERS = {"gsm8k": "strict-match"}
MANIFEST = pd.DataFrame({"model": ["lab/toy"], "tokens": ["2.4B"], "mixture": ["C4"]})


def scores(found):
    return found.table.set_index("benchmark")["score"].to_dict()


def test_groups_are_never_counted_with_their_parts(tmp_path):
    put(tmp_path, results__json=lm_eval())
    whole = bs.collect_logs(tmp_path, filters=FILTERS)
    assert set(whole.table["benchmark"]) == {"exam", "piqa", "gsm8k", "humaneval"}
    assert whole.table.set_index("benchmark").loc["exam", "n_items"] == 300
    parts = bs.collect_logs(tmp_path, filters=FILTERS, groups="parts")
    assert set(parts.table["benchmark"]) == {"exam_physics", "exam_history", "piqa", "gsm8k", "humaneval"}
    reasons = whole.left_out.set_index("what")["reason"]
    assert reasons["exam_physics, acc, none"] == "part of exam"
    assert reasons["all"] == "a group without a score, or no number"
    assert reasons["wikitext, word_perplexity"] == "lower is better"


def test_a_filter_must_be_chosen_and_one_metric_is_taken(tmp_path):
    put(tmp_path, results__json=lm_eval())
    with pytest.raises(DataError, match="gsm8k: flexible-extract or strict-match"):
        bs.collect_logs(tmp_path)
    with pytest.raises(DataError, match="gsm8k has no filter 'loose'"):
        bs.collect_logs(tmp_path, filters={"gsm8k": "loose"})
    taken = bs.collect_logs(tmp_path, filters={"gsm8k": "flexible-extract"}, metrics={"piqa": "acc_norm"})
    assert scores(taken)["gsm8k"] == 0.05 and scores(taken)["piqa"] == 0.62
    with pytest.raises(DataError, match=r"piqa has no metric 'f1'; its logs hold \['acc', 'acc_norm'\]"):
        bs.collect_logs(tmp_path, filters=FILTERS, metrics={"piqa": "f1"})


def test_with_a_manifest_the_table_is_ready_to_fit(tmp_path):
    put(tmp_path, results__json=lm_eval())
    found = bs.collect_logs(tmp_path, MANIFEST, filters=FILTERS)
    assert found.missing == ["chance of exam: write [benchmarks.NAME] chance = 0.25 into a manifest in TOML"]
    with pytest.raises(DataError, match="chance of exam"):
        found.runs()
    (tmp_path / "manifest.toml").write_text(
        '[models."lab/*"]\ntokens = "2.4B"\nmixture = "C4"\n[benchmarks.exam]\nchance = 0.25\n'
        '[benchmarks.gsm8k]\nfilter = "strict-match"\n[benchmarks.piqa]\nmetric = "acc_norm"\n'
    )
    runs = bs.collect_logs(tmp_path / "results.json", tmp_path / "manifest.toml").runs()
    assert runs["params"].unique().tolist() == [120e6] and runs["flops"].iloc[0] == pytest.approx(6 * 120e6 * 2.4e9)
    assert runs["run"].unique().tolist() == ["lab/toy@step4000"]
    assert sorted(runs.loc[runs["benchmark"] == "humaneval", "k"]) == [1.0, 10.0]
    assert runs.set_index("benchmark").loc["piqa", ["score", "chance", "metric"]].tolist() == [
        0.62,
        0.5,
        "accuracy_norm",
    ]


def test_the_newest_evaluation_of_a_run_counts(tmp_path):
    old = lm_eval(date=1.6e9, results={"piqa": {"acc,none": 0.5}, "sciq": {"acc,none": 0.8}})
    put(tmp_path, a__json=lm_eval(), b__json=old)
    found = bs.collect_logs(tmp_path, filters=FILTERS)
    assert scores(found)["piqa"] == 0.61 and scores(found)["sciq"] == 0.8
    assert "a.json is newer, or was read later" in found.left_out["reason"].tolist()


def test_other_numbers_of_examples_are_other_benchmarks(tmp_path):
    more = lm_eval(results={"piqa": {"acc,none": 0.66}}, model_name="lab/other")
    more["n-shot"] = {"piqa": 5}
    put(tmp_path, a__json=lm_eval(), b__json=more)
    assert {"piqa_0shot", "piqa_5shot"} <= set(bs.collect_logs(tmp_path, filters=FILTERS).table["benchmark"])


def test_the_old_harness_and_the_newest_are_read(tmp_path):
    newest = {
        "piqa": {"name": "piqa", "alias": "piqa", "sample_len": 90, "acc,none": 0.6, "sample_count": {"acc,none": 90}}
    }
    new = lm_eval(results=newest, model_name="lab/new", config={"model_args": {"pretrained": "lab/new"}})
    new["n-samples"] = {}
    put(tmp_path, a__json=lm_eval_03(), b__json=new)
    table = bs.collect_logs(tmp_path).table.set_index("benchmark")
    assert table["score"].to_dict() == {"sciq": 0.7, "lambada_openai": 0.4, "piqa": 0.6}
    assert table.loc["piqa", ["n_items", "model"]].tolist() == [90, "lab/new"]


def test_every_eval_ever_is_scaled_and_items_are_those_that_were_evaluated(tmp_path):
    put(tmp_path, x__json=every_eval_ever())
    found = bs.collect_logs(tmp_path)
    table = found.table.set_index("benchmark")
    assert table.loc["ai2_arc", ["score", "n_items", "params", "tokens"]].tolist() == [0.41, 300, 120e6, 2.4e9]
    assert table.loc["humaneval", ["score", "k"]].tolist() == [0.1, 10] and np.isnan(table.loc["humaneval", "n_items"])
    assert found.left_out["reason"].tolist() == [
        "lower is better", "levels, not a score", "no number between its least and its greatest score"
    ]  # fmt: skip


def test_olmes_takes_the_primary_metric_and_no_suite(tmp_path):
    suite = olmes("core", "macro", task_idx=None)
    lines = [olmes(), olmes("boolq", "acc_raw"), suite, {"oom": True}]
    put(tmp_path, m__jsonl="\n".join(map(json.dumps, lines)) + '\n{"task_name": "cut o')
    found = bs.collect_logs(tmp_path)
    assert scores(found) == {"arc_challenge:rc::olmes": 0.27, "boolq:rc::olmes": 0.22}
    assert found.table["chance"].tolist() == [0.25, 0.5]
    assert found.table["run"].unique().tolist() == ["toy@step1250-unsharded-hf"]
    reasons = found.left_out["reason"].tolist()
    assert "a suite of other tasks" in reasons and reasons.count("no record of a task, or cut off") == 2
    prediction = {"doc_id": 0, "metrics": {}, "model_output": [{}, {}, {}, {}, {}]}
    put(tmp_path, p__jsonl=json.dumps(prediction))
    assert any("guessing would score 0.2" in one for one in bs.collect_logs(tmp_path).left_out["reason"])


@pytest.mark.parametrize("old", [True, False])
def test_evalplus_counts_plus_only_where_the_base_passes(tmp_path, old):
    put(tmp_path, toy_eval_results__json=evalplus(old))
    manifest = pd.DataFrame({"model": ["toy"], "params": ["1B"], "tokens": ["20B"], "mixture": ["C4"]})
    runs = bs.collect_logs(tmp_path, manifest).runs()
    counts = runs.pivot_table(index="problem", columns="benchmark", values="n_correct")
    assert counts.loc["HumanEval/1"].to_dict() == {"humaneval": 2.0, "humaneval+": 1.0}
    assert (runs["n_samples"] == 3).all() and (runs["metric"] == "pass@k").all()


def test_helm_takes_the_test_split_without_perturbations(tmp_path):
    folder = tmp_path / "mmlu:subject=philosophy,model=lab_toy"
    folder.mkdir()
    put(folder, stats__json=helm())
    (row,) = bs.collect_logs(tmp_path).table.to_dict("records")
    assert (row["benchmark"], row["model"], row["score"], row["n_items"]) == ("mmlu_philosophy", "lab/toy", 0.52, 500)


def test_counts_come_from_samples_where_all_answers_were_kept(tmp_path):
    folder = tmp_path / "lab__toy"
    folder.mkdir()
    (folder / "samples_gsm8k_2026-01-01T00-00-00.0.jsonl").write_text(samples(4))
    table = bs.collect_logs(tmp_path).table
    assert table[["problem", "n_samples", "n_correct"]].to_numpy().tolist() == [["0", 4, 0], ["1", 4, 2], ["2", 4, 4]]
    assert table["model"].unique().tolist() == ["lab/toy"]
    (folder / "samples_gsm8k_2026-01-01T00-00-00.0.jsonl").write_text(samples(1))
    with pytest.raises(DataError, match="one answer an item"):
        bs.collect_logs(tmp_path)


def test_bare_nan_is_read_and_cut_files_are_named(tmp_path):
    put(tmp_path, a__json=json.dumps(lm_eval()).replace("0.61", "NaN"), b__json='{"results": {"piqa"', c__json="[1, 2]")
    found = bs.collect_logs(tmp_path, filters=FILTERS)
    assert "piqa" in found.table["benchmark"].tolist()  # acc_norm is there
    reasons = found.left_out.set_index("file")["reason"]
    assert reasons["b.json"].startswith("not JSON, or cut off") and reasons["c.json"].startswith("not a log of")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("params\n1\n", "has the column 'model'"),
        ("model,parms\na,1\n", "'parms' has no place here; did you mean 'params'"),
        ("model = 1", "'model' has no place here"),
        ("[models", "not a manifest in TOML"),
        ("[models]\na = 1", "must be a table of facts"),
        ("[benchmarks.a]\nchanc = 1", "'chanc' has no place here; did you mean 'chance'"),
    ],
)
def test_wrong_manifests_are_refused(tmp_path, text, match):
    put(tmp_path, results__json=lm_eval())
    path = tmp_path / ("m.csv" if "," in text or text.startswith("params") else "m.toml")
    path.write_text(text)
    with pytest.raises(DataError, match=match):
        bs.collect_logs(tmp_path / "results.json", path, filters=FILTERS)


def test_files_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        bs.collect_logs(tmp_path / "none")
    with pytest.raises(DataError, match="no score was found"):
        bs.collect_logs(tmp_path)
    with pytest.raises(DataError, match="groups must be"):
        bs.collect_logs(tmp_path, groups="both")


def test_the_command_writes_the_table_and_names_what_is_missing(tmp_path):
    put(tmp_path, results__json=lm_eval())
    arguments = ["collect", str(tmp_path / "results.json"), "--filter", "gsm8k=strict-match", "--out"]
    done = CliRunner().invoke(main, [*arguments, str(tmp_path / "a.csv"), "--left-out", str(tmp_path / "left.csv")])
    assert done.exit_code == 1 and "tokens of lab/toy" in done.stderr and "part of exam" in done.stdout
    assert len(pd.read_csv(tmp_path / "left.csv")) > 5
    (tmp_path / "m.toml").write_text(
        '[models."lab/toy"]\ntokens = "2.4B"\nmixture = "C4"\n[benchmarks.exam]\nchance = 0.25'
    )
    done = CliRunner().invoke(main, [*arguments, str(tmp_path / "b.csv"), "--manifest", str(tmp_path / "m.toml")])
    assert done.exit_code == 0, done.output
    assert bs.read_runs(tmp_path / "b.csv")["benchmark"].nunique() == 4
    done = CliRunner().invoke(main, [*arguments[:-2], "gsm8k", "--out", str(tmp_path / "c.csv")])
    assert done.exit_code == 2 and "needs BENCHMARK=VALUE" in done.stderr


LOGS = [lm_eval(), lm_eval_03(), every_eval_ever(), olmes(), evalplus(), evalplus(True), helm()]
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


def spoilt(value, draw):
    """A copy of a log with some of its values replaced or left out."""
    if draw(st.integers(0, 19)) == 0:
        return draw(VALUES)
    if isinstance(value, dict):
        return {key: spoilt(one, draw) for key, one in value.items() if draw(st.integers(0, 29))}
    return [spoilt(one, draw) for one in value] if isinstance(value, list) else value


@settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.filterwarnings("ignore")
@given(st.data())
def test_whatever_a_log_holds_it_is_read_or_left_out(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / data.draw(st.sampled_from(["log.json", "log.jsonl"]))
    path.write_text(json.dumps(spoilt(data.draw(st.sampled_from(LOGS)), data.draw)), encoding="utf-8")
    log = read_log(path)
    assert all(0 <= one.score <= 1 for one in log.scores)
    assert all(one.reason for one in log.left_out)
    with contextlib.suppress(ScalingError):
        bs.collect_logs(path).runs()


@settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_any_bytes_are_left_out_with_a_reason(tmp_path_factory, content):
    for name in ("bytes.json", "bytes.jsonl"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(content)
        assert read_log(path).left_out
