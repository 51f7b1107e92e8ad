"""How each clause is taken back: a promise turned round, a harm that is permitted, a condition that leaves it open.

One statement is enough, wherever it stands. As with the promises, statements come in their plain spelling. Patterns
read words and not intentions: who writes against them can still hide a threat.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from manyeyes.rules.policy_ai_denials import AI_DENIED, ARE_BARRED, NOT_LET
from manyeyes.rules.policy_promises import AROUND, OTHERS, STRANGERS, SUIT, TERMS
from manyeyes.rules.policy_sentences import NO, NOT, SPAN, START, WE, both, either, free, some, unless

_RESEARCH = r"(?:research|testing|tests?|work|activit\w+|conduct|what you do|reports?)"
_ELSEWHERE = (
    rf"following|methods|not listed|outside|out[- ]of[- ]scope|beyond|denial|social engineering|physical|"
    rf"{STRANGERS}|other entit|"
    rf"not (?:follow|"
    r"comply)|no longer in scope|except"
)
_AUTHORITY = r"(?:police|law enforcement|authorit(?:y|ies)|prosecutors?|court)"
_PEOPLE = (
    r"(?:violators?|offenders?|anyone|anybody|everyone|you|researchers?|reporters?|people|those|hackers?|attackers?|"
    r"persons?|who(?:so)?ever|testers?|abusers?|violations?|breach\w*)"
)
_OPEN_TIME = (
    r"(?:as often|as long as we|without (?:any )?(?:limit|end|asking|giving|telling|your)|indefinite\w*|any "
    r"number|unlimited|"
    r"again and again|whenever|no limit|at any time|at will|see fit|as we (?:like|wish|please)|forever|not "
    r"refuse|for good|"
    r"must (?:accept|agree|grant|wait)|for ever|however long)"
)

HEDGE = re.compile(
    r"\bat our (?:\S+ ){0,2}discretion|\bif we (?:so |ever )?(?:choose|wish|want|like|feel|please)\b|\bunless "
    r"we (?:decide|"
    r"choose|say|wish|think|change|prefer)|\bwhen(?:ever)? (?:it suits us|we (?:like|want|choose|feel|wish|"
    r"please))|as we see "
    r"fit|\breserves? the right|until we (?:decide|change|say) otherwise|\bsubject to change|where (?:it suits|"
    r"we (?:like|"
    rf"choose))|\b{NOT} (?:\S+ )?(?:promise|guarantee|undertake|commit|warrant|pledge|agree)\w*(?: that| to)\b|"
    rf"\bno (?:promise|"
    r"guarantee) (?:that|to)|we may change our mind|as a favor|not (?:be )?(?:binding|relied)"
)
"""What leaves a promise open; a statement that makes one and holds this takes it back."""

EVERYTHING = re.compile(
    rf"\b(?:nothing|no part|no word|no sentence) (?:in|on|of) (?:this|the|our) {some(3)}(?:binds?|protects?|"
    rf"obliges?|is (?:a "
    r"promise|binding)|prevents? us|stops? us|waives|limits? (?:us|our)|creates? (?:any )?(?:right|dut|oblig))|"
    r"\bthis (?:policy|"
    rf"page|safe harbor|promise) (?:is|does|shall|will) not (?:\S+ ){{0,2}}(?:promise|binding|bind us|protect "
    rf"you|apply to you)|"
    rf"{WE} {free(4)}(?:withdraw|revoke|cancel|take back|end|suspend|void) {free(4)}(?:promise|safe harbor|"
    rf"protection|"
    r"authorization)s?\b"
)
"""What takes the whole of a policy back."""

_DENIED: Mapping[str, tuple[str, ...]] = {
    "scope": (
        rf"\b(?:policy|program|page|safe harbor)\b {some(2)}(?:covers?|applies to|protects?) (?:no|none|"
        r"nothing)\b(?! (?:else|other))",
        rf"{NOT} (?:\S+ )?(?:cover|apply to|extend to|protect) (?:the |any |these |those |all )?(?:\S+ "
        r")?systems? (?:listed|named|in)\b",
        r"\b(?:nothing|no (?:systems?|services?|products?)(?: \S+)?) (?:is|are|may be|can be) (?:in scope|"
        r"tested|covered)",
        unless(
            _ELSEWHERE,
            rf"\b(?:nothing|none) {some(6)}(?:is|are|may be|can be) (?:in scope|tested|covered|protected)",
            rf"\b(?:covers?|protects?) {some(3)}no systems?",
        ),
        unless(_ELSEWHERE, rf"\byou {NOT} test {some(4)}(?:systems?|anything)"),
    ),
    "channel": (
        rf"{NOT} (?:\S+ )?(?:accept|read|take|receive|open|look at|want|monitor) (?:any |your |the |these |"
        r"outside )?(?:reports?|submissions?|messages)(?:$|[.,;]| (?:sent )?(?:through|by|from|via) (?:this|the|"
        r"our|anyone|anybody|strangers|out|people|research|the public))",
        rf"{START}{some(1)}{NOT} (?:send|submit|file) (?:us |your |any |a )*reports?(?:$|[.,;]| (?:to us|"
        r"through (?:this|the) (?:form|page)))",
        r"\bno (?:form|address|channel|one reads|one looks|reports (?:are|is) (?:read|accepted|taken))\b",
        rf"\breports? (?:sent )?(?:through|via|by|to) (?:this|the|our) \S+ (?:is|are|go|goes) {some(2)}(?:not|"
        rf"never|un)",
        rf"{WE} (?:ignore|delete|discard|reject|bin)s? (?:all |your |any |these |such )*reports?(?:$|[.,;]| from)",
        r"\bkeep (?:your |the |any )?(?:reports?|findings?) (?:to yourself|secret)",
        r"\bthe form (?:is|has been) (?:closed|shut|gone|off)",
        r"\bthere is not (?:a|any) (?:form|address|channel)",
    ),
    "anonymous": (
        rf"{NOT} (?:\S+ )?(?:stay|remain|report|be|file|send|submit) {some(4)}(?:anonymous|without (?:a "
        r"name|an account|your name))",
        rf"{NOT} (?:\S+ )?(?:accept|read|take|answer|allow|consider|process|look at|permit|welcome) "
        rf"{some(3)}anonymous",
        rf"anonymous\S* (?:reports?|submissions?|people|researchers?)? ?(?:{ARE_BARRED}|{NOT_LET}|go "
        rf"unread|{NOT} (?:read|answered))",
        r"\bno anonymous",
        rf"\bnobody (?:may|can) {some(3)}anonymous",
        unless(
            r"reward|payment|paid|payout|bount|credit|\btax|money|test accounts?|own accounts?|your e?-?mail",
            r"(?<!not )(?<!not be )\b(?:must|ha(?:ve|s) to|needs? to|shall|required to|obliged to|(?:is|are) to) "
            r"(?:first |also )?(?:give|provide|include|register|sign (?:up|in)|identify|state|supply|"
            rf"create|open|tell|disclose|verify|reveal|prove) {some(5)}\S*(?:name|accounts?|identity|"
            r"yourself|address|passport|who (?:you|they))",
            rf"without (?:an? |your |the )?(?:\S+ )?name {free(1)}(?:is|are|will be|gets?|goes) "
            rf"{some(1)}(?:thrown|ignored|"
            r"refused|deleted|closed|rejected|not|unread)",
            rf"\bonly (?:read|accept|answer|take|consider)s? {some(8)}\bname\b",
            r"(?:account|(?:real|legal|full) name|identity (?:card|document)|proof of identity) (?:is|"
            r"are) (?:required|needed|mandatory|demanded)",
        ),
    ),
    "answer": (
        rf"(?:{WE}|nobody|no one|a person) {some(3)}(?:{NOT}) {some(4)}(?:answer|respond|reply|acknowledge|"
        r"get back)\w* (?:you\b|your|reports?|within|to (?:you|your|reports?|every)|in\b)",
        rf"\b(?:no ?body|no person|no one|no human) {some(3)}(?:answers?|responds?|replies|reads) (?:you|"
        r"your|within|to)\b",
        rf"(?:answers?|responds?|repl(?:y|ies)|acknowledges?) {some(5)}(?:when(?:ever)? (?:we|it|there)|if "
        r"(?:we|there|it)|only if|some ?day|in (?:our )?own time)",
        r"\bno (?:answer|reply|response)\b(?! (?:came|comes|within|from))",
        r"(?:answer|reply|response) (?:is|are) not (?:promised|guaranteed)",
        rf"\b(?:do not|never) (?:expect|wait for) {some(2)}(?:answer|reply|response|to hear)",
        rf"\byou {NOT} (?:hear from|get|receive) {some(3)}(?:us|answer|reply|response)\b",
        r"\bmay or may not\b",
        r"a (?:machine|bot|robot|script), not a person",
    ),
    "decision": (
        rf"(?:(?<!not )(?<!never )(?:{WE})|nobody|no one) (?:(?!{NOT}\b)\S+ )?{NOT} {some(2)}(?:say|tell|"
        rf"explain|give|state|share|owe|justify|offer|disclose|inform) {some(8)}\b(?:why|reasons?|"
        r"explanation|grounds|decision|whether)",
        rf"^(?:(?!{NO}\b)\S+\s+)*?without (?:giving |telling |saying |any |a |you |the |stating "
        r")*(?:reasons?|why|explanation|grounds)",
        unless(
            r"need no (?:reason|explanation)",
            rf"\bno (?:reasons?|explanation|grounds)\b (?:(?:is|are|will be|need)|for {some(3)}(?:decision|clos|"
            rf"what we))",
        ),
        r"\bdecides? in silence",
        r"keep (?:our|the) reasons",
        r"close reports? (?:in silence|without a word)",
        r"\bdecisions? (?:is|are|stays?) (?:secret|final and unexplained|not explained)",
    ),
    "no_suit": (
        unless(
            "hope|rather than",
            rf"{WE} {free(8)}(?:{SUIT}|(?:bring|pursue|file|raise) {free(3)}(?:claims?|actions?|damages|"
            rf"remedies|charges|you)\b|seek {free(2)}(?:damages|injunction|compensation)|(?:report|refer|"
            r"hand|denounce) (?:you|them|violators|researchers|your (?:name|identity)) "
            rf"{free(3)}{_AUTHORITY})",
        ),
        r"(?<!give up )(?<!waive )(?:\bour |\bthe |\ball |\bany |every )(?:legal )?(?:rights?|freedom|"
        rf"option) {free(5)}(?:to|of) {free(4)}(?:{SUIT}|(?:report|refer) you)",
        unless(
            OTHERS,
            rf"{_PEOPLE} {free(10)}(?:will|may|shall|can|could|might|must) (?:be )?{free(2)}(?:sued|"
            r"prosecuted|reported to|referred to|handed (?:over )?to|held liable|liable|tracked|traced|"
            r"arrested|hunted|pursued|subject to (?:legal|civil|criminal|prosecution)|face (?:legal|civil|"
            r"criminal|charges|prosecution|consequences|court))",
        ),
        rf"{NOT} (?:\S+ )?(?:rule out|exclude|preclude|prevent|waive|hesitate|promise|guarantee|refrain|"
        rf"give up|forgo|shy) {some(6)}{SUIT}",
        rf"\b(?:nothing|no promise) {some(5)}(?:prevents?|stops?|keeps?|limits?) us",
        rf"legal (?:action|steps) {free(4)}(?:may|can|will|could) {free(2)}(?:be taken|follow)",
        unless(
            OTHERS + r"|\bif\b",
            r"(?:may|might|can|could|will|shall|would) (?:also |still |always |then |well )*(?:sue|prosecute|"
            r"press charges|"
            r"take (?:you to court|legal action))\b",
        ),
        rf"{NOT} only {some(3)}{SUIT}",
        r"\b(?:legal|all) (?:\S+ )?remedies (?:\S+ ){0,2}(?:remain|stay|are)\b",
    ),
    "authorised": (
        unless(
            _ELSEWHERE,
            rf"{NOT} (?:\S+ )?(?:regard|consider|treat|deem|view|see|accept|recogniz\w*|call|count) "
            rf"{some(8)}\bauthorized",
            rf"{_RESEARCH} {free(8)}{NOT} (?:\S+ ){{0,3}}\bauthorized",
            rf"(?:regard|consider|treat|deem|view|see)\w* {some(8)}(?:unauthorized|without authorization|"
            r"unlawful|illegal|hostile|an attack|a crime|an offence|a threat)",
            rf"{_RESEARCH} {some(6)}(?:is|are|stays?|remains?|counts as) (?:\S+ )?(?:unauthorized|forbidden|"
            r"prohibited|illegal|unlawful|an attack|a crime|an offence|a threat)",
            rf"\bnothing you do {some(4)}authorized",
            r"\bno authorization (?:of|for|to)\b",
            r"(?:do|does|will|can|shall) not authorize (?:your|any|this|such|the|security|you)\b",
            rf"\bno (?:\S+ )?{_RESEARCH} {some(6)}(?:is|are) authorized",
            r"authoriz(?:es?|ed|ation) (?:no|nothing|nobody)\b",
            r"(?:authorized only|only authorized) (?:after|when|with|if (?:we|you (?:have|hold|ask))|"
            r"where we|once we)",
            rf"{NOT} (?:give|grant)s? you {some(2)}(?:permission|authorization) to (?:test|do|carry|research)",
        ),
    ),
    "circumvention": (
        both(
            AROUND,
            either(
                rf"{WE} {free(6)}(?:raise|bring|make|pursue|file|press|assert|take) {free(3)}(?:claims?|"
                r"complaints?|actions?|charges|steps)",
                rf"{WE} {free(5)}(?:sue|prosecute)",
                rf"{ARE_BARRED}",
                rf"{NOT_LET}",
                rf"{NOT} (?:\S+ )?(?:waive|forgo|give up|exempt|forgive|excuse)",
                r"(?<!the )\blaw applies",
                r"full force",
                rf"{NOT} (?:promise|undertake)",
            ),
        ),
        unless(
            OTHERS + "|prompt|filter",
            r"(?:^|[,;] |please |you (?:must|may|shall|should) )(?:do not|must not|never|not) (?:\S+ "
            rf")?(?:circumvent|bypass|get around|break) {some(3)}(?:protections?|controls?|measures?|"
            r"safeguards?)",
        ),
    ),
    "terms": (
        both(
            TERMS,
            either(
                rf"{NOT} (?:\S+ )?(?:set|waive|suspend|lift|relax|drop|override|exempt) ",
                rf"{NOT} (?:\S+ ){{0,2}}(?:exempt|waived|set aside|lifted|suspended)",
                r"\bno exemption",
                rf"{WE} {free(2)}(?:enforce|insist on)",
                rf"\b(?:you|remain|stay|are|be) {free(2)}bound by",
                r"\bset nothing aside",
                rf"{WE} {free(2)}(?:close|suspend|ban|sue|punish)",
                r"(?:terms|polic(?:y|ies)|rules|they|all|use|service)\b (?:\S+ )?(?:still |always |also |"
                r"fully |continue to |will |shall |and )*(?:appl(?:y|ies)|prevails?|govern|come first|"
                r"takes? precedence|remains? in force|stays? in force|binds? you|hold)(?! to everything| "
                r"outside)",
            ),
        ),
        r"(?<!not )\b(?:must|have to|shall|need to|required to) (?:\S+ )?(?:follow|comply with|obey|"
        rf"respect|keep to|honou?r|abide by) {some(4)}{TERMS}",
        rf"{NOT} set (?:those|these|the|our|any) {some(2)}(?:terms|rules|polic\w+) aside",
        rf"breach of {some(3)}{TERMS}",
    ),
    "third_party": (
        both(
            OTHERS,
            either(
                rf"{NOT} (?:\S+ )?(?:say|state|make|help|confirm|declare|tell|intervene|stand|vouch|step "
                r"in|comment|take|support|speak (?!for)|testify|get involved|be on|"
                r"defend)\b(?!.*authorize security)",
                r"\bour silence",
                rf"{WE} {free(3)}(?:help|support|side with|join|back) (?:them|that party|the other)",
                r"(?:stay|keep|remain) (?:silent|out|quiet)",
                r"your own (?:problem|risk|matter|business)",
                r"on your own",
                r"no (?:help|statement|comment|support)",
                r"not our (?:problem|matter|business|concern)",
                r"\bdeny\b",
                r"say (?:publicly )?that you were not",
                r"disown",
            ),
        ),
        rf"{NOT} (?:say|state|confirm|declare|make (?:it )?known) {some(4)}(?:that )?you (?:were|are|had "
        r"been) authorized",
        rf"{NOT} say (?:so )?publicly",
    ),
    "window": (
        unless(
            rf"until {some(4)}{SPAN}|before|unless|\btill\b|earlier|sooner|{SPAN}|until the fix|until "
            r"(?:it is|we have) fixed|personal|hazard|harmful|customer|other people|someone|user'?s'? "
            r"data|until their release|details of others",
            rf"(?:you {free(2)}{NOT}:?|(?:^|[;,] |please |and )(?:do not|never|must not)) (?:\S+ )?(?:publish|"
            rf"disclose|"
            r"speak|go public|talk)",
            r"\bpublish nothing",
            rf"(?:publish\w*|publication|disclosure|speaking) {some(5)}(?:{ARE_BARRED}|{NOT_LET}|needs? "
            rf"our|requires? our|only (?:with|after|when|if) {some(3)}(?:consent|permission|approv\w+|"
            r"agree\w*|allow\w*))",
            r"(?:confidential|secret|silent|silence) (?:forever|indefinitely|for ever|without end)",
            r"no right to publish",
        ),
        rf"(?:after|even after|also after|not even (?:after )?)\s*{SPAN},? {some(6)}(?:{NOT}|forbidden|"
        r"only with|need our|nothing)",
        rf"{NOT} {some(3)}(?:publish|speak|disclose|talk)\w*,? (?:even |not even |also )+(?:after|when|once|if)",
        rf"{SPAN} {some(8)}only (?:with|if|when|after) (?:our|we) (?:\S+ )?(?:consent|permission|approv\w*|"
        r"agree\w*)",
        rf"{NOT} free to (?:publish|speak)",
        rf"{NOT} (?:publish|disclose|speak) {some(8)}(?:at any time|ever\b|in any form)",
    ),
    "extension": (
        both(r"\bexten\w*|\bprolong\w*|\blasts?\b|\blonger\b|\bmore time\b|\bthe window\b|\bdelay\b", _OPEN_TIME),
        unless(r"agree|both|together", rf"{WE} {free(2)}(?:alone|ourselves) {some(3)}(?:exten|decide how long)"),
        rf"you {NOT} (?:refuse|object|decline)",
    ),
}

DENIED: Mapping[str, tuple[re.Pattern[str], ...]] = {
    code: tuple(re.compile(pattern) for pattern in patterns) for code, patterns in {**_DENIED, **AI_DENIED}.items()
}
