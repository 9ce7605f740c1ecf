"""Why an order is held: one row per reason. A new reason is one row here and one rule in portal.rules.assessment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class HeldBy(StrEnum):
    """Whose doing a hold is, and so who acts next."""

    MERCHANT = "merchant"
    """Something is to be fixed: the order needs the merchant's attention."""
    BUYER = "buyer"
    CHOICE = "choice"
    """The merchant chose it; the order goes once the choice changes."""


class FixPage(StrEnum):
    """The page on which the cause is fixed."""

    PRODUCTS = "products"
    SHIPPING = "shipping"
    SETTINGS = "settings"
    GO_LIVE = "go_live"
    BIG_CARTEL = "big_cartel"
    """The order's own page there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """What is known of one reason.

    ``releasable``: it rests on a guess, so a person who has looked may send the order all the same.
    ``depends_on_product``: a change of a product may end it, so its product is read again at every poll.
    ``blocks_dry_run``: False for a switch of the merchant's, in spite of which the FCP can be asked about the order.
    """

    sentence: str
    remedy: str
    held_by: HeldBy
    fixed_on: FixPage
    releasable: bool = False
    depends_on_product: bool = False
    blocks_dry_run: bool = True


class HoldReason(StrEnum):
    """A member's value is what the database stores; its ``row`` says everything else."""

    row: HoldRow

    def __new__(cls, code: str, row: HoldRow | None = None) -> Self:
        """``row`` is optional only for type checkers, which take the look-up HoldReason(code) for a call of this."""
        if row is None:
            raise TypeError(f"The hold reason {code} has no row.")
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.row = row
        return reason

    PAYMENT_NOT_COMPLETED = (
        "payment_not_completed",
        HoldRow(
            sentence="The payment is not completed.",
            remedy=(
                "It is sent once Big Cartel shows the payment as completed. "
                "To send unpaid orders too, switch on “submit unpaid orders” under Settings."
            ),
            held_by=HeldBy.BUYER,
            fixed_on=FixPage.SETTINGS,
        ),
    )
    NO_SKU = (
        "no_sku",
        HoldRow(
            sentence="An item has no SKU that can be sent.",
            remedy=(
                "Mend the product description in Big Cartel, or enter the SKU under Products. "
                "The order then goes by itself."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.PRODUCTS,
            depends_on_product=True,
        ),
    )
    PRODUCT_GONE = (
        "product_gone",
        HoldRow(
            sentence="A product of this order is no longer in Big Cartel, so its SKU cannot be read.",
            remedy=(
                "Enter the item's SKU under Products, or bring the product back in Big Cartel. "
                "If it is not to be sent, close the order."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.PRODUCTS,
            depends_on_product=True,
        ),
    )
    NO_MAPPING = (
        "no_mapping",
        HoldRow(
            sentence="No carrier service is chosen for this order's shipping code.",
            remedy="Choose a service under Shipping. The order then goes by itself.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.SHIPPING,
        ),
    )
    ADDRESS_INCOMPLETE = (
        "address_incomplete",
        HoldRow(
            sentence="The address is not complete enough for the warehouse.",
            remedy="Complete the address of the order in Big Cartel. The order then goes by itself.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    NOT_LIVE = (
        "not_live",
        HoldRow(
            sentence="The store is not live yet.",
            remedy="Look at the rehearsal, then choose which orders are sent. Nothing is sent before.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.GO_LIVE,
        ),
    )
    BEFORE_START = (
        "before_start",
        HoldRow(
            sentence="The order is not among those that you chose to send.",
            remedy=(
                "Choose an earlier start date if it is to be sent. "
                "If you ship it yourself, mark it as shipped in Big Cartel."
            ),
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.GO_LIVE,
        ),
    )
    PAUSED = (
        "paused",
        HoldRow(
            sentence="Sending is paused.",
            remedy="Switch sending on again under Settings. The order then goes by itself.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.SETTINGS,
            blocks_dry_run=False,
        ),
    )
    LOCAL_PICKUP = (
        "local_pickup",
        HoldRow(
            sentence="The buyer seems to collect this order in person.",
            remedy=(
                "When the buyer has it, mark the order as shipped in Big Cartel. "
                "If it is to be sent after all, release it on its page."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            releasable=True,
        ),
    )
    PARTLY_SHIPPED = (
        "partly_shipped",
        HoldRow(
            sentence="A part of this order has been shipped already.",
            remedy=(
                "Send the rest yourself and mark the order as shipped in Big Cartel, "
                "or enter the rest as an order at the warehouse."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    NOTHING_TO_SHIP = (
        "nothing_to_ship",
        HoldRow(
            sentence="The order has nothing that the warehouse could ship.",
            remedy="If you ship it yourself, mark it as shipped in Big Cartel; otherwise close the order.",
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
        ),
    )
    UNKNOWN_VALUE = (
        "unknown_value",
        HoldRow(
            sentence="Something about this order is not known.",
            remedy=(
                "It is looked at again at every run. If it stays here, check the order in Big Cartel and ask support."
            ),
            held_by=HeldBy.MERCHANT,
            fixed_on=FixPage.BIG_CARTEL,
            depends_on_product=True,
        ),
    )
    TEST_MODE = (
        "test_mode",
        HoldRow(
            sentence="Test mode is on, so no order is really sent.",
            remedy="Switch test mode off under Settings. The order then goes by itself.",
            held_by=HeldBy.CHOICE,
            fixed_on=FixPage.SETTINGS,
            blocks_dry_run=False,
        ),
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason why an order waits.

    ``detail`` says what exactly (an item, a field, a value), as plain text without the buyer's data; a second line says
    what is wrong with it.
    """

    reason: HoldReason
    detail: str = ""

    @property
    def sentence(self) -> str:
        """What it means, for the merchant."""
        sentence = self.reason.row.sentence
        if not self.detail:
            return sentence
        detail = self.detail.replace("\n", " ")
        return f"{sentence[:-1]}: {detail}{'' if detail.endswith('.') else '.'}"

    @property
    def remedy(self) -> str:
        """What to do about it, for the merchant."""
        return self.reason.row.remedy
