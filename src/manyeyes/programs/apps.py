"""Registers the programs room with Django."""

from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    """The app `manyeyes.programs`."""

    name = "manyeyes.programs"
    label = "programs"
    default_auto_field = "django.db.models.BigAutoField"
