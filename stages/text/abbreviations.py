"""Abbreviations with a full stop that ends no sentence, language by language, without that stop and in lower case.

The lists leave out abbreviations that are words too ("no", "art", "min"): before a digit ("No. 5") a full stop ends
nothing anyway. The code knows by their form those of one letter ("J.", "म.") and those with a stop inside ("U.S.",
"कि.मी.", "z.B."). To add a language, add a line to NEVER_LAST.
"""

from __future__ import annotations

from collections.abc import Mapping

from sutradhar.stages.text.characters import word_set

EVERYWHERE = word_set("mr mrs ms mme mlle dr prof smt shri rs vs sr sra mt sgt capt lt")
# A name, a number or the rest of the phrase follows: no sentence ends in one.
NEVER_LAST: Mapping[str, frozenset[str]] = {
    "en": word_set(
        """mx mt ste rev fr hon col lt capt cpt cdr cmdr sgt maj gen brig adm supt insp asst assoc addl jt amb sri kum
        messrs nos viz approx ca cf e.g i.e adv pt mohd hav nk cmde sqn flt wg cmdt supdt asstt dy spl regd opp nr rly
        prin advt teh vill qty hon'ble hon’ble honble tmt pdt ust kum mst muhd cpl pte rfn gnr jwo adml vadm radm
        comdr commr insptr chmn ambass crl tq figs pp lnk engr"""
    ),
    "hi": word_set(
        """श्री श्रीमती सुश्री कु डॉ डा प्रो पं मो मु स्व मि माननीय न्या ब्रिगे इंजी रु रू क्र नं पृ उदा कि मी
        ब्रि कर्न कं मे मै सर्वश्री श्रीमति कै सू लेफ्टि कैप्ट एडमि निरी खं सें डि उपनि नि फ़ो डब्लू
        कृ रा वि एड एडवो ऐड ॲड अधि प्रा लि सं जि ज़ि ता दि पो मा
        चौ ठा पू वि डाॅ न्यायमू संपा हव इंस्पे कॉ मौ फो किमी सेमी मिमी किग्रा ग्रा
        ए बी सी डी एफ एच आई जे के एल एम एन पी क्यू आर एस टी यू वी डब्ल्यू"""
    ),
    "mr": word_set(
        """श्री श्रीमती सौ कु डॉ प्रा प्रो पं मा कै चि ॲड अॅड न्या रु रू क्र नं पृ उदा ता दि कि मी
        ले ब्रि कर्न कं सर्वश्री गं शि खं इन्स्पे निरी उपनि लेफ्ट कॅप्ट
        कृ दा गं भा एड ऍड अधि लि सं जि पो मु वि पू रा कॅ कॉ बॅ चौ स्व डाॅ न्यायमू किमी सेमी मिमी किग्रा ग्रॅ
        ए बी सी डी एफ एच आय जे के एल एम एन पी क्यू आर एस टी यू व्ही वी"""
    ),
    "ne": word_set("श्री श्रीमती सुश्री डा डॉ प्रा प्रो पं स्व रु रू नं पृ वि सं कि मी"),
    "bn": word_set(
        """ডঃ ডা মি মিঃ শ্রী শ্রীমতী মোঃ মো মোসাঃ অধ্যা রু নং পৃ খ্রি তাং লে কর্ন ব্রি কোং লি প্রা অ্যাড ইঞ্জি
        মুহা মোহা প্রফে জেন ক্যাপ্ট রেজি কিমি মিমি সেমি বি সি ডি এফ এইচ জে এল এম এন পি আর এস টি ভি"""
    ),
    "as": word_set("ডঃ ডা শ্ৰী শ্ৰীমতী মিঃ প্ৰঃ নং পৃ"),
    "ta": word_set(
        """டாக் திரு திருமதி செல்வி செல்வன் பேரா மாண் வழக் லெப் கேப் ஜென தொலை கிமீ செமீ ரா கா சா நா கோ கு சே சி
        ரூ பக் கி செ கு மு வி தி சு பி சி டி எஃப் எச் ஜே ஜெ கே எல் எம் என் ஆர் எஸ் யு"""
    ),
    "te": word_set(
        """డా శ్రీ శ్రీమతి చి సౌ కుమా గౌ ప్రొ ప్రొఫె అడ్వ లెఫ్ కల్న బ్రి కం ఇన్స్పె కిమీ సెంమీ రూ నం బి సి డి
        ఎఫ్ జి హెచ్ జె కె ఎల్ ఎం ఎన్ పి ఆర్ ఎస్ టి యు వి వై"""
    ),
    "kn": word_set("ಡಾ ಶ್ರೀ ಶ್ರೀಮತಿ ಪ್ರೊ ಪಂ ರೂ ನಂ ಬಿ ಸಿ ಡಿ ಎಫ್ ಜಿ ಎಚ್ ಜೆ ಕೆ ಎಲ್ ಎಂ ಎನ್ ಪಿ ಆರ್ ಎಸ್ ಟಿ ಯು ವಿ ವೈ"),
    "ml": word_set("ഡോ ശ്രീ ശ്രീമതി പ്രൊഫ പ്രൊ അഡ്വ രൂ നം ബി സി ഡി എഫ് ജി എച്ച് ജെ കെ എൽ എം എൻ പി ആർ എസ് ടി യു വി"),
    "gu": word_set(
        """શ્રી શ્રીમતી કુ ડૉ ડો પ્રો પં સ્વ રૂ રુ નં ક્ર પૃ કિ મી
        બી સી ડી એફ એચ આઈ જે કે એલ એમ એન પી આર એસ ટી વી"""
    ),
    "pa": word_set(
        """ਰੂ ਸ੍ਰੀ ਸ਼੍ਰੀ ਸ਼੍ਰੀਮਤੀ ਸ੍ਰੀਮਤੀ ਡਾ ਪ੍ਰੋ ਸ੍ਰ ਗਿ ਰੁ ਨੰ ਪੰ
        ਬੀ ਸੀ ਡੀ ਐਫ ਐਚ ਆਈ ਜੇ ਕੇ ਐਲ ਐਮ ਐਨ ਪੀ ਆਰ ਐਸ ਟੀ ਵੀ"""
    ),
    "or": word_set("ଡା ଡଃ ଶ୍ରୀ ଶ୍ରୀମତୀ ପ୍ର ପ୍ରଫେ ପଂ ସ୍ୱ ରୁ ନଂ ପୃ କିମି"),
    "si": word_set("රු පි"),
    "ur": word_set("ڈا پروف اے بی سی ڈی ایف ایچ جے کے ایل ایم این پی آر ایس ٹی وی"),
    "ar": word_set("أد هـ"),
    "he": word_set("פרופ גב עמ"),
    "th": word_set("ดร นพ พญ ผศ รศ พล ซม กม กก โทร"),
    "de": word_set("""hr fr frl dipl ing nr str st abb bzw ca vgl evtl ggf inkl exkl zzgl sog geb bd jh jhd mio mrd
        tel aufl hrsg kap z b d h u a o ä v i n s abs bspw betr allg ehem gegr gest hl stellv jhdt med jur rer nat
        habil univ kfm"""),
    "fr": word_set("mm mmes mlles mgr me pr st ste env av chap cf bd boul tél p apr éd coll réf hab"),
    "es": word_set(
        """sres srta dra profa dn ud uds vd vds lic ing arq gral tte sgto pág págs núm avda av aprox
        sta sto ee p ej dña fdo excmo excma ilmo ilma rvdo mons tel teléf ctra dpto pdte cnel admón"""
    ),
    "pt": word_set("srs srta dra profa eng exmo exma gen cel cap pág núm av tel sto sta"),
    "it": word_set("sig sigg sigra dott avv ing geom arch mons pag pagg nr tel"),
    "nl": word_set("dhr mevr mw ir ing drs ds nr blz ca bijv jhr st tel"),
    "ru": word_set(
        "ген г гг ул д кв стр руб коп тыс млн млрд проф акад д-р св см ср напр т тов гр обл р-н просп пр-т пл"
    ),
    "uk": word_set("м вул буд кв грн коп тис млн млрд проф акад св див напр р рр обл"),
    "pl": word_set("inż mgr gen ks hab ul nr str godz św płk kpt tys mln mld tzw tzn np"),
    "cs": word_set("ing mgr mudr judr ul č str tel tzv např sv plk kpt tis mld cca"),
    "sv": word_set("hr fr nr kl ca bl tel kap"),
    "da": word_set("hr nr kl ca bl tlf kap"),
    "no": word_set("hr nr kl ca bl tlf kap"),
    "tr": word_set("doç yrd sn sok cad mah apt tel bkz örn yy"),
    "id": word_set("drs ir hj kh tn ny sdr jl tel rp kab kec"),
    "vi": word_set("ts ths gs pgs bs ks tp"),
    "el": word_set("κ κα κος δρ καθ αρ σελ τηλ λεωφ βλ"),
    "hu": word_set("özv ifj kb ún sz"),
    "fi": word_set("tri hra rva nro puh esim"),
}
# A name may go on after these, or a sentence end in them: it does where the next word is one of OPENERS.
SOMETIMES_LAST = word_set("st ft inc ltd pvt co corp bros jr esq dept govt ave blvd rd sen gov pres rep al vol vols")
# In one language only: elsewhere these are words ("er" is German).
SOMETIMES_LAST_IN: Mapping[str, frozenset[str]] = {
    "en": word_set(
        """er km kms kg kgs cm cms mtr mtrs hrs mins yrs dist tal md sh ch cr retd rtd hons secy deptt univ engg mfg
        intl natl admn sq edn exch thiru selvi kr distt cantt extn bldg hwy"""
    ),
    "hi": word_set("ले"),
}
# English only with a capital: "Sec. Sharma", but "5 sec.".
WITH_A_CAPITAL = word_set("fig sec sub const pd jn stn comm exec")
# By their form these would be initials or dotted abbreviations, but they end a sentence before any capital.
LAST = word_set("a.m p.m i")

# Words that begin sentences of English and Hindi and are not names.
OPENERS = word_set(
    """the this that these those there here he she it we they you i my your his her its our their and but or so
    because if when while where what who why how which then now yes no not do does did is are was were have has had
    can could would should in on at for from with after before as let please thank thanks ok okay well oh
    मैं हम तुम तू आप वह वो यह ये इस उस इसे उसे और लेकिन मगर पर
    फिर तो अब जब अगर क्या क्यों कैसे कौन कहाँ हाँ नहीं मत चल चलो जा आ"""
)
# Languages in which a number with a full stop is an ordinal: "am 5. Mai". In an unknown language it may be one.
ORDINALS = word_set("de da no nn sv fi et lv cs sk sl hr sr bs hu tr is fo lb") | {""}
