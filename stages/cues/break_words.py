"""The costs, language by language, of ending a line or a cue before or after certain words.

1 is the cost between two words of which nothing is known. Below 1 the break is welcome, above it the break parts
words that belong together: Netflix and BBC break after punctuation and before conjunctions and prepositions, and
never part an article or adjective from its noun, a first name from the last, a pronoun or auxiliary or negation from
its verb. To add a language: write its two tables and put them into LANGUAGES.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CLAUSE, PHRASE, LOOSE = 0.45, 0.6, 0.8
ADJECTIVE, TIED, BOUND, FUSED, INSIDE_WORD = 1.4, 1.6, 2.2, 3.2, 5.0


@dataclass(frozen=True)
class BreakWords:
    before: Mapping[str, float]
    after: Mapping[str, float]
    adjectives: tuple[str, ...] = ()  # endings of adjectives and possessives: mostly their noun follows


def _table(groups: Mapping[float, str]) -> dict[str, float]:
    return {word: cost for cost, words in groups.items() for word in words.split()}


_EN_PREPOSITIONS = """in on at by for with from of into onto about over under through between against during without
    within toward towards across among around behind beyond near upon to like"""
_EN_FINITE = "is are was were has had does did will would shall should can could may might must"
_EN_AUXILIARIES = f"""{_EN_FINITE} am be been being have do isn't aren't wasn't weren't haven't hasn't hadn't don't
    doesn't didn't won't wouldn't shouldn't can't couldn't mustn't i'm you're he's she's it's we're they're that's
    there's what's who's i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll it'll
    we'll they'll let's not never cannot gonna wanna gotta"""

_HI_AUXILIARIES = """है हैं हूँ हूं हो था थे थी थीं रहा रहे रही गया गए गये गई गयी चुका चुके चुकी सकता सकते सकती सका
    सके सकी पाया पाए पाई लगा लगे लगी दिया दिए दी लिया लिए ली जाता जाते जाती होता होते होती चाहिए वाला वाले वाली करके"""

LANGUAGES: Mapping[str, BreakWords] = {
    "en": BreakWords(
        before=_table(
            {
                PHRASE: _EN_PREPOSITIONS,
                LOOSE: f"i he she we they {_EN_FINITE}",
                CLAUSE: """and but or nor so because since although though while when where if unless until that which
                    who whom whose whether what why how than as after before""",
            }
        ),
        after=_table(
            {
                ADJECTIVE: """first second third fourth fifth sixth seventh eighth ninth tenth last same other own new
                    old young little small big good great long high two three four five six seven eight nine ten
                    hundred thousand million""",
                TIED: f"i you he she it we they there next very too more most all no {_EN_AUXILIARIES}",
                BOUND: f"""{_EN_PREPOSITIONS} and but or nor so because since although though while when where if
                    unless until that which who whom whose whether than as after before this these those""",
                FUSED: "a an the my your his her its our their every each some any another",
            }
        ),
        adjectives=("ous", "ful", "ive", "able", "ible", "ical", "less", "ish", "enth", "ieth", "'s"),
    ),
    "hi": BreakWords(
        before=_table(
            {
                CLAUSE: """और या लेकिन मगर किंतु किन्तु परंतु परन्तु क्योंकि कि जो जब अगर यदि ताकि इसलिए जबकि जिससे
                    जिस जिसे जिसने जिसका जिसकी जिसके जैसे तब फिर वरना बल्कि चाहे मानो तो जहाँ जहां""",
                BOUND: f"पहले {_HI_AUXILIARIES}",
                FUSED: """को ने से में पर तक का के की ही भी लिए साथ बाद पास बारे ऊपर नीचे अंदर अन्दर बाहर सामने पीछे
                    बीच द्वारा कारण अलावा बिना तरह ओर जी""",
            }
        ),
        after=_table(
            {
                CLAUSE: "है हैं हूँ हूं था थे थी थीं",
                PHRASE: "को ने से में पर तक लिए साथ बाद पास",
                TIED: "मैं तुम आप हम वह वो ये यह वे का के की बहुत और या लेकिन मगर क्योंकि कि जो जब अगर यदि तो",
                BOUND: """नहीं मत न ना एक इस उस इन उन मेरा मेरी मेरे तेरा तेरी तेरे
                    हमारा हमारी हमारे अपना अपनी अपने कोई कुछ हर""",
            }
        ),
    ),
}
