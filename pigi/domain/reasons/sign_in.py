"""What signing in, and what needs a fresh confirmation, say."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

REGISTER_AGAIN: Final = (
    "Type the password that you chose when you registered. If you forgot it, register again with the same address and "
    "another password, and use the new link."
)
"""Instead of the advice of ``wrong_credentials`` before there is an account: no link for a password is sent then."""

SIGN_IN: Final[dict[str, Reason]] = {
    "wrong_credentials": Reason(
        "Address and password do not belong together.",
        "Try again, or have 'Forgot your password?' send you a link that sets a new one. If you have just registered, "
        "open the link in your mail first.",
    ),
    "wrong_password": Reason(
        "This is not your password.",
        "Type it again. If you forgot it, 'Forgot your password?' on the sign-in page sends a link to set a new one.",
    ),
    "second_factor_needed": Reason(
        "The password is right, and a code of the second factor is needed too.",
        "Send the same once more with 'code': six digits from the device, or a recovery code.",
    ),
    "wrong_code": Reason(
        "This code is wrong, used or too old.",
        "Wait for the device's next one, and see that its clock is right. A recovery code works too, once.",
    ),
    "second_factor_required": Reason(
        "This needs an account with a second factor, and yours has none yet.",
        "Set one up: open /account/second-factor, or POST to /api/v1/me/second-factor.",
    ),
    "second_factor_on": Reason(
        "The account has a second factor already.",
        "Turn it off first if you want to set up another device.",
    ),
    "second_factor_off": Reason(
        "The account has no second factor that waits for this.",
        "Begin with POST to /api/v1/me/second-factor, then confirm it with the device's code.",
    ),
    "owner_needed": Reason(
        "This takes the account that the address is to belong to, besides the link.",
        "Sign in to it and use the link again, or send its password, and with a second factor a code.",
    ),
    "address_in_use": Reason(
        "The address has another account by now.",
        "Delete that account or give it another address, then use this link again.",
    ),
    "password_weak": Reason(
        "This password would be guessed.",
        "Choose another: 'errors' says why. A password manager makes good ones.",
    ),
    "confirmation_required": Reason(
        "This needs your password once more.",
        "POST it, or a code of yours, to /api/v1/session/confirmation, which counts for 10 minutes. Send this again.",
    ),
}
