"""Model documents: registered models say what they are, TOML and models are inverse, and slips are named."""

import tomllib
from copy import deepcopy

import pytest

from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.errors import DataError, ModelError
from bayes_scaling.inference.design import lay_out
from bayes_scaling.laws.likelihoods import LIKELIHOODS
from bayes_scaling.laws.registry import LAWS
from bayes_scaling.library import library_folder, names
from bayes_scaling.models.documents import from_document, list_models, load_model, to_document
from bayes_scaling.models.effects import NOISE_GROUPS, Effect
from bayes_scaling.models.model import POOLINGS

GOOD = {
    "name": "mine",
    "summary": "what it does",
    "recommended_for": "this test",
    "use_when": "often",
    "fails_when": "seldom",
    "references": ["one", "two"],
    "pooling": "partial",
    "responses": [{"response": "accuracy", "law": "power_law > ceiling > accuracy", "likelihood": "beta"}],
    "varies": {"A": {"benchmark": 0.7, "mixture": 0.15, "benchmark:mixture": 0.1}, "E": {"benchmark": 0.4}},
    "discrepancy": {"alpha": {"benchmark": 0.2, "all": 0.1}},
    "priors": {"alpha": {"low": 0.1, "high": 0.5}},
    "fixed": {"floor_shift": 0.0},
    "sampling": {"thin": 2.0, "target_accept": 0.99},
}
every_model = pytest.mark.parametrize("name", list_models())

# key of the document -> what stands there -> what is said
SLIPS = [
    ({"response": []}, r"^here: unknown key 'response'; did you mean 'responses'\?$"),
    ({"qqqq": 1}, r"^here: unknown key 'qqqq'; there are \['discrepancy', 'fails_when', 'fixed', 'name', "),
    ({"responses": []}, r"^here: needs at least one \[\[responses\]\] with response, law and likelihood$"),
    ({"responses": {"response": "accuracy"}}, r"^here: needs at least one \[\[responses\]\]"),
    (
        {"responses": [{"response": "accuracy"}]},
        r"^here: \[\[responses\]\] lacks \['law', 'likelihood'\]; it holds \['response'\]$",
    ),
    (
        {"responses": [GOOD["responses"][0] | {"noise": 1}]},
        r"^here: \[\[responses\]\] has unknown keys \['noise'\]; it takes response",
    ),
    (
        {"responses": [GOOD["responses"][0] | {"law": "power_lw > accuracy"}]},
        r"^here: no law 'power_lw'; did you mean 'pow",
    ),
    ({"responses": [GOOD["responses"][0] | {"law": "zzz"}]}, r"^here: no law 'zzz'; there are \['accuracy', "),
    ({"responses": [GOOD["responses"][0] | {"law": ""}]}, r"^here: no law ''"),
    (
        {"responses": [GOOD["responses"][0] | {"likelihood": "bta"}]},
        r"^here: no likelihood 'bta'; did you mean 'beta'\?$",
    ),
    (
        {"responses": [GOOD["responses"][0] | {"response": "acuracy"}]},
        r"^here: no response 'acuracy'; did you mean 'accuracy'",
    ),
    (
        {"responses": [GOOD["responses"][0] | {"law": "power_law > ceiling > ceiling"}]},
        r"cannot chain .* both define \['E'\]",
    ),
    ({"pooling": "some"}, r"^mine: pooling must be one of \['partial', 'complete', 'none'\], got 'some'$"),
    ({"pooling": 1}, r"^mine: pooling must be one of .*, got 1$"),
    (
        {"varies": {"gamma": {"benchmark": 0.1}}},
        r"^mine: \[varies\] names \['gamma'\]; the parameters are \['A', ",
    ),
    ({"discrepancy": {"gamma": {"all": 0.1}}}, r"^mine: \[discrepancy\] names \['gamma'\]; the parameters are "),
    ({"fixed": {"gamma": 1.0}}, r"^mine: \[fixed\] names \['gamma'\]; the parameters are "),
    ({"priors": {"gamma": {"low": 0.1}}}, r"^mine: \[priors\] names \['gamma'\]; the parameters are "),
    ({"varies": {"A": 0.3}}, r"^here: \[varies.A\] must be a table, got 0.3$"),
    ({"priors": {"A": [0.3, 1]}}, r"^here: \[priors.A\] must be a table, got \[0.3, 1\]$"),
    ({"varies": {"A": {"benchmark": "much"}}}, r"^here: A needs a number, got 'much'$"),
    ({"varies": {"A": {"benchmark": True}}}, r"^here: A needs a number, got True$"),
    ({"sampling": {"thin": 1.5}}, r"^mine: \[sampling\] takes thin, a whole number from 1 to 1000, and target_accept"),
    ({"sampling": {"draws": 5}}, r"^mine: \[sampling\] takes thin, .* got \{'draws': 5.0\}$"),
    ({"sampling": {"target_accept": 1}}, r"^mine: \[sampling\] takes thin, .*, between 0 and 1; got"),
    ({"fixed": {"A": "1.0"}}, r"^here: A needs a number, got '1.0'$"),
    ({"priors": {"A": {"low": None, "high": 1}}}, r"^here: A needs a number, got None$"),
    ({"priors": {"A": {"low": 2, "high": 1}}}, r"^A: low must be below high, got 2.0 and 1.0$"),
]


@every_model
def test_registered_models_say_what_they_are(name):
    model = load_model(name)
    assert model.name == name
    assert model.card.summary.endswith(".")
    assert len(model.card.summary) <= 120
    assert model.card.references


def test_one_model_is_recommended_for_each_task():
    """The reason follows the task, so that nobody has to look it up elsewhere."""
    said = [load_model(name).card.recommended_for for name in list_models()]
    tasks = [text.split(".")[0] for text in said if text]
    assert sorted(tasks) == [
        "Compute alone", "Loss alone", "Loss and accuracy together", "Parameters and tokens", "Which mixture is better",
        "pass@k",
    ]  # fmt: skip
    assert all(len(text) > len(task) + 40 for text, task in zip(filter(None, said), tasks, strict=True))


@every_model
def test_documents_and_models_are_inverse(name):
    model = load_model(name)
    document = to_document(model)
    again = from_document(document)
    assert to_document(again) == document
    assert again.parameters == model.parameters
    assert {p: again.effects(p) for p in again.parameters} == {p: model.effects(p) for p in model.parameters}
    assert [(h.name, h.law.name, h.likelihood) for h in again.responses] == [
        (h.name, h.law.name, h.likelihood) for h in model.responses
    ]


def test_a_document_that_uses_everything_comes_back():
    assert to_document(from_document(GOOD)) == GOOD


@every_model
def test_registered_documents_hold_nothing_that_is_lost(name):
    written = tomllib.loads((library_folder("models") / f"{name}.toml").read_text(encoding="utf-8"))
    kept = to_document(load_model(name))
    assert {key: kept[key] for key in written} == written


@every_model
@pytest.mark.parametrize("dataset", names("datasets"))
def test_every_model_can_be_laid_over_every_shipped_data_set(name, dataset):
    model, runs = load_model(name), load_dataset(dataset)
    if "pass_at_k" in [response_model.name for response_model in model.responses]:  # no shipped data set has pass@k
        with pytest.raises(DataError, match=r"the runs hold no .*metric 'pass@k'"):
            lay_out(model, runs)
        return
    if [response_model.name for response_model in model.responses] == ["loss"]:
        with pytest.raises(DataError, match="keep one, as in runs"):
            lay_out(model, runs)
        runs = runs[runs["val_set"] == runs["val_set"].dropna().iloc[0]]
    design = lay_out(model, runs)
    assert set(design.levels) == set(design.model.groups)
    for response_model, data in zip(design.model.responses, design.responses, strict=True):
        assert len(data.rows) == len(data.observed) > (30 if response_model.name == "loss" else 100)
        assert all((position >= 0).all() for name, position in data.codes.items() if name in design.levels)
    assert all("nan" not in known for known in design.levels.values())


@every_model
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_one_word(name, pooling):
    model = from_document(to_document(load_model(name)) | {"pooling": pooling})
    every = [e for p in model.parameters for e in model.effects(p)]
    effects = [e for e in every if not (e.curve or set(e.group) & set(NOISE_GROUPS))]
    assert bool(effects) == (pooling != "complete")
    assert all(e.learned == (pooling == "partial") for e in effects)


def test_reading_a_document_does_not_change_it():
    document = deepcopy(GOOD)
    from_document(document)
    assert document == GOOD


@pytest.mark.parametrize(("change", "match"), SLIPS)
def test_slips_are_named(change, match):
    with pytest.raises(ModelError, match=match):
        _ = from_document(
            GOOD | {"varies": {}, "discrepancy": {}, "priors": {}, "fixed": {}} | change, where="here"
        ).parameters


def test_one_slip_of_each_kind_is_tried():
    assert {key for change, _ in SLIPS for key in change} >= {
        "responses",
        "pooling",
        "varies",
        "discrepancy",
        "fixed",
        "priors",
        "sampling",
    }


def test_a_model_that_does_not_exist_is_refused_with_a_suggestion():
    with pytest.raises(ModelError, match=r"^no model 'powerlaw'; did you mean 'power_law'\?$"):
        load_model("powerlaw")
    with pytest.raises(ModelError, match=r"^no model 'qqq'; there are \["):
        load_model("qqq")


def test_a_document_of_ones_own_is_read_by_its_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[responses]]\nresponse = "accuracy"\nlaw = "power_law > accuracy"\nlikelihood = "beta"\n')
    model = load_model(path)
    assert model.name == "own"
    assert to_document(model) == to_document(load_model(str(path)))
    assert model.groups == ()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"responses = [", r"own\.toml: not a model document: "),
        (b"\xff\xfe\x00", r"own\.toml: not a model document: "),
        (b"response_list = []", r"own\.toml: unknown key 'response_list'; did you mean 'responses'\?"),
        (b"", r"own\.toml: needs at least one \[\[responses\]\]"),
    ],
)
def test_files_that_are_no_documents_are_refused_by_name(tmp_path, content, match):
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=match):
        load_model(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"^no model .*none\.toml"):
        load_model(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ModelError, match=r"folder\.toml: not a model document"):
        load_model(tmp_path / "folder.toml")


def test_priors_of_a_document_replace_those_of_the_law():
    model = from_document(GOOD)
    assert (model.parameters["alpha"].low, model.parameters["alpha"].high) == (0.1, 0.5)
    assert model.parameters["A"] == LAWS["power_law"].parameters[0]
    assert model.parameters["alpha"].meaning == LAWS["power_law"].parameters[1].meaning


def test_noise_parameters_bear_the_name_of_the_response():
    noise = from_document(GOOD).responses[0].noise
    assert {name: p.name for name, p in noise.items()} == {
        p.name: f"accuracy_{p.name}" for p in LIKELIHOODS["beta"].component.parameters
    }


def test_effects_follow_the_pooling():
    partial, complete, none = (from_document(GOOD | {"pooling": p}) for p in POOLINGS)
    assert [e.group for e in partial.effects("A")] == [("benchmark",), ("mixture",), ("benchmark", "mixture")]
    assert partial.effects("A")[0] == Effect("A", ("benchmark",), 0.7)
    assert complete.effects("A") == ()
    (cell,) = none.effects("A")
    assert cell.group == ("benchmark", "mixture")
    assert not cell.learned
    variance = none.parameters["A"].scale ** 2 + 0.7**2 + 0.15**2 + 0.1**2
    assert cell.spread == pytest.approx(variance**0.5)
    assert [m.has_population("A") for m in (partial, complete, none)] == [True, True, False]
    assert not partial.has_population("floor_shift")


def test_differences_between_runs_stay_under_every_pooling():
    response_model = GOOD["responses"][0] | {"law": "power_law > run_shift > accuracy"}
    document = GOOD | {"responses": [response_model], "varies": {"shift": {"run": 0.05}}, "priors": {}, "fixed": {}}
    for pooling in POOLINGS:
        assert from_document(document | {"pooling": pooling}).effects("shift") == (Effect("shift", ("run",), 0.05),)
