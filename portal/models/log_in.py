"""Who is logged in where. A session or remember cookie works only as long as its row is here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class LogIn(Base):
    """One log-in of a user in one browser. Deleting it ends every copy of its cookies."""

    __tablename__ = "log_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the random key in the cookies, in hex, so a copy of the database logs nobody in."""
    is_remembered: Mapped[bool]
    """Whether the browser keeps the log-in after it is closed."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
