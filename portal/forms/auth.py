"""Forms of people's accounts: signing up, logging in, passwords."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from portal.clients.fcp import Credentials
from portal.forms.common import one_line
from portal.models.base import GREATEST_ID
from portal.people import passwords
from portal.people.accounts import is_address

PASSWORD_HINT = f"At least {passwords.MIN_LENGTH} characters; a few words in a row are easy to remember."
_NEW = {"autocomplete": "new-password", "minlength": passwords.MIN_LENGTH}


def address(text: str | None) -> str:
    return one_line(text).lower()


def secret(text: str | None) -> str:
    """A copied secret without the spaces and line breaks that came along."""
    return (text or "").strip()


def email_field(*, description: str = "") -> StringField:
    return StringField(
        "E-mail",
        [DataRequired("Enter your e-mail address.")],
        filters=[address],
        render_kw={"type": "email", "autocomplete": "username", "maxlength": 254},
        description=description,
    )


def check_address(_form: FlaskForm, field: Field) -> None:
    if not is_address(field.data):
        raise ValidationError("This is not an e-mail address: it looks like name@example.com.")


class CredentialsMixin:
    """Merchant Name and Merchant Token, as the FCP shows them."""

    merchant_name = StringField(
        "Merchant Name",
        [DataRequired("Enter the Merchant Name."), Length(max=200, message="Enter at most 200 characters.")],
        filters=[one_line],
        description="Exactly as the Fulfillment Control Panel shows it: it is part of everything that is sent.",
        render_kw={"autocomplete": "organization", "maxlength": 200},
    )
    merchant_token = PasswordField(
        "Merchant Token",
        [DataRequired("Enter the Merchant Token."), Length(max=500, message="Enter at most 500 characters.")],
        filters=[secret],
        description="It is checked with the warehouse now, kept encrypted and never shown again.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )

    def validate_merchant_token(self, field: Field) -> None:
        if not field.data.isprintable():
            raise ValidationError("There is a character in it that cannot be part of a token. Copy it once more.")

    def credentials(self, merchant_id: int) -> Credentials:
        return Credentials(str(merchant_id), str(self.merchant_name.data), str(self.merchant_token.data))


class SignUpForm(CredentialsMixin, FlaskForm):
    email = email_field()
    password = PasswordField(
        "Password", [InputRequired("Choose a password.")], description=PASSWORD_HINT, render_kw=_NEW
    )
    merchant_id = StringField(
        "Merchant Id",
        [DataRequired("Enter the Merchant Id: a whole number.")],
        filters=[one_line],
        description="A whole number, for example 816.",
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 10},
    )

    def validate_email(self, field: Field) -> None:
        check_address(self, field)

    def validate_password(self, field: Field) -> None:
        refuse(field, str(self.email.data))

    def validate_merchant_id(self, field: Field) -> None:
        if not field.data.isdecimal() or not 0 < int(field.data[:11]) <= GREATEST_ID:
            raise ValidationError("This is not a Merchant Id: it is a whole number, for example 816.")


class LogInForm(FlaskForm):
    email = email_field()
    password = PasswordField(
        "Password", [InputRequired("Enter your password.")], render_kw={"autocomplete": "current-password"}
    )
    remember = BooleanField("Keep me logged in on this device for 30 days")


class ForgotPasswordForm(FlaskForm):
    email = email_field(description="The address that you log in with.")

    def validate_email(self, field: Field) -> None:
        check_address(self, field)


class NewPasswordForm(FlaskForm):
    """A password for the person with this e-mail address."""

    password = PasswordField(
        "New password", [InputRequired("Choose a password.")], description=PASSWORD_HINT, render_kw=_NEW
    )

    def __init__(self, email: str) -> None:
        super().__init__()
        self.email = email

    def validate_password(self, field: Field) -> None:
        refuse(field, self.email)


class ChangePasswordForm(NewPasswordForm):
    present = PasswordField(
        "Present password",
        [InputRequired("Enter your present password.")],
        render_kw={"autocomplete": "current-password"},
    )


def refuse(field: Field, email: str) -> None:
    """An error beside the field for a password that is not taken."""
    if problem := passwords.problem_with(field.data or "", email):
        raise ValidationError(problem)
