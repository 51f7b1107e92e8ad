"""How the clauses that AI research needs are taken back; the classic ones stand in `policy_denials`."""

from __future__ import annotations

from collections.abc import Mapping

from manyeyes.rules.policy_promises import CLOSE, OTHERS, PROMPTS, STRANGERS, VENDORS
from manyeyes.rules.policy_sentences import MAY, NOT, START, WE, both, either, free, some, unless

_BARRED = (
    r"(?:forbidden|prohibited|banned|unlawful|illegal|a crime|an offence|punish\w*|excluded|rejected|refused|ignored|"
    r"discarded|deleted unread|unwelcome|void|disallowed)"
)
ARE_BARRED = rf"(?:is|are|be|get|remains?|stays?|will be|counts? as) (?:\S+ ){{0,2}}{_BARRED}"
NOT_LET = (
    rf"{NOT} (?:\S+ ){{0,2}}(?:allowed|permitted|authorized|covered|accepted|welcome|tolerated|protected|"
    r"exempt|part of)"
)

AI_DENIED: Mapping[str, tuple[str, ...]] = {
    "ai_prompts": (
        unless(
            r"child|sexual|minors?|csam|weapon|alone\b|only (?:change|make|show)|without|that (?:only|do "
            rf"not|have no)|unless|no (?:effect|impact)|{OTHERS}|personal|not in scope: ",
            rf"{NOT} (?:\S+ )?(?:cover|protect|extend to|include|allow|permit|accept|apply to)s? "
            rf"{some(5)}{PROMPTS}",
            rf"{PROMPTS} {some(12)}(?:{ARE_BARRED}|{NOT_LET}|(?:is|are) {some(1)}(?:out of scope|"
            r"unprotected|not in scope))",
            rf"(?:covers?|protects?|allows?) (?:no|none of the) {some(2)}{PROMPTS}",
            rf"(?:exclud|forbid|prohibit|ban)\w* {some(6)}{PROMPTS}",
            rf"{START}(?:please |you )?{NOT} (?:use|send|try|write|submit|enter) {some(3)}(?:jailbreaks?|"
            r"adversarial|prompts? (?:that|which) (?:break|violat|would|our))",
            rf"{NOT} (?:test|probe|attack) {some(3)}(?:ai models?|language models?|{PROMPTS})",
        ),
    ),
    "ai_accounts": (
        unless(
            r"by mistake|in error|by itself|accident|(?<!not )(?<!never )\brestor|(?<!not )\breinstat|"
            r"outside (?:of )?(?:this|the) (?:policy|program)|fraud|not research|unrelated",
            rf"{WE} {free(5)}{CLOSE} {free(6)}(?:accounts?|keys?)\b",
            rf"(?:accounts?|keys?)\b {free(8)}(?:may|will|can|could|might|shall) (?:also |still |then )?be "
            rf"(?:\S+ )?{CLOSE}",
            rf"(?<!if your )(?<!if an )(?<!if the )\b(?:accounts?|keys?)\b {free(6)}(?:is|are|gets?) {CLOSE}",
            rf"(?:lose|cost you|forfeit) {free(3)}(?:accounts?|keys?|access)",
        ),
        rf"{NOT} (?:\S+ )?(?:restore|reinstate|reopen|unlock|unblock|give back) (?:it\b|them\b|(?:\S+ "
        rf")?(?:accounts?|keys?))",
        rf"{NOT} (?:be )?(?:restored|reinstated)",
        r"stays? (?:closed|banned|suspended|locked)",
    ),
    "ai_hazard": (
        rf"(?:^|[,;|] |\byou )(?:{NOT}) (?:need to |have to )?stop\b",
        r"\bno need to stop",
        r"(?:hazard\w*|dangerous|harmful|harm people).{0,80}(?:keep going|carry on|go on|continue|as much)",
        rf"{START}{free(3)}(?:share|spread|post|pass) (?:it|them) {free(2)}(?:widely|freely|with (?:every|"
        r"other|friends|any)|online|on the|in public|publicly)",
        both(
            r"\bchild\w*|\bcsam\b|\bminors?\b",
            either(
                rf"^{free(12)}(?:upload|attach|send|produce|keep|save|collect|include)\b",
                r"and (?:upload|attach|send|keep) (?:it|them)\b",
            ),
        ),
    ),
    "ai_personal": (
        both(
            r"personal (?:data|information|details)",
            either(
                r"(?:^|[,;|] |and |you (?:may|can|should|must|shall) |please )(?:then |first )?(?:keep|"
                r"save|collect|download|copy|publish|share|gather)\b(?! (?:as little|only|no|nothing|none|"
                r"it safe))",
                rf"{NOT} (?:need to )?(?:black|redact|mask|stop)\b",
                r"\bno need to (?:black|redact|mask|stop|delete)\b",
                r"send us (?:all|every|the whole)",
            ),
        ),
        rf"{NOT} (?:need to )?delete (?:your|the|any) cop(?:y|ies)",
        r"^(?!.*delete).*\bkeep your copy",
    ),
    "ai_others": (
        unless(
            r"\bonly authorize",
            rf"{START}{free(3)}authorize\w* {free(8)}{STRANGERS}",
            rf"{START}you {free(2)}(?:may|can|are free to) {free(2)}(?:test|attack|probe) "
            rf"{free(6)}{STRANGERS}",
            rf"{STRANGERS} {free(8)}(?:is|are) {free(2)}(?:authorized|fair game|covered)",
            rf"(?:covers?|extends? to) {free(5)}{STRANGERS}",
            rf"{NOT} (?:its|their|any|have (?:its|their|any)) (?:own )?rules",
            r"no rules of (?:its|their) own",
        ),
        rf"authorize tests of what we {NOT}",
        rf"(?:need|have to|must) {NOT} (?:care|mind|ask|read) {some(4)}rules",
    ),
    "ai_limits": (
        rf"\b(?:no|not any) limits?\b {some(4)}(?:calls?|queries|requests|spend\w*|tokens)",
        rf"limits? {some(4)}(?:is|are|stays?|remains?) (?:secret|not (?:published|told|said)|unknown|ours to know)",
        rf"{NOT} (?:say|tell|publish) {some(3)}(?:how many|limits?|which limits?)",
        r"as many (?:calls|queries|requests)? ?as you (?:like|want)",
        r"limits? (?:may |can |will )?changes? without",
        r"\bno (?:automat\w+ |scripted |model )?(?:calls?|queries|requests) (?:is|are|may)\b",
        r"(?:automat\w+|scripted) (?:requests?|calls?|queries|tests?|testing)(?: and \S+)? "
        rf"{free(2)}(?:{ARE_BARRED}|{NOT_LET})",
        r"\bat most (?:0|zero|no) ",
    ),
    "ai_transfer": (
        both(
            rf"{VENDORS}|shared flaws?",
            either(
                rf"you (?:\S+ )?{NOT} (?:\S+ )?(?:tell|inform|share|notify|warn|contact|reach)\b",
                r"keep it (?:from|to yourself)",
                rf"{NOT} (?:tell|warn|inform|notify|contact) them\b",
                r"\b(?:stay|keep|remain) (?:silent|quiet)",
            ),
        ),
        r"(?:do not|never|must not|may not) (?:\S+ )?(?:tell|inform|share|notify|warn|contact) "
        rf"{some(4)}{VENDORS}",
        rf"{VENDORS} {some(6)}(?:must|may|shall|need|should) (?:not|never) (?:know|learn|hear|be told)",
        r"only we (?:may|can|tell)",
        rf"{WE} {free(3)}share your report {some(4)}(?:without|whether or not|regardless|even if|as we)",
    ),
    "ai_updates": (
        r"(?:vanish\w*|gone|disappear\w*|older versions?|old versions?|earlier versions?|updat\w*|"
        rf"chang\w*) {some(6)}(?:{NOT}|never) {some(4)}(?:valid|counts?|accept\w*)",
        r"what counts is (?:only )?the (?:latest|newest|current|version (?:we|(?:at the time|on the day) (?:we|"
        r"of our)|"
        r"today|in (?:use|force) when we))",
        rf"(?:vanish\w*|gone|disappear\w*) {some(5)}(?:is|are) (?:closed|void|dropped|rejected)",
        rf"(?:clos|void|discard|drop|reject)\w* {some(4)}(?:after|when|once) {some(3)}(?:updat|chang)",
        rf"version at the time of (?:your|the) report {NOT} count",
        rf"(?:updat|chang)\w* {some(4)}(?:ends?|voids?|erases?|closes?) (?:your|the|every|all|a) (?:report|"
        r"claim)",
    ),
    "ai_machine_reports": (
        unless(
            r"unless|until|that nobody|no ?body has|no person has|not (?:been )?(?:reproduced|checked|"
            r"verified|tested|tried)|unverified|unchecked|without|untested",
            rf"(?:written|made|generated|drafted|help) {some(4)}(?:ai|a model|models?|machines?|chatbot|"
            rf"llm|tools?|scanners?)\b.*?(?:{ARE_BARRED}|{NOT_LET}|closed|{NOT} (?:read|answered|taken))",
            rf"{NOT} (?:accept|read|take|welcome) {some(4)}(?:written|made|generated|drafted) "
            rf"{some(3)}(?:ai|a model|machines?)\b",
            rf"(?:ai|machine|model)-(?:written|generated|made) {some(3)}(?:{ARE_BARRED}|{NOT_LET})",
            rf"(?:written|made|generated|drafted) {some(2)}(?:ai|a model|machines?)\b.*{WE} {free(2)}(?:refuse|"
            rf"reject|close|"
            r"delete|ignore|discard|ban)",
        ),
        rf"(?:welcome|fine|accept\w*) {some(4)}(?:even if|whether or not|without|when (?:nobody|no person|"
        rf"no one)|although) {some(5)}(?:reproduc|check|verif|tried|tested)",
        r"need not (?:be |have been )?(?:reproduc|check|verif)",
    ),
    "ai_training": (
        unless(
            r"\bonly (?:if|when|with|after)|(?:^|, |;)?\bif you (?:agree|consent|say|allow|want)|"
            r"(?<!without )your (?:\S+ )?(?:consent|permission|agreement)|unless you|our (?:staff|people|"
            rf"team)|before {some(6)}train",
            rf"{WE} {free(6)}(?:train\w*|fine-tune)\b",
            rf"(?:reports?|it|they|what you send|prompts?|data) {free(2)}{MAY} {free(5)}(?:train\w*|data "
            r"?sets?)\b",
            r"\b(?:becomes?|used as) (?:part of )?(?:our )?training",
            rf"{WE} {free(4)}(?:put|add|copy|feed) {free(8)}(?:training|data ?sets?)",
        ),
        r"you (?:thereby |also )?(?:agree|consent|accept|allow|permit|let|grant)\w* (?!to "
        rf")?{free(8)}train\w*",
        rf"^{free(20)}train\w* {some(8)}(?:without (?:asking|your)|whether or not|regardless|even if you|unless we)",
        rf"{NOT} (?:ask|need your) {some(6)}train\w*",
    ),
    "ai_safety_channel": (
        both(
            r"safety|\bunsafe|\bwrong\b|\brude\b|\binvented",
            either(
                rf"{NOT} (?:\S+ )?(?:want|read|take|collect|accept|listen|hear|care)\b(?!.*(?:support|"
                r"channel|@|https?|button))",
                r"(?:no|not (?:a|any)) (?:\S+ )?(?:channel|address|way|place)\b",
                r"nowhere",
                r"\b(?:nobody|no one) (?:reads|wants|looks)",
                r"to (?:nobody|no one)",
                r"keep (?:these|them|such|it) to yourself",
                rf"{NOT} send",
                rf"{ARE_BARRED}",
            ),
        ),
        rf"{NOT} send (?:these|those|them|such) {some(3)}(?:to|anywhere)",
        r"send (?:these|them) (?:nowhere|to nobody)",
    ),
}
