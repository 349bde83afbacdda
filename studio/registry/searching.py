"""Searching registered models and their versions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, select

from studio.errors import Invalid
from studio.registry import models, versions
from studio.registry.records import ModelVersion, RegisteredModel
from studio.store.tables import registry as t
from studio.store.tenancy import scope_query
from studio.tracking import conditions, filters, pages
from studio.tracking.filters import Comparison
from studio.tracking.grammars import MODEL_VERSIONS, REGISTERED_MODELS
from studio.tracking.pages import Sort

PROMPT_TAG = "mlflow.prompt.is_prompt"
_m, _v = t.registered_models.c, t.model_versions.c
_MODEL = {"name": _m.name, "last_updated_timestamp": _m.updated_ms, "creation_timestamp": _m.created_ms}
_VERSION: dict[str, ColumnElement[Any]] = {
    "name": _m.name,
    "run_id": _v.run_id,
    "source_path": _v.source,
    "version_number": _v.version,
    "creation_timestamp": _v.created_ms,
    "last_updated_timestamp": _v.updated_ms,
}


def search_models(
    db: Connection,
    domain: str,
    *,
    filter_text: str = "",
    max_results: int = 100,
    order_by: Sequence[str] = (),
    page_token: str | None = None,
) -> tuple[list[RegisteredModel], str | None]:
    """A page of registered models, by name unless ordered, and the token of the next."""
    parts = filters.parse(filter_text, REGISTERED_MODELS).parts
    tags = t.registered_model_tags
    wanted = [
        conditions.compare(_m.name, part)
        if part.entity == "attribute"
        else conditions.on_pairs(tags, tags.c.model == _m.id, part)
        for part in _without_prompt(parts)
    ]
    sorts = _sorts(order_by, REGISTERED_MODELS, _MODEL, [("name", _m.name, False)])
    query = scope_query(select(t.registered_models), _m, domain).where(_is_prompt(parts), *wanted)
    mark = ["registered", domain, filter_text, list(order_by)]
    rows, token = _page(db, query, sorts, mark, max_results, page_token)
    return models.load(db, rows), token


def search_versions(
    db: Connection,
    domain: str,
    *,
    filter_text: str = "",
    max_results: int = 10_000,
    order_by: Sequence[str] = (),
    page_token: str | None = None,
) -> tuple[list[ModelVersion], str | None]:
    """A page of versions, last changed first unless ordered, and the token of the next."""
    parts = filters.parse(filter_text, MODEL_VERSIONS).parts
    tags = t.model_version_tags
    own = and_(tags.c.model == _v.model, tags.c.version == _v.version)
    wanted = [
        conditions.compare(_VERSION[part.key], part)
        if part.entity == "attribute"
        else conditions.on_pairs(tags, own, part)
        for part in _without_prompt(parts)
    ]
    last = [("name", _m.name, False), ("version_number", _v.version, True)]
    if not order_by:
        last.insert(0, ("last_updated_timestamp", _v.updated_ms, True))
    sorts = _sorts(order_by, MODEL_VERSIONS, _VERSION, last)
    query = scope_query(select(t.model_versions, _m.name.label("model_name")), _m, domain)
    query = query.join(t.registered_models, _m.id == _v.model)
    query = query.where(_is_prompt(parts), *wanted)
    mark = ["versions", domain, filter_text, list(order_by)]
    rows, token = _page(db, query, sorts, mark, max_results, page_token)
    return versions.load(db, rows, {row.model: row.model_name for row in rows}), token


def _without_prompt(parts: Sequence[Comparison]) -> list[Comparison]:
    return [part for part in parts if part.key != PROMPT_TAG]


def _is_prompt(parts: Sequence[Comparison]) -> ColumnElement[bool]:
    """Prompts are registered models with a tag; searches leave them out unless they ask for them."""
    asked = any(
        part.key == PROMPT_TAG and (part.op, str(part.value).lower()) in {("=", "true"), ("!=", "false")}
        for part in parts
    )
    c = t.registered_model_tags.c
    has = exists().where(c.model == _m.id, c.key == PROMPT_TAG, c.value == "true")
    return has if asked else ~has


def _sorts(
    order_by: Sequence[str],
    grammar: filters.Grammar,
    columns: dict[str, Any],
    last: Sequence[tuple[str, Any, bool]],
) -> list[Sort]:
    terms = [filters.parse_order(text, grammar) for text in order_by]
    sorts = [Sort(columns[key], descending) for _, key, descending in terms]
    seen = {key for _, key, _ in terms}
    if len(seen) != len(terms):
        raise Invalid(f"`order_by` contains duplicate fields: {list(order_by)}")
    return sorts + [Sort(column, descending) for key, column, descending in last if key not in seen]


def _page(
    db: Connection, query: Any, sorts: list[Sort], mark: list[Any], max_results: int, page_token: str | None
) -> tuple[Any, str | None]:
    start = pages.decode(page_token, mark, len(sorts))
    if start is not None:
        query = query.where(pages.after(sorts, start))
    columns = [sort.column.label(f"sort_{n}") for n, sort in enumerate(sorts)]
    rows = db.execute(query.add_columns(*columns).order_by(*pages.order(sorts)).limit(max_results + 1)).all()
    token = pages.encode(mark, rows[max_results - 1][-len(sorts) :]) if len(rows) > max_results else None
    return rows[:max_results], token
