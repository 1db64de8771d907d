"""The reproduction of arXiv 2512.08894 on small files in the published format, made from laws that are known."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayes_scaling
from bayes_scaling.errors import DataError

ROOT = Path(bayes_scaling.__file__).parents[1]
C0, RATIO = 1e20, 20.0
# Benchmark -> score of guessing, which for ARC-Easy is not 1/choices, and −log Q′ of the reference run.
TESTS = {"arc_easy": (0.1, 0.6), "hellaswag": (0.25, 0.8), "lambada_openai": (0.0, 0.7)}
TRIES = (1, 2, 4, 8, 16, 32, 64, 128)
CHEAP = "direct,two_stage_linear,two_stage_logistic,repeated_sampling"
AT_20, RATIOS, HELD_OUT, TRIED = "At 20", "All ratios, ≤", "All ratios below 160", "pass@k"


@pytest.fixture
def command(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("reproduce_krajewski").main


def scores(params, tokens, mixture, rng):
    """Everything measured of one run: Eq. 4 with one exponent, so that at 20 tokens per parameter Eq. 2 holds too."""
    size = (params / np.sqrt(C0 / 6 / RATIO)) ** -0.5 / 2 + (tokens / np.sqrt(C0 * RATIO / 6)) ** -0.5 / 2
    rows = []
    for name, (floor, scale) in TESTS.items():
        for metric, factor in (("acc", 1.0), ("acc_norm", 0.85)):
            score = floor + (1 - floor) * np.exp(-mixture * scale * factor * size) + 0.002 * rng.normal()
            rows += [(name, metric, max(score, 0.0)), (name, f"{metric}_stderr", 0.01)]
    rows += [("arc_easy", "loglikelihood", -20 * size**0.4 - 2 * rng.random())]
    rows += [("c4", "loss", 2.5 * size**0.2), ("dclm", "loss", 1.8 + size), ("fineweb", "loss", 2.6 * size**0.25)]
    eta = np.log(2.5 * mixture * size)
    for k in TRIES:  # Eq. 5
        score = np.exp(-np.exp(eta + (-0.15 + 0.05 * eta) * np.log(k) + 0.003 * rng.normal()))
        rows += [("humaneval-py", f"pass@{k}", score)]
    return [*rows, ("humaneval-py", "n_ok", 100), ("humaneval-py", "n_exception", 164 * 200 - 100)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("published"), np.random.default_rng(3)
    tables = {"c4": [], "dclm": []}
    for ratio in (20.0, 10.0, 40.0, 80.0, 160.0):
        at_20 = [2e16, 8e16, *np.geomspace(3.1e18, 4e22, 13)]
        for flops in at_20 if ratio == RATIO else np.geomspace(4e18, 2e22, 7):
            params = np.round(np.sqrt(flops / 6 / ratio))
            tokens = ratio * params
            sizes = {"flops": 6 * params * tokens, "params": params, "tokens": tokens}
            for name, factor in {"c4": 1.2, "dclm": 1.0}.items() if ratio == RATIO else [("dclm", 1.0)]:
                told = sizes if name == "c4" else {"tokens": tokens}
                for benchmark, metric, score in scores(params, tokens, factor, rng):
                    more = {"benchmark": benchmark, "metric_type": metric, "score": score, "tpr": ratio}
                    tables[name].append(told | more)
    for name, rows in tables.items():
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv")
    return [str(folder / f"{name}.csv") for name in tables]


def run(command, files, tmp_path, *options):
    out = tmp_path / "rows.csv"
    command([*files, "--chance", "small_runs", "--resamples", "40", "--out", str(out), *options])
    return pd.read_csv(out)


def held(rows, comparison, law, by="published"):
    found = rows[rows["comparison"].str.startswith(comparison) & (rows["law"] == law) & (rows["by"] == by)]
    assert len(found), f"no row of {law} in {comparison}"
    return found


def check(rows, laws):
    """The laws that made the data forecast them, with intervals that hold about what they say."""
    for comparison, law, by in laws:
        found = held(rows, comparison, law, by)
        assert found["relative"].mean() < 0.015, (comparison, law, by)
        assert found["inside_95"].mean() >= 0.6, (comparison, law, by)
        if by == "published":  # our priors expect more noise than there is here
            assert found["inside_50"].mean() < 0.9, (comparison, law, by)
        assert 0 < found["width_95"].median() < 0.05, (comparison, law, by)
        assert (found["lower_90"] < found["expected"]).all()
        assert (found["expected"] < found["upper_90"]).all()


def test_published_estimators_are_scored_on_what_they_did_not_see(command, files, tmp_path, capsys):
    rows = run(command, files, tmp_path, "--published", CHEAP, "--ours", "")
    told = capsys.readouterr().out
    for law in ("direct", "two_stage_linear", "two_stage_logistic"):
        assert set(held(rows, AT_20, law)["benchmark"]) == {"arc_easy", "hellaswag", "lambada", "humaneval"}
    check(rows, [(AT_20, "direct", "published"), (TRIED, "repeated_sampling", "published")])
    assert held(rows, AT_20, "two_stage_linear")["relative"].mean() > 0.01
    assert rows.loc[rows["comparison"].str.startswith(AT_20), "flops"].min() > 6e21
    beyond = held(rows, RATIOS, "direct")  # which knows no ratio
    assert ((beyond["flops"] > 6e21) | (beyond["tokens_per_param"] > 80)).all()
    assert beyond.loc[beyond["tokens_per_param"] > 80, "relative"].mean() > 0.1
    assert held(rows, HELD_OUT, "direct")["tokens_per_param"].unique().tolist() == [160]
    assert set(held(rows, TRIED, "repeated_sampling").query("flops < 6e21")["k"]) == {64, 128}
    direct = held(rows, AT_20, "direct")
    expected = (
        100 * (direct["error"].abs() / direct["observed"]).groupby([direct["mixture"], direct["benchmark"]]).mean()
    )
    (line,) = [
        text for text in told.split("Means over benchmarks: all")[1].split("\n\n")[0].splitlines() if "direct" in text
    ]
    assert [float(x) for x in line.split()[2:6:3]] == [pytest.approx(expected.mean(), abs=0.006), 1.96]
    assert "=== At 20 tokens per parameter, ≤ 6e+21 FLOPs: 20 runs → 24 scores of 6, up to 10.7 × the compute" in told


def test_options_have_effects(command, files, capsys):
    command([*files, "--effects", "--published", "direct,two_stage_linear,two_stage_logistic"])
    told = capsys.readouterr().out.split("=== Effects")[1]
    lines = [text.split() for text in told.splitlines() if text.strip().startswith(("direct ", "two_stage"))]
    found = {tuple(line[:4]): float(line[4]) for line in lines if len(line) == 8}
    assert len(found) == 2 * 3 + 2 * 3 * 4 + 2 * 4  # each estimator under the options that it reads
    assert found["direct", "acc", "small_runs", "-"] < 0.5
    assert found["direct", "acc", "table", "-"] > 1.2 * found["direct", "acc", "small_runs", "-"]
    for law in ("two_stage_linear", "two_stage_logistic"):
        chance = "table" if law == "two_stage_linear" else "-"
        errors = [found[law, metric, chance, loss] for metric, loss in (("acc", "c4"), ("acc", "dclm"), ("acc", "own"))]
        assert len({*errors, found[law, "acc_norm", chance, "c4"]}) == 4
    assert "Relative error over all options" in told


def test_one_file_is_enough_for_compute(command, files, tmp_path, capsys):
    rows = run(command, files[:1], tmp_path, "--published", "direct,params_tokens", "--ours", "")
    assert set(rows["law"]) == {"direct"}
    assert "All ratios, ≤ 6e+21 FLOPs and ≤ 80 tokens per parameter: nothing to compare" in capsys.readouterr().out


def test_a_limit_beyond_all_runs_says_so(command, files, capsys):
    command([*files, "--limit", "1e24", "--ratio", "1000", "--published", "direct", "--ours", ""])
    told = capsys.readouterr().out
    assert "≤ 1e+24 FLOPs: nothing to compare; the largest run has 4e+22 FLOPs, try a smaller --limit" in told


def test_what_is_not_known_is_refused(command, files, capsys):
    with pytest.raises(SystemExit, match="2"):
        command([*files, "--ours", "best_law"])
    assert "unknown: best_law; there are bnsl, direct, params_tokens" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"absent\.csv: there is no such file"):
        command(["absent.csv"])


@pytest.mark.slow
def test_our_models_stand_beside_them(command, files, tmp_path, capsys):
    ours, published = "power_law,params_tokens,pass_at_k", f"{CHEAP},params_tokens"
    options = ("--ours", ours, "--published", published, "--draws", "200", "--resamples", "20")
    rows = run(command, files, tmp_path, *options)
    told = capsys.readouterr().out
    assert set(rows.loc[rows["by"] == "published", "law"]) == set(published.split(","))
    assert set(rows.loc[rows["by"] == "ours", "law"]) == set(ours.split(","))
    made = [(AT_20, "power_law"), (RATIOS, "params_tokens"), (HELD_OUT, "params_tokens"), (TRIED, "pass_at_k")]
    check(rows, [(comparison, law, "ours") for comparison, law in made])
    check(rows, [(comparison, "params_tokens", "published") for comparison in (RATIOS, HELD_OUT)])
    for law in ours.split(","):
        assert any(line.startswith((f"{law}: converged", f"{law}: NOT CONVERGED")) for line in told.splitlines())
