"""Settings of a merchant: the way to the warehouse, what is sent, who may come in, who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from portal import access, current, listing, mail
from portal.actions import merchants
from portal.clock import utc_now
from portal.extensions import limiter
from portal.forms.settings import ConfirmForm, CredentialsForm, InviteForm, OptionsForm
from portal.models import AuditEntry
from portal.people import accounts, invitations, tokens
from portal.people.accounts import InvalidInputError
from portal.queue import Call, JobName
from portal.views.auth import link_in_mail, show_error
from portal.views.waking import wake_polls

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.people.invitations import Invitation

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

INVITATIONS = "10 per minute; 50 per day"
LATEST = 5


@blueprint.route("", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """The overview; the options are saved here."""
    merchant = access.merchant()
    form = OptionsForm(obj=merchant)
    if form.validate_on_submit():
        is_changed = merchants.choose_options(
            current.session(),
            merchant,
            submit_unpaid=bool(form.submit_unpaid.data),
            ignore_items_without_sku=bool(form.ignore_items_without_sku.data),
            **access.act(form.given_reason()),
        )
        if is_changed:
            wake_polls()
            flash("Saved. Orders that are not sent yet are looked at again now.", "success")
        else:
            flash("Nothing was changed.", "info")
        return _to_overview()
    trail = access.owned(AuditEntry).order_by(AuditEntry.id.desc()).limit(LATEST)
    return render_template(
        "settings/settings.html",
        form=form,
        stores=access.stores(),
        people=access.people(),
        trail=list(current.session().scalars(trail)),
    )


@blueprint.route("/sending/<any(pause,resume):what>", methods=["GET", "POST"])
def sending(what: str) -> ResponseReturnValue:
    merchant, form = access.merchant(), ConfirmForm()
    paused = what == "pause"
    if form.validate_on_submit():
        if merchants.pause_sending(current.session(), merchant, paused=paused, **access.act(form.given_reason())):
            wake_polls()
        flash(
            "Sending is paused. Orders are still read and wait here; those at the warehouse are still followed."
            if paused
            else "Sending goes on. What waited only for this leaves at the next run.",
            "success",
        )
        return _to_overview()
    return render_template("settings/sending.html", form=form, paused=paused)


@blueprint.route("/test-mode/<any(on,off):what>", methods=["GET", "POST"])
def test_mode(what: str) -> ResponseReturnValue:
    merchant, form = access.merchant(), ConfirmForm()
    is_on = what == "on"
    if form.validate_on_submit():
        if merchants.switch_test_mode(current.session(), merchant, is_on=is_on, **access.act(form.given_reason())):
            wake_polls()
        flash(
            "Test mode is on. Nothing real is sent: orders wait here until it is off."
            if is_on
            else "Test mode is off. What waited only for this leaves at the next run.",
            "success",
        )
        return _to_overview()
    return render_template("settings/test_mode.html", form=form, is_on=is_on)


@blueprint.route("/credentials", methods=["GET", "POST"])
@limiter.limit("10 per minute; 30 per hour", methods=["POST"])
def credentials() -> ResponseReturnValue:
    merchant = access.merchant()
    form = CredentialsForm(data={"merchant_name": merchant.name})
    if form.validate_on_submit():
        given = form.credentials(merchant.id)
        current.session().commit()
        try:
            accounts.check_credentials(given, current.settings())
        except InvalidInputError as error:
            show_error(form, error)
        else:
            _save_credentials(form)
            return _to_overview()
    return render_template("settings/credentials.html", form=form)


def _save_credentials(form: CredentialsForm) -> None:
    """New credentials end a stop: what is ready leaves, what is open is asked for."""
    merchant = access.merchant()
    was_stopped = merchant.credentials_refused_at is not None and any(store.live for store in access.stores())
    given = form.credentials(merchant.id)
    merchants.save_merchant(
        current.session(),
        merchant.id,
        name=given.merchant_name,
        token=given.merchant_token,
        settings=current.settings(),
        **access.act(form.given_reason()),
    )
    wake_polls(*(Call(job, (merchant.id,)) for job in (JobName.SUBMIT, JobName.SETTLE, JobName.TRACK)))
    after = " Sending goes on." if was_stopped else ""
    flash(f"The warehouse accepts the credentials, and they are saved.{after}", "success")


@blueprint.route("/colleagues", methods=["GET", "POST"])
@limiter.limit(INVITATIONS, methods=["POST"])
def colleagues() -> ResponseReturnValue:
    """Who may see and do everything here; the form invites one more."""
    form = InviteForm()
    if form.validate_on_submit():
        email = str(form.email.data)
        known = accounts.find_user(current.session(), email)
        if known is None:
            _invite(email, form.given_reason())
            return redirect(url_for(".colleagues"), 303)
        form.email.errors = [
            "This person is a colleague already."
            if known.merchant_id == access.merchant().id
            else "This address has an account of its own already. Invite another address."
        ]
    return render_template(
        "settings/colleagues.html", form=form, people=access.people(), invitations=_open_invitations()
    )


@blueprint.route("/colleagues/<int:user_id>/remove", methods=["GET", "POST"])
def remove_colleague(user_id: int) -> ResponseReturnValue:
    person, form = access.person_or_404(user_id), ConfirmForm()
    if person.id == access.viewer().id or len(access.people()) == 1:
        flash("At least one person stays: nobody removes themselves, and the last one cannot be removed.", "warning")
        return redirect(url_for(".colleagues"), 303)
    if form.validate_on_submit():
        accounts.remove_person(current.session(), person, **access.act(form.given_reason()))
        flash(f"{person.email} is removed, and logged out everywhere.", "success")
        return redirect(url_for(".colleagues"), 303)
    return render_template("settings/remove_colleague.html", form=form, person=person)


@blueprint.route("/invitations/<int:invitation_id>/withdraw", methods=["GET", "POST"])
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    invitation, form = _invitation_or_404(invitation_id), ConfirmForm()
    if form.validate_on_submit():
        invitations.withdraw(current.session(), invitation, **access.act(form.given_reason()))
        flash(f"The invitation of {invitation.email} is withdrawn: its link does not work any more.", "success")
        return redirect(url_for(".colleagues"), 303)
    return render_template("settings/withdraw_invitation.html", form=form, invitation=invitation)


@blueprint.get("/audit-trail")
def audit_trail() -> str:
    return render_template("settings/audit_trail.html", page=listing.page(access.owned(AuditEntry), AuditEntry.id))


def _invite(email: str, reason: str) -> None:
    """Keep the invitation, then mail it: without the mail it is still there, to be sent again."""
    merchant, inviter = access.merchant(), access.viewer().email
    made = invitations.invite(current.session(), merchant, email=email, **access.act(reason))
    link = link_in_mail("auth.accept_invitation", tokens.invitation_token(made.id, current.settings().secret_key))
    text = render_template("auth/mail_invitation.txt", link=link, merchant=merchant, inviter=inviter)
    try:
        mail.send(current.settings(), to=email, subject=f"Invitation to join {merchant.name}", text=text)
    except mail.MailError as error:
        flash(
            f"{error} The invitation for {email} is listed below. Invite the same address again later to resend it.",
            "danger",
        )
    else:
        flash(f"We emailed an invitation to {email}.", "success")


def _open_invitations() -> list[Invitation]:
    return list(invitations.open_invitations(current.session(), access.merchant(), utc_now()))


def _invitation_or_404(invitation_id: int) -> Invitation:
    found = next((one for one in _open_invitations() if one.id == invitation_id), None)
    return found or abort(404)


def _to_overview() -> ResponseReturnValue:
    return redirect(url_for(".settings"), 303)
