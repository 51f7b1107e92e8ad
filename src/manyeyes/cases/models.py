"""What is kept about a case: the report as sent, and everything people and replays added to it."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from manyeyes.cases.agreed import Embargo  # noqa: F401 -- where Django looks for tables
from manyeyes.cases.arrived import Preflight, ProductionLog, TextMark  # noqa: F401 -- the same
from manyeyes.cases.asleep import Sleep  # noqa: F401 -- the same
from manyeyes.cases.filetypes import words_for
from manyeyes.cases.guarded import LegalHold, Sender  # noqa: F401 -- the same
from manyeyes.cases.judged import BlindRating, CaseCode, Dispute, OwnRating, Rating, Rescoring  # noqa: F401 -- the same
from manyeyes.cases.kin import Family, Member, Split  # noqa: F401 -- the same
from manyeyes.cases.placed import Place  # noqa: F401 -- the same
from manyeyes.cases.saved import SavedView  # noqa: F401 -- the same
from manyeyes.cases.seats import Seat  # noqa: F401 -- the same
from manyeyes.cases.spoken import EarlierWords, PreparedAnswer, ReadMark  # noqa: F401 -- the same
from manyeyes.cases.unsent import Draft, DraftFile  # noqa: F401 -- the same
from manyeyes.programs.models import PolicyVersion, Program, Target, TargetVersion
from manyeyes.replays.models import Replay
from manyeyes.rules import clock, questions
from manyeyes.rules.errors import Conflict
from manyeyes.rules.permits import HAZARDS
from manyeyes.vault.fields import EncryptedJSON, EncryptedText
from manyeyes.vault.models import Encrypted, StoredFile

PERSON = settings.AUTH_USER_MODEL


class Case(Encrypted):
    """The team's work on a report. Its key guards every text that belongs to it; destroying the key shreds them all.

    Clear: reference, status, class, target, people, dates. `status` is written by `cases.moves` alone.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="cases")
    ref = models.CharField(max_length=16, unique=True)
    status = models.CharField(max_length=16, default="new")
    close_reason = models.CharField(max_length=24, blank=True)
    origin = models.CharField(max_length=10, default="outside", help_text="outside, staff or red_team; counted apart.")
    came_from = models.CharField(max_length=16, blank=True, help_text="Where a question will lead back to.")
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")

    title = EncryptedText()
    vuln_class = models.CharField(max_length=8)
    hazard = models.CharField(max_length=8, blank=True, help_text="What it holds is shown on opening only, recorded.")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="cases")
    target_version = models.ForeignKey(TargetVersion, on_delete=models.PROTECT, null=True, related_name="+")
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    reporter = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="reported_cases")
    assignee = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="assigned_cases")
    owner = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="owned_cases")
    duplicate_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="duplicates")

    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(
        null=True, help_text="When the next promise ends: what the log says, kept to sort by."
    )
    alarm_at = models.DateTimeField(null=True, help_text="When somebody is rung if nobody acts.")
    acknowledged_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    first_success_seen_at = models.DateTimeField(null=True)
    mitigated_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    public_at = models.DateTimeField(null=True)
    recognised_at = models.DateTimeField(null=True)
    exploited_at = models.DateTimeField(null=True)
    deferred_at = models.DateTimeField(
        null=True, help_text="Came in a flood: waits in a tray of its own, clock running."
    )
    appealed_at = models.DateTimeField(null=True)
    test = models.BooleanField(default=False, help_text="A test report of the launch: never part of a figure.")
    reopened_at = models.DateTimeField(null=True, help_text="When it was last taken up again; older proof counts not.")

    class Meta:
        indexes = [
            models.Index(fields=["program", "status", "created_at"], name="case_by_status"),
            models.Index(fields=["program", "due_at"], name="case_by_due"),
            models.Index(fields=["reporter", "created_at"], name="case_by_reporter"),
            models.Index(fields=["alarm_at"], name="case_by_alarm", condition=models.Q(alarm_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def subject(self) -> str:
        """The name under which the event log knows this case."""
        return f"case:{self.pk}"

    @property
    def hazard_words(self) -> str:
        """The kind of hazardous content, in words; empty for none."""
        return HAZARDS.get(self.hazard, self.hazard)

    def note(self, **facts: Any) -> None:
        """Say more (ids, statuses, counts) about the act that is under way; it goes into the event of that act."""
        self.__dict__.setdefault("_noted", {}).update(facts)


class OfCase(Encrypted):
    """A row that belongs to a case and is guarded by its key."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row under the key of its case."""
        if self.key_id is None:
            self.key_id = self.case.key_id
        super().save(*args, **kwargs)


class Report(OfCase):
    """What a researcher sent. Never edited."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    submission_id = models.UUIDField(default=uuid.uuid4, unique=True)
    happened = EncryptedText()
    expected = EncryptedText(null=True)
    steps = EncryptedText()
    impact = EncryptedText()
    settings = EncryptedJSON(null=True)
    contact = EncryptedText(null=True)
    own_ref = EncryptedText(null=True)
    own_ref_token = models.CharField(max_length=64, blank=True, db_index=True, help_text="A keyed name of `own_ref`.")
    claim_k = models.PositiveIntegerField(null=True)
    claim_n = models.PositiveIntegerField(null=True)
    exploited_now = models.BooleanField(default=False)
    harmed_now = models.BooleanField(default=False)
    hazard = models.CharField(max_length=8, blank=True)
    claim_biased = models.BooleanField(default=False, help_text="The best of several series: never part of a rate.")
    answers = EncryptedJSON(null=True)  # to the questions of its kind: name → what was said
    seen = EncryptedJSON(null=True)  # where in a product it was met: surface, account, version, times, conversation
    plans = EncryptedJSON(null=True)  # when and where they mean to publish
    readings = EncryptedJSON(null=True)  # what was understood of it when it came: [{name, value, source, note}]
    sent_at = models.DateTimeField(default=clock.now)

    @property
    def told(self) -> list[tuple[str, str]]:
        """(question, answer) of everything optional that was answered, in the order of the form."""
        asked = questions.answered(self.case.vuln_class, self.answers)
        beside = {**(self.seen or {}), **(self.plans or {})}
        return asked + [(questions.SEEN.get(name, name), str(value)) for name, value in beside.items()]

    @property
    def hazard_words(self) -> str:
        """The kind of hazardous content, in words; empty for none."""
        return HAZARDS.get(self.hazard, self.hazard)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the report, once. Raises Conflict for any change."""
        if not self._state.adding:
            raise Conflict("A report is never edited. Say what is new in a message.")
        super().save(*args, **kwargs)


class ReproducerFile(OfCase):
    """One version of the reproducer of a case; the newest is used. `content_hash` is a keyed name of its exact text."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reproducers")
    text = EncryptedText()
    name = EncryptedText(null=True)
    content_hash = models.CharField(max_length=64)
    source = models.CharField(max_length=12, default="sent")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)


class Message(OfCase):
    """A word between the sides, or (not public) inside the team."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    public = models.BooleanField(default=False)
    purpose = models.CharField(max_length=12, default="word")
    text = EncryptedText()
    edits = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(default=clock.now)


class Attachment(OfCase):
    """A file that came with a report or a message; bytes, name and type lie encrypted in the vault, never rendered."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, null=True, related_name="attachments")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, null=True, related_name="files")
    public = models.BooleanField(default=True)
    inside = EncryptedJSON(null=True)  # an archive's list of names, or a mail's headers and words; nothing is unpacked
    stored = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    @property
    def type_words(self) -> str:
        """What it is by its content, in words."""
        return words_for(self.stored.media_type)


class SentBundle(OfCase):
    """A researcher's own measurement: the file, and what scoring it again came to. It decides nothing."""

    class State(models.TextChoices):
        """Scoring again is work of the worker: a row waits for it, is held by one under a lease, and is done once."""

        WAITING = "waiting"
        SCORING = "scoring"
        DONE = "done"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sent_bundles")
    attachment = models.OneToOneField(Attachment, on_delete=models.PROTECT, related_name="bundle")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, db_index=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    scored = models.BooleanField(default=False)
    found = EncryptedJSON()
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)


class CoReporter(OfCase):
    """Somebody named as a further reporter of a case; it is theirs too once they accept. The link opens it once."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="co_reporters")
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="co_reports")
    named = EncryptedText(null=True)
    locator = models.CharField(max_length=64, unique=True, help_text="A keyed name of the invitation's link.")
    invited_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField(default=clock.now)
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Declined, taken back, or left.")

    class Meta:
        indexes = [models.Index(fields=["person", "accepted_at"], name="co_reporter_by_person")]


class Remediation(OfCase):
    """One attempt to fix: a version, what was done, and what the verification made of it."""

    class Kind(models.TextChoices):
        """What the owner says the change is; the verification may disagree."""

        SYMPTOM = "symptom"
        CAUSE = "cause"
        UNKNOWN = "unknown"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="remediations")
    number = models.PositiveIntegerField()
    owner = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(TargetVersion, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.UNKNOWN)
    summary = EncryptedText(null=True)
    started_at = models.DateTimeField(default=clock.now)
    deployed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True, help_text="The verdict that was concluded, in one word.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="one_remediation_per_number")]


class Reproduction(models.Model):
    """Which replay belongs to which case, and what it was for. Concluding is a dated fact."""

    class Purpose(models.TextChoices):
        """Before the fix, after it, or a short try on arrival that decides nothing and that nobody asked for."""

        REPRODUCTION = "reproduction"
        VERIFICATION = "verification"
        PREFLIGHT = "preflight"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reproductions")
    replay = models.OneToOneField(Replay, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=12, choices=Purpose)
    remediation = models.ForeignKey(Remediation, on_delete=models.PROTECT, null=True, related_name="verifications")
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    concluded_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True, help_text="From when on the researcher sees it.")
    verdict = models.CharField(max_length=20, blank=True)


class SignOff(OfCase):
    """One discipline's word on a rating, with its assessment. `override` is the manager's decision with a reason."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sign_offs")
    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="sign_offs")
    discipline = models.CharField(max_length=8)
    agrees = models.BooleanField()
    override = models.BooleanField(default=False)
    note = EncryptedText()
    assessment = EncryptedJSON(null=True)  # question of `rules.assessment` → answer; older ones have none
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)


class Retest(OfCase):
    """The researcher's own try after a fix."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="retests")
    remediation = models.ForeignKey(Remediation, on_delete=models.PROTECT, related_name="retests")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    k = models.PositiveIntegerField()
    n = models.PositiveIntegerField()
    transcript = EncryptedText(null=True)
    agrees = models.BooleanField()
    at = models.DateTimeField(default=clock.now)


class RootCause(OfCase):
    """What people conclude about why it works. The newest stands."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="root_causes")
    category = models.CharField(max_length=12)
    text = EncryptedText()
    evidence = models.JSONField(default=list, help_text="Ids of replays and remediations the conclusion leans on.")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
