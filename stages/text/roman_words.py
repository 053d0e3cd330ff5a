"""The most frequent words of Hindi in Latin letters, in the spellings that people type, and of English.

The lists leave out words that are spelled the same in both, such as main, me, to, par and do: they say nothing of the
language.
"""

from __future__ import annotations

from sutradhar.stages.text.characters import word_set

HINDI = word_set(
    """
    aa aadmi aage aagle aaiye aaj aana aane aankh aankhen aao aap aapka aapke aapki aapko aapne aapse aas aata aate
    aath aati aaunga aaya aaye aayega aayegi aayenge aayi aayiye ab abhi accha acche acchi acha achchha ache achha
    achi agar agla agle agley agli aj allah alvida andar andhera ap apka apke apki apko apna apne apni arey arre aur
    aurat baad baahar baap baarish baat baatein bacche bachcha bachche bada badal bade badhao badi badlo bahan bahar
    bahot bahut baith baithiye baitho baja bajaayen bajaen bajaiye bajana bajao bajaye baje bajkar balki bana banana
    banane banao bandh bani barish bata batado bataen bataiye batana batane batao bataye batayen bees behen beti
    bewakoof bhagwan bhai bhaiya bhee bhej bheja bheje bhejiye bhejna bhejo bhi bich bilkul bina biwi bohot bohut bol
    bola boli boliye bolna bolne bolo bolta bolte bolti bura buri chaalu chaar chacha chah chahe chahie chahiye chahta
    chahte chahti chala chale chalega chali chalis chaliye chalna chalo chalta chalte chalti chalu cheez chhe chhod
    chhodo chhota chhoti chij chiz chod choro chota chote chup darwaaza darwaza dedo dega degi dekh dekha dekhe dekhi
    dekhiye dekhna dekhne dekho dekhta dekhte dena dene denge deta dete deti dhanyavaad dhanyavad dheere dhoop didi
    dijie dijiye dijiyega dikha dikhaiye dikhao dikhaye dil dila dilana dilao dilaye diya diye doosra dopahar dost
    dosti dukh dunga duniya dusra dusre dusri ek gaadi gaana gaane gadi galat gana gane garmi gaya gaye gayi gham
    ghanta ghante ghar gya gye haa haan haanji haath hafta hafte hai hain ham hamara hamare hamari hame hamein hamen
    hamesha hamko hamne han haramzada hasna hata hatado hatao hataye hazaar hazar hein hoga hogaya hogayi hogi hona
    hone honge honi hoon hota hote hoti hua hui hum humara humare humari hume humein humko humne hun idhar inhe inka
    inke inki inko insaan inse ise ishq iska iske iski isko isne isse ja jaa jaan jaana jaane jaaneman jaani jaanta
    jaante jaata jaate jaati jaaye jaega jagah jaha jahan jaisa jaise jaisi jaldi jana janta jante jao jarur jata jate
    jati jaunga jaungi jawab jaye jayega jayegi jayenge jayiye jee jhooth ji jindagi jinka jinke jis jise jiska jiske
    jiski jisko jisse jitna jitne jitni jode jodo jyaada jyada ka kaam kab kabhi kabtak kaha kahaan kahan kahiye kahna
    kaho kahta kahte kaisa kaise kaisi kal kam kamine kamra kar karaiye karao karaye kardena kardo kare karega karegi
    karein karenge kariye kariyega karke karna karne karni karo karta karte karti karu karun karunga karungi karwao
    kasam kaun kaunsa kaunsi ke keh kehna kehte kesa kese kewal khaana khaiye khana khane khatam khatm kholiye kholo
    khuda khush khushi ki kia kidhar kijie kijiye kisi kiska kiske kiski kisko kisne kitaab kitna kitne kitni kiya
    kiye ko koi kon konsa konse kripya krupaya kuch kuchh kutta kutte kya kyaa kyon kyonki kyoon kyu kyun kyunki ladka
    ladki laga lagado lagaen lagaiye lagana lagao lagaye lage lagi lagta lagte lagti lakh lega lekin lena lene lenge
    leta lete leti lijiye lijiyega liya liye log logo logon lunga maa maaf maafi maar maarna maaro magar mahina mahine
    mai maine maloom malum mara mari marna marne mat matlab mausam mein meine mera mere meri mil mila milega milenge
    mili milna milne milo milta mohabbat muje mujeh mujhe mujhko mujhse na naam nafrat nahee nahi nahii nahin nai nam
    namaskar namaste nau naya naye nayi ne neeche nhi oopar oye paanch paani paas pachas pagal pahla pahle paisa paise
    panch pani parso pata pati patni paya paye pe peeche pehla pehle pehli phir piche pichla pichle pichley pichli
    pijiye purana purane pyaar pyar raaste raat raha rahe rahega rahegi rahi rahiye rahna rahta rakh rakha rakhe
    rakhiye rakhna rakhne rakho rasta rehna rehta rehte rok rokdo rokiye rokna roko rona roshni roz saal saala saale
    saamne saara saare saarey saari saat saath sab sabhi sabko sabse sach sadak sahi saka sakega sakoge sakta sakte
    sakti samajh samay samjha samjhe samjho samne sapna sapne sare sath sau sawaal se shaadi shaam shadi shahar shayad
    shukriya shuru sirf soch socha sochiye sochna socho subah suna sunaiye sunao sunaye suniye sunna sunne suno taaki
    tak taki taraf tareekh tees tera tere teri tha thaa thand thanda thee theek thek thi thii thik thoda thode thodi
    toh tu tujhe tujhko tum tumhara tumhare tumhari tumhe tumhein tumhen tumko tumne udhar unhe unhen unhone unka unke
    unki unko unse upar uska uske uski usko usne usse vah vahan vahi vajah vala vale vali varna vo voh waala waale
    waha wahan wahi wahin wajah wala wale wali waqt warna wo woh yaad yaar yaara yad yadi yah yaha yahaan yahan yahi
    yahin ye yeh zaroor zarur zinda zindagi zyada
    """
)
ENGLISH = word_set(
    """
    a able about above according across actually after afternoon again against ago air alive almost alone along
    already also although always among and another answer any anyone anything apart appear april aren't around ask
    asked asks ate august away baby back beautiful because bed been before began begin begins behind being believe
    below best better between big black blue body book books both bought boy bring brings brother brought build built
    business buy bye call called calls came can can't car care careful case cat certainly chair change changed child
    children city cold coming company consider continue could couldn't country create cry cut dance dark daughter day
    days dead december decide decided did didn't die died dies different doctor does doesn't dog doing don't done down
    drink drive driving drove during each early earth easy eat eating eight either end english enjoy enough especially
    even evening every everybody everyone everything expect eye eyes face fact fall false family far father february
    feel feels fell felt few fight film finally find finds fine fire first fish five follow followed food for found
    four free friday friend friends from full game gave get gets getting girl give given gives go going gonna good got
    gotta government great green grew group grow guess hadn't half hand hands happen happened happens happy hard
    hasn't have haven't having he'd he'll he's head hear heard hears heart hello help helped here hers herself high
    himself home hope hot hour hours house how however hundred hurry husband i i'd i'll i'm i've idea if important
    include included inside into isn't it's its itself january job july june just keep keeps kept kill killed kind
    knew know known knows language large last late later laugh lead learn learned least leave leaves led left less let
    let's lets life light like little live lived lives living long look looking lose lost lot lots love loved low made
    make makes making many march may maybe mean means meant meet men message met might million mind mine minute
    minutes miss monday money month months morning most mother move moved moves movie much music must my myself name
    near need needed needs neither never new news next nice night nine nobody not nothing november now number october
    off offer office often oh ok okay old once one only open opened other our ours ourselves out outside over own paid
    part party past people perhaps person phone picture place play played playing plays please point police president
    pretty probably problem pull question quick quickly quiet quite rain raining raise ran rather reach read reading
    ready really reason red remain remember report require right river road room run running runs sad said same sang
    sat saturday saw say saying says school sea second seconds see seeing seen sell send sent september serve set
    seven several shall she she'd she'll she's short should shouldn't show showed shown shows sick since sing sister
    sit six sleep sleeping slept slowly small smile snow sold some someone something sometimes soon sorry speak
    speaking spend spent spoke spoken stand start started state stay stayed still stood stop stopped story street
    strong student such suddenly suggest sunday sure table taken taking talk talked talking teacher team tell tells
    ten than thank thanks that that's their theirs them themselves then there there's these they they'll they're
    they've thing things think thinks this though thought thousand three through thursday time today together told
    tomorrow tonight too took toward towards train tree tried true try trying tuesday turn turned twice two under
    understand understood until up usually very wait waited waiting walk walked wanna want war warm was wasn't watch
    watched water way ways we we'll we're we've wednesday week weekend weeks well went were weren't what what's when
    where where's whether which while white who who's whom whose why wife will win window wish with within without
    woman women won won't wonder word words work working world worry worse worst would wouldn't write written wrong
    wrote year years yes yesterday yet you you'd you'll you're you've young your yours yourself
    """
)
# Of the words that both lists leave out, these are English where no Hindi word is near them.
RATHER_ENGLISH = word_set("the is are of in at an his her he it as on had has am be")

# English words that no other language borrows, and that are no words of Hindi in Latin letters.
HOLDING = word_set(
    """of and was were for with at by from she it they we you i my your his her this that not have has had be been
    will would can could does did what an"""
)
