"""Why an order is held: one row per reason. To add a reason, add a row here and a rule in portal.rules.assessment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from portal.rules.visible_text import clean, shorten


class HeldBy(StrEnum):
    """Who can end a hold, and so who the order is waiting on."""

    MERCHANT = "merchant"
    """The merchant has something to fix: the order needs attention."""
    BUYER = "buyer"
    CHOICE = "choice"
    """A setting of the merchant's: the order is sent once the setting changes."""


class FixPage(StrEnum):
    """The page where the cause is fixed."""

    PRODUCTS = "products"
    SHIPPING = "shipping"
    RATES = "rates"
    SETTINGS = "settings"
    GO_LIVE = "go_live"
    BIG_CARTEL = "big_cartel"
    """The order's own page in Big Cartel."""
    ORDER = "order"
    """The order's page here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """Everything about one hold reason.

    ``label`` has no period: it stands in lists, and a detail may follow it.
    ``releasable``: the reason is a guess, so a person may check the order and send it anyway.
    ``depends_on_product``: changing a product may end the hold, so the product is read again at every poll.
    ``blocks_dry_run``: False for a setting that stops sending but says nothing about the order itself.
    """

    label: str
    remedy: str
    held_by: HeldBy
    fixed_on: FixPage
    releasable: bool = False
    depends_on_product: bool = False
    blocks_dry_run: bool = True


class HoldReason(StrEnum):
    """The reasons. A member's value is stored in the database; its ``row`` holds the rest."""

    row: HoldRow

    def __new__(cls, code: str, row: HoldRow | None = None) -> Self:
        """``row`` is optional only because type checkers read the lookup HoldReason(code) as a call of this method."""
        if row is None:
            raise TypeError(f"The hold reason {code} has no row.")
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.row = row
        return reason

    PAYMENT_NOT_COMPLETED = (
        "payment_not_completed",
        HoldRow(
            label="Payment not completed",
            remedy=(
                "We'll send it once Big Cartel shows the payment as completed. "
                "To also send orders that are unpaid or pending, turn on “Send unpaid orders” in Settings."
            ),
            held_by=HeldBy.BUYER,
            fixed_on=FixPage.SETTINGS,
        ),
    )
    NO_SKU = (
        "no_sku",
        HoldRow(
            label="Missing or invalid SKU",
            remedy="Fix the description, or enter the SKU under Products.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.PRODUCTS,
            depends_on_product=True,
        ),
    )
    PRODUCT_GONE = (
        "product_gone",
        HoldRow(
            label="Product no longer in Big Cartel",
            remedy=(
                "Enter the item's SKU under Products, or restore the product in Big Cartel. "
                "If you don't want to send the order, close it."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.PRODUCTS,
            depends_on_product=True,
        ),
    )
    OPTION_GONE = (
        "option_gone",
        HoldRow(
            label="Option no longer in Big Cartel",
            remedy=(
                "Enter the SKU for this option under Products, or restore the option in Big Cartel. "
                "If you don't want to send the order, close it."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.PRODUCTS,
            depends_on_product=True,
        ),
    )
    NO_MAPPING = (
        "no_mapping",
        HoldRow(
            label="No carrier service chosen",
            remedy="Choose a carrier service under Shipping.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.SHIPPING,
        ),
    )
    ADDRESS_INCOMPLETE = (
        "address_incomplete",
        HoldRow(
            label="Incomplete address",
            remedy="Complete the address on the order's page or in Big Cartel.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    ADDRESS_DOUBTFUL = (
        "address_doubtful",
        HoldRow(
            label="Address looks wrong",
            remedy=(
                "Correct the address on the order's page or in Big Cartel. "
                "If it's right, release the order to send it anyway."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            releasable=True,
        ),
    )
    CARRIER_CANNOT_DELIVER = (
        "carrier_cannot_deliver",
        HoldRow(
            label="Carrier can't deliver to this address",
            remedy=(
                "Ask the buyer for a street address, or choose a USPS service under Shipping. "
                "To send it anyway, release the order."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.SHIPPING,
            releasable=True,
        ),
    )
    CANCELED_OR_REFUNDED = (
        "canceled_or_refunded",
        HoldRow(
            label="Canceled or refunded",
            remedy="If you don't want to send it, close the order. To send it anyway, release it.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            releasable=True,
        ),
    )
    NOT_LISTED = (
        "not_listed",
        HoldRow(
            label="Not in Big Cartel's list of unshipped orders",
            remedy=(
                "Check the order in Big Cartel: it may be canceled or shipped. "
                "We'll send it once the list names it. To send it anyway, release it."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            releasable=True,
        ),
    )
    QUANTITIES_DISAGREE = (
        "quantities_disagree",
        HoldRow(
            label="Quantities don't match",
            remedy=(
                "Check the order's items in Big Cartel. If they're right there, ship the order yourself, "
                "or enter it at the warehouse, and close it here."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    NOT_LIVE = (
        "not_live",
        HoldRow(
            label="Store not live yet",
            remedy="Check the dry run, then choose which orders to send. Nothing is sent before that.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.GO_LIVE,
        ),
    )
    BEFORE_START = (
        "before_start",
        HoldRow(
            label="Before the start date you chose",
            remedy=(
                "To send it, choose an earlier start date. If you ship it yourself, mark it as shipped in Big Cartel."
            ),
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.GO_LIVE,
        ),
    )
    PAUSED = (
        "paused",
        HoldRow(
            label="Sending is paused",
            remedy="Resume sending in Settings.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.SETTINGS,
            blocks_dry_run=False,
        ),
    )
    LOCAL_PICKUP = (
        "local_pickup",
        HoldRow(
            label="Looks like a local pickup",
            remedy=(
                "After the buyer picks it up, mark the order as shipped in Big Cartel. To send it anyway, release it. "
                "To send all orders with this rate, mark the rate under Shipping."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            releasable=True,
        ),
    )
    RATE_NEVER_SENT = (
        "rate_never_sent",
        HoldRow(
            label="Shipping rate that you never send",
            remedy="To send orders with this rate, remove its mark under Shipping.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.RATES,
        ),
    )
    PARTLY_SHIPPED = (
        "partly_shipped",
        HoldRow(
            label="Partly shipped already",
            remedy=(
                "Ship the rest yourself and mark the order as shipped in Big Cartel, "
                "or enter the rest as a new order at the warehouse."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    NOTHING_TO_SHIP = (
        "nothing_to_ship",
        HoldRow(
            label="Nothing for the warehouse to ship",
            remedy="If you ship it yourself, mark it as shipped in Big Cartel. Otherwise, close the order.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    UNKNOWN_VALUE = (
        "unknown_value",
        HoldRow(
            label="Something we don't recognize",
            remedy=(
                "We check it again at every sync. If it stays on hold, check the order in Big Cartel and ask support."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            depends_on_product=True,
        ),
    )
    HELD_BY_HAND = (
        "held_by_hand",
        HoldRow(
            label="Put on hold by hand",
            remedy="To send it, release the hold on the order's page.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.ORDER,
            blocks_dry_run=False,
        ),
    )
    EDIT_OUTDATED = (
        "edit_outdated",
        HoldRow(
            label="Changed in Big Cartel after you edited it here",
            remedy="Check the order's page, then edit it again or use what Big Cartel shows.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.ORDER,
        ),
    )
    TEST_MODE = (
        "test_mode",
        HoldRow(
            label="Test mode is on",
            remedy="Turn off test mode in Settings to send orders.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.SETTINGS,
            blocks_dry_run=False,
        ),
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason why an order is on hold.

    ``detail`` names the item, field or value, as plain text without the buyer's data; an optional second line says
    what is wrong with it.
    """

    reason: HoldReason
    detail: str = ""

    @property
    def headline(self) -> str:
        """Return the reason and the item, field or value that it is about."""
        label, subject = self.reason.row.label, self.detail.partition("\n")[0]
        if not subject:
            return f"{label}."
        return f"{label}: {subject}{'' if subject.endswith('.') else '.'}"

    @property
    def explanation(self) -> str:
        """Return what is wrong with it, "" if the headline says it all."""
        return self.detail.partition("\n")[2].replace("\n", " ")

    @property
    def sentence(self) -> str:
        """Return the headline and the explanation."""
        return f"{self.headline} {self.explanation}".rstrip()

    @property
    def remedy(self) -> str:
        """Return what the merchant can do about it."""
        return self.reason.row.remedy


def value(name: str, text: str) -> str:
    """Return a hold's detail for a value that we don't know."""
    text = clean(text)
    return f"{name} “{shorten(text)}”" if text else f"a missing {name}"
