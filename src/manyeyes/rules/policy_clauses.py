"""What a policy for AI research should say, as clauses that can be looked for."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Clause:
    """Something a policy should say: where it belongs, why, and words that show it is said.

    Every pattern of `needs` must be found in one and the same section. `ai` marks the clauses that classic templates
    lack; `maturity` is the disclose.io level that needs the clause (0: none does).
    """

    code: str
    title: str
    section: str
    mend: str
    needs: tuple[re.Pattern[str], ...]
    ai: bool = False
    maturity: int = 0


def _all(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_NOT = r"(?:not|never|n't|no)\b"

CLAUSES: tuple[Clause, ...] = (
    Clause(
        code="scope",
        title="what may be tested",
        section="introduction",
        mend="Say that the policy covers the systems listed in the scope.",
        needs=_all(r"\bscope\b|\bcovers?\b|\bmay (?:be )?test"),
        maturity=2,
    ),
    Clause(
        code="channel",
        title="where reports go",
        section="channels",
        mend="Name the form or the address that reports go to, and say that no account is needed.",
        needs=_all(r"\breport", r"\bform\b|\bpage\b|\bmail\b|@|https?://|\bchannel\b"),
        maturity=1,
    ),
    Clause(
        code="anonymous",
        title="reports without a name",
        section="channels",
        mend="Say that a report may be anonymous and how an anonymous person returns.",
        needs=_all(r"\banonym|\bwithout (?:an account|a name|giving)|\bno account\b"),
    ),
    Clause(
        code="answer",
        title="when a person answers",
        section="promises",
        mend="Promise a first answer by a person, in hours or days.",
        needs=_all(r"\banswer|\brespon|\backnowledg|\breply", r"\d+\s*(?:hours?|h\b|(?:business |working )?days?)"),
    ),
    Clause(
        code="decision",
        title="a decision with its reason",
        section="promises",
        mend="Promise to say whether the report is accepted, and why.",
        needs=_all(r"\bdecid|\bdecision|\baccept|\bvalidat|\btriage", r"\bwhy\b|\breason|\bexplain"),
    ),
    Clause(
        code="no_suit",
        title="no legal action",
        section="safe_harbor",
        mend="Say that you will not sue people who follow the policy in good faith, or report them.",
        needs=_all(rf"\b(?:{_NOT}|without)[^.]{{0,60}}(?:\bsue|\blegal action|\bprosecut|\blawsuit|\bclaims? against)"),
        maturity=3,
    ),
    Clause(
        code="authorised",
        title="research is authorised",
        section="safe_harbor",
        mend="Say that research under the policy is authorised.",
        needs=_all(r"\bauthori[sz]"),
        maturity=4,
    ),
    Clause(
        code="circumvention",
        title="getting around a protection",
        section="safe_harbor",
        mend="Say that you raise no claim for getting around technical protections.",
        needs=_all(
            r"\bcircumvent|\bgetting around|\bget around|\bbypass(?:ing)? (?:a |the |technical )?(?:protect|control)"
        ),
        maturity=4,
    ),
    Clause(
        code="terms",
        title="terms of service are set aside",
        section="safe_harbor",
        mend="Say that terms of service and acceptable use rules which forbid such research do not apply to it.",
        needs=_all(
            r"\bterms (?:of (?:service|use)|and conditions)|\bacceptable use|\busage polic",
            r"\bset\b[^.]*\baside|\bwaive|\bexempt|\bdo(?:es)? not apply",
        ),
        maturity=4,
    ),
    Clause(
        code="third_party",
        title="if somebody else takes action",
        section="safe_harbor",
        mend="Say that you will state publicly that the research was authorised if somebody else takes action.",
        needs=_all(
            r"\bthird part|\bsomebody else|\bsomeone else|\bothers? take|\banother party",
            r"\bauthori[sz]|\bmake (?:it )?known|\bsay publicly|\bstatement",
        ),
        maturity=4,
    ),
    Clause(
        code="window",
        title="a window for publishing",
        section="disclosure",
        mend="Say after how many days the researcher may publish, 90 by custom.",
        needs=_all(r"\d+\s*days?", r"\bpublish|\bpublic\b|\bdisclos|\bspeak"),
        maturity=5,
    ),
    Clause(
        code="extension",
        title="how the window is extended",
        section="disclosure",
        mend="Say how the window may be made longer: by agreement, once, by how many days at most.",
        needs=_all(r"\bexten|\blonger\b|\bmore time\b"),
        maturity=5,
    ),
    Clause(
        code="ai_prompts",
        title="prompts that break the usage policy",
        section="ai_research",
        mend="Say that safe harbor covers prompts which the usage policy would otherwise forbid.",
        needs=_all(
            r"\bprompt", r"\busage polic|\bacceptable use|\bterms\b", r"\bcover|\bsafe harbo|\ballowed|\bpermit"
        ),
        ai=True,
    ),
    Clause(
        code="ai_accounts",
        title="accounts used for research stay open",
        section="ai_research",
        mend="Say that accounts and keys are not suspended for research under the policy, or are restored.",
        needs=_all(r"\baccounts?\b", rf"{_NOT}[^.]*\b(?:ban|suspend|clos|block|disabl)|\brestor|\breinstat"),
        ai=True,
    ),
    Clause(
        code="ai_hazard",
        title="what to do with hazardous output",
        section="ai_research",
        mend="Say: stop, do not share it, mark it; a hash or a description is enough. Child sexual abuse material is "
        "never uploaded.",
        needs=_all(
            r"\bhazard|\bharmful|\bdangerous",
            r"\bstop\b",
            r"\bhash|\bdescri|\bdo not (?:share|spread)",
            r"\bchild(?:ren)?\b|\bCSAM\b",
        ),
        ai=True,
    ),
    Clause(
        code="ai_personal",
        title="personal data in answers",
        section="ai_research",
        mend="Say what to do when an answer holds personal data: stop, black it out, delete the copy.",
        needs=_all(r"\bpersonal (?:data|information)", r"\bdelet|\bredact|\bblack|\bremov|\bstop"),
        ai=True,
    ),
    Clause(
        code="ai_others",
        title="models and tools of other companies",
        section="ai_research",
        mend="Say that you cannot authorise tests of other companies' models and tools, and name those you build on.",
        needs=_all(
            r"\bother compan|\banother company|\bthird[- ]part|\bmodels? (?:and tools )?of others|\bsuppliers?\b",
            r"\bauthori[sz]|\brules of its own|\bits own (?:rules|terms|policy)",
        ),
        ai=True,
    ),
    Clause(
        code="ai_limits",
        title="limits on queries and spending",
        section="ai_research",
        mend="Say how many calls a day, how many at once, and whom to ask for more.",
        needs=_all(
            r"\blimits?\b|\bat most\b|\brate\b|\bbudget|\bspend",
            r"\bcalls?\b|\bquer(?:y|ies)|\brequests?\b|\btokens?\b|\bspend",
        ),
        ai=True,
    ),
    Clause(
        code="ai_transfer",
        title="flaws that other vendors share",
        section="ai_research",
        mend="Say that a researcher may tell other vendors with the same flaw, and when you share a report with them.",
        needs=_all(
            r"\bother (?:vendors?|companies|makers|providers|models)|\bsame flaw",
            r"\bshare|\btell|\binform|\bnotif|\breach",
        ),
        ai=True,
    ),
    Clause(
        code="ai_updates",
        title="model updates that erase a finding",
        section="ai_research",
        mend="Say that the version at the time of the report counts when a model changes.",
        needs=_all(
            r"\bupdate|\bversion|\bchange",
            r"\btime of (?:your|the) report|\bwhen you report|\bdate of|\bstill (?:a )?valid|\bcounts\b",
        ),
        ai=True,
    ),
    Clause(
        code="ai_machine_reports",
        title="reports written with AI",
        section="ai_research",
        mend="Say that reports written with the help of AI are welcome when a person has reproduced the flaw.",
        needs=_all(
            r"\b(?:AI|model|machine|scanner)\b",
            r"\bwritten|\breports? made|\bgenerated|\bhelp of",
            r"\breproduc|\bchecked by a person|\btried|\bverif",
        ),
        ai=True,
    ),
    Clause(
        code="ai_training",
        title="no training on reports",
        section="ai_research",
        mend="Say that reports are not used to train models or put into data sets without consent.",
        needs=_all(r"\btrain", rf"{_NOT}|\bwithout\b|\bunless\b|\bconsent"),
        ai=True,
    ),
    Clause(
        code="ai_safety_channel",
        title="content safety has a channel of its own",
        section="ai_research",
        mend="Say where unsafe answers with no attack behind them go, apart from security reports.",
        needs=_all(r"\bsafety\b|\bsupport\b|\bwrong, rude", r"\bsend|\bchannel|\breport|\baddress|\bmail\b|\bcontact"),
        ai=True,
    ),
)
