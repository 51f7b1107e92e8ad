"""What the vault keeps: what every encrypted row has, stored files, OpenPGP keys (data keys live in `datakey`)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, Self

from django.db import models

from manyeyes.rules import clock
from manyeyes.vault.datakey import DataKey
from manyeyes.vault.fields import EncryptedField, EncryptedJSON, EncryptedText


class Encrypted(models.Model):
    """A row with encrypted fields. Its id exists before it is stored, because the ciphertext is bound to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+", editable=False)

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any) -> Self:
        """Remember under which id and key the row was sealed, should either be changed before it is stored again."""
        row = super().from_db(db, field_names, values, **more)
        row.__dict__["_sealed_for"] = (row.pk, row.__dict__.get("key_id"))
        return row

    def sealed_for(self) -> tuple[uuid.UUID, uuid.UUID]:
        """The id and the key that the stored ciphertext of this row is bound to."""
        row_id, key_id = self.__dict__.get("_sealed_for") or (self.pk, self.key_id)
        if key_id is None:  # the row was loaded without its key, which may have been set since
            stored = type(self)._base_manager.filter(pk=row_id).values_list("key_id", flat=True)
            self.__dict__["_sealed_for"] = (row_id, key_id := stored.get())
        return row_id, key_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row. Moving it to another key re-encrypts it, so that cannot be done for part of the fields."""
        only: Collection[str] | None = kwargs.get("update_fields")
        if self.key_id is not None and self.sealed_for() != (self.pk, self.key_id):
            deferred = self.get_deferred_fields()
            left = [
                field.name
                for field in self._meta.concrete_fields
                if isinstance(field, EncryptedField)
                and (field.attname in deferred or (only is not None and field.name not in only))
            ]
            if left:
                raise ValueError(f"update_fields: a row that moves to another key must store {', '.join(left)} too.")
        super().save(*args, **kwargs)
        self.__dict__["_sealed_for"] = (self.pk, self.key_id)


class StoredFile(Encrypted):
    """An encrypted file in the data directory; name, type and digest are encrypted, the size is not."""

    name = EncryptedText(default="")
    media_type = EncryptedText(default="")
    sha256 = EncryptedText(default="")
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"file {self.pk}"


class OpenPGPKey(Encrypted):
    """The OpenPGP key of somebody ("person:<uuid>") or of a program ("program:<uuid>", with its private part).

    Clear: whose it is, the dates, and one word for what is wrong with it. One of each holder is in use.
    """

    subject = models.CharField(max_length=80, db_index=True)
    certificate = EncryptedText()
    fingerprint = EncryptedText()
    names = EncryptedJSON(null=True)
    secret = EncryptedText(null=True)
    password = EncryptedText(null=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Taken out of use; kept to read what came for it.")
    trouble = models.CharField(max_length=20, blank=True)
    trouble_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(ended_at__isnull=True), name="one_openpgp_key_in_use"
            )
        ]

    def __str__(self) -> str:
        return f"OpenPGP key of {self.subject}"


__all__ = ["DataKey", "Encrypted", "OpenPGPKey", "StoredFile"]
