"""Rows that say what happened, in a chain per subject, and which mails are to be sent."""

from __future__ import annotations

import json
import uuid
from functools import cached_property
from typing import Any, NoReturn

from django.db import models

from manyeyes.rules import clock
from manyeyes.vault import tokens


class AppendOnly(Exception):  # noqa: N818 -- says what the rows are
    """Somebody tried to change or remove what happened."""


class _NeverChanged(models.QuerySet["Event"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Events are never changed. Record another one.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Events are never removed.")


class Event(models.Model):
    """One thing that happened to a subject. `body` is canonical JSON of ids, statuses and counts: never text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=80)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=60, db_index=True)
    actor = models.CharField(max_length=80)
    human = models.BooleanField(default=False)
    public = models.BooleanField(default=False)
    # Text, not a JSON column: the MAC covers these exact bytes, and PostgreSQL's jsonb would rewrite numbers.
    body = models.TextField(default="{}")
    commitment = models.CharField(max_length=120, blank=True)
    prev = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)

    objects = _NeverChanged.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "seq"], name="one_event_per_place")]
        indexes = [models.Index(fields=["at"], name="events_by_time")]
        ordering = ["subject", "seq"]

    def __str__(self) -> str:
        return f"{self.subject} {self.seq} {self.kind}"

    @cached_property
    def data(self) -> dict[str, Any]:
        """The ids, statuses and counts that were recorded."""
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store a new event. Raises AppendOnly for one that is stored already."""
        if not self._state.adding:
            raise AppendOnly("Events are never changed. Record another one.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Events are never removed.")


class Head(models.Model):
    """The newest event of a subject: the row that writers lock, and what shows that a chain was cut short."""

    subject = models.CharField(max_length=80, primary_key=True)
    seq = models.PositiveIntegerField(default=0)
    mac = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.subject} up to {self.seq}"


class Delivery(models.Model):
    """One mail to one person that something is new: a link and a reference, never content."""

    class Kind(models.TextChoices):
        """How it travels; webhooks come with their own issue."""

        MAIL = "mail"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MAIL)
    person_id = models.UUIDField(db_index=True)
    case_ref = models.CharField(max_length=20)
    path = models.CharField(max_length=200)
    reason = models.CharField(max_length=60)
    sender = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=80, blank=True)
    sealed = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["due_at"],
                name="deliveries_waiting",
                condition=models.Q(sent_at__isnull=True, dropped_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"mail about {self.case_ref or 'an account'}"

    @property
    def words(self) -> dict[str, str]:
        """`address`, `subject` and `body` of a mail about an account; empty for one of a case, and once it is sent."""
        opened: dict[str, str] = json.loads(tokens.open_text("mail", self.sealed)) if self.sealed else {}
        return opened


class CaseMail(models.Model):
    """What somebody chose about mails of one case, against what would come by itself: to have them, or not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person_id = models.UUIDField()
    case_ref = models.CharField(max_length=20)
    wanted = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "case_ref"], name="one_choice_per_case")]
        indexes = [models.Index(fields=["case_ref"], name="case_mail_by_case")]

    def __str__(self) -> str:
        return f"{self.case_ref}: {'mail' if self.wanted else 'no mail'}"
