"""What became of mails."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

MAIL: Final[dict[str, Reason]] = {
    "mail_server_unreachable": Reason("The mail server could not be reached.", "Nothing: the mail is tried again."),
    "mail_server_busy": Reason("The mail server asked Pigi to wait.", "Nothing: the mail is tried again."),
    "mail_server_untrusted": Reason(
        "The mail server offers no TLS, or a certificate that does not hold.",
        "Tell the operator: SMTP_URL or SMTP_CA_FILE must fit the server; the mail is tried again.",
    ),
    "mail_server_refuses_us": Reason(
        "The mail server turns Pigi away.",
        "Tell the operator: SMTP_URL's user and password or MAIL_FROM must fit the server; the mail is tried again.",
    ),
    "mail_unconfigured": Reason(
        "No mail server is set up.", "Tell the operator: set SMTP_URL and MAIL_FROM; the mail is tried again."
    ),
    "mail_refused": Reason("The mail was refused.", "Check the address, then ask for the mail again."),
    "mail_malformed": Reason("The mail could not be written.", "Check the address, then ask for the mail again."),
    "mail_unconfirmed": Reason(
        "The mail was handed over, and no answer came.", "Nothing: it is sent again, and may come twice."
    ),
    "mail_unknown": Reason(
        "The mail was handed over, and no answer came: it may have been delivered.",
        "Ask for the mail again if it has not come.",
    ),
    "mail_not_essential": Reason(
        "The recipient wants no mail that is not essential.", "Nothing: whoever restricts processing is not written to."
    ),
    "mail_held_back": Reason(
        "Pigi sends one address only so many mails of this kind, whoever asks for them.",
        "Ask for it again in some hours: what it was about stands.",
    ),
    "mail_moot": Reason("What the mail was about is gone or done.", "Ask for the mail again if it is still wanted."),
}
