"""Where a case stands in the lists of the desk: derived from its rows and its log, and made again at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import Q

FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""The moment by which a case without a running clock is sorted: after all others."""

NEAR = datetime(1900, 1, 1, tzinfo=UTC)
AGES = timedelta(days=365_000)
"""So much earlier is a case sorted whose flaw is exploited and not mitigated: before everything else, by its clock."""


class Place(models.Model):
    """What the lists find and sort a case by, so that a list costs the same however many cases there are.

    `queue_at` is when the next promise ends, FAR without one, AGES earlier while it is exploited; `looked_for` says
    that a finished replay waits for a look; `wants_security` and `wants_ml` that the newest rating has no word of that
    discipline; `rule` is the edition of `placing.place` that wrote the row.
    """

    case = models.OneToOneField("cases.Case", on_delete=models.CASCADE, related_name="place", primary_key=True)
    program = models.ForeignKey("programs.Program", on_delete=models.PROTECT, related_name="+")
    arrived_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.UUIDField(null=True)
    status = models.CharField(max_length=16)
    # A number, because SQLite uses an index for "= 1" and none for a bare truth value.
    at_work = models.PositiveSmallIntegerField(default=1)
    queue_at = models.DateTimeField(default=FAR)
    unanswered = models.BooleanField(default=False)
    deferred = models.BooleanField(default=False)
    looked_for = models.BooleanField(default=False)
    wants_security = models.BooleanField(default=False)
    wants_ml = models.BooleanField(default=False)
    band = models.PositiveSmallIntegerField(default=0, help_text="Place of the graver band in severity.BANDS.")
    tried = models.PositiveSmallIntegerField(default=0, help_text="What the rate on arrival is at least, of 1,000.")
    embargo_until = models.DateTimeField(null=True)
    rule = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["program", "at_work", "queue_at", "case"], name="place_by_clock"),
            models.Index(fields=["program", "at_work", "arrived_at"], name="place_by_arrival"),
            models.Index(fields=["program", "at_work", "-band", "queue_at"], name="place_by_band"),
            models.Index(fields=["program", "at_work", "-tried", "queue_at"], name="place_by_try"),
            models.Index(fields=["program", "at_work", "changed_at"], name="place_by_change"),
            models.Index(fields=["program", "changed_at"], name="place_by_news"),
            models.Index(fields=["program", "status", "queue_at"], name="place_by_status"),
            models.Index(fields=["program", "queue_at"], name="place_unanswered", condition=Q(unanswered=True)),
            models.Index(fields=["program", "queue_at"], name="place_deferred", condition=Q(deferred=True)),
            models.Index(fields=["program", "queue_at"], name="place_looked_for", condition=Q(looked_for=True)),
            models.Index(fields=["program", "queue_at"], name="place_security", condition=Q(wants_security=True)),
            models.Index(fields=["program", "queue_at"], name="place_ml", condition=Q(wants_ml=True)),
            models.Index(
                fields=["program", "embargo_until"], name="place_embargo", condition=Q(embargo_until__isnull=False)
            ),
            models.Index(fields=["rule"], name="place_by_rule"),
        ]

    def __str__(self) -> str:
        return f"place of {self.case_id}"
