"""The usual sound labels in English and Hindi, and the recognition of one in its many spellings."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from sutradhar.stages.text.characters import clean

Sound = Mapping[str, str]  # by language: the label, and after it, parted by "|", its other wordings

MUSIC: Sound = {
    "en": "music|music playing|music plays|background music|instrumental music|"
    "upbeat music|dramatic music|soft music|theme music",
    "hi": "संगीत|संगीत बजता है|संगीत बज रहा है|म्यूजिक|पार्श्व संगीत",
}
_SOUNDS: tuple[Sound, ...] = (
    MUSIC,
    {"en": "singing|sings|song", "hi": "गाना|गीत|गाते हुए|गाना बजता है"},
    {"en": "applause|applauding|clapping|audience applauding", "hi": "तालियाँ|तालियों की गड़गड़ाहट|ताली"},
    {"en": "cheering|cheers|crowd cheering|cheers and applause", "hi": "जयकार|भीड़ का शोर"},
    {
        "en": "laughter|laughs|laughing|laugh|chuckles|chuckling|giggles|giggling|audience laughing",
        "hi": "हँसी|हँसते हुए|हँसता है|हँसती है|हँसना|ठहाका",
    },
    {"en": "silence|silent|blank audio|no audio|no speech", "hi": "मौन|ख़ामोशी|सन्नाटा|शांति"},
    {
        "en": "phone rings|phone ringing|telephone rings|telephone ringing|"
        "phone rings in the background|cell phone rings|ringtone",
        "hi": "फ़ोन की घंटी|फ़ोन बजता है|फ़ोन बजने की आवाज़",
    },
    {"en": "doorbell rings|doorbell|door bell|doorbell ringing", "hi": "दरवाज़े की घंटी|दरवाज़े की घंटी बजती है"},
    {"en": "bell rings|bell|bell ringing|bells", "hi": "घंटी|घंटी बजती है|घंटियाँ"},
    {"en": "knocking|knock|knocks|knocking on door|knock on door", "hi": "दस्तक|दरवाज़े पर दस्तक"},
    {"en": "crying|cries|sobbing|sobs|weeping|weeps", "hi": "रोना|रोते हुए|रोने की आवाज़|सिसकियाँ|सिसकते हुए"},
    {"en": "screaming|screams|scream", "hi": "चीख़|चीख़ें|चीख़ते हुए|चीख़ने की आवाज़"},
    {"en": "shouting|shouts|yelling|yells", "hi": "चिल्लाना|चिल्लाते हुए|चिल्लाने की आवाज़"},
    {"en": "whispering|whispers|whispered", "hi": "फुसफुसाते हुए|फुसफुसाहट|फुसफुसाना"},
    {"en": "coughing|coughs|cough", "hi": "खाँसी|खाँसते हुए|खाँसना"},
    {"en": "sneezing|sneezes|sneeze", "hi": "छींक|छींकते हुए|छींकना"},
    {"en": "sighs|sigh|sighing", "hi": "आह|ठंडी साँस|आह भरते हुए"},
    {"en": "gasps|gasp|gasping|panting|pants", "hi": "हाँफना|हाँफते हुए"},
    {"en": "snoring|snores", "hi": "खर्राटे|खर्राटों की आवाज़"},
    {"en": "gunshot|gunshots|gunfire|gun fires", "hi": "गोली की आवाज़|गोली चलने की आवाज़|गोलियों की आवाज़"},
    {"en": "explosion|explodes|explosions", "hi": "धमाका|विस्फोट"},
    {"en": "thunder|thunder rumbling|thunder rumbles", "hi": "बादलों की गरज|बादल गरजते हैं"},
    {"en": "rain|rain falling|raining", "hi": "बारिश|बारिश की आवाज़"},
    {"en": "footsteps|footsteps approaching", "hi": "कदमों की आहट|कदमों की आवाज़"},
    {"en": "horn honks|horn|car horn|honking|car honks", "hi": "हॉर्न|हॉर्न की आवाज़|हॉर्न बजता है"},
    {"en": "siren|sirens|siren wailing", "hi": "सायरन|सायरन की आवाज़"},
    {"en": "dog barking|dog barks|barking|dogs barking", "hi": "कुत्ते का भौंकना|कुत्ता भौंकता है"},
    {"en": "noise|background noise|indistinct noise|static", "hi": "शोर|शोरगुल"},
    {"en": "inaudible|unintelligible|indistinct|indistinct chatter", "hi": "अस्पष्ट|अस्पष्ट आवाज़"},
    {
        "en": "speaking in foreign language|speaks in foreign language|foreign language|speaking foreign language",
        "hi": "विदेशी भाषा में|विदेशी भाषा",
    },
)


def sound_of(label: str) -> Sound | None:
    """Return the sound that a label stands for, with or without brackets, in any spelling that is known."""
    return _BY_KEY.get(_key(label))


def _key(label: str) -> str:
    """Return it in lower case; without the dot below and with one sign for nasal vowels, which Hindi is written with
    or without."""
    plain = unicodedata.normalize("NFD", clean(label.replace("_", " ")).strip("[]()* .!♪-").lower())
    return plain.replace("\u093c", "").replace("\u0901", "\u0902")


_BY_KEY = {_key(name): sound for sound in _SOUNDS for names in sound.values() for name in names.split("|")}
