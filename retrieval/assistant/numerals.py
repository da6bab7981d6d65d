"""Which words are numbers?

Cardinals, ordinals, fractions and multiples of English and of the languages an answer may slip into, written
with plain letters. Longer words are taken apart: `zweiunddreissig` and `threepointtwo` are numbers as well.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..number_words import SMALL, TENS
from .several import several

_POWERS = (
    "hundred thousand million billion trillion quadrillion quintillion sextillion septillion octillion "
    "googol myriad lakh crore"
)
_ORDINALS = (
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth "
    "eightieth ninetieth hundredth thousandth millionth billionth trillionth secondly thirdly fourthly nth"
)
_PARTS = (
    "half halves halved halve halving quarter quartered quartile thirds fifths percent percentage percentile permille "
    "decile"
)
_MULTIPLES = (
    "once twice thrice double doubled doubling triple tripled tripling treble trebled quadruple quadrupled quintuple "
    "quintupled sextuple septuple octuple nonuple decuple couple duo trio quartet quintet sextet septet octet "
    "dozen gross pair twain unity squared cubed decade century centuries millennium millennia "
    "decimal nil nought naught aught cipher googolplex zilch nada "
    "umpteen monovalent univalent divalent bivalent trivalent tetravalent quadrivalent pentavalent quinquevalent "
    "hexavalent heptavalent octavalent zeroth zillion bazillion gazillion threescore fourscore twosome threesome foursome "
    "sixpence halfpence halfpenny twopence hundredweight millionaire billionaire multimillionaire triplicate "
    "quadruplet quintuplet quadruplicate triad trinity trilogy duet trident octave quadrennial biennial triennial "
    "bicentennial centennial centenary centenarian nonagenarian octogenarian septuagenarian sextette septette octette "
    "quintette quartette decathlon pentathlon redouble singlet doublet triplet twelvemonth fortnight deuce trey"
)
_OTHER_LANGUAGES = {
    "German": "null eins ein eine zwei zwo drei vier fuenf funf sechs sieben acht neun zehn elf zwolf zwoelf zwanzig "
    "dreissig vierzig fuenfzig funfzig sechzig siebzig achtzig neunzig hundert tausend million millionen milliarde "
    "halb halbe anderthalb drittel viertel dutzend komma prozent erste zweite dritte dreizehn sechzehn siebzehn",
    "French": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente "
    "quarante cinquante soixante septante octante huitante nonante cent cents mille milliard demi demie tiers quart "
    "virgule pourcent premier deuxieme troisieme douzaine zero",
    "Spanish": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
    "diecisiete dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento "
    "mil millon medio media tercio coma punto docena veintiuno veintidos primero segundo tercero",
    "Italian": "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici "
    "sedici diciassette diciotto diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento "
    "mille mila milione mezzo mezza virgola dozzina primo secondo terzo",
    "Portuguese": "zero um uma dois duas tres quatro cinco seis sete oito nove dez onze doze treze quatorze catorze "
    "quinze dezesseis dezasseis dezessete dezassete dezoito dezenove vinte trinta quarenta cinquenta sessenta setenta "
    "oitenta noventa cem cento mil milhao meio meia virgula ponto duzia primeiro segundo terceiro",
    "Dutch": "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien twintig dertig veertig "
    "vijftig zestig zeventig tachtig negentig honderd duizend miljoen anderhalf kwart procent komma dozijn tweede "
    "derde",
    "Scandinavian": "nul null ett tva tvo tre fyra fire fem seks sju syv atta otte atte nio ni tio elva elleve tolv "
    "tjugo tyve trettio tredive fyrtio hundra hundrede tusen tusind",
    "Russian": "nol odin dva tri chetyre pyat shest sem vosem devyat desyat odinnadtsat dvenadtsat trinadtsat dvadtsat "
    "tridtsat sorok pyatdesyat sto tysyacha tselykh polovina poltora",
    "Polish": "zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec dziesiec dwadziescia sto tysiac",
    "Chinese": "ling yi liang san wu liu qi jiu shi bai qian wan dian",
    "Japanese": "rei ichi ni san yon shi go roku nana shichi hachi kyu kyuu ku juu hyaku",
    "Latin": "nullus unus duo tria quattuor quinque sex septem octo novem decem centum viginti",
    "Hindi": "shunya ek paanch chhah saat aath nau dus sau hazaar",
    "Turkish": "sifir bir iki uc dort bes alti yedi sekiz dokuz yuz bin",
    "Finnish": "nolla yksi kaksi kolme nelja viisi kuusi seitseman kahdeksan yhdeksan kymmenen sata tuhat",
    "Greek": "miden ena dyo tria tessera pente exi epta okto ennea deka ekato",
    "Arabic": "sifr wahid ithnan thalatha arbaa khamsa sitta sabaa thamaniya tisaa ashara miya",
    "Korean": "yeong hana dul set net daseot yeoseot ilgop yeodeol ahop yeol",
    "Indonesian": "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh ratus ribu koma",
}
ENGLISH = frozenset((*SMALL, *TENS, "fourty")) | several(" ".join((_POWERS, _ORDINALS, _PARTS, _MULTIPLES)))
FOREIGN = {word: name for name, words in _OTHER_LANGUAGES.items() for word in words.split()}
_HARMLESS = several("due media go set net bin fire premier tiers")
"""Numbers in another language, and English words that an answer needs."""
_INSIDE = tuple(
    several("three four five seven eight nine eleven twelve twenty thirty forty fifty hundred thousand dozen")
)
_COINS_AND_AGES = re.compile(
    r"(?:pence|penny|pennies|pennyworth)$|centen(?:ary|nial|arian)|(?<!ver)(?<!tour)[mb]illion"
)
_JOINTS = (
    "und",
    "and",
    "komma",
    "comma",
    "point",
    "punto",
    "virgola",
    "virgule",
    "coma",
    "e",
    "y",
    "en",
    "i",
)
_LOOKALIKES = several("ate tree fore won tow sicks ait nein fiver tenner niner fife fower tousand")


def number_word(word: str) -> str | None:
    """What kind of number a word is, said for the model; `None` if it is none.

    Args:
        word: Plain letters, any case.
    """
    small = word.lower().removesuffix("'s").removesuffix("'")
    for ending, stem in (("", ""), ("s", ""), ("es", ""), ("ies", "y"), ("ish", ""), ("ly", ""), ("er", "")):
        if small.endswith(ending) and small.removesuffix(ending) + stem in ENGLISH:
            return "a number word"
    if _COINS_AND_AGES.search(small):
        return "a number word"
    if small in FOREIGN and small not in _HARMLESS:
        return f"a number in {FOREIGN[small]}"
    if small in _LOOKALIKES:
        return "said like a number"
    if re.fullmatch(r"(?:uni|bi|tri|quadri|tetra|quinque|penta|hexa|hepta|octa)valent", small):
        return "a number word"
    if small.endswith("fold") and (small[:-4] in ENGLISH or small[:-4] == "many"):
        return "a number word"
    return None


@lru_cache(maxsize=8192)
def made_of_numbers(word: str) -> bool:
    """Whether a word that no dictionary has can be taken apart into number words, or holds a long one."""
    small = word.lower()
    if any(part in small for part in _INSIDE):
        return True
    pieces = _pieces()
    reach = [0] + [-1] * len(small)
    for end in range(1, len(small) + 1):
        for start in range(max(0, end - 14), end):
            if reach[start] < 0:
                continue
            piece = small[start:end]
            if piece in pieces:
                reach[end] = max(reach[end], reach[start] + 1)
            elif piece in _JOINTS and start:
                reach[end] = max(reach[end], reach[start])
    return reach[-1] > 0


@lru_cache(maxsize=1)
def _pieces() -> frozenset[str]:
    words = ENGLISH | set(FOREIGN)
    return frozenset(word for word in words if len(word) > 2 or word in ("un", "um", "ni", "ek", "uc"))


def roman(word: str) -> bool:
    """Whether a stand-alone token in capitals reads as a Roman number."""
    if word == "I":
        return False
    return bool(re.fullmatch(r"[IVXLCDM]+", word)) and (len(word) > 1 or word in "VXLCDM")
