"""What people make of a finding: ratings with their reasons, what others say of them, codes of public catalogues."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import cached_property

from django.conf import settings
from django.db import models

from manyeyes.programs.yardsticks import RubricVersion
from manyeyes.rules import clock, mes
from manyeyes.rules import severity as scale
from manyeyes.rules.rubric import Rubric
from manyeyes.rules.sentences import setting_words
from manyeyes.vault.fields import EncryptedJSON, EncryptedText
from manyeyes.vault.models import Encrypted

PERSON = settings.AUTH_USER_MODEL


class UnderRubric(Encrypted):
    """A vector with the version of the rubric it was written under; without one it is the standard."""

    vector = models.CharField(max_length=200)
    rubric_version = models.ForeignKey(RubricVersion, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True

    @property
    def rubric(self) -> Rubric:
        """What the vector is scored by, now and for ever."""
        return self.rubric_version.rubric if self.rubric_version else mes.STANDARD

    @property
    def parsed(self) -> scale.Vector:
        """The vector, read."""
        return scale.parse(self.vector, self.rubric)

    @cached_property
    def score(self) -> scale.MesScore:
        """The scores, counted again from the vector under its own version."""
        return scale.score(self.parsed)


class Rating(UnderRubric):
    """A severity vector with one line of why for each letter. The newest stands; older ones stay on record.

    `deployed` is the fixed-number count at the setting in service: {place, k, n}, where place is "rated" or the row
    of the replay's settings. `cvss` stands beside and enters nothing.
    """

    class Method(models.TextChoices):
        """Letter by letter, or from five plain answers."""

        VECTOR = "vector"
        QUESTIONS = "questions"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="ratings")
    replay = models.ForeignKey("replays.Replay", on_delete=models.PROTECT, null=True, related_name="+")
    reasons = EncryptedJSON()
    why = EncryptedText(null=True)  # why it was changed, where an older one stood
    method = models.CharField(max_length=10, choices=Method, default=Method.VECTOR)
    budget_source = EncryptedText(null=True)  # who or what says how many tries an attacker gets
    deployed = models.JSONField(null=True)
    cvss = models.CharField(max_length=300, blank=True, default="")

    @property
    def at_deployed(self) -> scale.MesScore | None:
        """The scores at the setting in service; None where it is the rated one, or nobody said."""
        if not self.deployed or self.deployed["place"] == "rated":
            return None
        return scale.score(replace(self.parsed, observed=(self.deployed["k"], self.deployed["n"])))

    @property
    def deployed_words(self) -> str:
        """The setting in service in words, as the replay has it."""
        rows = (self.replay.verdict or {}).get("settings", ()) if self.replay and self.at_deployed else ()
        found = [row for place, row in enumerate(rows) if str(place) == self.deployed["place"]] if self.deployed else []
        return setting_words(found[0].get("parameters", {})) if found else ""


class BlindRating(UnderRubric):
    """One person's letters, given before they saw anybody else's: what agreement between raters is counted from."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="blind_ratings")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "by"], name="one_blind_rating_a_person")]


class OwnRating(Encrypted):
    """What the researcher thinks of it: a band, perhaps a vector of whichever scheme, and why. The newest stands."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="own_ratings")
    band = models.CharField(max_length=8)
    vector = models.CharField(max_length=300, blank=True, default="")
    why = EncryptedText(null=True)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)


class Dispute(Encrypted):
    """The researcher does not agree with a rating; a person of the team answers, with a reason, and both stay."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="disputes")
    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="disputes")
    text = EncryptedText()
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    answer = EncryptedText(null=True)
    will_change = models.BooleanField(null=True)
    answered_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)


class Rescoring(Encrypted):
    """New evidence would change the score: a proposal that a person accepts or declines with a reason, never silent."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="rescorings")
    rating = models.ForeignKey(Rating, on_delete=models.PROTECT, related_name="rescorings")
    replay = models.ForeignKey("replays.Replay", on_delete=models.PROTECT, related_name="+")
    vector = models.CharField(max_length=200)
    at = models.DateTimeField(default=clock.now)
    accepted = models.BooleanField(null=True)
    why = EncryptedText(null=True)
    decided_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rating", "replay"], name="one_rescoring_a_replay")]

    @cached_property
    def score(self) -> scale.MesScore:
        """What the score would be."""
        return scale.score(self.vector, self.rating.rubric)


class CaseCode(models.Model):
    """A code of a public catalogue that a person put on the case, always with its edition: `CWE-1427:4.20`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="codes")
    code = models.CharField(max_length=60)
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "code"], name="a_code_once_a_case")]
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code
