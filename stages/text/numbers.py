"""Numbers as they are written and said: in digits of any script, with hundreds and thousands, lakhs and crores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from stages.text.characters import bare, clean, word_set

# Words that multiply the number before them, in the languages of India and English.
_MAGNITUDES: Mapping[int, str] = {
    10**2: "hundred hundreds सौ शे শ শত சதம் వంద వందల ನೂರು നൂറ് સો ਸੌ سو ଶହ",
    10**3: "thousand thousands हज़ार हजार हज़ारों हजारों हज़ार হাজার হেজাৰ ஆயிரம் వేయి వేలు వేల ಸಾವಿರ ആയിരം હજાર ਹਜ਼ਾਰ ਹਜ਼ਾਰ ہزار ହଜାର",
    10**5: "lakh lakhs lac lacs लाख लाखों লাখ লক্ষ லட்சம் இலட்சம் లక్ష లక్షలు లక్షల ಲಕ್ಷ ലക്ഷം લાખ ਲੱਖ لاکھ ଲକ୍ଷ",
    10**6: "million millions मिलियन দশলক্ষ மில்லியன் మిలియన్ ಮಿಲಿಯನ್ ദശലക്ഷം મિલિયન ਮਿਲੀਅਨ ملین ନିୟୁତ",
    10**7: "crore crores करोड़ करोड़ करोड करोड़ों करोड़ों कोटी কোটি கோடி కోటి కోట్లు కోట్ల ಕೋಟಿ കോടി કરોડ ਕਰੋੜ کروڑ କୋଟି",
    10**9: "billion billions arab अरब बिलियन अब्ज বিলিয়ন பில்லியன் బిలియన్ ಬಿಲಿಯನ್ ബില്യൺ અબજ બિલિયન ਅਰਬ ارب ବିଲିୟନ",
    10**11: "kharab खरब ખરબ ਖਰਬ کھرب",
    10**12: "trillion trillions ट्रिलियन ট্রিলিয়ন டிரில்லியன் ట్రిలియన్",
}
MAGNITUDES: Mapping[str, int] = {clean(word): value for value, words in _MAGNITUDES.items() for word in words.split()}
_CURRENCIES = word_set("₹ ₨ $ € £ ¥ rs re inr usd रु रू रुपये ரூ రూ ರೂ രൂ રૂ ਰੁ টাকা ৳")
_UNITS = word_set(
    """% percent rupee rupees dollar dollars euro euros km kms kg kgs cm mm ml gb mb metres meters litres
    रुपये रुपए रुपया रूपये पैसे किमी किलो किलोमीटर प्रतिशत फ़ीसदी फीसदी टका टक्के ரூபாய் రూపాయలు ರೂಪಾಯಿ രൂപ રૂપિયા ਰੁਪਏ টাকা روپے"""
)
# Numbers that are often written as words, and what else they may have become, by language.
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
        "तीन तीसरा तीसरी तीसरे तृतीय",
        "चार चौथा चौथी चौथे चौथाई",
        "पाँच पांच पाँचवाँ पांचवां पाँचवीं पाँचवें",
        "छह छः छे छ: छठा छठी छठे",
        "सात सातवाँ सातवां सातवीं सातवें",
        "आठ आठवाँ आठवां आठवीं आठवें",
        "नौ नौवाँ नौवां नौवीं नौवें",
        "दस दसवाँ दसवां दसवीं दसवें",
        "ग्यारह ग्यारहवाँ ग्यारहवीं ग्यारहवें",
        "बारह बारहवाँ बारहवीं बारहवें दर्जन",
    ),
}
_SPOKEN = {name.split()[0] for names in NUMBER_WORDS.values() for name in names[:11]}
MOST_DIGITS = 100  # of a number; what is longer is none, and takes Python long
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_TOKEN = re.compile(r"(?P<number>\d+(?:,\d+)*(?:\.\d+)?)(?![:\d])|(?P<word>[^\W\d_][^\s\d.,;:!?।()]*)|(?P<mark>\S)")


@dataclass(frozen=True)
class Quantity:
    """A number with all that multiplies it: 2.5 crore, 1 crore 20 lakh."""

    value: Fraction
    numbers: frozenset[int]  # its parts in digits, as `numbers` gives them
    multiplied: bool


def is_number(word: str) -> bool:
    """In digits, or one of the words up to ten."""
    return word in _SPOKEN or any(character.isdigit() for character in word)


def numbers(text: str) -> set[int]:
    """The numbers in digits of any script: 1,500 and 1500 are one, 12:30 and 3.5 two each."""
    return {int(part[-MOST_DIGITS:]) for number in _NUMBER.findall(text) for part in re.split("[.:]", number.replace(",", ""))}


def quantities(text: str) -> list[Quantity]:
    found: list[Quantity] = []
    for parts in _runs(text):
        value = sum((number * times for number, times, _ in parts), Fraction(0))
        found.append(Quantity(value, frozenset().union(*(written for *_, written in parts)), any(times > 1 for _, times, _ in parts)))
    return found


def _runs(text: str) -> Iterator[list[tuple[Fraction, int, frozenset[int]]]]:
    """Numbers that are said as one, each with its factor: of falling size, with no more than blanks between them."""
    run: list[tuple[Fraction, int, frozenset[int]]] = []
    open_end = False  # nothing but a factor has come since the last number
    for match in _TOKEN.finditer(clean(text)):
        factor = MAGNITUDES.get(match["word"].lower(), 1) if match["word"] else 1
        if match["number"]:
            number = _value(match["number"]), 1, frozenset(numbers(match["number"]))
            if run and not (open_end and run[-1][1] > 1):
                yield run
                run = []
            run.append(number)
            open_end = True
        elif factor > 1 and open_end:
            value, times, written = run[-1]
            run[-1] = value, times * factor, written
        else:
            open_end = False
    if run:
        yield run


def _value(number: str) -> Fraction:
    whole, _, decimals = number[-MOST_DIGITS:].replace(",", "").partition(".")
    return Fraction(int(whole)) + (Fraction(int(decimals), 10 ** len(decimals)) if decimals else 0)


def one_number(left: str, right: str) -> bool:
    """Do the two neighbouring words belong to one number: "₹" "1,50,000", "2.5" "crore", "crore" "20", "10" "000", "5" "km"?"""
    if left[-1:] in ",;:!?।":
        return False
    before, after = clean(bare(left)), clean(bare(right))
    if after in MAGNITUDES and any(character.isalnum() for character in before):
        return True
    if before in _CURRENCIES or left in _CURRENCIES:
        return after[:1].isdigit()
    if before in MAGNITUDES and left[-1:] != ".":
        return after[:1].isdigit() or after in _UNITS
    if not before[-1:].isdigit() or left[-1:] == ".":
        return False
    return after in _UNITS or right in _UNITS or (len(before) <= 3 and re.fullmatch(r"\d{3}", after) is not None)
