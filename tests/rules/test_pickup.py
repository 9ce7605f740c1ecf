"""Which names of shipping rates sound like a pickup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.pickup import is_pickup, is_pickup_discount, rate_key, rate_name, speaks_of_pickup
from portal.rules.pickup_words import PICKUP
from tests.rules.texts import any_text

PICKUPS = """
Pickup|Free local pick up|LOCAL PICK-UP - [Saturday]|Pick\xa0up in Berlin|Pick\u2013up|PICK_UP|P\u200bickup
\uff30\uff29\uff23\uff2b\uff35\uff30
Store pickups|Pickup (Brooklyn, NY)|Picked up at market|Collect in person|Collection from the studio|Click & Collect
Local delivery|Hand delivery|Local drop-off|Local hand-off|Meet up in person|Will Call|Curbside pick-up|In-store
No shipping, meet at the market|Collection|Free collection|Fall Collection - [Collection]|Standard - [Local Pickup]
Domestic - [Free] pick up at our studio|Local Pickup - [Saturday]
Abholung im Laden|Selbstabholer|Zur Abholung|Persönliche Übergabe|Retrait en boutique|À retirer à l'atelier
Remise en main propre|Recogida en tienda|Retiro en persona|Entrega en mano|Ritiro in negozio|Consegna a mano
Afhalen in winkel|Ophalen|Odbiór osobisty|Ridicare personală|Levantamento na loja|Самовывоз|Самовивіз|Hämtas i butik
Ladenabholung|Wird abgeholt|Je viens chercher|Mains propres|Livraison à vélo|Paso a buscar|Sin envío
Vengo a prenderlo|Ik kom het ophalen|Haal zelf op|Bez wysyłki|Vou buscar|Личная встреча|Teslim alma
Pickup Union Square
FreeLocalPickup|InStorePickup|Come pick it up|Takeaway|Local customers only|Merch table|Skip shipping
Afhentning|Henting i butikken|Nouto myymälästä|Osobní odběr|Személyes átvétel|Elden teslim|Παραλαβή από το κατάστημα
"""
SHIPPED = """
Shipping to United States|Standard (with tracking)|Pickupville express|Recollections edition|International delivery
Fall Collection|Fall Collection - [Standard (with tracking)]|Winter Collection 2026 - [USPS Ground Advantage]
Pickup Truck Parts - [Standard]|Collectors edition - [Express]|Collection of prints shipping|Handmade - [First class]
No pickup|Shipping only (no local pickup)|Kein Abholen|Mondial Relay point relais - retrait|Home delivery
Tracked delivery|Handling and shipping|Store credit shipping|Ships from our studio|Standard shipping from our store
USPS Media Mail|Envío estándar|Versand nach Deutschland|Livraison standard|Spedizione standard|Verzending
Handover EP - [Vinyl mailer]|Guitar Pickups - [US]|Maillot vélo - [Colissimo]
Retiree gifts
Pickup not available|Retrait interdit|Verzenden (niet afhalen)|Доставка (без самовывоза)|PostNL afhaalpunt
Carrier pickup
Free Shipping|Delivery by mail|Flat rate - [$5]|Mountain postcards - [Letter]
"""


def _lines(text: str) -> list[str]:
    return [label for line in text.strip().splitlines() for label in line.split("|")]


@pytest.mark.parametrize("label", _lines(PICKUPS))
def test_rate_that_names_a_pickup_is_one(label: str) -> None:
    assert is_pickup(label)


@pytest.mark.parametrize("label", [*_lines(SHIPPED), "", " - []", "[] ", "-"])
def test_other_rates_are_shipped(label: str) -> None:
    assert not is_pickup(label)


@pytest.mark.parametrize("language", PICKUP)
def test_every_phrase_is_found_in_capitals_and_without_accents(language: str) -> None:
    for phrase in PICKUP[language]:
        assert is_pickup(f"({phrase.strip('*').upper()})"), phrase


@pytest.mark.parametrize(
    ("label", "is_one"),
    [
        ("[LOCALPICKUP] Free local pickup", True),
        ("[LOCALPICKUP]", True),
        ("[Local-Pick-Up] 100% off shipping", True),
        ("[FRIENDS] Pickup in Portland", True),
        ("[SELBSTABHOLER]", True),
        ("[FREEMEETUP2]", True),
        ("[Ritiro] 0", True),
        ("[RETRAITE60] Retirement", False),
        ("[RECOLLECT]", False),
        ("Abholung", True),
        ("[FALL20] Fall Collection", False),
        ("[FREESHIPPING] Free shipping discount", False),
    ],
)
def test_discount_may_name_a_pickup(label: str, is_one: bool) -> None:
    assert is_pickup_discount(label) is is_one


@pytest.mark.parametrize(
    ("note", "speaks"),
    [
        ("I will pick this up at the studio on Friday", True),
        ("Ich hole es ab, danke!", True),
        ("Can I pick up my order?", True),
        ("Please leave it on the porch", False),
        ("", False),
    ],
)
def test_note_may_speak_of_a_pickup(note: str, speaks: bool) -> None:
    assert speaks_of_pickup(note) is speaks


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Fall Collection - [Standard (with tracking)]", "Standard (with tracking)"),
        ("A - B \u2013 [Express] 2-3 days", "Express"),
        ("Shipping to United States", "Shipping to United States"),
        ("Local Pickup - [Free]", "Local Pickup - [Free]"),
        ("Local Pickup - [Standard shipping]", "Standard shipping"),
        ("Prints - [Local pickup]", "Local pickup"),
        ("Profile - []", "Profile - []"),
        ("[FREESHIPPING] Free shipping", "[FREESHIPPING] Free shipping"),
    ],
)
def test_rate_is_named_without_its_profile(label: str, name: str) -> None:
    assert rate_name(label) == name


def test_marks_are_compared_as_people_read_names() -> None:
    assert rate_key(" Local\xa0 PICKUP\u200b") == rate_key("local pickup")


@given(any_text, st.sampled_from(["Local pickup", "Standard"]))
def test_any_label_is_read(text: str, rate: str) -> None:
    for label in (text, f"{text} - [{rate}]", f"[{text}] {rate}"):
        assert is_pickup(label) in {True, False}
        assert is_pickup_discount(label) in {True, False}
        assert rate_key(rate_name(label)) == rate_key(f" {rate_name(label)}\u200b")
