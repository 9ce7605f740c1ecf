"""Save how a person sees the order list. That is their own affair, so none of it is in the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import SavedFilter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import StoredListView, User

LONGEST_NAME = 60
"""Characters of a saved filter's name."""
MOST_FILTERS = 20
"""Filters that a person can save for one merchant."""


def save_view(session: Session, user: User, view: StoredListView) -> None:
    """Save the columns and the density. Commits."""
    user.order_list = view
    session.commit()


def saved_filters(session: Session, user: User, merchant_id: int) -> Sequence[SavedFilter]:
    """Return what this person saved for the merchant, by name."""
    own = select(SavedFilter).where(SavedFilter.user_id == user.id, SavedFilter.merchant_id == merchant_id)
    return session.scalars(own.order_by(SavedFilter.name)).all()


def save_filter(session: Session, user: User, merchant_id: int, name: str, query: str, now: datetime) -> bool:
    """Save filters under a name, in place of those with the same name. Commits.

    Return False if the person has saved so many that no more are kept.
    """
    saved = saved_filters(session, user, merchant_id)
    found = next((one for one in saved if one.name == name), None)
    if found is not None:
        found.query = query
    elif len(saved) >= MOST_FILTERS:
        return False
    else:
        session.add(SavedFilter(user_id=user.id, merchant_id=merchant_id, name=name, query=query, created_at=now))
    session.commit()
    return True


def delete_filter(session: Session, saved: SavedFilter) -> None:
    """Delete a saved filter. Commits."""
    session.delete(saved)
    session.commit()
