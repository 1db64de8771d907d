"""Model documents: the registered models of ``models/``, a user's own, and TOML both ways.

::

    summary = "…"                     # card: summary, use_when, fails_when, references,
    recommended_for = "…"             # and the task for which this is the registered default, if it is one
    pooling = "partial"               # or "complete", "none"

    [[heads]]
    response = "accuracy"             # or "loss"
    form = "power_law > accuracy"     # laws and modifiers, in the order they are applied
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

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from bayes_scaling.errors import ModelError
from bayes_scaling.laws.all_laws import FORMS
from bayes_scaling.laws.likelihoods import LIKELIHOODS
from bayes_scaling.laws.parameters import Component
from bayes_scaling.library import names, shelf
from bayes_scaling.models.heads import RESPONSES, Head
from bayes_scaling.models.model import Card, Model

TEXTS = ("summary", "recommended_for", "use_when", "fails_when")
TABLES = ("varies", "discrepancy", "priors")
PLAIN_TABLES = ("fixed", "sampling")
KEYS = ("name", *TEXTS, "references", "pooling", "heads", *TABLES, *PLAIN_TABLES)


def list_models() -> tuple[str, ...]:
    """Names of the registered models."""
    return tuple(names("models"))


def load_model(name: str | Path) -> Model:
    """Read a registered model by name, or any model document by its path.

    Raises
    ------
    ModelError
        No such model, or the document names something that does not exist.
    """
    path = Path(name) if str(name).endswith(".toml") else Path(str(shelf("models"))) / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"no model {str(name)!r}; {_suggest(str(name), list_models())}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ModelError(f"{path}: not a model document: {error}") from None
    return from_document({"name": path.stem, **document}, where=str(path))


def from_document(document: Mapping[str, Any], *, where: str = "model") -> Model:
    """Build a model from the mapping that a document holds."""
    if unknown := sorted(set(document) - set(KEYS)):
        raise ModelError(f"{where}: unknown key {unknown[0]!r}; {_suggest(unknown[0], KEYS)}")
    heads = document.get("heads")
    if not isinstance(heads, list) or not heads or not all(isinstance(h, Mapping) for h in heads):
        raise ModelError(f"{where}: needs at least one [[heads]] with response, form and likelihood")
    return Model(
        name=str(document.get("name", "model")),
        heads=tuple(_head(h, where) for h in heads),
        pooling=document.get("pooling", "partial"),
        **{table: _numbers(document, table, where) for table in TABLES},
        fixed=_plain(document, "fixed", where),
        sampling=_plain(document, "sampling", where),
        card=Card(
            **{key: str(document.get(key, "")) for key in TEXTS},
            references=_texts(document.get("references", []), where),
        ),
    )


def to_document(model: Model) -> dict[str, Any]:
    """Return the mapping that `from_document` reads, such that the two are inverse."""
    heads = [
        {"response": h.response, "form": h.form.name, "likelihood": h.likelihood.component.name} for h in model.heads
    ]
    card = {k: getattr(model.card, k) for k in TEXTS}
    tables = {k: {p: dict(v) for p, v in getattr(model, k).items()} for k in TABLES}
    return {
        "name": model.name,
        **card,
        "references": list(model.card.references),
        "pooling": model.pooling,
        "heads": heads,
        **tables,
        **{k: dict(getattr(model, k)) for k in PLAIN_TABLES},
    }


def _head(spec: Mapping[str, Any], where: str) -> Head:
    if missing := sorted({"response", "form", "likelihood"} - set(spec)):
        raise ModelError(f"{where}: a head lacks {missing}; it holds {sorted(spec)}")
    if unknown := sorted(set(spec) - {"response", "form", "likelihood"}):
        raise ModelError(f"{where}: a head has unknown keys {unknown}; it takes response, form and likelihood")
    chain = [_pick(FORMS, part.strip(), "law", where) for part in str(spec["form"]).split(">")]
    likelihood = _pick(LIKELIHOODS, spec["likelihood"], "likelihood", where)
    _pick(RESPONSES, spec["response"], "response", where)
    return Head(spec["response"], reduce(Component.then, chain), likelihood)


def _pick(shelf_of: Mapping[str, Any], name: Any, what: str, where: str) -> Any:
    if not isinstance(name, str) or name not in shelf_of:
        raise ModelError(f"{where}: no {what} {name!r}; {_suggest(str(name), shelf_of)}")
    return shelf_of[name]


def _numbers(document: Mapping[str, Any], key: str, where: str) -> dict[str, dict[str, float]]:
    return {p: {k: _number(x, where, p) for k, x in v.items()} for p, v in _table(document, key, where)}


def _plain(document: Mapping[str, Any], key: str, where: str) -> dict[str, float]:
    return {p: _number(v, where, p) for p, v in _mapping(document, key, where).items()}


def _table(document: Mapping[str, Any], key: str, where: str) -> Any:
    table = _mapping(document, key, where)
    if bad := [k for k, v in table.items() if not isinstance(v, Mapping)]:
        raise ModelError(f"{where}: [{key}.{bad[0]}] must be a table, got {table[bad[0]]!r}")
    return table.items()


def _mapping(document: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, Mapping):
        raise ModelError(f"{where}: [{key}] must be a table, got {table!r}")
    return table


def _texts(values: Any, where: str) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence) or not all(isinstance(v, str) for v in values):
        raise ModelError(f"{where}: references must be a list of texts, got {values!r}")
    return tuple(values)


def _number(value: Any, where: str, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelError(f"{where}: {what} needs a number, got {value!r}")
    return float(value)


def _suggest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {sorted(known)}"
