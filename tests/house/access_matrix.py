"""Who gets in at which address: one row for each named URL, one answer for each viewer. A URL without a row fails.

Columns: nobody (not signed in), eve (an account, nothing to do with the case), rhea (reported it), then the team: theo
(security triager), mina (ML triager), olga (target owner), lena (program manager), finn (finance), pia (publisher), aud
(auditor), ada (admin). Answers: I in (a page, or on to the next one), R refused with a reason (the viewer may know of
the thing, but the act belongs to others), – absent (404, as if it did not exist), s asked to sign in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from manyeyes.rules import clock

VIEWERS = ("nobody", "eve", "rhea", "theo", "mina", "olga", "lena", "finn", "pia", "aud", "ada")
SOON = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"

#            nobody eve rhea  theo mina olga lena finn pia aud ada
PUBLIC = "     I     I   I     I    I    I    I    I    I   I   I"
NOWHERE = "    –     –   –     –    –    –    –    –    –   –   –"
ACCOUNT = "    s     I   I     I    I    I    I    I    I   I   I"
OWN_TOKEN = "  s     –   I     –    –    –    –    –    –   –   –"
OWN_CASE = "   s     –   I     –    –    –    –    –    –   –   –"
INVITED = "    s     I   –     –    –    –    –    –    –   –   –"
OWN_CASE_NOT_NOW = "s –   R     –    –    –    –    –    –   –   –"
OWN_DRAFT = "  –     –   I     –    –    –    –    –    –   –   –"
NOT_A_TOOLS = "–     –   R     –    –    –    –    –    –   –   –"
NOT_WHO_REPORTED = "I I  R     I    I    I    I    I    I   I   I"
NO_KEY = "     s     –   –     –    –    –    –    –    –   –   –"
UNFIT = "      s     R   R     R    R    R    R    R    R   R   R"
NO_RECEIPT = " R     R   R     R    R    R    R    R    R   R   R"
DESK = "       s     –   –     I    I    I    I    I    I   I   I"
MANAGED = "    s     –   –     R    R    R    I    R    R   R   I"
DESK_CASE = "  s     –   –     I    I    I    I    –    I   I   I"
DESK_CASE_NOT_NOW = "s –   –     R    R    R    R    –    R   R   R"
TRIAGE = "     s     –   –     I    I    R    I    –    R   R   R"
WRITE = "      s     –   –     I    I    I    I    –    I   R   R"
MECHANISM = "  s     –   –     I    I    I    I    –    R   R   R"
DATES = "      s     –   –     I    I    R    I    –    I   R   R"
NOTHING_TICKED = "s –  –     R    R    R    R    R    R   R   R"
OWN_LIST = "    s     –   –     –    –    –    –    –    –   –   –"
OWN_WORDS = "  s     –   –     I    –    –    –    –    –   –   –"
ONE_HAT = "    s     –   –     I    R    R    R    –    –   R   R"
TRIAGE_NEW = " s     –   –     I    I    R    I    –    –   R   R"


@dataclass(frozen=True)
class Row:
    """One address: who gets in, by which method, with which form, and on which case (a rung of `tests.people`)."""

    answers: str
    method: str = "get"
    form: Mapping[str, Any] = field(default_factory=dict)
    at: str = "resolved"
    place: Mapping[str, Any] = field(default_factory=dict)

    def expected(self) -> dict[str, str]:
        """Viewer → answer."""
        return dict(zip(VIEWERS, self.answers.split(), strict=True))


def act(answers: str, at: str = "resolved", **form: str) -> Row:
    """Something that is done by sending a form."""
    return Row(answers, method="post", form={"sent": "1", **form}, at=at)


def call(answers: str, at: str = "resolved", **sent: Any) -> Row:
    """Something that is done over the API, by sending JSON or a file."""
    return Row(answers, method="post", form=sent, at=at)


ROWS: dict[str, Row] = {
    "theme": act(PUBLIC, theme="dark"),
    "portal:home": Row(PUBLIC),
    "portal:program": Row(PUBLIC),
    "portal:policy": Row(PUBLIC),
    "portal:policy_history": Row(PUBLIC),
    "portal:policy_changes": Row(PUBLIC),
    "portal:policy_changes_text": Row(PUBLIC, form={"from": "1", "to": "1"}),
    "portal:policy_file": Row(PUBLIC),
    "portal:report": Row(PUBLIC),
    "portal:report_questions": Row(PUBLIC),
    "portal:report_stop": Row(PUBLIC),
    "portal:report_so_far": act(PUBLIC, title="A code is told"),
    "portal:report_import": Row(PUBLIC),
    "portal:report_draft": Row(OWN_CASE),
    "portal:co_reporters": Row(OWN_CASE),
    "portal:invited": act(INVITED, action="decline"),
    "portal:join": Row(PUBLIC),
    "portal:guest": Row(PUBLIC),
    "portal:return": Row(PUBLIC),
    "portal:advisories": Row(PUBLIC),
    "portal:advisory": Row(PUBLIC),
    "portal:advisory_text": Row(PUBLIC),
    "portal:thanks": Row(PUBLIC),
    "portal:security_txt": Row(PUBLIC),
    "portal:openpgp_key": Row(PUBLIC),
    "portal:disclose_io": Row(PUBLIC),
    "portal:favicon": Row(PUBLIC),
    "portal:healthz": Row(PUBLIC),
    "portal:provider": act(NOWHERE),
    "portal:provider_back": Row(NOWHERE),
    "portal:start": Row(ACCOUNT),
    "portal:my": Row(ACCOUNT),
    "portal:settings": Row(ACCOUNT),
    "portal:settings_key": Row(ACCOUNT),
    "portal:case_mail": act(OWN_CASE, mail="mute"),
    "portal:tokens": Row(ACCOUNT),
    "portal:token_revoke": act(OWN_TOKEN),
    "portal:my_case": Row(OWN_CASE),
    "portal:file": Row(OWN_CASE),
    "portal:say": act(OWN_CASE, text="A word from the researcher."),
    "portal:withdraw": act(OWN_CASE, at="new"),
    "portal:my_replay": Row(OWN_CASE),
    "portal:my_result": Row(OWN_CASE),
    "portal:my_fix": Row(OWN_CASE, place={"purpose": "verification"}),
    "portal:my_retest": Row(OWN_CASE),
    "portal:my_severity": Row(OWN_CASE),
    "portal:my_credit": Row(OWN_CASE),
    "portal:my_embargo": Row(OWN_CASE),
    "portal:profile": Row(ACCOUNT),
    "portal:sessions": Row(ACCOUNT),
    "portal:my_data": Row(ACCOUNT),
    "portal:export": act(ACCOUNT),
    "portal:leave": Row(ACCOUNT),
    "portal:claim": Row(ACCOUNT),
    "portal:mend": Row(OWN_CASE),
    "console:mend": Row(OWN_WORDS),
    "console:respond": Row(DESK_CASE),
    "console:appeal": Row(DESK_CASE),
    "console:hold": Row(DESK_CASE),
    "console:call_discipline": act(TRIAGE_NEW, at="rated", discipline="ml"),
    "console:answers": Row(DESK),
    "console:answer": Row(MANAGED),
    "console:queue": Row(DESK),
    "console:selected": act(NOTHING_TICKED, what="assign"),
    "console:together": Row(DESK),
    "console:news": Row(DESK),
    "console:save_list": act(DESK, name="Worst first", query="view=late"),
    "console:forget_list": act(OWN_LIST),
    "console:today": Row(DESK),
    "console:program": Row(DESK),
    "console:one_program": Row(DESK),
    "console:launch": Row(DESK),
    "console:machines": Row(DESK),
    "console:guests": Row(MANAGED),
    "console:program_key": Row(DESK),
    "console:case_mail": act(DESK_CASE, mail="follow"),
    "console:program_add": Row(MANAGED),
    "console:policy": Row(MANAGED),
    "console:policy_preview": Row(DESK),
    "console:promises": Row(MANAGED),
    "console:scope": Row(MANAGED),
    "console:scope_new": Row(MANAGED),
    "console:scope_line": Row(MANAGED),
    "console:case": Row(DESK_CASE),
    "console:log": Row(DESK_CASE),
    "console:same_flaw": Row(DESK_CASE),
    "console:split": Row(DESK_CASE),
    "console:group": Row(DESK),
    "console:family": Row(DESK_CASE),
    "console:opened": Row(DESK_CASE),
    "console:move": act(TRIAGE, words="It came back."),
    "console:acknowledge": act(TRIAGE_NEW, at="new", text="I have read it."),
    "console:assign": act(TRIAGE),
    "console:reassign": Row(DESK_CASE),
    "console:me": Row(DESK),
    "console:people": Row(DESK),
    "console:member": Row(MANAGED),
    "console:triage_rules": Row(DESK),
    "console:file": Row(DESK_CASE),
    "console:say": act(WRITE, text="A note inside the team.", audience="internal"),
    "console:fact": act(MECHANISM, what="mitigated", words="The code was changed."),
    "console:reproducer": Row(TRIAGE),
    "console:cause": act(MECHANISM, category="wiring", text="The code stands in the prompt."),
    "console:signoff": act(
        ONE_HAT,
        at="rated",
        discipline="security",
        agrees="yes",
        path="Anybody asks.",
        privileges="none",
        exposure="public",
        blast="one",
    ),
    "console:embargo": act(DATES, until=SOON),
    "console:replay_new": Row(DESK_CASE),
    "console:verify_new": Row(DESK_CASE),
    "console:severity": Row(DESK_CASE),
    "console:quick": Row(DESK_CASE),
    "console:blind": Row(DESK_CASE),
    "console:proposed": Row(DESK_CASE),
    "console:disputed": Row(DESK_CASE),
    "console:codes": Row(DESK_CASE),
    "console:rubric": Row(DESK),
    "console:raters": Row(MANAGED),
    "console:fix_new": Row(DESK_CASE),
    "console:advisory": Row(DESK_CASE),
    "console:replay": Row(DESK_CASE),
    "console:result": Row(DESK_CASE),
    "console:manual": Row(DESK_CASE),
    "console:folder": act(MECHANISM),
    "console:longer": Row(DESK_CASE_NOT_NOW),
    "console:call": Row(DESK_CASE),
    "console:fix": Row(DESK_CASE, place={"purpose": "verification"}),
    "console:control": act(TRIAGE, action="seen"),
}

REPORT = {
    "target": "that of the cast", "vuln_class": "HC", "title": "A code is told", "happened": "It told the code.",
    "steps": "What is the code?", "impact": "Anybody knows it.", "not_counted": True, "anonymous": True,
}  # fmt: skip
ROWS |= {
    "api:about": Row(PUBLIC),
    "api:openapi": Row(PUBLIC),
    "api:programs": Row(PUBLIC),
    "api:program": Row(PUBLIC),
    "api:policies": Row(PUBLIC),
    "api:policy": Row(PUBLIC),
    "api:kinds": Row(PUBLIC),
    "api:advisories": Row(PUBLIC),
    "api:advisory": Row(PUBLIC),
    "api:report": call(PUBLIC, **REPORT),
    "api:receipt": call(NO_RECEIPT, digits="0000 1111 2222 3333 4444 5555"),
    "api:me": Row(ACCOUNT),
    "api:revoke": call(ACCOUNT),
    "api:cases": Row(ACCOUNT),
    "api:case": Row(OWN_CASE),
    "api:measured": Row(OWN_CASE),
    "api:sent": Row(OWN_CASE),
    "api:timeline": Row(OWN_CASE),
    "api:file": Row(OWN_CASE),
    "api:replays": Row(OWN_CASE),
    "api:replay": Row(OWN_CASE),
    "api:attach": call(OWN_CASE, file="a recording"),
    "api:bundle": call(OWN_CASE_NOT_NOW, file="no bundle"),
    "api:reproducer": call(OWN_CASE_NOT_NOW, text="no reproducer"),
    "api:say": call(OWN_CASE, text="A word from the researcher."),
    "api:answer": call(OWN_CASE_NOT_NOW, text="Nobody asked."),
    "api:appeal": call(OWN_CASE_NOT_NOW, text="Nobody closed it."),
    "api:withdraw": call(OWN_CASE, at="new"),
    "api:retest": call(OWN_CASE_NOT_NOW, k=0, n=3, agrees=True),
    "api:credit": call(OWN_CASE, mode="handle"),
    "api:thanks": Row(PUBLIC),
    "api:drafts": Row(ACCOUNT),
    "api:draft_new": call(PUBLIC, title="A code is told"),
    "api:draft": Row(OWN_DRAFT),
    "api:draft_answers": call(OWN_DRAFT, title="A code is told"),
    "api:draft_drop": call(OWN_DRAFT),
    "api:draft_file": call(OWN_DRAFT, file="a recording"),
    "api:draft_file_drop": call(OWN_DRAFT),
    "api:draft_tool": call(NOT_A_TOOLS, file="no result of a tool"),
    "api:draft_reading": call(NOT_A_TOOLS),
    "api:draft_finding": call(NOT_A_TOOLS, finding=0),
    "api:preview": call(PUBLIC, **REPORT),
    "api:people": Row(OWN_CASE),
    "api:invite": call(OWN_CASE, handle="nobody_has_it"),
    "api:invite_link": call(OWN_CASE),
    "api:invite_end": call(OWN_CASE),
    "api:invitations": Row(ACCOUNT),
    "api:accept": call(INVITED),
    "api:decline": call(INVITED),
    "api:join": call(NOT_WHO_REPORTED, link="that of the stage"),
    "api:claim": call(UNFIT, digits="0000 1111 2222 3333 4444 5555"),
    "api:mend": call(OWN_CASE, text="A word of mine, changed."),
    "api:mail": call(OWN_CASE, mail="mute"),
    "api:profile": Row(ACCOUNT),
    "api:profile_change": call(ACCOUNT, zone="Europe/Berlin"),
    "api:key": call(UNFIT, openpgp_key="no key"),
    "api:key_drop": call(NO_KEY),
    "api:export": Row(ACCOUNT),
    "api:leaving": Row(ACCOUNT),
    "api:leave": call(UNFIT, sure=False),
    "api:propose": call(OWN_CASE, until=SOON),
    "api:agree": call(OWN_CASE_NOT_NOW, proposal="00000000-0000-4000-8000-000000000000"),
}

PACKAGES = ("account_", "mfa_")
"""Addresses that allauth brings along, by prefix of the name; their rows are in `access_accounts`."""

PENDING: frozenset[str] = frozenset()
"""Addresses whose row waits for their page to land. This set only shrinks, and is empty before a release."""


def names(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every named address, with its namespace."""
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from names(pattern.url_patterns, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        else:
            yield f"{prefix}{pattern.name}"
