"""Words for a pickup in the names of shipping rates, by language: the buyer collects the order, or meets the seller.

A star stands for any beginning or ending. Case, accents, and punctuation don't matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PICKUP: Mapping[str, tuple[str, ...]] = {
    "English": (
        "pickup", "pickups", "pick up", "pick ups", "picked up", "picking up", "self collect*", "collect in",
        "collect from", "collect at", "collect your", "collect it", "collect here", "collected in", "collected from",
        "collected by", "collection in", "collection from", "collection at", "personal collection", "you collect",
        "i collect", "we collect", "ll collect", "will collect", "to collect", "buyer collects", "customer collects",
        "click and collect", "click n collect", "click collect", "bopis", "curbside", "curb side", "kerbside",
        "will call", "in person", "in store", "instore", "at the store", "at our store", "at the shop", "at our shop",
        "at the studio", "at our studio", "at my studio", "at the booth", "at our booth", "at the market",
        "at our market", "at the show", "at the gig", "at the gallery", "hand delivery", "hand delivered",
        "hand deliver", "handoff", "hand off", "hand over", "handover", "handed over", "local delivery",
        "local deliveries", "locally delivered", "local courier", "local exchange", "drop off*", "dropoff*",
        "dropped off", "meetup*", "meet up*", "meet in", "meet at", "meet me", "meet us", "face to face", "no shipping",
        "no shipment", "don t ship", "dont ship", "do not ship", "bike delivery", "bicycle delivery",
        "personal delivery", "personally delivered", "come get", "come and get", "delivered by hand", "deliver by hand",
        "delivered by me", "delivered by us", "delivery by me", "delivery by us", "local only", "locals only",
        "local customers only", "local buyers only", "local bike", "skip shipping", "neighborhood delivery",
        "neighbourhood delivery", "without shipping", "takeaway", "take away", "takeout", "take out", "carry out",
        "carryout", "merch table", "at the con", "at the convention", "at the fair", "at the event", "at my booth",
        "at my table", "hand it to you", "hand to you", "collect myself", "i ll collect",
    ),
    "German": (
        "*abhol*", "*abgeholt", "abzuholen", "hole ab", "hole es ab", "hole selbst ab", "holen ab", "holt ab",
        "vor ort", "im laden", "im geschäft", "im atelier", "übergabe", "persönlich*", "lokale lieferung",
        "lieferung vor ort", "kein versand", "ohne versand", "nicht versenden", "treffen", "treffpunkt",
        "zum mitnehmen", "am marktstand", "im studio", "in der werkstatt", "im shop", "in der galerie",
    ),
    "French": (
        "retrait", "retraits", "retirer", "retire", "enlèvement", "enlever", "récupér*", "main propre", "mains propres",
        "sur place", "remise en main", "venir chercher", "venir le chercher", "viens le chercher", "viens chercher",
        "viendrai chercher", "passe chercher", "passer chercher", "passerai", "aller chercher", "à emporter",
        "cueillette", "ramassage", "à vélo", "sans livraison", "sans envoi", "sans expédition", "pas de livraison",
        "pas d envoi", "rendez vous", "à l atelier", "au studio", "en personne", "au stand", "chez moi", "chez nous",
        "en boutique", "en magasin", "à la boutique", "au magasin", "clique et collecte", "livraison locale",
    ),
    "Spanish": (
        "recogida*", "recoger*", "recoge*", "recojo", "retiro", "retirar", "en tienda", "en la tienda", "en mano",
        "en persona", "entrega local", "entrega personal", "punto de encuentro", "paso a buscar", "pasar a buscar",
        "paso por", "pasar por", "buscar en", "recógelo", "recógela", "retira", "retira en", "retiralo", "sin envío",
        "sin envíos", "no enviar", "en el taller", "en el estudio", "en taller", "en mi taller", "cita previa",
    ),
    "Portuguese": (
        "retirada*", "retira na*", "levantamento", "recolha", "na loja", "em loja", "em mãos", "em mão", "buscar",
        "retirar", "retiro", "levantar", "recolher", "sem envio", "sem frete", "pessoalmente", "em pessoa",
        "no atelier", "no estúdio", "no ateliê", "entrega local",
    ),
    "Italian": (
        "ritiri", "ritirare", "ritirato", "in negozio", "in sede", "di persona", "consegna a mano", "brevi manu",
        "consegna locale", "scambio a mano", "ritira", "ritiro*", "ritirerò", "prenderlo", "prenderla",
        "passo a prend*", "vengo a prend*", "senza spedizione", "nessuna spedizione", "non spedire", "in studio",
        "in laboratorio", "in bottega", "in atelier",
    ),
    "Dutch": (
        "*afhal*", "*afhaal*", "*ophal*", "*ophaal*", "afgehaald", "opgehaald", "af te halen", "op te halen", "haal op",
        "haal af", "haal het op", "haal het af", "haal zelf", "kom halen", "komt halen", "kom het halen",
        "zonder verzending", "geen verzending", "niet verzenden", "persoonlijk*", "in het atelier", "in de studio",
        "in winkel", "in de winkel", "lokale levering",
    ),
    "Polish": (
        "odbiór*", "odbioru", "odbierz", "odbiorę", "odbieram", "osobiście", "osobisty", "osobista", "osobiste",
        "bez wysyłki", "nie wysyłać", "w pracowni", "do ręki", "w sklepie", "na miejscu", "do rąk własnych",
    ),
    "Czech and Slovak": ("osobní odběr*", "osobný odber*", "vyzvednut*", "vyzdvihnut*", "na prodejně", "v obchode"),
    "Romanian": ("ridicare*", "ridic", "predare personală", "fără livrare", "din magazin", "la magazin"),
    "Hungarian": ("személyes*", "átvétel*"),
    "Swedish": ("hämtning*", "hämta*", "hämtas", "avhämt*", "upphämt*", "i butik*"),
    "Danish and Norwegian": (
        "afhent*", "hentning", "hentes", "henting", "selvhent*", "hent selv", "hente selv", "i butikken",
    ),
    "Finnish": ("nouto*", "noudet*", "noutaa"),
    "Russian": (
        "самовывоз*", "самовынос", "вывоз", "встреча", "встрече", "при встрече", "забираю", "забирать", "заберем",
        "заберём", "забрать", "из рук в руки", "в руки", "без доставки", "без отправки", "не отправлять",
        "в мастерской", "из мастерской", "из студии", "в студии", "заберу", "лично", "личная", "личный", "в магазине",
        "из магазина",
    ),
    "Ukrainian": (
        "самовивіз*", "самовивозом", "самовивозу", "забрати", "заберу", "забираю", "зустріч", "зустрічі",
        "при зустрічі", "особисто", "особиста", "особистий", "без доставки", "з рук в руки", "в майстерні",
        "з майстерні", "в магазині", "з магазину",
    ),
    "Turkish": (
        "mağazadan", "mağazada", "şubeden", "atölyeden", "atölyede", "dükkandan", "stüdyodan", "adresten", "yerinden",
        "elden", "gel al", "gelip al*", "teslim al", "teslim alma", "teslim alacagim", "kendim alacagim",
        "kendim alirim", "şahsen", "yüz yüze", "kargosuz", "kargo yok",
    ),
    "Greek": ("παραλαβή*", "από το κατάστημα"),
}  # fmt: skip

SHIPPED: tuple[str, ...] = (
    "standard", "express", "priority", "economy", "tracked", "untracked", "tracking", "mail", "post", "postal",
    "parcel", "courier", "ground", "air", "ship", "ships", "shipped", "shipping", "shipment", "first class",
    "international", "domestic", "worldwide", "envelope", "letter", "media", "overnight", "next day", "flat rate",
    "home delivery", "mailer", "box", "us", "usa", "uk", "eu", "united states", "canada", "united kingdom", "australia",
    "europe", "rest of world", "everywhere else", "zone", "tier", "insured", "signed", "usps", "ups", "fedex", "dhl",
    "dpd", "gls", "evri", "royal mail", "canada post", "versand", "livraison", "envoi", "expédition", "colissimo",
    "chronopost", "lettre", "envío", "envio", "correos", "paq", "postale", "poste", "corriere", "raccomandata",
    "postnl", "brievenbus*", "bezorging", "paket", "päckchen", "brief", "hermes", "kurier", "przesyłka", "poczta",
    "correio", "correios", "ctt", "sedex", "kargo", "сдэк", "пошта", "курьер*", "кур'єр*", "spedizione", "verzending",
    "wysyłka", "доставка", "почта",
)  # fmt: skip
"""Words in a rate's name that say it is shipped, whatever its profile is called."""

CARRIERS_POINTS: tuple[str, ...] = (
    "mondial relay", "relais", "inpost", "packstation", "paketshop", "parcelshop", "parcel shop", "parcel locker",
    "paczkoma*", "post nl", "postnl", "correos", "bureau de poste", "postfiliale", "carrier pickup", "access point",
    "dpd pickup", "servicepunt", "punto pack",
)  # fmt: skip
"""Places where a carrier hands the order over to the buyer, so it is shipped."""
