"""Words for numbers, in English and Hindi, and those of the other languages of India that multiply or divide one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sutradhar.stages.text.characters import clean, word_set

# Words that multiply the number before them, in the languages of India and English.
_MAGNITUDES: Mapping[int, str] = {
    10**2: "hundred hundreds सौ शत शे শ শত சதம் వంద వందల ನೂರು നൂറ് સો ਸੌ سو ଶହ",
    10**3: """thousand thousands हज़ार हजार हज़ारों हजारों हज़ार হাজার হেজাৰ ஆயிரம்
        వేయి వేలు వేల ಸಾವಿರ ആയിരം હજાર ਹਜ਼ਾਰ ਹਜ਼ਾਰ ہزار ହଜାର""",
    10**5: "lakh lakhs lac lacs लाख लाखों লাখ লক্ষ லட்சம் இலட்சம் లక్ష లక్షలు లక్షల ಲಕ್ಷ ലക്ഷം લાખ ਲੱਖ لاکھ ଲକ୍ଷ",
    10**6: "million millions mn मिलियन দশলক্ষ மில்லியன் మిలియన్ ಮಿಲಿಯನ್ ദശലക്ഷം મિલિયન ਮਿਲੀਅਨ ملین ନିୟୁତ",
    10**7: """crore crores cr crs करोड़ करोड़ करोड करोड़ों करोड़ों कोटी কোটি கோடி
        కోటి కోట్లు కోట్ల ಕೋಟಿ കോടി કરોડ ਕਰੋੜ کروڑ କୋଟି""",
    10**9: """billion billions bn arab अरब बिलियन अब्ज বিলিয়ন பில்லியன்
        బిలియన్ ಬಿಲಿಯನ್ ബില്യൺ અબજ બિલિયન ਅਰਬ ارب ବିଲିୟନ""",
    10**11: "kharab खरब ખરબ ਖਰਬ کھرب",
    10**12: "trillion trillions ट्रिलियन ট্রিলিয়ন டிரில்லியன் ట్రిలియన్",
}
MAGNITUDES: Mapping[str, int] = {clean(word): value for value, words in _MAGNITUDES.items() for word in words.split()}

# Words that an ordinal or another form of the numbers up to twelve may have become, by language.
NUMBER_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "zero no",
        "one first once single a an",
        "two second twice half both double couple",
        "three third thrice",
        "four fourth quarter",
        "five fifth",
        "six sixth",
        "seven seventh",
        "eight eighth",
        "nine ninth",
        "ten tenth",
        "eleven eleventh",
        "twelve twelfth dozen noon midnight",
    ),
    "hi": (
        "शून्य ज़ीरो जीरो",
        "एक पहला पहली पहले प्रथम इक",
        "दो दूसरा दूसरी दूसरे दोनों द्वितीय आधा",
        "तीन तीसरा तीसरी तीसरे तृतीय तीनों",
        "चार चौथा चौथी चौथे चौथाई चारों",
        "पाँच पांच पाँचवाँ पांचवां पाँचवीं पाँचवें पाँचों पांचों",
        "छह छः छे छै छ: छठा छठी छठे",
        "सात सातवाँ सातवां सातवीं सातवें सातों",
        "आठ आठवाँ आठवां आठवीं आठवें",
        "नौ नौवाँ नौवां नौवीं नौवें",
        "दस दसवाँ दसवां दसवीं दसवें",
        "ग्यारह ग्यारहवाँ ग्यारहवीं ग्यारहवें",
        "बारह बारहवाँ बारहवीं बारहवें दर्जन",
    ),
}

_ENGLISH = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH_ORDINALS = """zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"""
_ENGLISH_DECADES = "twenties thirties forties fifties sixties seventies eighties nineties"
_ENGLISH_TENTHS = "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"
# 0 to 99, each with its spellings.
_HINDI = """
    शून्य/ज़ीरो/जीरो एक/इक दो तीन चार पाँच/पांच छह/छः/छे/छै/छ सात आठ नौ
    दस ग्यारह बारह तेरह चौदह पंद्रह/पन्द्रह/पंन्द्रह सोलह सत्रह/सतरह अठारह/अट्ठारह उन्नीस
    बीस इक्कीस बाईस/बाइस तेईस/तेइस चौबीस/चौबीसों
    पच्चीस/पचीस छब्बीस सत्ताईस/सत्ताइस अट्ठाईस/अठ्ठाईस/अट्ठाइस/अठाईस उनतीस/उन्तीस
    तीस इकतीस/इकत्तीस बत्तीस तैंतीस/तेंतीस/तैतीस चौंतीस/चौतीस पैंतीस/पैतीस छत्तीस सैंतीस/सैतीस अड़तीस उनतालीस/उन्तालीस
    चालीस इकतालीस बयालीस/बियालीस तैंतालीस/तेंतालीस/तैतालीस चौवालीस/चवालीस/चौंवालीस
    पैंतालीस/पैतालीस छियालीस/छयालीस सैंतालीस/सैतालीस अड़तालीस
    उनचास/उन्चास पचास इक्यावन/इकावन बावन तिरपन/तिरेपन चौवन/चउवन पचपन छप्पन सत्तावन अट्ठावन/अठावन उनसठ
    साठ इकसठ बासठ तिरसठ/तिरेसठ चौंसठ/चौसठ पैंसठ/पैसठ छियासठ/छाछठ सड़सठ/सरसठ अड़सठ उनहत्तर/उनहतर
    सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर/पिचहत्तर छिहत्तर सतहत्तर अठहत्तर उनासी/उन्यासी
    अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सतासी/सत्तासी अट्ठासी/अठासी नवासी
    नब्बे इक्यानवे/इक्यानबे बानवे/बानबे तिरानवे/तिरानबे
    चौरानवे/चौरानबे पचानवे/पंचानवे/पचानबे छियानवे/छियानबे सत्तानवे/सत्तानबे
    अट्ठानवे/अट्ठानबे/अठानवे निन्यानवे/निन्यानबे"""


def _english() -> dict[str, Fraction]:
    units = {
        word: Fraction(value) for words in (_ENGLISH, _ENGLISH_ORDINALS) for value, word in enumerate(words.split())
    }
    tens = {
        word: Fraction(10 * value)
        for words in (_ENGLISH_TENS, _ENGLISH_TENTHS, _ENGLISH_DECADES)
        for value, word in enumerate(words.split(), 2)
    }
    return (
        units
        | tens
        | {"half": Fraction(1, 2), "halves": Fraction(1, 2), "quarter": Fraction(1, 4), "quarters": Fraction(1, 4)}
    )


def _hindi() -> dict[str, Fraction]:
    values = {clean(word): Fraction(value) for value, words in enumerate(_HINDI.split()) for word in words.split("/")}
    ordinals = {
        word + ending: value
        for word, value in values.items()
        if value > 4
        for ending in ("वाँ", "वां", "वीं", "वें", "वा", "वी", "वे")
    }
    times = {word + ending: value for word, value in values.items() for ending in ("गुना", "गुनी", "गुने")}
    firsts = {
        word: Fraction(value)
        for value, words in enumerate(NUMBER_WORDS["hi"][:7])
        for word in map(clean, words.split())
    }
    parts = {
        "आधा": Fraction(1, 2),
        "आधी": Fraction(1, 2),
        "आधे": Fraction(1, 2),
        "डेढ़": Fraction(3, 2),
        "ढाई": Fraction(5, 2),
        "चौथाई": Fraction(1, 4),
        "तिहाई": Fraction(1, 3),
    }
    return ordinals | times | firsts | values | {clean(word): value for word, value in parts.items()}


VALUES: Mapping[str, Mapping[str, Fraction]] = {"en": _english(), "hi": _hindi()}
# Parts of a whole, which a number counts: "three quarters", "दो तिहाई".
PORTIONS = word_set("quarter quarters चौथाई तिहाई")
# Words that add to the number behind them: साढ़े तीन is three and a half.
ADDED: Mapping[str, Fraction] = {
    clean(word): value
    for value, words in {
        Fraction(1, 4): "सवा सव्वा সওয়া સવા ਸਵਾ سوا",
        Fraction(1, 2): "साढ़े साढे साडे সাড়ে સાડા ਸਾਢੇ ساڑھے",
        Fraction(-1, 4): "पौने पौन पावणे পৌনে પોણા ਪੌਣੇ پونے",
    }.items()
    for word in words.split()
}
