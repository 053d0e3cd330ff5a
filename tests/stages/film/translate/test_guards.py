from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.guards import Fault, faults

LONG = "मैं कल सुबह अपने भाई के साथ बाज़ार जाऊँगा और शाम को घर वापस आऊँगा।"


@pytest.mark.parametrize(
    ("fault", "source", "target", "pair"),
    [
        ("blank", "हाँ।", " … ", "hi en"),
        ("blank", "हाँ।", "", "hi en"),
        ("blank", "हाँ।", "[…]", "hi en"),
        ("blank", "हाँ।", '- "..."', "hi en"),
        ("blank", "मैं घर जा रहा हूँ।", "[Music]", "hi en"),
        ("loop", "उसने उसे मार दिया था।", "He killillillill him there.", "hi en"),
        ("number lost", "15 करोड़ लोग आए", "15 million people came", "hi en"),
        ("same as source", "mujhe ghar jana hai", "Mujhe ghar jana hai.", "hi en"),
        ("same as source", "मुझे घर जाना है।", "मुझे घर जाना है", "hi mr"),
        ("too short", LONG, "I will go.", "hi en"),
        ("too long", "हाँ, ठीक है।", "Yes, all right, I will be there with everybody tomorrow", "hi en"),
        ("loop", LONG, "I will go to the market, to the market, to the market with my brother", "hi en"),
        ("source script", "मैं घर जा रहा हूँ।", "I am going to घर.", "hi en"),
        ("source script", "मैं घर जा रहा हूँ।", "I am going home।", "hi en"),
        ("source script", "मैं घर जा रहा हूँ।", "நான் घर போகிறேன்", "hi ta"),
        ("untranslated", "I am going home now.", "I am going to home now", "en hi"),
        ("unknown word", "मैं घर जा रहा हूँ।", "I am going <unk>.", "hi en"),
        ("unknown word", "मैं घर जा रहा हूँ।", "I am going ⁇ home", "hi en"),
        ("placeholder", "12:30 बजे आओ", "Come at <ID1>, 12:30", "hi en"),
        ("placeholder", "12:30 बजे आओ", "Come at < ID 2, 12:30", "hi en"),
        ("placeholder", "Come at 12:30", "12:30 <आईडी 1> पर आओ", "en hi"),
        ("placeholder", "Call Raj now", "<dnt> राज </dnt> को बुलाओ", "en hi"),
        ("source script", "मैं घर जा रहा हूँ।", "اندھیرے میں کیوں", "hi en"),
        ("source script", "मैं घर जा रहा हूँ।", "నేను ఇంటికి వెళ్తున్నాను", "hi ta"),
        ("untranslated", "यहाँ आओ", "Come here", "hi ta"),
        ("untranslated", "मुझे घर जाना है", "I Have To Go Home", "hi ta"),
        ("untranslated", "हाँ।", "Yes.", "hi ta"),
        ("placeholder", "मुझे a@b.in पर लिखो।", "Write to me, please.", "hi en"),
        ("placeholder", "देखो https://a.in/x पर", "Look at https://b.in/x then", "hi en"),
        ("number lost", "कुल 1,500 रुपये हुए", "It comes to 500 rupees", "hi en"),
        ("number lost", "१२:३० बजे आओ", "Come at 12", "hi en"),
        ("untranslated", "मैं कल दिल्ली जा रहा हूँ", "Main kal Dilli ja raha hoon", "hi en"),
        ("unknown word", "मैं दिल्ली जा रहा हूँ", "hin_Deva eng_Latn I go to Delhi", "hi en"),
        ("unknown word", "मैं कल दिल्ली जाऊँगा", "</s> I go to Delhi tomorrow", "hi en"),
        ("number lost", "मेरा नंबर 98765 43210 है", "My number is 9876543219", "hi en"),
        ("number lost", "वहाँ दो करोड़ लोग थे", "There were 2 million people there", "hi en"),
    ],
)
def test_the_guard_fires(fault: Fault, source: str, target: str, pair: str) -> None:
    assert faults(source, target, *pair.split()) == (fault,)


@pytest.mark.parametrize(
    ("source", "target", "pair"),
    [
        ("…", "…", "hi en"),
        ("OK", "OK", "hi en"),
        ("हाहाहा, क्या बात है!", "Hahaha, well said!", "hi en"),
        ("1,00,000 रुपये और 15 करोड़ लोग", "1 lakh rupees and 150 million people", "hi en"),
        ("₹2.5 करोड़ का घर", "A house of 25 million rupees", "hi en"),
        ("Raj Malhotra, 1995", "Raj Malhotra, 1995", "hi en"),
        ("हाँ जी", "हाँ जी", "hi mr"),
        (LONG, "I will go to the market with my brother tomorrow morning and come home in the evening.", "hi en"),
        ("झुको!", "Get down, everybody!", "hi en"),
        ("नहीं नहीं नहीं नहीं।", "No, no, no, no.", "hi en"),
        ("Shah Rukh Khan loves Kajol.", "Shah Rukh Khan को Kajol पसंद है।", "en hi"),
        ("मैं घर जा रहा हूँ।", "আমি বাড়ি যাচ্ছি।", "hi bn"),
        ("मैं घर जा रहा हूँ।", "मी घरी जात आहे।", "hi mr"),
        ("सूची में से वैध 5 देखो", "See the list (valid 5>", "hi en"),
        ("मेरी आईडी 5 है", "My ID is 5", "hi en"),
        ("यह 5 µm चौड़ा है", "It is 5 µm wide", "hi en"),
        ("यह 5 μm चौड़ा है", "It is 5 μm wide", "hi en"),
        ("α कण", "An α particle", "hi en"),
        ("मेरा नंबर 98765 43210 है", "My number is 9876543210", "hi en"),
        ("My number is 9876543210", "मेरा नंबर ९८७६५-४३२१० है", "en hi"),
        ("राज मल्होत्रा, दिल्ली", "Raj Malhotra, Dilli", "hi en"),
        ("Show me your ID 5 times", "मुझे अपना आईडी 5 बार दिखाओ", "en hi"),
        ("१२:३० बजे ₹1,500 दो", "Give ₹1500 at 12:30", "hi en"),
        ("उसके 3 बच्चे हैं, 1ली बेटी", "He has three children, the first a girl", "hi en"),
        ("१२:३० बजे आओ", "Come at half past 12", "hi en"),
        ("He paid 20% of it", "उसने बीस प्रतिशत दिया", "en hi"),
        ("He has 3 children", "उसके तीन बच्चे हैं", "en hi"),
        ("मेरे 3 बच्चे हैं", "எனக்கு மூன்று குழந்தைகள் உள்ளனர்", "hi ta"),
    ],
)
def test_no_guard_fires(source: str, target: str, pair: str) -> None:
    assert faults(source, target, *pair.split()) == ()
