"""A merchant's settings: warehouse credentials, what is sent, the team, and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from portal import access, current, listing, mail
from portal.actions import merchants
from portal.clock import utc_now
from portal.forms.settings import ConfirmForm, CredentialsForm, InviteForm, OptionsForm
from portal.models import AuditEntry
from portal.page_extensions import limiter
from portal.people import accounts, invitations, tokens
from portal.people.accounts import InvalidInputError
from portal.queue import Call, JobName
from portal.views.auth import link_in_mail, show_error
from portal.views.setup import back_from_step
from portal.views.waking import wake_polls

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.people.invitations import Invitation

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

INVITATIONS = "10 per minute; 50 per day"
RECENT_CHANGES = 5


@blueprint.route("", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """Show all settings, and save the options."""
    merchant = access.merchant()
    form = OptionsForm(obj=merchant)
    if form.validate_on_submit():
        is_changed = merchants.save_options(
            current.session(),
            merchant,
            submit_unpaid=bool(form.submit_unpaid.data),
            ignore_items_without_sku=bool(form.ignore_items_without_sku.data),
            **access.act(form.given_reason()),
        )
        if is_changed:
            wake_polls()
            flash("Options saved. We're checking unsent orders again now.", "success")
        else:
            flash("Nothing changed.", "info")
        return _to_overview()
    trail = access.owned(AuditEntry).order_by(AuditEntry.id.desc()).limit(RECENT_CHANGES)
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
            "Sending is paused. We keep syncing new orders and tracking those at the warehouse."
            if paused
            else "Sending has resumed. Orders that aren't on hold for another reason are sent within a minute.",
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
            "Test mode is on. We won't send any real orders until you turn it off."
            if is_on
            else "Test mode is off. Orders that aren't on hold for another reason are sent within a minute.",
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
            return back_from_step(merchant, url_for(".settings"))
    return render_template("settings/credentials.html", form=form)


def _save_credentials(form: CredentialsForm) -> None:
    """Save the credentials, which resumes sending, and wake the jobs that send orders and check their status."""
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
    after = " Sending has resumed." if was_stopped else ""
    flash(f"The warehouse accepted the credentials, and they're saved.{after}", "success")


@blueprint.route("/colleagues", methods=["GET", "POST"])
@limiter.limit(INVITATIONS, methods=["POST"])
def colleagues() -> ResponseReturnValue:
    """Show the team, and invite a new teammate."""
    form = InviteForm()
    if form.validate_on_submit():
        email = str(form.email.data)
        known = accounts.find_user(current.session(), email)
        if known is None:
            _invite(email, form.given_reason())
            return redirect(url_for(".colleagues"), 303)
        form.email.errors = [
            "This person is already on your team."
            if known.merchant_id == access.merchant().id
            else "This address already has an account. Invite another address."
        ]
    return render_template("settings/team.html", form=form, people=access.people(), invitations=_open_invitations())


@blueprint.route("/colleagues/<int:user_id>/remove", methods=["GET", "POST"])
def remove_colleague(user_id: int) -> ResponseReturnValue:
    person, form = access.person_or_404(user_id), ConfirmForm()
    if person.id == access.viewer().id or len(access.people()) == 1:
        flash("You can't remove yourself or the last person on a team.", "warning")
        return redirect(url_for(".colleagues"), 303)
    if form.validate_on_submit():
        accounts.remove_person(current.session(), person, **access.act(form.given_reason()))
        flash(f"{person.email} was removed and logged out everywhere.", "success")
        return redirect(url_for(".colleagues"), 303)
    return render_template("settings/remove_teammate.html", form=form, person=person)


@blueprint.route("/invitations/<int:invitation_id>/withdraw", methods=["GET", "POST"])
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    invitation, form = _invitation_or_404(invitation_id), ConfirmForm()
    if form.validate_on_submit():
        invitations.withdraw(current.session(), invitation, **access.act(form.given_reason()))
        flash(f"The invitation for {invitation.email} was withdrawn. Its link no longer works.", "success")
        return redirect(url_for(".colleagues"), 303)
    return render_template("settings/withdraw_invitation.html", form=form, invitation=invitation)


@blueprint.get("/audit-trail")
def audit_trail() -> str:
    return render_template("settings/audit_trail.html", page=listing.page(access.owned(AuditEntry), AuditEntry.id))


def _invite(email: str, reason: str) -> None:
    """Record the invitation, then email it. If the email fails, the invitation stays and can be sent again."""
    merchant, inviter = access.merchant(), access.viewer().email
    made = invitations.invite(current.session(), merchant, email=email, **access.act(reason))
    link = link_in_mail("auth.accept_invitation", tokens.invitation_token(made.id, current.settings().secret_key))
    text = render_template("auth/mail_invitation.txt", link=link, merchant=merchant, inviter=inviter)
    try:
        mail.send(current.settings(), to=email, subject=f"Invitation to join {merchant.name}", text=text)
    except mail.MailError as error:
        flash(f"{error} The invitation is saved. To resend it, invite {email} again.", "danger")
    else:
        flash(f"We emailed an invitation to {email}.", "success")


def _open_invitations() -> list[Invitation]:
    return list(invitations.open_invitations(current.session(), access.merchant(), utc_now()))


def _invitation_or_404(invitation_id: int) -> Invitation:
    found = next((one for one in _open_invitations() if one.id == invitation_id), None)
    return found or abort(404)


def _to_overview() -> ResponseReturnValue:
    return redirect(url_for(".settings"), 303)
