"""Two realistic stores with products, a backlog of orders, and merchants at the warehouse."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox import documents, products
from sandbox.world import Account, Merchant, OAuthClient, stamp

if TYPE_CHECKING:
    from sandbox.state import State

CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-secret"


@dataclass(frozen=True, slots=True)
class Store:
    """A store and its merchant at the warehouse, with their IDs and credentials."""

    account: str
    merchant: str
    name: str
    subdomain: str
    bigcartel_token: str
    fcp_token: str


STORES = (
    Store("1000001", "816", "Fern & Fable", "fernandfable", "sandbox-access-token", "sandbox-token"),
    Store("1000002", "900", "Moss & Mortar", "mossandmortar", "sandbox-access-token-2", "sandbox-token-2"),
)
UNKNOWN_SKU = "GUIDE-1"  # sold in the store but unknown to the warehouse, which rejects its order
HOUR = 3600.0

Spec = dict[str, Any]

PRODUCTS: tuple[Spec, ...] = (
    {
        "id": "101",
        "name": "Botanical Tee",
        "price": "28",
        "options": ["SMALL", "MEDIUM", "LARGE", "X-LARGE"],
        "description": "Soft cotton tee with a fern on the back.\r\n\r\nMade in Portugal.\r\n\r\nSKU:SHIRT-",
    },
    {
        "id": "102",
        "name": "Meadow Sweatshirt",
        "price": "54",
        "options": ["SMALL", "MEDIUM", "LARGE"],
        "description": "<p>Heavy fleece, <em>brushed</em> inside &amp; out.</p><p>SKU:SWEAT-</p>",
    },
    {
        "id": "103",
        "name": "Fern Enamel Pin",
        "price": "9.5",
        "description": "Hard enamel, 3 cm.\n\nSKU:PIN-FERN",
    },
    {
        "id": "104",
        "name": "Market Tote",
        "price": "22",
        "description": "<p>Sturdy canvas, long handles.</p><p><strong>SKU:</strong>&nbsp;TOTE-01</p>",
    },
    {
        "id": "105",
        "name": "Moss Candle",
        "price": "26",
        "description": "Burns for 40 hours.\n\nSKU:CNDL-MOSS",
    },
    {
        "id": "106",
        "name": "Fable Notebook",
        "price": "16",
        "options": ["LINED", "DOTTED"],
        "description": "160 pages, lies flat.\n\nSKU:NOTE-",
    },
    {"id": "107", "name": "Wildflower Print", "price": "35", "description": "A3, on cotton paper, unframed."},
    {"id": "108", "name": "Forest Puzzle", "price": "24", "description": "500 pieces.\n\nsku:PUZ-500"},
    {
        "id": "109",
        "name": "Mushroom Mug",
        "price": "19",
        "description": "Stoneware, 350 ml.\n\nSKU:MUG-MUSH\nDishwasher safe.",
    },
    {
        "id": "110",
        "name": "Story Cards",
        "price": "14",
        "description": "Twelve storytelling cards.\n\nSKU:CARD-12",
    },
    {
        "id": "111",
        "name": "Woodland Socks",
        "price": "12",
        "options": ["S-M", "L-XL"],
        "description": "<div>Wool blend, knit in one piece.<br>SKU:SOCK-</div>",
    },
    {"id": "112", "name": "Pressed Flower Bookmark", "price": "6", "description": "Laminated. SKU:MARK-FLWR"},
    {"id": "113", "name": "Linen Tea Towel", "price": "18", "description": "50 x 70 cm.\n\nSKU:TOWEL-01"},
    {
        "id": "114",
        "name": "Pocket Field Guide",
        "price": "21",
        "description": f"96 pages.\n\nSKU:{UNKNOWN_SKU}",
    },
)

# First name, last name, street, second line, city, state, zip
_US = (
    ("Nora", "Whitfield", "412 Maple Street", None, "Portland", "OR", "97205"),
    ("Daniel", "Okafor", "88 Lakeview Drive", "Apt 3B", "Madison", "Wisconsin", "53703"),
    ("Ruth", "Castellan", "1450 Juniper Avenue", None, "Boulder", "CO", "80302"),
    ("Theo", "Brandt", "27 Harbor Lane", None, "Portland", "Maine", "04101"),
    ("Imani", "Porter", "905 Peachtree Place", "Unit 12", "Atlanta", "GA", "30309"),
    ("Grace", "Lindholm", "3300 Cedar Avenue", None, "Minneapolis", "Minnesota", "55407"),
    ("Marcus", "Delaney", "61 Beacon Hill Road", None, "Boston", "MA", "02108"),
    ("Elena", "Vasquez", "7200 Mesa Verde Drive", None, "Santa Fe", "New Mexico", "87501"),
    ("Owen", "Kessler", "15 Old Mill Road", None, "Burlington", "VT", "05401"),
    ("Priya", "Raman", "540 Congress Avenue", "Floor 2", "Austin", "TX", "78701"),
    ("Hannah", "Sorensen", "2210 Ballard Way", None, "Seattle", "Washington", "98107"),
    ("Caleb", "Monroe", "19 Dogwood Court", None, "Asheville", "North Carolina", "28801"),
    ("June", "Abernathy", "1600 Example Street NW", "Suite 4", "Washington", "District of Columbia", "20001"),
    ("Felix", "Garner", "733 Sunset Terrace", None, "San Diego", "CA", "92103"),
    ("Leah", "Novak", "4 Prospect Place", None, "Brooklyn", "New York", "11238"),
    ("Samuel", "Tate", "98 Riverbend Road", None, "Nashville", "TN", "37206"),
    ("Mina", "Kowalski", "2145 Wicker Park Avenue", "#2", "Chicago", "Illinois", "60622"),
    ("Jonah", "Pierce", "310 Aspen Loop", None, "Anchorage", "AK", "99501"),
    ("Beatrice", "Lam", "56 Ala Moana Street", None, "Honolulu", "Hawaii", "96814"),
    ("Victor", "Hale", "1212 Elm Street", None, "Dayton", "OH", "45402"),
)
# Same fields, followed by the country code.
_ABROAD = (
    ("Harriet", "Coombes", "14 Willow Crescent", None, "Bristol", None, "BS6 5AA", "GB"),
    ("Jonas", "Reinhardt", "Lindenstraße 27", None, "Köln", None, "50674", "DE"),
    ("Amélie", "Tremblay", "455 Rue Sherbrooke", "App. 6", "Montréal", "Québec", "H3A 1B9", "CA"),
    ("Callum", "Fraser", "9 Banksia Street", None, "Fremantle", "WA", "6160", "AU"),
    ("Yuki", "Tanabe", "2-11-3 Meguro", "Sunrise 402", "Tokyo", "Tokyo", "153-0063", "JP"),
    ("Claire", "Moreau", "8 Rue des Lilas", None, "Lyon", None, "69003", "FR"),
    ("Sanne", "de Wit", "Prinsengracht 310", None, "Amsterdam", None, "1016 HX", "NL"),
    ("Aroha", "Ngata", "21 Kowhai Road", None, "Wellington", None, "6011", "NZ"),
    ("Linnéa", "Åström", "Storgatan 5", None, "Göteborg", None, "411 38", "SE"),
    ("Declan", "Byrne", "3 Quay Street", None, "Galway", "Co. Galway", "H91 E2K3", "IE"),
)
_PUERTO_RICO = ("Lucía", "Marrero", "52 Calle Luna", None, "San Juan", "PR", "00901", "PR")

_BASKETS: tuple[tuple[Spec, ...], ...] = (
    ({"product": "101", "option": "MEDIUM"},),
    ({"product": "103", "quantity": 2}, {"product": "112"}),
    ({"product": "102", "option": "LARGE"}, {"product": "105"}),
    ({"product": "106", "option": "DOTTED", "quantity": 3},),
    ({"product": "104"}, {"product": "111", "option": "S-M", "quantity": 2}, {"product": "110"}),
    ({"product": "113", "quantity": 2},),
    ({"product": "101", "option": "SMALL"}, {"product": "101", "option": "X-LARGE"}),
    ({"product": "105", "quantity": 4},),
    ({"product": "110"}, {"product": "106", "option": "LINED"}),
    ({"product": "111", "option": "L-XL"},),
)
# Overrides that turn a plain order into a special case.
_SPECIAL: tuple[Spec, ...] = (
    {"payment_status": "unpaid"},
    {"payment_status": "unpaid"},
    {"payment_status": "pending"},
    {"shipping_status": "shipped"},
    {"items": [{"product": "103", "quantity": 2, "quantity_shipped": 1}, {"product": "104"}]},
    {"labels": ["Local pickup - [Studio, Saturday 10-2]"], "label_type": "order_adjustments/base"},
    {"address_1": ""},
    {"items": [{"product": "107"}]},
    {"items": [{"product": "108"}]},
    {"items": [{"product": "109", "quantity": 2}, {"product": "103"}]},
    {"items": [{"product": "114"}], "note": "For my sister, thank you"},
)


def seed(state: State) -> bool:
    """Create the stores, their app and their merchants if missing. Return whether anything was created."""
    added = False
    for store in STORES:
        if store.account not in state.bigcartel.accounts:
            state.bigcartel.accounts[store.account] = _account(store)
            added = True
        if store.merchant not in state.fcp.merchants:
            known = {sku: 100 for sku in skus() if sku != UNKNOWN_SKU}
            state.fcp.merchants[store.merchant] = Merchant(store.merchant, store.name, store.fcp_token, skus=known)
            added = True
    if CLIENT_ID not in state.bigcartel.clients:
        state.bigcartel.clients[CLIENT_ID] = OAuthClient(CLIENT_ID, CLIENT_SECRET)
        added = True
    return added


def skus() -> list[str]:
    """Return the SKU of every product and option, including UNKNOWN_SKU."""
    stems = {
        "101": "SHIRT-",
        "102": "SWEAT-",
        "103": "PIN-FERN",
        "104": "TOTE-01",
        "105": "CNDL-MOSS",
        "106": "NOTE-",
        "107": "PRINT-WILD",
        "108": "PUZ-500",
        "109": "MUG-MUSH",
        "110": "CARD-12",
        "111": "SOCK-",
        "112": "MARK-FLWR",
        "113": "TOWEL-01",
        "114": UNKNOWN_SKU,
    }
    return [f"{stems[product['id']]}{option}" for product in PRODUCTS for option in product.get("options", [""])]


def realistic_order(account: Account, number: int, *, abroad: bool = False) -> Spec:
    """Return the spec of one order. `number` picks the buyer and items; with `abroad`, every fifth ships abroad."""
    buyer = _ABROAD[number // 5 % len(_ABROAD)] if abroad and number % 5 == 4 else _US[number % len(_US)]
    sellable = [
        document
        for document in account.products.values()
        if "SKU:" in str(document["data"]["attributes"].get("description"))
    ]
    items: list[Spec] = []
    for line in range(min(1 + number % 3, len(sellable))):
        chosen = sellable[(number + line) % len(sellable)]
        options = chosen["included"]
        option = options[number % len(options)]["id"] if options else None
        items.append({"product": chosen["data"]["id"], "option": option, "quantity": 1 + number % 2})
    return {**_buyer(buyer), **({"items": items} if items else {})}


def _account(store: Store) -> Account:
    mail = f"hello@{store.subdomain}.example"
    account = Account(store.account, store.name, store.subdomain, mail, [store.bigcartel_token])
    for product in PRODUCTS:
        products.put(account, product)
    orders = [*(_buyer(buyer) for buyer in (*_US, *_ABROAD, _PUERTO_RICO))]
    for number, spec in enumerate(orders):
        spec["items"] = list(_BASKETS[number % len(_BASKETS)])
        spec["labels"] = ["Standard shipping" if number % 3 else "Shipping to your address"]
    for number, special in enumerate(_SPECIAL):
        plain = {**_buyer(_US[number * 3 % len(_US)]), "items": list(_BASKETS[number % len(_BASKETS)])}
        orders.append({**plain, **special})
    shuffled = random.Random(int(store.merchant))
    shuffled.shuffle(orders)
    now = time.time()
    for age, spec in enumerate(reversed(orders), start=1):
        created = stamp(now - age * 2 * HOUR - shuffled.randrange(3000))
        documents.place(account, {**spec, "created_at": created})
    return account


def _buyer(buyer: tuple[str | None, ...]) -> Spec:
    first, last, address_1, address_2, city, state, postal, *country = buyer
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}@example.com".lower().replace(" ", ""),
        "address_1": address_1,
        "address_2": address_2,
        "city": city,
        "state": state,
        "zip": postal,
        "country": country[0] if country else "US",
    }
