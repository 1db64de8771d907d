"""The published tables of arXiv 2512.08894, written here in their exact format."""

import pandas as pd
import pytest

from bayes_scaling.data.readers.krajewski import read_krajewski
from bayes_scaling.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore:.*fewer than 3 sizes:bayes_scaling.errors.DataWarning")

TOKENS = {20.0: (1e10, 4e10, 16e10), 80.0: (3e10,)}
SUBJECTS = [("mmlu-anatomy", "acc", 0.26), ("math_algebra_cot_minerva", "exact_match", 0.01)]
OUTCOMES = ("n_assertionerror", "n_exception", "n_invalid_status", "n_syntaxerror")


def scores(level, samples=200):
    """All numbers of one run, as the files name them."""
    rows = [*SUBJECTS]
    for test in ("arc_challenge", "arc_easy", "hellaswag", "piqa", "sciq"):
        rows += [(test, "acc", level), (test, "acc_norm", level + 0.01), (test, "acc_norm_stderr", 0.01)]
        rows += [(test, "acc_stderr", 0.01), (test, "brier", 1.3), (test, "loglikelihood", -29.3)]
    for test in ("c4", "dclm", "fineweb"):
        rows += [
            (test, "accuracy", 0.4),
            (test, "bits_per_byte", 0),
            (test, "loss", 4 - level - len(test) / 10),
        ]
        rows += [(test, "perplexity", 30.0), (test, "z_loss", 170.0)]
    for test in ("gsm8k_cot_llama", "triviaqa_1shot", "webqs_1shot", "math_minerva"):
        rows += [(test, "exact_match", level / 9), (test, "exact_match_stderr", 0.003)]
    rows += [("lambada_openai", "acc", level), ("lambada_openai", "perplexity", 240.0)]
    rows += [("winogrande", "acc", level), ("mmlu", "acc", level), ("mmlu", "acc_norm", level)]
    for test, problems, drawn in (("humaneval-py", 164, 200), ("lbpp", 161, samples), ("mbpp", 500, samples)):
        rows += [(test, "n_ok", 60), (test, "n_ok_stderr", None)]
        rows += [(test, OUTCOMES[0], problems * drawn - 60), *((test, name, 0) for name in OUTCOMES[1:])]
        for k in (1, 2, 4, 8, 16, 32, 64, 128):
            rows += [(test, f"pass@{k}", 1.0 if k > 1 and drawn == 1 else level / 10)]
            rows += [(test, f"pass@{k}_stderr", None)]
    return sorted(rows, key=lambda row: row[:2])


def published(folder, name, sizes=True, samples=200, change=None):
    """Write one file as it is published: an index with gaps, sizes on the C4 side only."""
    rows = []
    for tpr, lengths in TOKENS.items():
        for level, tokens in enumerate(lengths, start=5):
            if sizes and tpr != 20.0:
                continue
            params = tokens / 20.1
            of_run = {"flops": 6 * params * tokens, "params": params} if sizes else {}
            for test, metric, score in scores(level / 10, samples):
                rows.append(
                    {
                        **of_run,
                        "tokens": tokens,
                        "benchmark": test,
                        "metric_type": metric,
                        "score": score,
                        "tpr": tpr,
                    }
                )
    frame = pd.DataFrame(rows)
    frame.index += frame.index // 4
    path = folder / name
    (frame if change is None else change(frame)).to_csv(path)
    return path


@pytest.fixture
def both(tmp_path):
    return published(tmp_path, "c4.csv"), published(tmp_path, "dclm.csv", sizes=False)


def test_the_files_look_as_published(both):
    c4, dclm = (path.read_text().splitlines()[0] for path in both)
    assert c4 == ",flops,params,tokens,benchmark,metric_type,score,tpr"
    assert dclm == ",tokens,benchmark,metric_type,score,tpr"


def test_runs_and_benchmarks(both):
    runs = read_krajewski(*both)
    assert sorted(runs["mixture"].unique()) == ["C4", "DCLM+Stack+OpenMath"]
    assert runs.groupby("mixture")["run"].nunique().tolist() == [3, 4]
    assert runs["benchmark"].nunique() == 15
    assert runs["run"].iloc[0] == "C4 · 10B tokens · 20 per parameter"
    first = runs.drop_duplicates("benchmark").set_index("benchmark")
    assert first["n_items"][["arc_challenge", "lambada", "humaneval"]].tolist() == [1172, 5153, 164]
    assert first["chance"][["piqa", "winogrande", "mmlu", "gsm8k"]].tolist() == [0.5, 0.5, 0.25, 0]
    assert first["metric"][["piqa", "gsm8k", "lbpp"]].tolist() == ["accuracy", "exact_match", "pass@k"]


def test_sizes_of_the_second_file(both):
    runs = read_krajewski(*both).drop_duplicates("run").set_index("run")
    twin = runs.loc["DCLM+Stack+OpenMath · 40B tokens · 20 per parameter"]
    assert twin["params"] == 4e10 / 20.1
    assert twin["size_source"] == "the run on C4 with the same tokens"
    alone = runs.loc["DCLM+Stack+OpenMath · 30B tokens · 80 per parameter"]
    assert (alone["params"], alone["flops"]) == pytest.approx((3e10 / 80, 6 * 3e10**2 / 80))
    assert alone["size_source"] == "nominal"
    only = read_krajewski(dclm=both[1])
    assert only["size_source"].unique().tolist() == ["nominal"]
    assert only["params"].tolist() == (only["tokens"] / only["tokens_per_param"]).tolist()


def test_the_kind_of_score_can_be_chosen(both):
    normed = read_krajewski(both[0], metric="acc_norm").drop_duplicates("benchmark").set_index("benchmark")
    assert normed["metric"][["arc_easy", "winogrande", "lambada"]].tolist() == [
        "accuracy_norm",
        "accuracy",
        "accuracy",
    ]
    assert normed["score"]["arc_easy"] == 0.51
    mixed = read_krajewski(both[0], metric={"piqa": "acc_norm"}).drop_duplicates("benchmark").set_index("benchmark")
    assert mixed["metric"][["piqa", "arc_easy"]].tolist() == ["accuracy_norm", "accuracy"]


def test_losses_stand_beside_scores_or_alone(both):
    runs = read_krajewski(both[0], loss="dclm")
    scored = runs[runs["score"].notna()]
    assert scored["val_set"].unique().tolist() == ["dclm"]
    assert scored["loss"].iloc[0] == pytest.approx(4 - 0.5 - 0.4)
    alone = runs[runs["score"].isna()]
    assert sorted(alone["val_set"].unique()) == ["c4", "fineweb"]
    assert len(alone) == 6


def test_the_log_likelihood_of_a_benchmark_is_its_own_loss(both):
    runs = read_krajewski(*both)
    own = runs.groupby("benchmark")["own_loss"]
    assert own.first()[["arc_easy", "piqa"]].tolist() == [29.3, 29.3]
    assert own.count()[["lambada", "winogrande", "humaneval"]].tolist() == [0, 0, 0]
    assert runs.loc[runs["score"].isna(), "own_loss"].isna().all()


def test_without_log_likelihoods_there_is_no_loss_of_a_benchmark(tmp_path):
    def unlikely(frame):
        return frame[frame["metric_type"] != "loglikelihood"]

    assert "own_loss" not in read_krajewski(published(tmp_path, "c4.csv", change=unlikely))


def test_repeated_sampling(both, tmp_path):
    runs = read_krajewski(both[0])
    tries = runs[runs["metric"] == "pass@k"]
    assert tries["n_samples"].unique().tolist() == [200]
    assert sorted(tries["k"].unique()) == [1, 2, 4, 8, 16, 32, 64, 128]
    single = read_krajewski(published(tmp_path, "single.csv", samples=1))
    kept = single[single["metric"] == "pass@k"].groupby("benchmark")
    assert kept["k"].max().to_dict() == {"humaneval": 128, "lbpp": 1, "mbpp": 1}
    assert kept["n_samples"].first().to_dict() == {"humaneval": 200, "lbpp": 1, "mbpp": 1}


def test_single_samples_are_found_without_their_count(tmp_path):
    def uncounted(frame):
        return frame[~frame["metric_type"].str.startswith("n_")]

    runs = read_krajewski(published(tmp_path, "c4.csv", samples=1, change=uncounted))
    assert runs.groupby("benchmark")["k"].max()[["humaneval", "lbpp", "mbpp"]].tolist() == [128, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.drop(columns="tpr"),
            r"c4.csv: the published table has .* missing are \['tpr'\]",
        ),
        (
            lambda frame: frame.replace({"score": {0.5: 50}}),
            r"'score' must be a proportion.*looks like percent: divide by 100 what is",
        ),
        (
            lambda frame: frame.astype({"tokens": str}).replace({"tokens": {"40000000000.0": "many"}}),
            "'tokens' must be a n",
        ),
        (lambda frame: pd.concat([frame, frame.assign(score=0.3)]), "repeat"),
    ],
)
def test_files_in_another_shape_are_refused(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        read_krajewski(published(tmp_path, "c4.csv", change=change))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give the path of at least one"),
        ({"c4": "absent.csv"}, "absent.csv: there is no such file"),
        ({"c4": "a.csv", "metric": "brier"}, "metric must be acc or acc_norm"),
        ({"c4": "a.csv", "metric": {"boolq": "acc"}}, "metric must be acc or acc_norm"),
        ({"c4": "a.csv", "loss": "pile"}, "loss must be one of c4, dclm, fineweb, not 'pile'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        read_krajewski(**arguments)
