"""Tells Django of the room `events`."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The room `events`; other rooms refer to its models by this label."""

    name = "manyeyes.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"
