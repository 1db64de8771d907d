"""What a user sees first: advice before sampling, a quick fit, a summary in words, and tables in notebooks."""

import warnings

import numpy as np
import pytest
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.errors import FitError, ScalingWarning
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.suitability import doubt

ONE = ["arc_easy"]


def runs(*, mixed):
    table = bs.load_dataset("gadre2024")
    table = table[table["benchmark"].isin(ONE)]
    return table if mixed else table[table["tokens_per_param"].between(19, 21.5)]


def test_a_law_of_compute_is_told_of_mixed_ratios_and_which_law_reads_them():
    text = str(doubt(bs.load_model("power_law_discrepancy"), runs(mixed=True)))
    assert "power_law_discrepancy reads compute alone, but these runs saw 5 to 640 tokens per parameter" in text
    assert "fit params_tokens_discrepancy or two_stage_params_tokens_discrepancy, which read both" in text
    assert doubt(bs.load_model("power_law"), runs(mixed=False)) is None
    assert doubt(bs.load_model("params_tokens"), runs(mixed=True)) is None
    assert "fit two_stage_params_tokens_discrepancy, which reads both" in str(
        doubt(bs.load_model("two_stage_linear"), runs(mixed=True))
    )
    text = str(doubt(bs.load_model("pass_at_k"), runs(mixed=True)))
    assert text.endswith("takes what that changes for noise: fit runs of one ratio")


def test_losses_in_another_unit_are_told_from_nats_per_token():
    losses = bs.load_dataset("olmo_ladder").dropna(subset=["loss"])
    small = losses.assign(loss=losses["loss"] / 5)
    assert doubt(bs.load_model("loss_params_tokens"), losses) is None
    assert "multiply bits per byte by 0.69 times the bytes" in str(doubt(bs.load_model("loss_params_tokens"), small))
    assert doubt(bs.load_model("params_tokens"), small) is None  # reads no loss


def test_one_odd_run_is_no_reason_to_warn():
    table = runs(mixed=False)
    odd = table.assign(tokens=np.where(np.arange(len(table)) == 0, table["params"] * 200, table["tokens"]))
    assert len(odd) > 20 or doubt(bs.load_model("power_law"), odd)
    assert doubt(bs.load_model("power_law"), odd.drop(columns=["tokens", "params"])) is None


def test_fit_warns_before_it_samples():
    with pytest.warns(ScalingWarning) as caught:
        bs.fit("power_law", runs(mixed=True), seed=1, chains=1, draws=20, tune=20, attempts=1, progress=False)
    assert "reads compute alone" in str(caught[0].message)


def test_a_quick_fit_passes_on_small_data_and_says_the_same():
    table = small_fit().runs
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick = bs.fit("power_law", table, seed=1, quick=True, progress=False)
    assert (quick.verdict.chains, quick.verdict.draws) == (2, 400)
    assert quick.verdict.passed
    plan = bs.plan_runs(flops="1e22", benchmark="benchmark 00", mixture="mixture 0")
    both = [bs.summarise(bs.forecast(fit, plan, seed=1)).iloc[1] for fit in (quick, small_fit())]
    width = both[1]["upper_95"] - both[1]["lower_95"]
    for column in ("mean", "lower_95", "upper_95"):
        assert abs(both[0][column] - both[1][column]) < 0.15 * width


def test_the_summary_says_what_was_learned_in_words():
    table = small_fit().summary(probability=0.8)
    assert list(table) == ["parameter", "what", "mean", "lower", "upper", "ess", "meaning"]
    own = table.set_index(["parameter", "what"])
    alpha = own.loc[("alpha", "typical value")]
    draws = np.exp(small_fit().posterior["alpha_free"])
    assert alpha["mean"] == pytest.approx(float(draws.mean()))
    assert [alpha["lower"], alpha["upper"]] == pytest.approx(np.quantile(draws, [0.1, 0.9]).tolist())
    assert own.loc[("alpha", "spread between benchmarks"), "meaning"].startswith("standard deviation of its lo")
    assert table["meaning"].str.len().min() > 10
    for wrong in (0, 1.0, "half", True):
        with pytest.raises(FitError, match=r"^probability must be a number between 0 and 1"):
            small_fit().summary(probability=wrong)


def test_curves_and_fixed_values_have_words_of_their_own():
    model = bs.load_model("power_law_discrepancy")
    fit = bs.fit(model, small_fit().runs, seed=1, chains=2, draws=20, tune=20, thin=1, attempts=1, progress=False)
    what = set(fit.summary()["what"])
    assert any(text.startswith("bend over compute") for text in what)
    assert ("fixed value" in what) == bool(model.fixed)


test_curves_and_fixed_values_have_words_of_their_own = pytest.mark.filterwarnings(
    "ignore::bayes_scaling.errors.ScalingWarning"
)(test_curves_and_fixed_values_have_words_of_their_own)


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        (lambda: small_fit(), ["Fit of power_law", "converged", "fit.summary()"]),
        (lambda: small_fit().verdict, ["largest r-hat, of ", "no rule"]),
        (lambda: small_fit().model, ["Model power_law", "fails when", "exponent"]),
        (lambda: Average((small_fit(),), {"power_law": 1.0}), ["Average of 1 fits", "1.00", "pool"]),
    ],
)
def test_notebooks_show_a_table(shown, holds):
    found, text = shown()._repr_html_(), repr(shown())
    assert found.startswith("<table>")
    assert "<script" not in found
    for part in holds:
        assert part in found
    assert len(text) < 400
    assert "<function" not in text


def test_completion_shows_public_names_alone():
    assert dir(bs) == sorted(bs.__all__)
    assert {"DataError", "ScalingWarning", "fit", "recalibrate"} <= set(dir(bs))
    assert issubclass(bs.FitError, bs.ScalingError)
    assert all(getattr(bs, name) is not None for name in dir(bs))
