"""People, with an account or with only a receipt, and the receipts themselves."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.conf.locale import LANG_INFO
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from manyeyes.accounts.at_work import Absence, AtWork  # noqa: F401 -- where Django looks for tables
from manyeyes.rules import clock
from manyeyes.vault import tokens
from manyeyes.vault.fields import EncryptedJSON, EncryptedText
from manyeyes.vault.models import DataKey, Encrypted


def make_handle() -> str:
    """A handle for somebody who has not chosen one; it says nothing about them."""
    return f"researcher-{secrets.token_hex(4)}"


class PersonManager(BaseUserManager["Person"]):
    """Makes people; whether they belong to a team is said by the programs' memberships."""

    def create_person(self, *, email: str | None = None, password: str | None = None, **facts: Any) -> Person:
        """A stored person. Without a password they sign in by passkey, by receipt, or not at all."""
        person = self.model(email=(email or "").strip().lower() or None, **facts)
        if password:
            person.set_password(password)
        else:
            person.set_unusable_password()
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """Somebody who acts: a researcher, a member of a team, or the bearer of a receipt."""

    class Kind(models.TextChoices):
        """How they come back: to an account, or with the digits of a receipt."""

        ACCOUNT = "account"
        RECEIPT = "receipt"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Null for those who stay anonymous; in the clear, because sign-in looks people up by it.
    email = models.EmailField(unique=True, null=True, blank=True)
    handle = models.CharField(max_length=40, default=make_handle)
    display_name = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ACCOUNT)
    wants_mail = models.BooleanField(default=True)
    language = models.CharField(max_length=12, blank=True, help_text="What they would rather read; empty: as it comes.")
    zone = models.CharField(max_length=60, blank=True, help_text="Whose clock stands below UTC; empty: UTC alone.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)
    own_key = models.OneToOneField(
        DataKey, on_delete=models.PROTECT, null=True, related_name="+", editable=False,
        help_text="What guards everything that is theirs alone; destroyed when they leave.",
    )  # fmt: skip

    objects = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    # Django's own administration is not part of this house: nobody is its staff, and permissions come from roles.
    is_staff = False
    is_superuser = False

    class Meta:
        verbose_name_plural = "people"
        constraints = [models.UniqueConstraint(Lower("handle"), name="one_person_per_handle")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What others on the page call this person; never the mail address."""
        if self.kind == self.Kind.RECEIPT:
            return self.display_name or "Anonymous researcher"
        return self.display_name or self.handle

    @property
    def language_words(self) -> str:
        """The language they would rather read, in its own name."""
        known = LANG_INFO.get(self.language, {})
        return str(known.get("name_local", self.language))

    @property
    def actor(self) -> str:
        """How events name this person."""
        return f"person:{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the person; addresses are compared in lower case, and an empty one is none."""
        self.email = (self.email or "").strip().lower() or None
        super().save(*args, **kwargs)


class Profile(Encrypted):
    """What somebody says about themselves beyond a handle, under a key of their own: it goes when they do."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="profile")
    credit_name = EncryptedText(null=True)
    links = EncryptedJSON(null=True)

    def __str__(self) -> str:
        return f"profile {self.pk}"


class SignIn(models.Model):
    """One browser in which somebody is signed in: since and last seen when, how, and on what kind of device; no place.

    `ways` are words of `sessions.WAYS`, in order. `sealed_device` is encrypted and rough, and empty for a receipt.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    began_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)
    ways = models.CharField(max_length=80, blank=True)
    sealed_device = models.TextField(blank=True)

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"sign-in {self.pk}"

    @property
    def device(self) -> str:
        """What it was read as, like "Firefox, Linux"; empty where nothing is kept."""
        return tokens.open_text("device", self.sealed_device) if self.sealed_device else ""


class Receipt(models.Model):
    """What an anonymous researcher returns with: found by a keyed name of six digits, proved by the other eighteen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="receipt")
    locator = models.CharField(max_length=64, unique=True)
    secret_hash = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"receipt {self.pk}"


class ApiToken(models.Model):
    """What a program of somebody's own shows to act for them: known by a keyed hash alone, narrow, dated, revocable.

    `sealed_name` is what its owner calls it, encrypted. `brief` was made for a receipt: it lasts an hour.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="api_tokens")
    sealed_name = models.TextField(blank=True)
    scopes = models.JSONField(default=list)
    secret_hash = models.CharField(max_length=64, unique=True)
    brief = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return tokens.open_text("api-token", self.sealed_name) if self.sealed_name else ""

    @property
    def works(self) -> bool:
        """Whether it opens anything at this moment."""
        return self.revoked_at is None and self.expires_at > clock.now()


class KeptAnswer(models.Model):
    """What was answered to a request with an idempotency key, encrypted, so that a resend gets the same for a day.

    `slot` is a keyed name of who asked and their key, `request_hash` one of what they sent. `http_status` 0: under way.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slot = models.CharField(max_length=64, unique=True)
    request_hash = models.CharField(max_length=64)
    http_status = models.PositiveSmallIntegerField(default=0)
    sealed_body = models.TextField(blank=True)
    at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"answer {self.pk}"
