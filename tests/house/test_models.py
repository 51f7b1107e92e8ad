"""The tables: foreign keys point down the floors only, and migrations say all that the models say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Field, Model

from tests.house.source import floors

OURS = [model for model in apps.get_models() if model.__module__.startswith("manyeyes.")]


def room(model: type[Model]) -> str:
    """The room a table lives in."""
    return model.__module__.split(".")[1]


def relations(model: type[Model]) -> Iterator[Field]:
    """The fields of a table that point at a table."""
    yield from (field for field in model._meta.get_fields() if isinstance(field, Field) and field.is_relation)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down_the_floors_only(model: type[Model]) -> None:
    floor = floors()
    for field in relations(model):
        target = field.related_model
        assert isinstance(target, type), f"{field.name} is generic: what it points at cannot be checked"
        if target.__module__.startswith("manyeyes."):
            assert floor[room(target)] >= floor[room(model)], f"{field} points up to {target._meta.label}"


def test_events_point_at_nobody() -> None:
    events = [model for model in OURS if room(model) == "events"]
    assert events
    for model in events:
        outside = [str(field) for field in relations(model) if room(field.related_model) != "events"]  # type: ignore[arg-type]
        assert outside == []


def test_every_room_with_tables_is_looked_at() -> None:
    rooms = {"vault", "events", "accounts", "programs", "replays", "cases", "publications"}
    assert {room(model) for model in OURS} == rooms


@pytest.mark.django_db
def test_migrations_say_all_that_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)
