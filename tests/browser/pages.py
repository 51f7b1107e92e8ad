"""Every page of the site with somebody who may read it; pages that are missing here fail a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.browser.site import Site
from tests.house.access_matrix import ROWS

ELSEWHERE = {
    "portal:invited", "portal:report_import",
    "portal:say", "portal:withdraw", "portal:export", "portal:provider",
    "portal:provider_back", "console:call_discipline",
    "console:say", "console:acknowledge", "console:assign", "console:cause",
    "console:signoff", "console:embargo", "console:opened", "console:control", "console:fact", "portal:start", "theme",
    "portal:token_revoke",
}  # fmt: skip
"""Addresses that lead on to a page, most of them with a form."""
PLAIN = {
    "portal:report_questions", "portal:report_so_far",
    "portal:case_mail", "console:case_mail", "console:selected", "console:news", "console:save_list",
    "console:forget_list",
    "portal:openpgp_key", "portal:disclose_io",
    "portal:security_txt", "portal:healthz", "portal:favicon", "portal:my_result", "portal:file", "console:result",
    "portal:advisory_text",
    "console:folder", "console:file", "portal:policy_file", "portal:policy_changes_text",
}  # fmt: skip
"""Addresses that answer with text, JSON or a file."""
PLAIN |= {name for name in ROWS if name.startswith("api:")} - {"api:about"}


@dataclass(frozen=True)
class Place:
    """One page: the name of its address, a word for its state, who looks, where it is, what it answers."""

    name: str
    state: str
    who: str
    path: str
    status: int = 200

    def __str__(self) -> str:
        return f"{self.name}-{self.state}" if self.state else self.name


def places(site: Site) -> dict[str, Place]:
    """All pages, by name and state."""
    return {str(place): place for place in (*_public(site), *_own(site), *_desk(site), *_account())}


KNOWN = Site(
    base="", target=None, password="", totp="", people={},  # type: ignore[arg-type]
    cases=dict.fromkeys(
        ("new", "triaged", "reproduced", "signed", "confirmed", "remediating", "fix_deployed", "holds", "hostile",
         "asked", "closed", "rests", "by_hand", "exposed", "filled", "talked", "appealed", "restricted", "held",
         "kin_lead", "kin_repeats", "kin_merged", "kin_split", "kin_new"), ""),
    pages=dict.fromkeys(
        ("resolved", "advisory", "reproduction", "verification", "resting", "ticked", "patch", "draft", "secret",
         "my_words", "unanswered", "theo", "team_words", "answer", "scope_line", "guest", "dispute", "rescoring",
         "family"), ""),
)  # fmt: skip
"""A site that is not there: gives the names of the pages before anything runs."""


def _public(site: Site) -> Iterator[Place]:
    yield Place("portal:home", "", "nobody", "/")
    yield Place("portal:program", "", "nobody", "/p/wicket/")
    yield Place("portal:policy", "", "nobody", "/p/wicket/policy/1/")
    yield Place("portal:policy_history", "", "nobody", "/p/wicket/policy/")
    yield Place("portal:policy_changes", "", "nobody", "/p/wicket/policy/changes/?from=1&to=2")
    yield Place("portal:report", "", "nobody", "/p/wicket/report/")
    yield Place("portal:report", "signed-in", "rhea", "/p/wicket/report/")
    yield Place("portal:report_stop", "", "nobody", "/p/wicket/report/stop/")
    yield Place("portal:report_draft", "", "rhea", f"/p/wicket/report/draft/{site.pages['draft']}/")
    yield Place("portal:join", "", "nobody", f"/join/{site.pages['secret']}/")
    yield Place("portal:guest", "", "nobody", f"/invited/{site.pages['guest']}/")
    yield Place("portal:guest", "signed-in", "rhea", f"/invited/{site.pages['guest']}/")
    yield Place("portal:return", "", "nobody", "/return/")
    yield Place("portal:advisories", "", "nobody", "/advisories/")
    yield Place("portal:advisory", "", "nobody", f"/advisories/{site.pages['advisory']}/")
    yield Place("portal:thanks", "", "nobody", "/thanks/")
    yield Place("absent", "", "nobody", "/p/nothing-here/", 404)


def _own(site: Site) -> Iterator[Place]:
    done, replay, fix = site.pages["resolved"], site.pages["reproduction"], site.pages["verification"]
    yield Place("portal:my", "", "rhea", "/my/")
    yield Place("portal:my", "empty", "eve", "/my/")
    yield Place("portal:settings", "", "rhea", "/my/settings/")
    yield Place("portal:settings_key", "", "rhea", "/my/settings/key/")
    yield Place("portal:settings_key", "given", "theo", "/my/settings/key/")
    yield Place("portal:tokens", "", "rhea", "/my/tokens/")
    yield Place("api:about", "", "nobody", "/api/")
    for state in ("asked", "closed", "hostile", "exposed", "remediating"):
        yield Place("portal:my_case", state, "rhea", f"/my/{site.cases[state]}/")
    yield Place("portal:my_case", "resolved", "rhea", f"/my/{done}/")
    yield Place("portal:my_replay", "", "rhea", f"/my/{done}/replay/{replay}/")
    yield Place("portal:my_fix", "", "rhea", f"/my/{done}/fix/{fix}/")
    yield Place("portal:my_fix", "patch", "rhea", f"/my/{site.cases['exposed']}/fix/{site.pages['patch']}/")
    yield Place("portal:my_retest", "", "rhea", f"/my/{site.cases['fix_deployed']}/retest/")
    yield Place("portal:my_severity", "", "rhea", f"/my/{done}/severity/")
    yield Place("portal:my_credit", "", "rhea", f"/my/{done}/credit/")
    yield Place("portal:my_case", "with-files", "rhea", f"/my/{site.cases['filled']}/")
    yield Place("portal:co_reporters", "", "rhea", f"/my/{site.cases['filled']}/people/")
    for page in ("profile", "sessions", "leave", "claim"):
        yield Place(f"portal:{page}", "", "rhea", f"/my/settings/{page}/")
    yield Place("portal:leave", "held", "eve", "/my/settings/leave/")
    yield Place("portal:my_data", "", "rhea", "/my/settings/data/")
    yield Place("portal:my_data", "team", "theo", "/my/settings/data/")
    yield Place("portal:mend", "", "rhea", f"/my/{site.cases['filled']}/words/{site.pages['my_words']}/")
    yield Place("portal:my_case", "appealed", "rhea", f"/my/{site.cases['appealed']}/")
    yield Place("portal:my_embargo", "", "rhea", f"/my/{site.cases['confirmed']}/embargo/")


def _desk(site: Site) -> Iterator[Place]:
    cases, pages = site.cases, site.pages
    yield Place("console:queue", "", "theo", "/desk/")
    yield Place("console:queue", "mine", "mina", "/desk/?view=mine")
    yield Place("console:queue", "narrowed", "theo", "/desk/?view=all&status=triaged&sort=severity")
    pair = f"case={cases['new']}&case={cases['closed']}"
    yield Place("console:together", "", "theo", f"/desk/together/?{pair}")
    for state in ("hostile", "triaged", "signed", "confirmed", "exposed", "closed"):
        yield Place("console:case", state, "theo", f"/desk/cases/{cases[state]}/")
    yield Place("console:case", "restricted", "lena", f"/desk/cases/{cases['restricted']}/")
    yield Place("console:reproducer", "closed", "theo", f"/desk/cases/{cases['restricted']}/reproducer/")
    yield Place("console:reproducer", "not-yours", "aud", f"/desk/cases/{cases['restricted']}/reproducer/")
    yield Place("console:case", "with-files", "theo", f"/desk/cases/{cases['filled']}/")
    yield Place("console:queue", "deferred", "theo", "/desk/?view=deferred")
    yield Place("console:queue", "asleep", "theo", "/desk/?view=asleep")
    yield Place("console:case", "manager", "lena", f"/desk/cases/{cases['remediating']}/")
    yield Place("console:case", "resolved", "theo", f"/desk/cases/{pages['resolved']}/")
    yield Place("console:reproducer", "", "theo", f"/desk/cases/{cases['triaged']}/reproducer/")
    for move in ("ask_researcher", "close"):
        yield Place("console:move", move, "theo", f"/desk/cases/{cases['triaged']}/move/{move}/")
    yield Place("console:me", "", "theo", "/desk/me/")
    yield Place("console:people", "", "theo", "/desk/program/wicket/people/")
    yield Place("console:member", "", "lena", f"/desk/program/wicket/people/{pages['theo']}/")
    yield Place("console:triage_rules", "", "lena", "/desk/program/wicket/triage/")
    yield Place("console:triage_rules", "read", "theo", "/desk/program/wicket/triage/")
    yield Place("console:reassign", "", "theo", f"/desk/cases/{cases['triaged']}/reassign/?discipline=security")
    yield Place("console:replay_new", "", "theo", f"/desk/cases/{cases['triaged']}/replay/")
    yield Place("console:verify_new", "", "olga", f"/desk/cases/{cases['fix_deployed']}/verify/")
    yield Place("console:severity", "", "theo", f"/desk/cases/{cases['signed']}/severity/")
    yield Place("console:quick", "", "theo", f"/desk/cases/{cases['triaged']}/severity/quick/")
    yield Place("console:severity", "unrated", "theo", f"/desk/cases/{cases['triaged']}/severity/")
    yield Place("console:blind", "", "theo", f"/desk/cases/{cases['triaged']}/severity/own/")
    yield Place("console:blind", "late", "theo", f"/desk/cases/{cases['signed']}/severity/own/")
    yield Place("console:disputed", "", "mina", f"/desk/cases/{pages['resolved']}/severity/said/{pages['dispute']}/")
    yield Place("console:proposed", "", "theo", f"/desk/cases/{pages['resolved']}/severity/new/{pages['rescoring']}/")
    yield Place("console:codes", "", "theo", f"/desk/cases/{cases['triaged']}/codes/?q=prompt")
    yield Place("console:rubric", "", "lena", "/desk/program/wicket/rubric/")
    yield Place("console:rubric", "reader", "theo", "/desk/program/wicket/rubric/")
    yield Place("console:raters", "", "lena", "/desk/program/wicket/raters/")
    yield Place("console:fix_new", "", "olga", f"/desk/cases/{cases['remediating']}/fix/")
    yield Place("console:advisory", "", "pia", f"/desk/cases/{pages['resolved']}/advisory/")
    yield Place("console:replay", "", "theo", f"/desk/replays/{pages['reproduction']}/")
    yield Place("console:replay", "resting", "theo", f"/desk/replays/{pages['resting']}/")
    yield Place("console:replay", "by-hand", "theo", f"/desk/replays/{pages['ticked']}/")
    yield Place("console:replay", "unanswered", "theo", f"/desk/replays/{pages['unanswered']}/")
    yield Place("console:longer", "", "theo", f"/desk/replays/{pages['unanswered']}/longer/")
    yield Place("console:longer", "answered", "theo", f"/desk/replays/{pages['reproduction']}/longer/", 409)
    yield Place("console:manual", "", "theo", f"/desk/replays/{pages['ticked']}/manual/")
    yield Place("console:call", "", "theo", f"/desk/replays/{pages['reproduction']}/calls/main/0/")
    yield Place("console:fix", "holds", "theo", f"/desk/fixes/{pages['verification']}/")
    yield Place("console:fix", "patch", "olga", f"/desk/fixes/{pages['patch']}/")
    yield Place("console:case", "talked", "theo", f"/desk/cases/{cases['talked']}/")
    yield Place("console:mend", "", "theo", f"/desk/cases/{cases['talked']}/words/{pages['team_words']}/")
    yield Place("console:respond", "", "theo", f"/desk/cases/{cases['talked']}/respond/")
    yield Place("console:respond", "filled", "theo", f"/desk/cases/{cases['talked']}/respond/?with={pages['answer']}")
    yield Place("console:appeal", "", "mina", f"/desk/cases/{cases['appealed']}/appeal/")
    yield Place("console:appeal", "closer", "theo", f"/desk/cases/{cases['appealed']}/appeal/")
    yield Place("console:hold", "", "lena", f"/desk/cases/{cases['triaged']}/hold/")
    yield Place("console:hold", "reader", "theo", f"/desk/cases/{cases['triaged']}/hold/")
    yield Place("console:hold", "held", "lena", f"/desk/cases/{cases['held']}/hold/")
    yield Place("console:case", "held", "theo", f"/desk/cases/{cases['held']}/")
    yield from _kin(cases, pages["family"])
    yield Place("console:answers", "", "lena", "/desk/program/wicket/answers/")
    yield Place("console:answer", "", "lena", f"/desk/program/wicket/answers/{pages['answer']}/")
    yield Place("console:program", "", "lena", "/desk/program/")
    yield Place("console:one_program", "", "lena", "/desk/program/wicket/")
    yield Place("console:launch", "", "lena", "/desk/program/wicket/launch/")
    yield Place("console:log", "", "theo", f"/desk/cases/{cases['triaged']}/log/")
    yield Place("console:machines", "", "lena", "/desk/program/wicket/machines/")
    yield Place("console:machines", "reader", "olga", "/desk/program/wicket/machines/")
    yield Place("console:launch", "reader", "aud", "/desk/program/wicket/launch/")
    yield Place("console:guests", "", "pia", "/desk/program/quiet/guests/")
    yield Place("console:guests", "public", "lena", "/desk/program/wicket/guests/")
    yield Place("console:program_key", "", "lena", "/desk/program/wicket/key/")
    yield Place("console:policy", "", "lena", "/desk/program/wicket/policy/")
    yield Place("console:policy_preview", "", "lena", "/desk/program/wicket/policy/preview/")
    yield Place("console:policy_preview", "reader", "aud", "/desk/program/wicket/policy/preview/")
    yield Place("console:today", "", "theo", "/desk/today/")
    yield Place("console:promises", "", "lena", "/desk/program/wicket/policy/promises/")
    yield Place("console:scope", "", "lena", "/desk/program/wicket/policy/scope/")
    yield Place("console:scope_new", "", "lena", "/desk/program/wicket/policy/scope/new/")
    yield Place("console:scope_line", "", "lena", f"/desk/program/wicket/policy/scope/{site.pages['scope_line']}/")
    for part in ("target", "version", "permit", "stop", "marker"):
        yield Place("console:program_add", part, "lena", f"/desk/program/wicket/{part}/")


def _kin(cases: Mapping[str, str], family: str) -> Iterator[Place]:
    """Cases that belong together."""
    one, new = cases["kin_lead"], cases["kin_new"]
    yield Place("console:family", "", "theo", f"/desk/families/{family}/")
    yield Place("console:family", "reader", "aud", f"/desk/families/{family}/")
    yield Place("console:group", "", "theo", f"/desk/families/?case={new}&case={one}")
    yield Place("console:group", "empty", "theo", "/desk/families/")
    yield Place("console:same_flaw", "", "theo", f"/desk/cases/{new}/same/duplicate/")
    yield Place("console:same_flaw", "named", "theo", f"/desk/cases/{new}/same/duplicate/?of={one}")
    yield Place("console:same_flaw", "merge", "theo", f"/desk/cases/{new}/same/merge/?of={one}")
    yield Place("console:same_flaw", "refused", "theo", f"/desk/cases/{new}/same/duplicate/?of={new}")
    yield Place("console:split", "", "theo", f"/desk/cases/{one}/split/")
    yield Place("console:split", "reader", "aud", f"/desk/cases/{one}/split/")
    yield Place("console:case", "leads", "theo", f"/desk/cases/{one}/")
    yield Place("console:case", "repeats", "theo", f"/desk/cases/{cases['kin_repeats']}/")
    yield Place("console:case", "split", "theo", f"/desk/cases/{cases['kin_split']}/")
    yield Place("portal:my_case", "repeats", "eve", f"/my/{cases['kin_repeats']}/")


def _account() -> Iterator[Place]:
    for page in ("login", "signup", "password/reset"):
        yield Place("account", page.replace("/", "-"), "nobody", f"/accounts/{page}/")
    yield Place("account", "reauthenticate", "theo", "/accounts/reauthenticate/")
    yield Place("account", "logout", "theo", "/accounts/logout/")
    yield Place("account", "email", "theo", "/accounts/email/")
    yield Place("account", "password-change", "theo", "/accounts/password/change/")
    yield Place("mfa", "", "theo", "/accounts/2fa/")
    yield Place("mfa", "webauthn", "theo", "/accounts/2fa/webauthn/")
