"""Registers the replays room with Django."""

from django.apps import AppConfig


class ReplaysConfig(AppConfig):
    """The app `manyeyes.replays`."""

    name = "manyeyes.replays"
    label = "replays"
    default_auto_field = "django.db.models.BigAutoField"
