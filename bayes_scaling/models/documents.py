"""Model documents: the registered models of ``models/``, a user's own, and TOML both ways.

::

    summary = "…"                     # card: summary, use_when, fails_when, references,
    recommended_for = "…"             # and the task for which this is the registered default, if it is one
    pooling = "partial"               # or "complete", "none"

    [[responses]]
    response = "accuracy"             # or "loss"
    law = "power_law > accuracy"     # laws and modifiers, in the order they are applied
    likelihood = "beta"

    [varies.alpha]                    # parameter -> {group = prior median of the sd between its levels}
    benchmark = 0.3
    "benchmark:mixture" = 0.1

    [discrepancy.A]                   # curves along compute that are added to a parameter (see `discrepancy`)
    benchmark = 0.2                   # group = prior median of how much their slope wanders in a decade
    all = 0.1                         # and one curve for all runs

    [fixed]                           # parameter -> value that is not learned
    [priors.alpha]                    # low and high in place of those of the law
    [sampling]                        # thin = 4 keeps one draw of four; target_accept = 0.99
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from bayes_scaling.errors import ModelError
from bayes_scaling.laws.all_laws import LAWS
from bayes_scaling.laws.likelihoods import LIKELIHOODS
from bayes_scaling.laws.parameters import Component
from bayes_scaling.library import library_folder, names
from bayes_scaling.messages import suggest
from bayes_scaling.models.model import Card, Model
from bayes_scaling.models.response_models import ResponseModel
from bayes_scaling.models.responses.all_responses import RESPONSES

type Document = Mapping[str, Any]  # what TOML holds

TEXTS = ("summary", "recommended_for", "use_when", "fails_when")
TABLES = ("varies", "discrepancy", "priors")
PLAIN_TABLES = ("fixed", "sampling")
KEYS = ("name", *TEXTS, "references", "pooling", "responses", *TABLES, *PLAIN_TABLES)


def list_models() -> tuple[str, ...]:
    """Names of the registered models.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> "power_law_discrepancy" in bs.list_models()
    True
    """
    return tuple(names("models"))


def load_model(name: str | Path) -> Model:
    """Read a registered model by name, or any model document by its path.

    Raises
    ------
    ModelError
        No such model, or the document names something that does not exist.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> model = bs.load_model("power_law")
    >>> list(model.parameters)[:2]
    ['A', 'alpha']
    """
    path = Path(name) if str(name).endswith(".toml") else Path(str(library_folder("models"))) / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if str(name) == "boundary":
            raise ModelError(
                "'boundary' is for released models, not for runs: bs.fit_boundary(scores) fits it"
            ) from None
        raise ModelError(f"no model {str(name)!r}; {suggest(str(name), list_models())}") from None
    except (OSError, ValueError, RecursionError) as error:  # also what TOML and text are not
        raise ModelError(f"{path}: not a model document: {error}") from None
    return from_document({"name": path.stem, **document}, where=str(path))


def as_model(model: object) -> Model:
    """Read what a user gives where a model is meant: a model, or the name or path of one.

    Raises
    ------
    ModelError
        It is neither.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, str | Path):
        return load_model(model)
    raise ModelError(f"a model, or the name of one, such as 'power_law', is needed, not {type(model).__name__}")


def from_document(document: Document, *, where: str = "model") -> Model:
    """Build a model from the mapping that a document holds."""
    document = _renamed(document)
    if unknown := sorted(set(document) - set(KEYS)):
        raise ModelError(f"{where}: unknown key {unknown[0]!r}; {suggest(unknown[0], KEYS)}")
    responses = document.get("responses")
    if not isinstance(responses, list) or not responses or not all(isinstance(spec, Mapping) for spec in responses):
        raise ModelError(f"{where}: needs at least one [[responses]] with response, law and likelihood")
    return Model(
        name=_text(document, "name", where) or "model",
        responses=tuple(_response_model(spec, where) for spec in responses),
        pooling=document.get("pooling", "partial"),
        **{table: _numbers(document, table, where) for table in TABLES},
        fixed=_plain(document, "fixed", where),
        sampling=_plain(document, "sampling", where),
        card=Card(
            **{key: _text(document, key, where) for key in TEXTS},
            references=_texts(document.get("references", []), where),
        ),
    )


def _renamed(document: Document) -> Document:
    """Read documents of before 0.2.0, which called responses heads and laws forms."""
    if "heads" not in document or "responses" in document:
        return document
    heads = document["heads"] if isinstance(document["heads"], list) else []
    parts = [{"law" if k == "form" else k: v for k, v in spec.items()} for spec in heads if isinstance(spec, Mapping)]
    return {"responses" if key == "heads" else key: parts if key == "heads" else v for key, v in document.items()}


def to_document(model: Model) -> dict[str, Any]:
    """Return the mapping that `from_document` reads, such that the two are inverse."""
    responses = [
        {"response": part.name, "law": part.law.name, "likelihood": part.likelihood.component.name}
        for part in model.responses
    ]
    card = {k: getattr(model.card, k) for k in TEXTS}
    tables = {k: {p: dict(v) for p, v in getattr(model, k).items()} for k in TABLES}
    return {
        "name": model.name,
        **card,
        "references": list(model.card.references),
        "pooling": model.pooling,
        "responses": responses,
        **tables,
        **{k: dict(getattr(model, k)) for k in PLAIN_TABLES},
    }


def _response_model(spec: Document, where: str) -> ResponseModel:
    if missing := sorted({"response", "law", "likelihood"} - set(spec)):
        raise ModelError(f"{where}: [[responses]] lacks {missing}; it holds {sorted(spec)}")
    if unknown := sorted(set(spec) - {"response", "law", "likelihood"}):
        raise ModelError(f"{where}: [[responses]] has unknown keys {unknown}; it takes response, law and likelihood")
    chain = [_pick(LAWS, part.strip(), "law", where) for part in _text(spec, "law", where).split(">")]
    likelihood = _pick(LIKELIHOODS, spec["likelihood"], "likelihood", where)
    response = _pick(RESPONSES, spec["response"], "response", where)
    return ResponseModel(response, reduce(Component.then, chain), likelihood)


def _pick(registry: Document, name: object, what: str, where: str) -> Any:
    if not isinstance(name, str) or name not in registry:
        raise ModelError(f"{where}: no {what} {name!r}; {suggest(str(name), registry)}")
    return registry[name]


def _numbers(document: Document, key: str, where: str) -> dict[str, dict[str, float]]:
    return {p: {k: _number(x, where, p) for k, x in v.items()} for p, v in _table(document, key, where)}


def _plain(document: Document, key: str, where: str) -> dict[str, float]:
    return {p: _number(v, where, p) for p, v in _mapping(document, key, where).items()}


def _table(document: Document, key: str, where: str) -> Any:
    table = _mapping(document, key, where)
    if bad := [k for k, v in table.items() if not isinstance(v, Mapping)]:
        raise ModelError(f"{where}: [{key}.{bad[0]}] must be a table, got {table[bad[0]]!r}")
    return table.items()


def _mapping(document: Document, key: str, where: str) -> Document:
    table = document.get(key, {})
    if not isinstance(table, Mapping):
        raise ModelError(f"{where}: [{key}] must be a table, got {table!r}")
    return table


def _text(document: Document, key: str, where: str) -> str:
    value = document.get(key, "")
    if not isinstance(value, str):
        raise ModelError(f"{where}: {key} must be text, got {value!r}")
    return value


def _texts(values: object, where: str) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence) or not all(isinstance(v, str) for v in values):
        raise ModelError(f"{where}: references must be a list of texts, got {values!r}")
    return tuple(values)


def _number(value: object, where: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelError(f"{where}: {what} needs a number, got {value!r}")
    return float(value)
