"""How messages say that a service can't work now. The FCP's messages are not published (ASSUMED).

The sets of patterns differ in what else in a message outweighs them; ``failure_kinds`` weighs them.
"""

from __future__ import annotations

import re


def pattern(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern for any of the alternatives, whatever their case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


_PROGRAM = (
    r"(?:systems?|servers?|data ?bases?|db|hosts?|apis?|gateway|web ?sites?|site|application|platform|networks?"
    r"|back-?end|connection|portal|fcp|fulfillment control panel|web ?services?|sql|cluster|queue|engine|interface"
    r"|end ?point|catalog(?:ue)?|wms|erp|oms|node|back office)"
)
# "Service" alone may be a carrier's: it needs one of these before it.
_SERVICE = (
    r"(?:web|log-?in|log in|authentication|authori[sz]ation|auth|token|account|order\w*|import|api|xml|soap|data ?base"
    r"|look-?up|validation|verification|rat(?:e|ing)|inventory|stock|skus?|items?|products?|catalog|address|status"
    r"|tracking|remote|internal|external|background|upstream|warehouse|fulfillment) services?"
)
_WORK = (
    r"(?:log-?in|log in|authentication|authori[sz]ation|look-?up|search|validation|verification|import"
    r"|order (?:entry|intake|import|processing|submission)|processing)"
)
_AWAY = (
    r"(?:(?:too )?busy|over-?loaded|un-?available|not available|unreachable|not reachable|not respond\w*|unresponsive"
    r"|down|off-?line|out of (?:service|order)|(?:at|over|beyond) (?:\w+ )?capacity|under maintenance|not ready"
    r"|full|being \w+ed|re-?start\w*|re-?boot\w*|shutting down|starting up|time[sd]?[\s-]?out"
    r"|closed for|locked|halted|disabled|undergoing|exhausted|recovering|initiali[sz]ing"
    r"|read-? ?only|in [\w-]+(?: only)? mode)"
)
_BETWEEN = (
    r"(?: (?:is|are|was|has|have|been|be|being|gone|went|seems|appears|to|currently|temporarily|momentarily|presently"
    r"|now|still|already|too|very|again|just)){0,4} "
)
_COULD_NOT = r"(?:could not|couldn't|can ?not|can't|unable to|failed to|failure|failed|error|problem|trouble)"

SYSTEM = pattern(
    rf"\b(?:{_PROGRAM}|{_SERVICE}){_BETWEEN}{_AWAY}\b",
    rf"\b{_WORK}{_BETWEEN}(?:un-?available|off-?line|down|busy|over-?loaded|out of service"
    r"|disabled|suspended)\b",
    rf"\b(?:busy|over-?loaded|unavailable|unresponsive|unreachable) {_PROGRAM}\b",
    rf"\bservice{_BETWEEN}{_AWAY} (?:while|during|when|due to|because)\b",
    r"\b(?:under|undergoing|in|down for|closed for|due to|because of|during)(?: \w+){0,3} maintenance\b",
    r"\bmaintenance (?:mode|window|in progress|period|underway|work|is (?:in|under)|until)",
    r"\b(?:system|server|site|scheduled|planned|routine|emergency|data ?base|nightly|website|service) maintenance\b",
    rf"\b{_COULD_NOT}(?: \w+)? (?:connect|reach|contact|communicat|access|open|quer|writ|read)\w*"
    rf"(?: \w+){{0,3}} {_PROGRAM}\b",
    r"\bconnection\b(?: \w+){0,4} (?:refused|reset|lost|closed|failed|failure|error|aborted|broken|dropped)\b",
    r"\b(?:lost|no|broken) connection\b|\bbroken pipe\b|\b(?:access denied|log-?in failed) for user\b",
    r"\btoo many (?:\w+ )?(?:requests?|connections?|calls?|quer(?:y|ies)|sessions?|users?|transactions?"
    r"|attempts?|submissions?)\b",
    r"\bthrottl\w*|\brate[\s-]?limit\w*|\bslow down\b",
    r"\b(?:request|api|call|usage|quota|connection|concurrency|transaction)s?(?: rate)? (?:limit|quota)\b",
    r"\bmax(?:imum)?(?: \w+){0,4} (?:connections|requests|calls|sessions)\b",
    r"\bexceeded(?: the| maximum| allowed)* number of(?: allowed| concurrent)? (?:requests|calls|connections)\b",
    r"\brequest rate\b|\brate (?:too high|exceeded)\b|\bexceeded rate\b|\btoo (?:quickly|fast|often|frequently)\b",
    r"\bpool (?:is )?exhausted\b",
    r"\bno (?:available (?:servers?|connections?)|(?:servers?|connections?)(?: \w+)? available)\b",
    r"\b(?:requests|calls|orders|transactions|submissions|quota)[^.;]{0,12}? per (?:second|minute|hour|day)\b",
    r"\b(?:quota|limit) per (?:second|minute|hour|day)\b",
    r"\bdead-?lock(?:ed)? (?:on|found|detected|victim|while|when|error)|\bdead-?locked\b",
    r"\block wait\b|\b(?:obtain|acquire|get|release|hold)\w*(?: \w+){0,2} lock\b|\block request\b",
    r"\block (?:conflict|contention)\b|\brecords?\b[^.;]{0,30} (?:is|are)(?: currently)? locked\b",
    r"\block could not be\b|\block(?:ed)? (?:while|during)\b|\b(?:records?|rows?)(?: \w+)? in use\b",
    r"\b(?:updated|modified|changed) by another (?:process|user|transaction)\b",
    r"\bserializ(?:e access|ation failure)|\bsnapshot isolation\b",
    r"\btransaction(?: \w+){0,2} (?:aborted|rolled back|failed)\b|\boperation(?: was)? (?:aborted|cancell?ed)\b",
    r"\block (?:the )?(?:\w+ )?(?:rows?|tables?|records?)\b",
    rf"\b(?:records?|rows?|tables?|files?|data ?base|resource|page)(?: \W?\w+\W)?{_BETWEEN}locked\b",
    r"\blocked by (?:another|other)\b|\bin use by (?:another|other) (?:process|user|session|transaction)",
    r"\bout of memory\b|\bdisk (?:is )?full\b|\bno space left\b",
    r"\b(?:insufficient|low on) (?:memory|disk|(?:\w+ )?resources)\b",
    r"\b(?:invalid|no|bad|empty|unexpected) (?:response|reply|answer) (?:from|received)\b",
    r"\bcurrent state of the object\b|\bgate ?way time-?\s?out\b",
)
"""Statements about the service as a system. Only a certain duplicate outweighs them."""
ERROR = pattern(
    r"\b(?:internal|system|servers?|services?|data ?base|db|unexpected|unknown|unhandled|fatal|technical|application"
    r"|run-?time|network|communications?|sql|general|temporary|transient|program|software|processing|unspecified|critical|generic|intermittent|transport(?:-level)?)"
    r"(?: \w+)? (?:errors?|exception|failures?|problems?|faults?|difficult\w*|issues?)\b",
    r"\bexceptions?\b|\bobject reference not set\b|\bnull pointer\b|\bstack overflow\b|\bora-?\d{4,5}\b|\bsqlstate\b",
    r"\b(?:back-?end|upstream|gateway|proxy)(?: \w+){0,2} (?:error|failed|failure)\b",
    r"\b(?:server|system)(?: \w+)? (?:returned|encountered|reported) an? \w+",
    r"\b(?:error|failed|failure)\b(?! to (?:find|locate))[^.;]{0,30}\bdata ?base\b",
    r"\b(?:execution|response|processing) time(?: limit)?(?: of)?(?: \w+){0,2} exceeded\b|\btook too long\b",
    r"\b(?:batch|end of day|nightly \w+|backup|upgrade|update|count)(?: \w+)? (?:in progress|running|underway)\b",
    r"\bfail-?over\b|\breplication\b|\bread-? ?only mode\b",
    r"\bdown-?time\b|\bshut-?down\b|\bgone away\b|\bon our (?:end|side)\b",
    r"\btim(?:ed|es|e|ing)[\s-]?out\b(?: (?:period )?(?:expired|exceeded|elapsed|reached))?|\bdead-?lock\w*",
    r"\bmaintenance\b|\bquota\b|\bover-?load(?:ed)?\b|\boutage\b|\bbad gate ?way\b",
    r"\b(?:toomanyrequests|serviceunavailable|internal(?:server)?error|(?:lock)?timeout)\b",
    r"\b(?:heavy|high|peak|excessive)(?: \w+)? (?:load|traffic|volumes?)\b|\bload (?:is )?(?:too )?high\b",
    r"\bservers?\b[^.;]{0,20}\bcapacity\b",
    r"^\W*(?:429|50[0234])\W*$|\b(?:http|code|status|error)\W{1,3}(?:429|50[0234])\b",
)
"""Errors without a cause, and bare words of a busy service. A fault of the order or the credentials outweighs them."""
SERVICE_AWAY = pattern(
    rf"\bservices?{_BETWEEN}{_AWAY}\b",
    r"\b(?:temporar(?:y|ily)|momentarily) (?:down|off-?line|out of service|suspended|closed|disabled)\b",
    r"\bcredentials? (?:could|can) ?not be (?:verified|validated|checked)\b[^.;]{0,30}\b(?:later|again)\b",
    r"\b(?:submission|intake|import) is (?:disabled|closed|suspended)\b",
    rf"\b{_COULD_NOT}(?: be)? (?:verif|validat|authenticat|check)\w*[^.;]{{0,40}}"
    r"\b(?:at this time|right now|at the moment)\b",
)
"""Like ``ERROR``, but the service may be a carrier's: "service unavailable for this address"."""
WAIT = pattern(
    r"\bbusy\b|\boff-?line\b|\bout of service\b|\b(?:at|over|beyond|maximum|full|insufficient) capacity\b|\bbacklog\b",
    r"\bcapacity (?:exceeded|reached)\b|^(?:could not|unable to|failed to|can ?not) connect\b",
    r"^unable to (?:complete|process|handle) (?:\w+ )?request\b",
    r"\b(?:temporarily|currently|momentarily|presently) (?:unavailable|not available|unable)\b|^unavailable\b",
    r"\b(?:limit|maximum)(?: \w+){0,2} (?:exceeded|reached)\b|\bexceeded(?: \w+){0,3} limit\b|\bhigh demand\b",
    r"\b(?:hourly|daily) limit\b|^(?:re-?starting|starting up|initiali[sz]ing|warming up|not ready|recovering)\b",
    r"\bat (?:this|the) (?:time|moment)\b|\bright now\b|\ban? error(?: has)? occurred\b|\bsomething went wrong\b",
)
"""Words of a busy service that may also be about a part of the order in the same sentence."""
AGAIN = pattern(
    r"\btry(?: \w+){0,3} (?:again|later)\b|\btry(?:ing)? again\b|\bre-?try\b(?! with)|\bcome back\b|\bcheck back\b",
    r"\b(?:try|retry) after\b|\b(?:attempt|send)\b[^.;]{0,20} (?:again|later)\b",
    r"\bwait (?:\w+ ){0,3}(?:seconds?|minutes?|hours?|moments?|a while)\b",
    r"\bre-?submit\b(?! \w*(?: \w+)? ?with\b)|\bre-?send\b(?! with)|\bsubmit(?: \w+){0,3} (?:again|later)\b",
)
"""Requests to try again. Any part of the order in the message outweighs them."""
FIX_IT = pattern(
    r"\b(?:correct|fix|check(?! back)|review|change|update|edit|amend|revise|choose|select|provide|remove)\b[^.;]{0,60}"
    r"\b(?:try|retry|re-?submit|re-?send|submit)\b"
)
DO_NOT = pattern(r"\b(?:do|should|must|can|will)(?: ?not|n't) (?:be )?(?:\w+ )?(?:re-?try|try|re-?submit|re-?send)\w*")
NOTICE = pattern(
    r"\b(?:system|service|server|site|maintenance|we) will be (?!.*\buntil\b)",
    r"\bmaintenance (?:is )?(?:scheduled|planned) for\b",
)
"""Announcements, which say nothing about this request."""
