"""Registers the publications room with Django."""

from django.apps import AppConfig


class PublicationsConfig(AppConfig):
    """The app `manyeyes.publications`."""

    name = "manyeyes.publications"
    label = "publications"
    default_auto_field = "django.db.models.BigAutoField"
