"""How each clause is promised: patterns of which every one must be found in a statement of the same section.

They are held against statements in their plain spelling (`policy_sentences`): small letters, "do not", "authorized".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from manyeyes.rules.policy_sentences import NO, NOT, SPAN, START, both, either, free, some

SUIT = (
    r"(?:sue|suing|prosecut\w+|lawsuits?|litigat\w+|take you to court|go to court|press(?:ing)? charges|"
    r"(?:legal|civil|criminal|court|law enforcement)(?:,? (?:and|or|and/or) (?:legal|civil|criminal))? "
    r"(?:action|claims?|steps|measures|proceedings|remedies)|claims? against)"
)
TERMS = (
    r"(?:terms (?:of (?:service|use)|and conditions)|acceptable us(?:e|age)|usage (?:polic|rule)\w*|\btos\b|\baup\b)"
)
AROUND = r"(?:circumvent\w*|(?:getting|get|gets|got|work\w*) around|bypass\w*|technical protections?)"
OTHERS = (
    r"(?:third[- ]part(?:y|ies)|somebody else|someone else|anyone else|anybody else|another party|others "
    r"(?:take|sue))"
)
VENDORS = (
    r"(?:other (?:vendors?|compan(?:y|ies)|makers?|providers?|suppliers?|labs?|developers?)|another (?:vendor|"
    r"company|"
    r"maker|provider|lab)|same (?:flaw|weakness|problem|vulnerability)|everyone affected)"
)
STRANGERS = (
    r"(?:other compan(?:y|ies)|another company|third[- ]part(?:y|ies)|models? of others|other (?:vendors|"
    r"providers|makers)|"
    r"suppliers?|somebody else's)"
)
CLOSE = r"(?:suspend|ban|clos|block|disabl|terminat|lock|revok|cut off|restrict|delet)\w*"
PROMPTS = r"(?:prompts?|jailbreaks?|prompt injections?|adversarial (?:testing|inputs?|prompts?)|model behavio\w*)"
_COVERS = (
    r"(?:covers?|covered|allow(?:s|ed)?|permit(?:s|ted)?|protect(?:s|ed)?|extends? to|includes?|applies to|"
    r"authorized|"
    r"you (?:may|can) (?:use|send|try|write)|fine)"
)
_CHILD = r"(?:child\w*|csam|minors?)"
_PUBLISH = r"(?:publish\w*|public\w*|disclos\w*|speak|talk about|go public)"
_ANSWERS = r"(?:answer|respon|acknowledg|repl(?:y|ies)|get back|hear from|confirm|contact you|write back|reads?\b)\w*"

_SAID: Mapping[str, tuple[str, ...]] = {
    "scope": (
        either(
            rf"\b(?:policy|program|page|safe harbor|it)\b {free(4)}(?:covers?|applies|extends)\b",
            rf"{START}you (?:may|can) {free(2)}test",
            rf"(?:systems?|services?|products?|following|assets) {free(6)}(?:are|is) {free(1)}in scope",
            rf"^test {free(3)}systems?",
        ),
    ),
    "channel": (
        rf"{START}{free(8)}(?:send|submit|file|report|write|tell|disclose|contact|use|reach|e?-?mail|"
        rf"go)\w*:? {free(14)}\S*(?:\bform\b|\bpage\b|mail|address|@|https?://|portal|channels?\b|inbox|"
        r"tracker|security\.txt)",
    ),
    "anonymous": (
        either(
            rf"{START}{free(9)}(?:may|can|free to|welcome to|able to|possible to|allowed to|choose to) "
            rf"{free(6)}(?:anonymous|without (?:an account|a name|your name|giving|registering|signing|"
            r"telling))",
            rf"\b(?:need|needs|require|requires|ask for|demand) no {some(2)}(?:account|name)",
            r"\bno (?:account|name) (?:is |are )?(?:needed|required|necessary)",
            rf"{START}{free(5)}(?:accept|welcome|take|read|allow)s? {free(4)}anonymous",
            rf"anonymous (?:reports?|submissions?) {free(2)}(?:accepted|welcome|possible|fine|allowed|"
            r"taken|read)",
            rf"{NOT} (?:need to|have to|required to|require|ask for|demand|need) {some(6)}(?:name|account|"
            r"identity|yourself|who you)",
        ),
    ),
    "answer": (
        either(
            rf"{START}{free(9)}(?<!not )(?<!never ){_ANSWERS} {free(10)}(?:within|in|after|no later than|"
            rf"at most|under) {free(3)}{SPAN}",
            rf"within {free(2)}{SPAN},? {free(8)}{_ANSWERS}",
        ),
    ),
    "decision": (
        both(
            rf"{START}{free(9)}(?:tell|say|inform|decid|decision|let you know|explain|notify|give|get|"
            r"learn|hear)",
            r"decid|decision|accept|validat|triag|confirm|verdict|outcome|close|valid\b|reject",
            either(
                r"\b(?<!not say )(?:why|reasons?|explain\w*|explanation|grounds)\b",
                rf"{NOT} {some(6)}without {some(4)}reason",
            ),
        ),
    ),
    "no_suit": (
        either(
            rf"(?<!\byou )(?:(?<!\bif we )(?<!\bthat we )(?:{NOT}|no\b|nor\b|without|refrain|waive|"
            r"against)) (?:(?!(?:hesitat|rul|exclud|only|promis|waiv|giv|refrain|stop|prevent|preclud|"
            r"limit|forg|abstain|guarant|agree|says?|means?|deny|denies|forfeit|shy|think|unless|"
            rf"regret)\w*\b)\S+\s+){{0,8}}{SUIT}(?! (?:against )?us\b)",
            rf"\b(?:agree|commit|pledge|promise|undertake|covenant)s? not to {some(6)}{SUIT}(?! (?:against )?us\b)",
        ),
    ),
    "authorised": (
        either(
            rf"{START}{free(9)}(?:regard|consider|treat|deem|view|see|count|recogniz)\w* {free(12)}(?:as |"
            r"to be |be )?:? ?\bauthorized",
            rf"(?:research|testing|tests|work|activit\w+|conduct|what you do) {free(14)}(?:is|are|be|"
            rf"counts as) {free(4)}\bauthorized",
            rf"{START}{free(3)}(?:authorize (?:you|your|such|this|good|security|research)|give you (?:our )?"
            r"(?:permission|authorization))\b(?!.*what we run)",
        ),
    ),
    "circumvention": (
        both(
            AROUND,
            either(
                rf"\bno {free(2)}(?:claim|action|complaint)",
                rf"{NOT} (?:(?!waive|hesitate|promise|rule)\S+ ){{0,7}}(?:raise|bring|make|pursue|file|"
                r"assert|sue|take|press|claim|hold)\b",
                rf"{START}{free(4)}(?:waive|forgo)",
                rf"{START}{free(9)}exempt",
                rf"{START}{free(9)}authorized",
            ),
        ),
    ),
    "terms": (
        both(
            TERMS,
            either(
                rf"{START}{free(9)}(?:set {free(6)}aside|waive)",
                rf"(?:^|[:;,] ?|\bis |\bare |\bbe ){free(2)}(?:waived|exempt)",
                rf"{START}{free(2)}exempt",
                r"(?:do|does|will|shall) not (?:apply|bind|stand in)",
                rf"{NOT} {some(2)}(?:enforce|hold you to|count|treat)",
                r"not a (?:breach|violation)",
                rf"(?:is|are) {free(3)}set aside",
            ),
        ),
    ),
    "third_party": (
        both(
            OTHERS,
            either(
                rf"{START}{free(6)}(?:say|state|declare|confirm|announce|testify|tell)\b "
                rf"{free(12)}(?:publicly|public|authorized|court|followed)",
                rf"{START}{free(8)}make {free(4)}known",
                rf"{START}{free(4)}(?:stand|speak) (?:up )?(?:by|with|for|behind) you",
                rf"{START}{free(5)}(?:issue|give|make|publish) {free(3)}statement",
            ),
        ),
    ),
    "window": (both(SPAN, rf"(?:(?<!\bnot )(?<!\bnever )\b{_PUBLISH} )(?!.*\bforever\b)|{_PUBLISH}[.,;:]?$"),),
    "extension": (
        both(
            r"\bexten[ds]\w*|\blonger\b|\bmore time\b|\bdelay\b|\bwait\b",
            either(
                r"\bonce\b",
                r"\bagree\w*",
                r"\bup to\b",
                r"\bat most\b",
                rf"{SPAN}",
                r"\btogether\b",
                r"\bmutual\w*",
                r"\bask\b",
                r"no extension",
                r"not (?:be )?exten",
            ),
        ),
    ),
    "ai_prompts": (
        both(
            PROMPTS,
            rf"{START}{free(9)}{_COVERS}\b",
            rf"{TERMS}|otherwise|forb[ai]d|violat|break|\bterms\b|\brules?\b|against",
        ),
    ),
    "ai_accounts": (
        either(
            rf"(?:{NOT}|\bno\b|nor\b) {some(6)}{CLOSE} {some(5)}(?:accounts?|keys?)",
            rf"(?:accounts?|keys?)\S* {free(8)}(?:{NOT}|never) {some(3)}{CLOSE}",
            rf"{START}{free(6)}(?:restore|reinstate|reopen|unlock)\w* {free(6)}(?:accounts?|keys?)",
            rf"(?:accounts?|keys?) {free(8)}(?:stays? open|remains? open|restored|reinstated|is safe|are "
            r"safe)",
        ),
    ),
    "ai_hazard": (
        rf"{START}{free(9)}(?:stop|cease)\b",
        rf"(?:{NOT}|\bno\b) {some(3)}(?:share|spread|post|publish|pass|repeat|forward)|\bhash\b",
        both(_CHILD, rf"(?:{NO}) {some(4)}(?:upload|send|produce|attach|include|creat|generat|keep|seek|collect)\w*"),
    ),
    "ai_personal": (
        both(
            r"personal(?:ly identifiable)? (?:data|information|details)|\bpii\b",
            either(
                rf"{START}{free(16)}(?:delet|redact|black|remov|stop|purge|cease|destroy|minim|mask)\w*",
                rf"{NOT} {some(4)}(?:keep|save|copy|store|share|download|collect)",
            ),
        ),
    ),
    "ai_others": (
        both(
            STRANGERS,
            either(
                rf"(?:can )?only {some(3)}authorize",
                rf"{NOT} {some(5)}(?:authorize|give permission|speak|bind|permit|cover)",
                r"(?:its|their) own (?:rules|terms|policy|policies)",
                r"rules of (?:its|their) own",
                rf"{NOT} bind",
            ),
        ),
    ),
    "ai_limits": (
        both(
            r"\b(?:limits?|at most|rate|budget|no more than|up to|maximum|spend\w*|fewer than|keep (?:to|"
            r"below))\b",
            r"\b(?:calls?|quer(?:y|ies)|requests?|tokens?|spend\w*|prompts|messages)\b",
            r"\d|scope|table|listed|beside|stand\b|ask",
        ),
    ),
    "ai_transfer": (
        both(
            VENDORS,
            rf"(?:you (?:may|can|are free to)|feel free to|please|we welcome|go ahead and|{START}) "
            rf"?{free(3)}(?:tell|share|inform|notify|warn|contact|reach|report)",
        ),
    ),
    "ai_updates": (
        both(
            r"\bupdat\w*|\bversions?\b|\bchang\w*|\bretrain\w*|\bvanish\w*",
            either(
                r"time of (?:your|the) report",
                r"when you (?:report|sent|tested|found)",
                r"date of",
                r"day (?:of|you)",
                r"still (?:a )?valid",
                r"remains? valid",
                r"counts\b",
                r"you (?:tested|reported)",
            ),
        ),
    ),
    "ai_machine_reports": (
        either(
            r"\b(?:ai|model|machine|scanner|chatbot|assistant|llm|tools?|automat\w+)\b.{0,60}\b(?:writ\w+|"
            r"reports?|generated|draft\w*|help\w*)",
            r"\b(?:writ\w+|reports?|generated|draft\w*|help)\b.{0,60}\b(?:ai|model|machine|scanner|"
            r"chatbot|llm)\b",
        ),
        both(
            r"\breproduc\w*|\bcheck\w*|\btried\b|\bverif\w*|\bconfirm\w*|\btest\w* (?:it|them)\b",
            rf"{START}{free(9)}(?:welcome|fine|accept\w*|allowed|may|can|take|read|good|ok|use)\b",
            r"\b(?:person|human|you|somebody|someone|people|yourself)\b",
        ),
    ),
    "ai_training": (
        either(
            rf"(?:{NOT}|\bno(?:thing)?\b|nor\b) (?:(?!only|stop|promise|hesitate|rule)\S+ "
            rf"){{0,9}}(?:train\w*|fine-tun\w*)\b",
            rf"(?:train|fine-tune)\b {free(8)}only (?:if|when|with|after) {free(4)}(?:you|your|consent|"
            r"permission)",
            rf"(?:ask|asking) {free(5)}before {some(8)}train",
        ),
    ),
    "ai_safety_channel": (
        both(
            r"safety|\bunsafe|\bwrong\b|\brude\b|\boffensive|\bharmful (?:answer|content)",
            rf"{START}{free(14)}(?:send|sent|goes?|report\w*|use|write|tell|mail|belongs?|contact)\b "
            rf"{free(10)}\S*(?:support|channel|address|@|https?://|form|button|desk|team|page)",
        ),
    ),
}

SAID: Mapping[str, tuple[re.Pattern[str], ...]] = {
    code: tuple(re.compile(pattern) for pattern in patterns) for code, patterns in _SAID.items()
}
