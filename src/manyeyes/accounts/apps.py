"""Tells Django of the room `accounts`."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room `accounts`; other rooms refer to its models by this label."""

    name = "manyeyes.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
