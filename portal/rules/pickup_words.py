"""Words for a pickup in the names of shipping rates, by language: the buyer collects the order, or meets the seller.

A star stands for any ending. Case, accents, and punctuation don't matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PICKUP: Mapping[str, tuple[str, ...]] = {
    "English": (
        "pickup", "pickups", "pick up", "pick ups", "picked up", "picking up", "self collect*", "collect in",
        "collect from",
        "collect at", "collect your", "collect it", "collect here", "collected in", "collected from", "collected by",
        "collection in", "collection from", "collection at", "personal collection", "you collect", "i collect",
        "we collect", "ll collect", "will collect", "to collect", "buyer collects", "customer collects",
        "click and collect", "click n collect", "click collect", "bopis", "curbside", "curb side", "kerbside",
        "will call", "in person", "in store", "instore", "at the store", "at our store", "at the shop", "at our shop",
        "at the studio", "at our studio", "at my studio", "at the booth", "at our booth", "at the market",
        "at our market", "at the show", "at the gig", "at the gallery", "hand delivery", "hand delivered",
        "hand deliver", "handoff", "hand off", "hand over", "handover", "handed over", "local delivery",
        "local deliveries", "locally delivered", "local courier", "local exchange", "drop off*", "dropoff*",
        "dropped off", "meetup*", "meet up*", "meet in", "meet at", "meet me", "meet us", "face to face", "no shipping",
        "no shipment", "don t ship", "dont ship", "do not ship", "bike delivery", "bicycle delivery",
        "personal delivery", "personally delivered", "come get", "come and get", "delivered by hand",
        "deliver by hand", "delivered by me", "delivered by us",
    ),
    "German": (
        "abhol*", "selbstabhol*", "selbst abhol*", "hole ab", "hole es ab", "vor ort", "im laden", "im geschäft",
        "im atelier", "übergabe", "persönlich*", "lokale lieferung", "lieferung vor ort",
    ),
    "French": (
        "retrait*", "retirer", "à retirer", "enlèvement", "récupér*", "main propre", "sur place", "en boutique",
        "en magasin", "à la boutique", "à l atelier", "au magasin", "clique et collecte", "livraison locale",
    ),
    "Spanish": (
        "recogida*", "recoger*", "recoge*", "recojo", "retiro", "retirar", "en tienda", "en la tienda", "en mano",
        "en persona", "entrega local", "punto de encuentro",
    ),
    "Portuguese": (
        "retirada*", "retira na*", "levantamento", "recolha", "na loja", "em mãos", "em mão", "buscar na", "buscar no",
    ),
    "Italian": (
        "ritiro", "ritiri", "ritirare", "ritirato", "in negozio", "in sede", "di persona", "consegna a mano",
        "brevi manu", "consegna locale",
    ),
    "Dutch": (
        "afhal*", "afhaal*", "ophal*", "ophaal*", "afgehaald", "in winkel", "in de winkel", "lokale levering",
    ),
    "Polish": ("odbiór*", "odbioru", "odbierz", "w sklepie", "na miejscu", "do rąk własnych"),
    "Czech and Slovak": ("osobní odběr*", "osobný odber*", "vyzvednut*", "vyzdvihnut*", "na prodejně", "v obchode"),
    "Romanian": ("ridicare*", "ridic personal", "din magazin", "la magazin"),
    "Hungarian": ("személyes*", "átvétel*"),
    "Swedish": ("hämtning*", "hämta*", "hämtas", "avhämt*", "upphämt*", "i butik*"),
    "Danish and Norwegian": ("afhent*", "hentning", "hentes", "henting", "selvhent*", "i butikken"),
    "Finnish": ("nouto*", "noudet*", "noutaa"),
    "Russian": ("самовывоз*", "самовынос", "забрать", "заберу", "лично", "в магазине", "из магазина"),
    "Ukrainian": ("самовивіз*", "самовивозом", "забрати", "заберу", "особисто", "в магазині"),
    "Turkish": ("mağazadan", "elden", "gel al"),
    "Greek": ("παραλαβή*", "από το κατάστημα"),
}  # fmt: skip

SHIPPED: tuple[str, ...] = (
    "standard", "express", "priority", "economy", "tracked", "untracked", "tracking", "mail", "post", "postal",
    "parcel", "courier", "ground", "air", "ship", "ships", "shipped", "shipping", "shipment", "first class",
    "international", "domestic", "worldwide", "envelope", "letter", "media", "overnight", "next day", "flat rate",
    "home delivery", "usps", "ups", "fedex", "dhl", "dpd", "gls", "evri", "royal mail", "canada post", "versand",
    "livraison", "envío", "spedizione", "verzending", "wysyłka", "доставка", "почта",
)  # fmt: skip
"""Words in a rate's name that say it is shipped, whatever its profile is called."""

CARRIERS_POINTS: tuple[str, ...] = (
    "mondial relay", "relais", "inpost", "packstation", "paketshop", "parcelshop", "parcel shop", "parcel locker",
    "paczkomat*", "access point", "dpd pickup", "servicepunt", "punto pack",
)  # fmt: skip
"""Places where a carrier hands the order over to the buyer, so it is shipped."""
