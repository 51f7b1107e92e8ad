"""Model fields whose values are encrypted in the database, bound to their row, and opened only when they are read."""

from __future__ import annotations

import json
import uuid
from typing import Any, ClassVar, NoReturn

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from manyeyes.vault import keyring
from manyeyes.vault.sealing import Tampered, seal, unseal


class Sealed:
    """Ciphertext on its way from or to the database."""

    __slots__ = ("blob",)

    def __init__(self, blob: bytes) -> None:
        self.blob = blob

    def __repr__(self) -> str:
        return "Sealed(…)"


class _Opening(DeferredAttribute):
    """Opens the value on first reading and refuses values of a wrong type on writing."""

    field: EncryptedField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = self.field.open(instance, value)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        if value is not None and not isinstance(value, Sealed):
            value = self.field.accept(value)
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.BinaryField):  # type: ignore[type-arg]
    """What the three kinds share. The model must inherit `vault.models.Encrypted`; rows are written through save().

    A field added to a table that has rows must be `null=True` without a default: a migration has no row to seal for.
    """

    descriptor_class = _Opening
    empty_values = [None, "", b""]
    blank_value: ClassVar[Any] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for option in ("unique", "db_index", "primary_key", "max_length", "choices"):
            if kwargs.get(option):
                raise TypeError(f"{option}: an encrypted field cannot have it, the database sees only ciphertext.")
        super().__init__(*args, **kwargs)

    def _check_str_default_value(self) -> list[Any]:
        return []  # our defaults are values before encryption, so text may have a text default

    # -- between python and ciphertext

    def accept(self, value: Any) -> Any:
        """The value as it will be kept; TypeError for one of a wrong type."""
        raise NotImplementedError

    def encode(self, value: Any) -> bytes:
        """The bytes to encrypt."""
        raise NotImplementedError

    def decode(self, plain: bytes) -> Any:
        """The value from decrypted bytes."""
        raise NotImplementedError

    def pack(self, value: Any) -> bytes:
        """The bytes to encrypt, of a value that may have changed since it was accepted. Raises as `accept` does."""
        return self.encode(self.accept(value))

    def wrong_type(self, wanted: str, value: Any) -> TypeError:
        """The error for a value of a wrong type; it names the type and never the value."""
        return TypeError(f"{self.name}: takes {wanted} or None, not {type(value).__name__}.")

    def open(self, instance: Any, sealed: Sealed) -> Any:
        """Decrypt. Raises Tampered if the bytes belong to another row, field or key, Shredded if the key is gone."""
        row_id, key_id = instance.sealed_for()
        key = keyring.opened(key_id)
        try:
            plain = unseal(key.secret, sealed.blob, self._context(row_id, key_id, key.version))
        except Tampered as error:
            raise Tampered(f"{self.model._meta.label} {row_id}, {self.name}: {error}") from None
        return self.decode(plain)

    def _context(self, row_id: uuid.UUID, key_id: uuid.UUID, version: int) -> bytes:
        place = f"{self.model._meta.label_lower}.{self.name}"
        return b"manyeyes:field:1\0" + f"{place}\0{row_id}\0{key_id}\0{version}".encode()

    # -- Django's side

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def pre_save(self, model_instance: Any, add: bool) -> Sealed | None:
        value = model_instance.__dict__.get(self.attname)
        if model_instance.key_id is None:
            raise ValueError(f"key: {self.model._meta.label} needs a data key before it is stored; set `key`.")
        here = (model_instance.pk, model_instance.key_id)
        if isinstance(value, Sealed):
            if model_instance.sealed_for() == here:
                return value  # never opened, so stored as it came: a shredded row can still change its clear fields
            value = getattr(model_instance, self.attname)
        return None if value is None else self.sealed(value, *here)

    def sealed(self, value: Any, row_id: uuid.UUID, key_id: uuid.UUID) -> Sealed:
        """A value encrypted for a row that need not be there yet."""
        key = keyring.opened(key_id)
        return Sealed(seal(key.secret, self.pack(value), self._context(row_id, key_id, key.version)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise TypeError(
                f"{self.name}: is encrypted for its row, so it is written with save() or bulk_create(), "
                "not with update() or bulk_update()."
            )
        return connection.Database.Binary(value.blob)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name}: is encrypted and cannot be searched; only `isnull` works.")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> NoReturn:
        raise FieldError(f"{self.name}: is encrypted and cannot be searched; only `isnull` works.")

    def get_default(self) -> Any:
        if self.has_default():
            return self.default() if callable(self.default) else self.default
        return None if self.null else self.blank_value

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: Any) -> NoReturn:
        raise TypeError(f"{self.name}: is encrypted; `dumpdata` would write it in the clear. Use `manyeyes backup`.")


class EncryptedText(EncryptedField):
    """Text of any length."""

    blank_value = ""

    def accept(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong_type("text", value)
        return value

    def encode(self, value: str) -> bytes:
        # surrogatepass: text from hostile JSON may hold lone surrogates, and a report is kept as it came.
        return value.encode("utf-8", "surrogatepass")

    def decode(self, plain: bytes) -> str:
        return plain.decode("utf-8", "surrogatepass")


class EncryptedJSON(EncryptedField):
    """Anything JSON can say. None is stored as SQL NULL."""

    def accept(self, value: Any) -> Any:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise self.wrong_type("what JSON can say (dict, list, text, finite number, bool)", value) from None
        return value

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )

    def pack(self, value: Any) -> bytes:
        try:
            return self.encode(value)
        except (TypeError, ValueError, RecursionError):
            raise self.wrong_type("what JSON can say (dict, list, text, finite number, bool)", value) from None

    def decode(self, plain: bytes) -> Any:
        return json.loads(plain.decode("utf-8", "surrogatepass"))


class EncryptedBytes(EncryptedField):
    """Bytes."""

    blank_value = b""

    def accept(self, value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise self.wrong_type("bytes", value)
        return bytes(value)

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, plain: bytes) -> bytes:
        return plain
