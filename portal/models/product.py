"""Products as last read from Big Cartel, SKU overrides, and the SKUs that follow from both."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("store_id", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    product_id: Mapped[str]
    """Big Cartel's id."""
    name: Mapped[str] = mapped_column(default="")
    permalink: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(Text, default="")
    options: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    """[{"id": …, "name": …}], in Big Cartel's order."""
    gone: Mapped[bool] = mapped_column(default=False)
    """Whether Big Cartel answered 404 for the product."""
    fetched_at: Mapped[datetime]


class ProductToFix(Base):
    """A product without a usable SKU that orders on hold need. Polls refetch it until it is fixed."""

    __tablename__ = "products_to_fix"

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    product_id: Mapped[str] = mapped_column(primary_key=True)
    """Big Cartel's id. The product may never have been read."""


class SkuOverride(Base):
    """A SKU that a merchant entered; it overrides the one in the description."""

    __tablename__ = "sku_overrides"
    __table_args__ = (
        UniqueConstraint("store_id", "product_id", "option_id"),
        Index("ix_sku_overrides_store_product", "store_id", "product_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    product_id: Mapped[str]
    option_id: Mapped[str] = mapped_column(default="")
    """Empty for the whole product: option names are then appended, as with the SKU in a description."""
    sku: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class SkuVerdict(Base):
    """What a product's description and overrides come to, so that pages can sort, search and count products.

    Orders never use it. It is derived again when the product or an override changes, or with newer rules.
    """

    __tablename__ = "sku_verdicts"

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    product_id: Mapped[str] = mapped_column(primary_key=True)
    rules: Mapped[int]
    """The version of the rules that it was derived with (portal.rules.sku_findings.RULES)."""
    level: Mapped[int] = mapped_column(SmallInteger)
    """The worst finding, as a portal.rules.sku_findings.Level, if items without a SKU stop orders."""
    level_if_left_out: Mapped[int] = mapped_column(SmallInteger)
    """The same for a merchant who sends orders without such items."""
    is_without_sku: Mapped[bool]
    is_forgettable: Mapped[bool]
    """Whether it was deleted from Big Cartel and has no override: only an order can still need it."""
    shares_sku: Mapped[bool] = mapped_column(default=False)
    """Whether another product or option of the store has one of its SKUs."""
    name: Mapped[str]
    """As pages show it."""
    sort_key: Mapped[str]
    search: Mapped[str] = mapped_column(Text)
    """Name, id, SKUs and options in lower case, one on each line."""


class OptionSku(Base):
    """The final SKU of one option of a product, as pages show it; options without a SKU have no row."""

    __tablename__ = "option_skus"
    __table_args__ = (Index("ix_option_skus_sku", "store_id", "sku"),)

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    product_id: Mapped[str] = mapped_column(primary_key=True)
    option_id: Mapped[str] = mapped_column(primary_key=True)
    option: Mapped[str]
    """Its name as appended to the SKU; empty for a product without options."""
    sku: Mapped[str]


class SkuDrift(Base):
    """A SKU that changed because its product was changed in Big Cartel. Deleted after some time, as other texts are."""

    __tablename__ = "sku_drifts"
    __table_args__ = (Index("ix_sku_drifts_store", "store_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    product_id: Mapped[str]
    option_id: Mapped[str]
    option: Mapped[str]
    """Its name as appended to both SKUs; empty for a product without options, or if it was renamed."""
    old_sku: Mapped[str]
    new_sku: Mapped[str]
    """Empty if no SKU can be sent now."""
    at: Mapped[datetime]
