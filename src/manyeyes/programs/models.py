"""What a program is made of: its policy in versions, its scope, its targets with their versions, its people."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from manyeyes.programs.invited import Guest  # noqa: F401 -- where Django looks
from manyeyes.programs.permitted import JudgeAllowance, Permit, PreflightRules  # noqa: F401 -- where Django looks
from manyeyes.programs.triage_rules import Expertise, TriageRules  # noqa: F401 -- where Django looks for tables
from manyeyes.programs.yardsticks import RubricVersion, TaxonomyEdition  # noqa: F401 -- the same
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict
from manyeyes.rules.policy_templates import SECTIONS
from manyeyes.rules.reference import ALPHABET
from manyeyes.vault.fields import EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


def make_marker() -> str:
    """A word for researchers to put into their calls, so that nobody takes them for an attack: public, no password."""
    return f"research-{''.join(secrets.choice(ALPHABET) for _ in range(6)).lower()}"


class Program(Encrypted):
    """One organisation's disclosure program. Its key guards what belongs to no case, such as target credentials."""

    class State(models.TextChoices):
        """Who can find the program: its members while it is made (draft) or tried out (private), else everybody."""

        DRAFT = "draft"
        PRIVATE = "private"
        PUBLIC = "public"
        PAUSED = "paused"

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    organisation = models.CharField(max_length=120)
    summary = models.CharField(max_length=400, blank=True)
    contact_email = models.EmailField(blank=True)
    languages = models.CharField(max_length=60, default="en")
    state = models.CharField(max_length=10, choices=State, default=State.PRIVATE)
    zone = models.CharField(max_length=60, default="UTC")
    first_response_hours = models.PositiveIntegerField(default=48)
    decision_hours = models.PositiveIntegerField(default=24 * 10)
    embargo_days = models.PositiveIntegerField(default=90)
    stop_text = models.TextField(blank=True, help_text="Counsel's words for material that must not be sent to us.")
    stop_contact = models.CharField(max_length=300, blank=True, help_text="Whom to call about it, as counsel says.")
    research_marker = models.CharField(max_length=40, default=make_marker)
    former_markers = models.JSONField(default=list, blank=True)  # [{word, until}], see `marker`
    test_sent_at = models.DateTimeField(null=True, blank=True)
    test_answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name

    @property
    def decision_days(self) -> int:
        """The promised time until a decision, in whole days."""
        return max(1, round(self.decision_hours / 24))

    @property
    def takes_reports(self) -> bool:
        """Whether a report may be sent to it now: no draft, not paused, and with a published policy to stand on."""
        return self.state not in (self.State.DRAFT, self.State.PAUSED) and self.policy is not None

    @property
    def policy(self) -> PolicyVersion | None:
        """The policy in force: the newest published version."""
        return self.policies.filter(published_at__isnull=False).order_by("-number").first()


class PolicyVersion(models.Model):
    """The policy as it read on a day. Once published it never changes: every case keeps the version it came under.

    `terms` holds the promises in figures (`policy.TERMS`), `scope` the lines of the scope as plain data; a version
    published before these were kept has none and null. `revision` counts the edits of a draft, for two at once.
    """

    SECTIONS = tuple(SECTIONS.items())

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    summary = models.TextField(blank=True, default="")
    introduction = models.TextField(blank=True)
    promises = models.TextField(blank=True)
    channels = models.TextField(blank=True, default="")
    rules = models.TextField(blank=True)
    out_of_scope = models.TextField(blank=True)
    safe_harbor = models.TextField(blank=True)
    ai_research = models.TextField(blank=True)
    rewards = models.TextField(blank=True, default="")
    disclosure = models.TextField(blank=True)
    terms = models.JSONField(default=dict, blank=True)
    scope = models.JSONField(null=True, blank=True, default=None)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "number"], name="one_policy_per_number")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.program} policy {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the draft, or its publication. Raises Conflict on any change to a published version."""
        if PolicyVersion.objects.filter(pk=self.pk, published_at__isnull=False).exists():
            raise Conflict(f"Policy version {self.number} is published and cannot change. Draft a new version.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Drop a draft. Raises Conflict for a published version."""
        if PolicyVersion.objects.filter(pk=self.pk, published_at__isnull=False).exists():
            raise Conflict(f"Policy version {self.number} is published and cannot be removed.")
        return super().delete(*args, **kwargs)

    def sections(self) -> list[tuple[str, str, str]]:
        """(field name, heading, text) of the sections that say something, in reading order."""
        rows = [(name, heading, str(getattr(self, name))) for name, heading in self.SECTIONS]
        return [row for row in rows if row[2].strip()]

    def texts(self) -> Mapping[str, str]:
        """Every section by its field name, empty ones too."""
        return {name: str(getattr(self, name)) for name, _ in self.SECTIONS}


class Target(models.Model):
    """A system that may be attacked under this program, and how it can be reached."""

    class Access(models.TextChoices):
        """How trials reach it: an API, a harness around a stateful agent, a person by hand, or not at all."""

        API = "api"
        HARNESS = "harness"
        MANUAL = "manual"
        NONE = "none"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="targets")
    name = models.CharField(max_length=120)
    access = models.CharField(max_length=10, choices=Access, default=Access.NONE)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "name"], name="one_target_per_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def reached_words(self) -> str:
        """How a researcher reaches it, in words."""
        words = {"api": "API", "harness": "application", "manual": "its own pages", "none": "not connected to replays"}
        return words[self.access]

    @property
    def by_machine(self) -> bool:
        """Whether trials can be made without a person."""
        return self.access in (self.Access.API, self.Access.HARNESS)

    @property
    def current(self) -> TargetVersion | None:
        """The version in service: deployed last and not retired."""
        return self.versions.filter(retired_at__isnull=True).order_by("-deployed_at", "-created_at").first()

    def permit_at(self, when: datetime) -> Permit | None:
        """The newest permit that has not run out at `when`."""
        open_ended, running = models.Q(until__isnull=True), models.Q(until__gt=when)
        return self.permits.filter(open_ended | running).order_by("-granted_at").first()


class TargetVersion(Encrypted):
    """One pinned deployment of a target; its credential is encrypted under the program's key."""

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=60)
    endpoint_url = models.URLField(max_length=300, blank=True)
    model = models.CharField(max_length=120, blank=True)
    api_key = EncryptedText(null=True, blank=True)
    notes = EncryptedText(null=True, blank=True)
    price_in = models.FloatField(null=True, blank=True, help_text="Money per million tokens sent.")
    price_out = models.FloatField(null=True, blank=True, help_text="Money per million tokens answered.")
    currency = models.CharField(max_length=3, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    deployed_at = models.DateTimeField(default=clock.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "label"], name="one_version_per_label")]
        ordering = ["-deployed_at"]

    def __str__(self) -> str:
        return f"{self.target} {self.label}"


class ScopeItem(models.Model):
    """One line of the scope as it is being worked on; publishing a policy keeps a copy of all lines beside it.

    Money is in `reward`, in words, and is shown only where the policy pays. `revision` counts edits, for two at once.
    """

    class Marker(models.TextChoices):
        """How a researcher shows who they are to the guards of the system."""

        NONE = "none"
        HEADER = "header"
        ACCOUNT = "account"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="scope")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, null=True, blank=True, related_name="scope")
    text = models.CharField(max_length=300)
    in_scope = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    versions = models.CharField(max_length=120, blank=True, default="")
    reached = models.CharField(max_length=120, blank=True, default="")
    classes_in = models.JSONField(default=list, blank=True)
    classes_out = models.JSONField(default=list, blank=True)
    severity_max = models.CharField(max_length=12, blank=True, default="")
    reward = models.CharField(max_length=60, blank=True, default="")
    calls_per_day = models.PositiveIntegerField(null=True, blank=True)
    calls_at_once = models.PositiveIntegerField(null=True, blank=True)
    spending = models.CharField(max_length=60, blank=True, default="")
    marker = models.CharField(max_length=10, choices=Marker, default=Marker.NONE)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-in_scope", "position"]

    def __str__(self) -> str:
        return self.text


class Membership(models.Model):
    """What a person may do in a program. One person may hold several roles."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="memberships")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="memberships")
    roles = models.JSONField(default=list)
    disciplines = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "person"], name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.person} in {self.program}: {', '.join(self.roles)}"


class LaunchAnswer(Encrypted):
    """What somebody said about one item of the launch checklist. The newest stands; older ones stay on record."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="launch_answers")
    item = models.CharField(max_length=20)
    applies = models.BooleanField(default=True)
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    hours = models.PositiveIntegerField(null=True, blank=True)
    reason = EncryptedText(null=True)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["program", "item", "at"], name="launch_answer_newest")]

    def __str__(self) -> str:
        return f"{self.program}: {self.item}"
