"""What a policy for AI research should say, as clauses that can be looked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from manyeyes.rules.policy_denials import DENIED, EVERYTHING, HEDGE
from manyeyes.rules.policy_promises import SAID
from manyeyes.rules.policy_sentences import Statement


@dataclass(frozen=True, kw_only=True)
class Clause:
    """Something a policy should say: where it belongs, why, and how it is recognised.

    It is said when each of its patterns is found in one and the same section, in a statement that does not take it
    back. `ai` marks the clauses that classic templates lack; `maturity` is the disclose.io level that needs the clause
    (0: none does).
    """

    code: str
    title: str
    section: str
    mend: str
    ai: bool = False
    maturity: int = 0

    def said_in(self, told: Iterable[Statement]) -> bool:
        """Whether these statements, those of one section, make the promise."""
        kept = [_read(one.plain).said for one in told if not self.taken_back_by(one)]
        return all(any((self.code, need) in said for said in kept) for need in range(len(SAID[self.code])))

    def taken_back_by(self, one: Statement) -> bool:
        """Whether this statement turns the promise round, or makes it and leaves it open in the same breath."""
        return self.code in _read(one.plain).taken


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What one statement does: (clause, which of its needs) it says, the clauses it takes back."""

    said: frozenset[tuple[str, int]]
    taken: frozenset[str]


@lru_cache(maxsize=4096)
def _read(plain: str) -> _Reading:
    """One statement against every pattern. Kept, because an editor asks for the same statements at every keystroke."""
    said = frozenset(
        (code, need)
        for code, patterns in SAID.items()
        for need, pattern in enumerate(patterns)
        if pattern.search(plain)
    )
    turned = {code for code, patterns in DENIED.items() if any(pattern.search(plain) for pattern in patterns)}
    left_open = {code for code, _need in said} if HEDGE.search(plain) else set()
    return _Reading(said=said, taken=frozenset(turned | left_open))


def takes_all_back(one: Statement) -> bool:
    """Whether this statement takes the whole of a policy back."""
    return bool(EVERYTHING.search(one.plain))


CLAUSES: tuple[Clause, ...] = (
    Clause(
        code="scope",
        title="what may be tested",
        section="introduction",
        mend="Say that the policy covers the systems listed in the scope.",
        maturity=2,
    ),
    Clause(
        code="channel",
        title="where reports go",
        section="channels",
        mend="Name the form or the address that reports go to, and say that no account is needed.",
        maturity=1,
    ),
    Clause(
        code="anonymous",
        title="reports without a name",
        section="channels",
        mend="Say that a report may be anonymous and how an anonymous person returns.",
    ),
    Clause(
        code="answer",
        title="when a person answers",
        section="promises",
        mend="Promise a first answer by a person, in hours or days.",
    ),
    Clause(
        code="decision",
        title="a decision with its reason",
        section="promises",
        mend="Promise to say whether the report is accepted, and why.",
    ),
    Clause(
        code="no_suit",
        title="no legal action",
        section="safe_harbor",
        mend="Say that you will not sue people who follow the policy in good faith, or report them.",
        maturity=3,
    ),
    Clause(
        code="authorised",
        title="research is authorised",
        section="safe_harbor",
        mend="Say that research under the policy is authorised.",
        maturity=4,
    ),
    Clause(
        code="circumvention",
        title="getting around a protection",
        section="safe_harbor",
        mend="Say that you raise no claim for getting around technical protections.",
        maturity=4,
    ),
    Clause(
        code="terms",
        title="terms of service are set aside",
        section="safe_harbor",
        mend="Say that terms of service and acceptable use rules which forbid such research do not apply to it.",
        maturity=4,
    ),
    Clause(
        code="third_party",
        title="if somebody else takes action",
        section="safe_harbor",
        mend="Say that you will state publicly that the research was authorised if somebody else takes action.",
        maturity=4,
    ),
    Clause(
        code="window",
        title="a window for publishing",
        section="disclosure",
        mend="Say after how many days the researcher may publish, 90 by custom.",
        maturity=5,
    ),
    Clause(
        code="extension",
        title="how the window is extended",
        section="disclosure",
        mend="Say how the window may be made longer: by agreement, once, by how many days at most.",
        maturity=5,
    ),
    Clause(
        code="ai_prompts",
        title="prompts that break the usage policy",
        section="ai_research",
        mend="Say that safe harbor covers prompts which the usage policy would otherwise forbid.",
        ai=True,
    ),
    Clause(
        code="ai_accounts",
        title="accounts used for research stay open",
        section="ai_research",
        mend="Say that accounts and keys are not suspended for research under the policy, or are restored.",
        ai=True,
    ),
    Clause(
        code="ai_hazard",
        title="what to do with hazardous output",
        section="ai_research",
        mend="Say: stop, do not share it, mark it; a hash or a description is enough. Child sexual abuse material is "
        "never uploaded.",
        ai=True,
    ),
    Clause(
        code="ai_personal",
        title="personal data in answers",
        section="ai_research",
        mend="Say what to do when an answer holds personal data: stop, black it out, delete the copy.",
        ai=True,
    ),
    Clause(
        code="ai_others",
        title="models and tools of other companies",
        section="ai_research",
        mend="Say that you cannot authorise tests of other companies' models and tools, and name those you build on.",
        ai=True,
    ),
    Clause(
        code="ai_limits",
        title="limits on queries and spending",
        section="ai_research",
        mend="Say how many calls a day, how many at once, and whom to ask for more.",
        ai=True,
    ),
    Clause(
        code="ai_transfer",
        title="flaws that other vendors share",
        section="ai_research",
        mend="Say that a researcher may tell other vendors with the same flaw, and when you share a report with them.",
        ai=True,
    ),
    Clause(
        code="ai_updates",
        title="model updates that erase a finding",
        section="ai_research",
        mend="Say that the version at the time of the report counts when a model changes.",
        ai=True,
    ),
    Clause(
        code="ai_machine_reports",
        title="reports written with AI",
        section="ai_research",
        mend="Say that reports written with the help of AI are welcome when a person has reproduced the flaw.",
        ai=True,
    ),
    Clause(
        code="ai_training",
        title="no training on reports",
        section="ai_research",
        mend="Say that reports are not used to train models or put into data sets without consent.",
        ai=True,
    ),
    Clause(
        code="ai_safety_channel",
        title="content safety has a channel of its own",
        section="ai_research",
        mend="Say where unsafe answers with no attack behind them go, apart from security reports.",
        ai=True,
    ),
)
