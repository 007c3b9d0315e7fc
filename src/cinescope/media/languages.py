"""Language codes as containers and file names have them -> BCP 47 tags. Knows nothing of texts or recognition."""

from __future__ import annotations

import re

# ISO 639-2 codes that have a shorter ISO 639-1 code, which BCP 47 prefers (RFC 5646, section 2.2.1): "deude" is
# deu or, bibliographic, gerde -> de. The register: Library of Congress, ISO 639-2.
_PAIRS = """
    aaraa abkab afraf akaak albsq amham araar argan armhy asmas avaav aveae aymay azeaz bakba bambm baqeu belbe
    benbn bihbh bisbi bodbo bosbs brebr bulbg burmy catca cescs chach chece chizh chucu chvcv corkw cosco crecr
    cymcy czecs danda deude divdv dutnl dzodz ellel engen epoeo estet euseu eweee faofo fasfa fijfj finfi frafr
    frefr fryfy fulff geoka gerde glagd glega glggl glvgv greel grngn gujgu hatht hauha hebhe herhz hinhi hmoho
    hrvhr hunhu hyehy iboig iceis idoio iiiii ikuiu ileie inaia indid ipkik islis itait javjv jpnja kalkl kankn
    kasks katka kaukr kazkk khmkm kikki kinrw kirky komkv konkg korko kuakj kurku laolo latla lavlv limli linln
    litlt ltzlb lublu luglg macmk mahmh malml maomi marmr mayms mkdmk mlgmg mltmt monmn mrimi msams myamy nauna
    navnv nblnr ndend ndong nepne nldnl nnonn nobnb norno nyany ocioc ojioj orior ormom ossos panpa perfa plipi
    polpl porpt pusps quequ rohrm ronro rumro runrn rusru sagsg sansa sinsi slksk slosk slvsl smese smosm snasn
    sndsd somso sotst spaes sqisq srdsc srpsr sswss sunsu swasw swesv tahty tamta tattt telte tgktg tgltl thath
    tibbo tirti tonto tsntn tsots tuktk turtr twitw uigug ukruk urdur uzbuz venve vievi volvo welcy wlnwa wolwo
    xhoxh yidyi yoryo zhaza zhozh zulzu
"""
# The other codes of ISO 639-2, which stay as they are.
_THREE = """
    ace ach ada ady afa afh ain akk ale alg alt ang anp apa arc arn arp art arw ast ath aus awa bad bai bal ban bas
    bat bej bem ber bho bik bin bla bnt bra btk bua bug byn cad cai car cau ceb cel chb chg chk chm chn cho chp chr
    chy cmc cnr cop cpe cpf cpp crh crp csb cus dak dar day del den dgr din doi dra dsb dua dum dyu efi egy eka elx
    enm ewo fan fat fil fiu fon frm fro frr frs fur gaa gay gba gem gez gil gmh goh gon gor got grb grc gsw gwi hai
    haw hil him hit hmn hsb hup iba ijo ilo inc ine inh ira iro jbo jpr jrb kaa kab kac kam kar kaw kbd kha khi kho
    kmb kok kos kpe krc krl kro kru kum kut lad lah lam lez lol loz lua lui lun luo lus mad mag mai mak man map mas
    mdf mdr men mga mic min mis mkh mnc mni mno moh mos mul mun mus mwl mwr myn myv nah nai nap nds new nia nic niu
    nog non nqo nso nub nwc nym nyn nyo nzi osa ota oto paa pag pal pam pap pau peo phi phn pon pra pro raj rap rar
    roa rom rup sad sah sai sal sam sas sat scn sco sel sem sga sgn shn sid sio sit sla sma smi smj smn sms snk sog
    son srn srr ssa suk sus sux syc syr tai tem ter tet tig tiv tkl tlh tli tmh tog tpi tsi tum tup tut tvl tyv udm
    uga umb und vai vot wak wal war was wen xal yao yap ypk zap zbl zen zgh znd zun zxx zza
"""
# The bibliographic one of the two codes that some languages have.
_BIBLIOGRAPHIC = "alb arm baq bur chi cze dut fre geo ger gre ice mac mao may per rum slo tib wel"
_SHORT = {pair[:3]: pair[3:] for pair in _PAIRS.split()}
_KNOWN = {*_SHORT.values(), *_THREE.split()}

# Written by disc and subtitle tools for Chinese in simplified and traditional characters.
_HABITS = {"chs": "zh-Hans", "cht": "zh-Hant", "sc": "zh-Hans", "tc": "zh-Hant", "zhs": "zh-Hans", "zht": "zh-Hant",
           "pb": "pt-BR", "pob": "pt-BR", "jp": "ja", "cn": "zh"}  # fmt: skip
_NONE = {"", "und", "mis", "mul", "zxx", "unk", "xx", "xxx"}  # no language, several, or unknown


def language_tag(code: str | None) -> str:
    """`eng`, `EN_us`, `chi`, `zh-hans` -> `en`, `en-US`, `zh`, `zh-Hans`; "" for what is no language code."""
    first, *rest = re.split(r"[-_]", (code or "").strip().lower())
    rest = [part for part in rest if part != "orig"]  # YouTube's mark of the spoken language: "en-orig"
    if first in _NONE:
        return ""
    if first in _HABITS and not rest:
        return _HABITS[first]
    first = _SHORT.get(first, first)
    if first not in _KNOWN or not all(re.fullmatch(r"[a-z0-9]{2,8}", part) for part in rest):
        return ""
    # RFC 5646, section 2.1.1: Script with a capital, REGION in capitals, the rest small.
    cased = [p.title() if len(p) == 4 and p.isalpha() else p.upper() if len(p) == 2 else p for p in rest]
    return "-".join([first, *cased])


def three_letters(tag: str, bibliographic: bool = False) -> str:
    """A BCP 47 tag -> the ISO 639-2 code of its language ("en-US" -> "eng"), "und" for what has none.

    Where ISO 639-2 has two, the one by the language's own name ("deu"), as MP4 wants it (ISO 14496-12), or the
    bibliographic one ("ger"), as Matroska and QuickTime want it.
    """
    first = tag.split("-")[0].lower()
    if len(first) == 3:
        return first if first in _KNOWN else "und"
    codes = [long for long, short in _SHORT.items() if short == first]
    return min(codes, key=lambda code: (code in _BIBLIOGRAPHIC) != bibliographic, default="und")
