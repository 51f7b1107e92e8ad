"""Tells Django of the room `vault`, and makes the root key together with its table."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class VaultConfig(AppConfig):
    """The room `vault`; other rooms refer to its models by this label."""

    name = "manyeyes.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the root key made as soon as its table is there."""
        post_migrate.connect(_make_root, sender=self)


def _make_root(using: str, **_: Any) -> None:
    from manyeyes.vault import keyring  # models are loaded only after this module

    keyring.forget()  # the table may be a new one, as after a flush
    if using == "default" and "vault_datakey" in connections[using].introspection.table_names():
        keyring.make_root()
