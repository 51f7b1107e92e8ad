"""Tells Django of the room `vault`."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """The room `vault`; other rooms refer to its models by this label."""

    name = "manyeyes.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"
