"""Recognize PO boxes and military mail, which only the post delivers to."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from portal.rules.us_states import us_state

if TYPE_CHECKING:
    from portal.clients.bigcartel import BigCartelAddress

# The patterns are for the words of a line: lower case, without accents and punctuation.
_NUMBER = r"(?:(?:n|no|nr|num|number)\s?)?#?\s?[a-z]{0,2}\s?\d"
_NO_STREET = r"(?!\s(?:avenue|ave|close|cottage|court|drive|hill|house|lane|ln|road|rd|street|st|way)\b)"
_PO_BOX = re.compile(
    # P.O. Box 9, POB 9, Post Office Box 9; "Box 9" and "PO 9" if the line has nothing else.
    rf"\bp\s?[o0]\s?b(?:ox|x)?(?=[\s\d#]|$)|\bp\s?b(?:ox|x)\b|\bpost(?:al)?\s?(?:office\s)?b(?:ox|x)\b{_NO_STREET}"
    rf"|\bp\soffice\sbox\b|\bp\s?o\sdrawer\b|^drawer\s{_NUMBER}\w*$|^(?:(?:mail)?box|p\s?o)\s?{_NUMBER}\w*$|\bcaller\s(?:box|service)\b"
    # Kept at the post office.
    r"|\bgeneral\sdelivery\b|\bposte\srestante\b|\bpostlagernd\b|\blista\sde\scorreos\b|\bfermo\s?posta\b"
    # Australia, New Zealand, South Africa.
    r"|\b(?:gpo|cpo|lpo)\sbox\b|\b(?:locked|private)\s(?:mail\s)?bag\b|\bposbus\b"
    # German, Dutch, Nordic.
    rf"|\bpostfach\b|\bpf\s{_NUMBER}|\bpostbus\b|\b(?:post)?boks\s{_NUMBER}|\bpostilokero\b|\bpostholf\b"
    # French, Italian, Spanish, Portuguese.
    rf"|\bboite\spostale\b|\bcase\spostale\b|\bb\s?p\s?{_NUMBER}|\bcasella\spostale\b|\bcaixa\spostal\b"
    rf"|\b(?:apartado|apdo|casilla)\s(?:postal|de\scorreos?|aereo)\b|\b(?:apartado|apdo)\s{_NUMBER}|^casilla\s{_NUMBER}"
    # Polish, Czech and Slovak, Hungarian, Romanian, Turkish, Russian, Japanese, Chinese, Korean.
    r"|\bskrytka\spocztowa\b|\bpostovn[iy]\s(?:prihradka|priecinok)\b|\bpostafiok\b|\bcasuta\spostala\b"
    r"|\bposta\skutusu\b|\bабонентск\w+\sящик\b|\bа\sя\s\d|私書箱|局留|邮政信箱|郵政信箱|사서함"  # noqa: RUF001 - Cyrillic
)
# Abbreviations that mean something else in other countries: in Mexico, "C.P." is the postal code.
_BY_COUNTRY = {
    **dict.fromkeys(("BE", "CA", "CH", "IT", "RO"), re.compile(r"\bc\s?p\s\d")),
    **dict.fromkeys(("DK", "NO"), re.compile(r"\bp\s?b\s\d")),
    "FI": re.compile(r"\bpl\s\d+$"),
}
_MILITARY = re.compile(
    r"\b(?:apo|fpo|dpo)\s(?:aa|ae|ap)\b|\b(?:psc|cmr)\s\d+(?:\sbox\s\d+)?$|\b(?:psc|cmr|unit)\s\d+\sbox\s\d|\bbfpo\s\d"
)
_MILITARY_CITY = re.compile(r"(?:apo|fpo|dpo)(?:\s(?:aa|ae|ap))?|bfpo(?:\s\d+)?")
_MILITARY_ZIP = re.compile("09|340|96[2-6]")
_MILITARY_STATES = frozenset({"AA", "AE", "AP"})


def is_po_box(address: BigCartelAddress) -> bool:
    """Return whether the address is a box at a post office, or mail that is kept there."""
    also = _BY_COUNTRY.get(address.country_code)
    lines = (_words(address.address_1), _words(address.address_2))
    return any(_PO_BOX.search(line) or (also is not None and also.search(line)) for line in lines)


def is_military(address: BigCartelAddress) -> bool:
    """Return whether the address is an APO, FPO, or DPO of the US, or a forces post office of the UK."""
    if address.country_code == "US" and (
        us_state(address.state) in _MILITARY_STATES or _MILITARY_ZIP.match(address.zip)
    ):
        return True
    if _MILITARY_CITY.fullmatch(_words(address.city)):
        return True
    return any(_MILITARY.search(_words(text)) for text in (address.address_1, address.address_2, address.zip))


def _words(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        kept = (character for character in decomposed if unicodedata.category(character) != "Mn")
        text = unicodedata.normalize("NFC", "".join(kept))
    return " ".join(re.sub(r"[^\w#]|_", " ", text.casefold()).split())
