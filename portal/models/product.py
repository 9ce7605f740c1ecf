"""Products as last read from Big Cartel, and SKU overrides."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
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
