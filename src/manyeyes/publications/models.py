"""What the public may read: how a researcher wants to be named, and the advisories."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from manyeyes.cases.models import Case, OfCase
from manyeyes.rules import clock
from manyeyes.vault.fields import EncryptedText

PERSON = settings.AUTH_USER_MODEL


class Credit(OfCase):
    """How one of its reporters is thanked for a case. Changing the row changes every page at once.

    `share` is the percentage of a reward that they ask for; empty where it is left open.
    """

    class Mode(models.TextChoices):
        """What the public reads; `later` shows nobody until the person decides."""

        NAME = "name"
        HANDLE = "handle"
        ANONYMOUS = "anonymous"
        NONE = "none"
        LATER = "later"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="credits")
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="credits")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.LATER)
    name = EncryptedText(null=True)
    link = EncryptedText(null=True)
    share = models.PositiveSmallIntegerField(null=True)
    chosen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person"], name="one_credit_each")]


class Advisory(models.Model):
    """What the public reads about a finding. Public text, so it is kept clear; it never holds the payload.

    `facts` is what was measured (rates with intervals, the fix statement), copied from the records at drafting.
    A draft is written by staff and stays encrypted inside `AdvisoryDraft` until it is published.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="advisory")
    slug = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField()
    details = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")


class AdvisoryDraft(OfCase):
    """The advisory while it is written; encrypted, because an embargo may be in force."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="advisory_draft")
    title = EncryptedText()
    summary = EncryptedText()
    details = EncryptedText(null=True)
    advice = EncryptedText(null=True)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
