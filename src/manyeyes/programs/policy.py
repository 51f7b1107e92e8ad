"""The policy a new program starts with: plain words, the clauses that AI research needs; every part can be edited."""

from __future__ import annotations

from django.db import transaction

from manyeyes.programs.models import PolicyVersion, Program
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid, NotFound

INTRODUCTION = """\
{organisation} wants to hear about weaknesses in its AI systems before they hurt somebody. This policy says what you \
may test, what we promise, and what we ask of you. It covers the systems listed in the scope, and nothing else.

You need no account to send a report, and you may stay anonymous. Reports are encrypted when they are stored."""

PROMISES = """\
- A person, not a machine, answers you within {first_response_hours} hours.
- Within {decision_days} days we tell you whether we accept the report, and why.
- An AI flaw is a probability, so we measure it. We replay your exploit many times and show you the count, the rate \
and how sure we are. You see the same numbers as our team.
- We drive the fix to its cause and measure it again. You are invited to try it yourself before we close the case.
- We name you if you want to be named, and publish what was found.
- If we disagree, you get the reason in writing and may ask once for a second look."""

RULES = """\
- Use your own accounts, or accounts whose owner has agreed.
- Prove the flaw and stop. Do not keep, change or delete other people's data, and do not disturb the service.
- Stay within the limits stated in the scope. Where none is stated: at most 1,000 model calls a day, two at a time, \
and no more than is needed to count how often the exploit works.
- Do not attack our staff, our buildings or our suppliers. No fraud, no threats, no ransom.
- Tell us what you tried: the exact conversation, the settings you know, and how many of your tries succeeded. "Not \
counted" is an honest answer."""

OUT_OF_SCOPE = """\
- Systems that are not listed, including the models and tools of other companies that ours are built on.
- Wrong, rude or invented answers with no attack behind them. Send these to ordinary support.
- Flooding, spam, and tests that only slow the service or run up its bill.
- Reports made by a scanner or a model and not checked by a person."""

SAFE_HARBOR = """\
If you make an honest effort to follow this policy, we regard your research as authorised. We will not sue you, \
report you to the police, or support others who do so, also when you make a mistake in good faith. Where our terms \
of service or acceptable use policy forbid such research, we set those terms aside for it. Where the law forbids \
getting around a protection, we raise no claim over it.

If somebody else takes action against you for research done under this policy, we will say publicly that you were \
authorised. We can only speak for {organisation}. When you are unsure, ask us first; asking never counts against \
you."""

AI_RESEARCH = """\
- **Prompts that break the usage policy.** Safe harbor covers prompts and inputs that our usage policy would \
otherwise forbid, as long as they are sent to test a system in scope.
- **Your account.** We do not suspend or ban an account or key because of research under this policy. If a filter \
does so by itself, tell us and we restore it.
- **Hazardous output.** If a system produces content that could help somebody to harm people, stop. Keep no more \
than is needed to show it, do not share it with others, and mark it in your report. Instead of the full text you may \
send its hash and describe it.
- **Child sexual abuse material.** Never try to produce it, never upload it. If you meet it, stop, save nothing, and \
tell the authority in your country.
- **Personal data.** If an answer contains somebody's personal data, stop there, black it out in the report and \
delete your copy.
- **Models and tools of others.** We can only authorise tests of what we run. A model from another company behind \
our system has its own rules: test our system, not theirs. If the flaw is theirs, we help you to reach them.
- **Poisoning and persistence.** Do not plant content that other users would meet. Where a test leaves traces in \
memory, files or training data, use your own workspace and tell us what to clean.
- **Limits.** The limits on calls and spending protect everybody. If you need more to show a rate, ask.
- **Model updates.** Models change without notice. What counts is the version at the time of your report. If the \
flaw vanished by chance, we tell you, and it was still a valid report.
- **Training.** We do not train models on your report, and we put nothing of it into a shared data set, unless you \
agree in writing for that one report."""

DISCLOSURE = """\
We ask you to wait until the fix holds or {embargo_days} days have passed since your report, whichever is first. We \
agree on the date with you and do not move it alone. If people are already being harmed, we may both speak sooner. \
After that you are free to publish; we gladly read a draft but do not ask to approve it."""

TEMPLATE: dict[str, str] = {
    "introduction": INTRODUCTION,
    "promises": PROMISES,
    "rules": RULES,
    "out_of_scope": OUT_OF_SCOPE,
    "safe_harbor": SAFE_HARBOR,
    "ai_research": AI_RESEARCH,
    "disclosure": DISCLOSURE,
}


def default_text(program: Program) -> dict[str, str]:
    """The template with the program's own name and promises filled in, section by section."""
    words = {
        "organisation": program.organisation,
        "first_response_hours": program.first_response_hours,
        "decision_days": max(1, round(program.decision_hours / 24)),
        "embargo_days": program.embargo_days,
    }
    return {name: text.format(**words) for name, text in TEMPLATE.items()}


def draft(program: Program, **sections: str) -> PolicyVersion:
    """The unpublished version with these sections: the open draft if there is one, else a new one.

    What is not given stays as in the open draft, else the newest version, else the template. Raises Invalid for a
    section that does not exist.
    """
    unknown = set(sections) - set(TEMPLATE)
    if unknown:
        raise Invalid({name: f"No such section. Use one of {', '.join(TEMPLATE)}." for name in sorted(unknown)})
    newest = program.policies.order_by("-number").first()
    if newest is not None and newest.published_at is None:
        for name, words in sections.items():
            setattr(newest, name, words)
        newest.save()
        return newest
    text = {name: str(getattr(newest, name)) for name in TEMPLATE} if newest else default_text(program)
    number = newest.number + 1 if newest else 1
    return PolicyVersion.objects.create(program=program, number=number, **{**text, **sections})


@transaction.atomic
def publish(version: PolicyVersion, *, by: object = None) -> PolicyVersion:
    """Put a draft into force from now on. Raises Conflict when it is published already, Invalid without safe harbor."""
    locked = PolicyVersion.objects.select_for_update().get(pk=version.pk)
    if locked.published_at is not None:
        raise Conflict(f"Policy version {locked.number} is published already.")
    if not locked.safe_harbor.strip():
        raise Invalid(safe_harbor="Say what researchers are protected from; without it nobody can report safely.")
    locked.published_at = clock.now()
    locked.published_by = by  # type: ignore[assignment]
    locked.save()
    return locked


def published_version(program: Program, number: int) -> PolicyVersion:
    """The policy as it was published under this number. Raises NotFound for a draft and for a number never used."""
    version = program.policies.filter(number=number, published_at__isnull=False).first()
    if version is None:
        raise NotFound("There is no such policy version.")
    return version
