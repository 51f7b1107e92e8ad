"""Three policies to start from, in our own plain words: no bounty, bounty, private; every part can be edited.

A template is section name to Markdown with `{organisation}`, `{first_response_hours}`, `{decision_days}` and
`{embargo_days}` to fill in. `SECTIONS` gives the order and the headings.
"""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, str] = {
    "summary": "In short",
    "introduction": "What this program is for",
    "promises": "What we promise",
    "channels": "How to report",
    "rules": "How to test",
    "out_of_scope": "What is out of scope",
    "safe_harbor": "Safe harbor",
    "ai_research": "Research on AI systems",
    "rewards": "Rewards",
    "disclosure": "Publishing and credit",
}

_NO_BOUNTY: dict[str, str] = {
    "summary": """\
Test the systems in the scope, count how often your exploit works, and tell us. You are protected if you follow this \
page.""",
    "introduction": """\
{organisation} wants to hear about weaknesses in its AI systems before they hurt somebody. This policy covers the \
systems listed in the scope, and nothing else.""",
    "promises": """\
- A person, not a machine, answers you within {first_response_hours} hours.
- Within {decision_days} days we tell you whether we accept the report, and why.
- An AI flaw is a probability, so we replay your exploit many times. You see the same numbers as our team.
- We fix the cause and measure again. You may try it yourself before we close the case.
- If we disagree, you get the reason in writing and may ask once for a second look.""",
    "channels": """\
Use the form on this page. You need no account and may stay anonymous: a receipt brings you back. Reports \
are stored encrypted.""",
    "rules": """\
- Use your own accounts, or accounts whose owner has agreed.
- Prove the flaw and stop. Do not keep, change or delete other people's data, and do not disturb the service.
- Do not attack our staff, buildings or suppliers. No threats, no ransom.
- Tell us what you tried: the exact conversation, the settings you know, and how many of your tries succeeded. "Not \
counted" is an honest answer.""",
    "out_of_scope": """\
- Systems that are not listed.
- Flooding, spam, and tests that only slow the service or run up its bill.
- Wrong, rude or invented answers with no attack behind them. For safety and quality, tell our ordinary \
support.""",
    "safe_harbor": """\
If you make an honest effort to follow this policy, we regard your research as authorised. We will not sue you, \
report you to the police, or support others who do so, also when you make a mistake in good faith. Where our terms \
of service or acceptable use policy forbid such research, we set those terms aside for it. Where the law forbids \
getting around a protection, we raise no claim over it.

If somebody else takes action against you for research done under this policy, we will say publicly that you were \
authorised. We can only speak for {organisation}. When you are unsure, ask us first; asking never counts \
against you.""",
    "ai_research": """\
- **Prompts.** Safe harbor covers prompts that our usage policy would otherwise forbid, where they test a system in \
scope.
- **Your account.** We do not suspend or ban an account because of research under this policy. If a filter does so by \
itself, tell us and we restore it.
- **Hazardous output.** If a system gives help to harm people, stop. Do not share it. Mark it in your report; a hash \
and a description are enough. Never try to produce sexual material about children, and never upload it. If you meet \
it, stop, save nothing, and tell the authority in your country.
- **Personal data.** If an answer holds somebody's personal data, stop, black it out in the report and delete your copy.
- **Models of others.** We can only authorise tests of what we run. A model from another company has its own \
rules.
- **Shared flaws.** If other vendors have the same flaw, you may tell them. We share your report with them only if you \
agree.
- **Traces.** Do not plant content that other users would meet. Tell us what to clean.
- **Limits.** Unless the scope says otherwise, at most 1,000 model calls a day, two at a time. Ask for more.
- **Model updates.** What counts is the version at the time of your report. A flaw that vanished by chance still \
counts.
- **Reports written with AI.** They are welcome when a person has reproduced the flaw.
- **Training.** We do not train models on your report, and put nothing of it into a data set, unless you agree.""",
    "rewards": """\
This program pays no money. We name you if you want to be named, and say what you found.""",
    "disclosure": """\
We ask you to publish only when the fix holds or {embargo_days} days have passed since your report, whichever is \
first. We may ask you once for an extension of up to 30 days and say why; you may refuse. If people are being harmed \
already, we may both speak sooner. After that you are free to publish, and nobody here approves your text.""",
}

_BOUNTY = {
    **_NO_BOUNTY,
    "rewards": """\
We pay for new flaws in scope that we can reproduce; the scope names the band. What counts is the harm and how often \
the exploit works. Two people decide, and you learn why. Rewards may be taxed, and the law bars payment to some \
countries.""",
}

_PRIVATE = {
    **_NO_BOUNTY,
    "summary": """\
You were invited. Test the systems in the scope, count how often your exploit works, and tell us. You are protected if \
you follow this page.""",
    "introduction": """\
{organisation} invites a few researchers to test AI systems, some of them before release. This policy covers the \
systems listed in the scope, and nothing else. Please do not pass on your invitation or your access.""",
    "disclosure": """\
Publish nothing on systems that are not released yet until their release, or until {embargo_days} days have passed \
since your report, whichever is first. We may ask you once for an extension of up to 30 days and say why; you may \
refuse. If people are being harmed already, we may both speak sooner. After that you are free to publish what you \
found.""",
}

TEMPLATES: Mapping[str, Mapping[str, str]] = {"no_bounty": _NO_BOUNTY, "bounty": _BOUNTY, "private": _PRIVATE}
"""Name to sections. `no_bounty` is what a new program starts with."""


def fill(
    template: str, *, organisation: str, first_response_hours: int, decision_days: int, embargo_days: int
) -> dict[str, str]:
    """A template's sections with the program's own name and promises. Raises KeyError for a name that is none.

    >>> fill("no_bounty", organisation="Larkfield", first_response_hours=48, decision_days=10, embargo_days=90)[
    ...     "introduction"
    ... ].split(" wants")[0]
    'Larkfield'
    """
    values = {
        "organisation": organisation,
        "first_response_hours": first_response_hours,
        "decision_days": decision_days,
        "embargo_days": embargo_days,
    }
    return {name: TEMPLATES[template][name].format(**values) for name in SECTIONS}
