"""A table with every kind of encrypted field, there while a module of these tests runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, models

from manyeyes.vault import keyring
from manyeyes.vault.fields import EncryptedBytes, EncryptedJSON, EncryptedText
from manyeyes.vault.models import DataKey, Encrypted


class Letter(Encrypted):
    """A row with a secret of each kind."""

    clear = models.CharField(max_length=40, default="")
    body = EncryptedText(blank=True)
    other = EncryptedText(null=True)
    facts = EncryptedJSON(default=dict)
    raw = EncryptedBytes(null=True)

    class Meta:
        app_label = "vault_tests"


@pytest.fixture(scope="module")
def letters_table(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Letter)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Letter)


@pytest.fixture
def letter_type(letters_table: None, db: None) -> type[Letter]:
    return Letter


@pytest.fixture
def key(db: None) -> DataKey:
    return keyring.new_key("case")


@pytest.fixture(autouse=True)
def _cold_cache() -> Iterator[None]:
    keyring.forget()
    yield
    keyring.forget()
