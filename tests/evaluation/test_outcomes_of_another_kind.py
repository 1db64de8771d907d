"""A locked forecast is scored by outcomes of the kind that was forecast, and by no others."""

import pytest
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.errors import DataError, ScalingWarning


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "exact_match"}, "metric 'exact_match', forecast with 'accuracy'"),
        ({"chance": 0.1}, "chance 0.1, forecast with"),
        ({"score": 60.0}, "score"),
    ],
)
def test_scores_of_another_kind_are_refused(change, message, tmp_path):
    plan, path = planned_for_facts(), tmp_path / "kind.nc"
    bs.forecast(small_fit(), plan, seed=1).lock(path)
    with pytest.raises(DataError, match=message):
        bs.score_locked(path, plan.assign(score=0.5, metric="accuracy").assign(**change))


def test_other_numbers_of_items_are_named(tmp_path):
    plan, path = planned_for_facts(), tmp_path / "items.nc"
    bs.forecast(small_fit(), plan, seed=1).lock(path)
    with pytest.warns(ScalingWarning, match="rests on other items than were forecast"):
        scored = bs.score_locked(path, plan.assign(score=0.5, n_items=77.0))
    assert scored["observed"].tolist() == [0.5]


def planned_for_facts():
    known = small_fit().runs.iloc[0]
    flops = small_fit().runs["flops"].max() * 3
    return bs.plan_runs(flops=flops, benchmark=known["benchmark"], mixture=known["mixture"])
