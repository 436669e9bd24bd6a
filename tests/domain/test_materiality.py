"""Material or wording: a table of changes of single sentences, and what changes beside the text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pigi.domain.materiality import compare_facts, compare_policies
from pigi.domain.policy import Basis, Policy, Section, Sentence

KNOWN = "Stripe takes payments, Anthropic writes drafts in the United States, and Bunny Fonts serves fonts."
"""The rest of the policy: the names that readers have met."""

MATERIAL = [
    # Periods and numbers.
    ("Logs of requests are kept for 14 days.", "Logs of requests are kept for 30 days."),
    ("Logs of requests are kept for 14 days.", "Logs of requests are kept for 14 weeks."),
    ("Logs of requests are kept for 14 days.", "Logs of requests are kept."),
    ("Logs of requests are kept.", "Logs of requests are kept for a year."),
    ("A link works for one hour.", "A link works for two hours."),
    ("It is answered within a month.", "It is answered within three months."),
    ("It is answered within a month.", "It is answered after a month."),
    ("Backups go after 21 days.", "Backups go after 21 days or later."),
    ("Groups under 10 are left out.", "Groups under 5 are left out."),
    ("The log is kept for seven years.", "The log is kept for ten years."),
    # Recipients.
    ("Stripe takes payments.", "Stripe and Adyen take payments."),
    ("Mail is sent by our own server.", "Mail is sent by Mailgun."),
    ("Fonts come from fonts.bunny.net.", "Fonts come from fonts.example.com."),
    ("Nobody else gets your address.", "Nobody else but our partners gets your address."),
    ("What is counted stays with us.", "What is counted is shared with third parties."),
    ("Three others get data.", "Some others get data."),
    ("Questions go to privacy@pigi.example.", "Questions go to privacy@other.example."),
    ("Errors are looked at by whoever runs Pigi.", "Errors are looked at by contractors."),
    ("Files are kept by Pigi.", "Files are kept by Pigi and AWS."),
    # Purposes and categories.
    ("We use your address to sign you in.", "We use your address to sign you in and for marketing."),
    ("Counts help us to improve the service.", "Counts help us to improve the service and to show advertising."),
    ("Prompts are used to write the draft.", "Prompts are used to write the draft and to train models."),
    ("We ask for your name and your address.", "We ask for your name, your phone number and your address."),
    ("The log has the path and the time.", "The log has the path, the IP address and the time."),
    ("We keep your name.", "We keep your name and your location."),
    ("We ask for a name.", "We ask for a name and a date of birth."),
    ("Your data is used for the service.", "Your data is used for the service and for profiling."),
    # Modality, negation, limits.
    ("Personal data is never sold.", "Personal data may be sold."),
    ("Personal data is never sold.", "Personal data is sold."),
    ("Personal data is never sold or rented.", "Personal data is never sold."),
    ("Only what is needed is collected.", "What is needed is collected."),
    ("We tell you before it changes.", "We may tell you before it changes."),
    ("We will answer you.", "We will try to answer you."),
    ("We delete all of it.", "We delete most of it."),
    ("Everything is encrypted on its way.", "Where possible, everything is encrypted on its way."),
    ("Cookies are not used for analytics.", "Cookies are used for analytics."),
    ("Your data is kept without your name.", "Your data is kept with your name."),
    ("Members reach their own organisation alone.", "Members reach their own organisation."),
    ("You can have your account erased.", "You cannot have your account erased."),
    ("A copy is made at once.", "A copy is made at once, unless it is inconvenient."),
    # Places.
    ("Pigi is hosted in the European Union.", "Pigi is hosted in the United States."),
    ("Pigi is hosted in Germany.", "Pigi is hosted in Germany and India."),
    ("Data stays in the EU.", "Data stays in the EEA."),
    ("Your data stays here.", "Your data is transferred abroad."),
    # What is asked of people, and on which terms; and others.
    ("We keep backups for 21 days.", "We keep backups for 21 months."),
    ("Your address is shown to other members.", "Your address is shown to everybody."),
    ("We never sell personal data.", "We do not sell personal data without reason."),
    ("Prompts go to Anthropic.", "Prompts go to OpenAI."),
    ("Logs hold no content.", "Logs hold content."),
    ("Requests are answered within one month.", "Requests are answered within 45 days."),
    ("Cookies are needed for signing in.", "Cookies are needed for signing in and to follow visitors across sites."),
    ("Data is encrypted.", "Data is stored."),
    ("You can object at any time.", "You can object."),
    ("Only owners can export.", "Owners and admins can export."),
    ("The export is free of charge.", "The export costs a fee."),
    ("Deletion is final after 30 days.", "Deletion is final after 30 days, except for copies that investors keep."),
    ("Nothing is sent to advertisers.", "Little is sent to advertisers."),
    ("Anthropic keeps it up to 30 days.", "Anthropic keeps it up to 2 years."),
    ("Pigi is hosted in the European Union.", "Pigi is hosted outside the European Union."),
    ("We ask for your name.", "We ask for your name and employer."),
    ("Your consent is asked for first.", "Your consent is assumed."),
    ("Free users and paying users are treated the same.", "Free users are treated otherwise."),
    ("Data is kept while your account is active.", "Data is kept indefinitely."),
    ("Stripe handles payment.", "Google Pay handles payment."),
    # One word for another, which no table knows.
    ("Members see your name.", "Staff see your name."),
    ("A person decides on requests.", "A program decides on requests."),
    ("Only a count is kept.", "Only a trace is kept."),
    ("We use necessary cookies.", "We use helpful cookies."),
    ("Objections take effect at once.", "Objections take effect in due course."),
    ("Data stays in Germany.", "Data stays near Germany."),
    ("Personal data is never sold.", "Personal data is never knowingly sold."),
    ("You give a name and an e-mail address.", "You give a name, an e-mail address and references."),
    ("The region is eu-central-1.", "The region is us-east-1."),
    ("Members see it.", "Numbers see it."),
    ("Your address is shown.", "Your address is known."),
    # Small words, and who does it.
    ("Everything is off by default.", "Everything is on by default."),
    ("You opt in to it.", "You opt out of it."),
    ("Members of your organisation see it.", "Members of any organisation see it."),
    ("You own what you write.", "Pigi owns what you write."),
    ("Accounts are closed by you.", "Accounts are closed by us."),
    # The same words, turned round.
    ("We ask before we look.", "We look before we ask."),
    ("It is kept, not sold.", "It is sold, not kept."),
    ("Data goes from us to Stripe.", "Data goes from Stripe to us."),
    ("We keep no prompts but drafts.", "We keep no drafts but prompts."),
    # So much is new that nobody but a person can tell.
    ("The theme is kept in your browser.", "Whatever colours, sizes, pictures and habits somebody prefers go along."),
    ("You can object.", "Objections are considered case by case by whoever runs this installation."),
]

WORDING = [
    ("Logs of requests are kept for 14 days.", "Logs of requests are kept for 14 days."),
    ("Logs of requests are kept for 14 days.", "Logs of requests are kept for fourteen days."),
    ("Logs of requests are kept for 14 days.", "Logs of requests are stored for 14 days."),
    ("Logs of requests are kept for 14 days", "Logs of requests are kept for 14 days."),
    ("Logs of requests are kept for 14 days.", "Request logs are kept for 14 days."),
    ("Logs of requsts are kept for 14 days.", "Logs of requests are kept for 14 days."),
    ("A link works for one hour.", "A link works for an hour."),
    ("A draft goes after 24 hours.", "A draft goes after a day."),
    ("Personal data is never sold or rented.", "Personal data is never sold, or rented."),
    ("Personal data is never sold or rented.", "Personal data is never rented or sold."),
    ("Personal data is never sold or rented.", "Personal  data is never sold\nor rented."),
    ("Only what is necessary is collected.", "Only what is needed is collected."),
    ("We keep your name.", "Pigi keeps your name."),
    ("We keep your e-mail address.", "We keep your email address."),
    ("Everything's encrypted on its way.", "Everything is encrypted on its way."),
    ("It doesn't train models.", "It does not train models."),
    ("You cannot be identified by it.", "You can't be identified by it."),
    ("“Generate with AI” sends the purpose.", '"Generate with AI" sends the purpose.'),
    ("Each organisation has a database of its own.", "Every organisation has a database of its own."),
    ("Each organisation has a database of its own.", "Each organisation has its own database."),
    ("When the job ends, its purpose is deleted.", "When the job ends, its purpose is removed."),
    ("Its purpose is erased when the job ends.", "When the job ends, its purpose is erased."),
    ("Stripe takes payments.", "Stripe takes the payments."),
    ("Stripe takes payments.", "Payments are taken by Stripe."),
    ("The page is easy to read.", "The page is pleasant to read."),
    ("The page shows this clearly.", "The page shows this plainly."),
    ("Ask us about it.", "Please ask us about it."),
    ("Write to privacy@pigi.example.", "Just write to privacy@pigi.example."),
    ("This page says what Pigi does with data.", "On this page you can read what Pigi does with data."),
    ("You can have a copy.", "You may have a copy."),
    ("An account's owner can read it.", "The owner of an account can read it."),
    ("the organisation's people", "The organisation's people"),
    ("Color and theme are kept in your browser.", "Colour and theme are kept in your browser."),
    ("It ends with the session - or before.", "It ends with the session \u2013 or before."),
    ("Bunny Fonts serves the fonts.", "Bunny Fonts delivers the fonts."),
    ("Everybody can complain.", "Everyone can complain."),
    ("Pigi has to answer.", "Pigi must answer."),
    ("An administrator sees this page.", "This page is seen by an administrator."),
    ("Whoever has questions, asks.", "Whoever has a question asks."),
    ("Requests are answered within one month.", "Requests will be answered within one month."),
    ("It's your choice.", "It is your choice."),
    ("Nothing here is legal advice, read it all.", "Nothing here is legal advice. Read it all."),
    ("The switch is one setting.", "This switch is a single setting."),
    ("For details see the page of promises.", "Details are on the page of promises."),
    ("We are happy to help.", "We are glad to help."),
    ("Pigi keeps what you write.", "What you write, Pigi keeps."),
    ("A link is mailed.", "A link is mailed to you."),
    ("The organisation decides.", "The organization decides."),
    ("Backups are made each night.", "Backups are made every night."),
    ("If you leave, your name goes.", "When you leave, your name goes."),
    ("This is described below.", "This is described further below."),
    ("You'll get a copy.", "You will get a copy."),
    ("We store it in your own database", "We store it in your own database."),
    ("Our site has a page for this.", "Our website has a page for this."),
    ("Write to us whenever you like.", "Write to us at any time."),
    ("We've made this short.", "We have made this brief."),
    ("Thanks for reading.", "Thank you for reading."),
    ("A draft is writen by Anthropic.", "A draft is written by Anthropic."),
    ("The log is public.", "The log is open to the public."),
    ("Read on for more details", "Read on for details."),
    ("It can be found on the page.", "You find it on the page."),
    ("You will hear from us.", "You'll hear from Pigi."),
    ("Data is deleted after 30 days.", "After 30 days data is deleted."),
    ("It is not kept when the job ends.", "When the job ends, it is not kept."),
    (
        "To register you give a name and a password, and Pigi asks for nothing else.",
        "To register, you give a name and a password; we ask for nothing else.",
    ),
]


def policy(*sentences):
    return Policy((Section("all", "All", (Sentence("known", KNOWN, ("P22",)), *sentences)),))


def found(before, after):
    return [reason for change in compare_policies(before, after) for reason in change.reasons]


def said(text):
    return policy(Sentence("it", text, ("P01",)))


@pytest.mark.parametrize(("before", "after"), MATERIAL)
def test_it_is_material(before, after):
    assert found(said(before), said(after))


@pytest.mark.parametrize(("before", "after"), WORDING)
def test_it_is_wording(before, after):
    assert found(said(before), said(after)) == []


def test_the_table_is_large_and_balanced():
    assert len(MATERIAL) + len(WORDING) >= 60
    assert 0.5 < len(MATERIAL) / len(WORDING) < 1.5


PLAIN = Sentence("it", "Logs go.", ("P04", "P07"), periods=("request_log",), recipients=("stripe",))


@pytest.mark.parametrize(
    ("change", "material"),
    [
        ({"promises": ("P04",)}, True),
        ({"promises": ("P04", "P07", "P25")}, False),
        ({"promises": ("P07", "P04")}, False),
        ({"recipients": ("stripe", "mail")}, True),
        ({"recipients": ()}, True),
        ({"purposes": ("service",)}, True),
        ({"categories": ("contact",)}, True),
        ({"periods": ("error_log",)}, True),
        ({"basis": Basis.ATTESTED}, True),
    ],
)
def test_facts_count_whatever_the_text_says(change, material):
    assert bool(found(policy(PLAIN), policy(replace(PLAIN, **change)))) == material


def test_a_sentence_that_goes_is_material():
    assert found(policy(PLAIN), policy())


@pytest.mark.parametrize(
    ("text", "material"),
    [
        ("We thank you for reading.", False),
        ("Here is a summary.", False),
        ("Your data is also sent to Acme.", True),
        ("We share counts with universities.", True),
        ("Interns look at what you write.", True),
        ("Recordings are kept for 5 days.", True),
        ("We may change this at any time.", True),
    ],
)
def test_a_sentence_that_comes_is_material_if_it_says_something_of_data(text, material):
    assert bool(found(policy(), policy(Sentence("new", text, basis=Basis.DEFINITION)))) == material


def test_order_and_titles_are_wording():
    one, two = Sentence("one", "Logs go.", ("P04",)), Sentence("two", "Mails go.", ("P10",))
    before = Policy((Section("a", "What goes", (one,)), Section("b", "Other", (two,))))
    after = Policy((Section("a", "What is gone", (two, one)),))
    changes = compare_policies(before, after)
    assert [change.reasons for change in changes] == [()] * len(changes)


def test_a_title_smuggles_nothing_in():
    one = Sentence("one", "Logs go.", ("P04",))
    before, after = (Policy((Section("a", title, (one,)),)) for title in ("What members read", "What staff read"))
    assert [bool(change.reasons) for change in compare_policies(before, after)] == [True]


FINGERPRINT = {
    "recipients": {"stripe": "Stripe: the organisation's name; Ireland"},
    "purposes": {"mail": "So that mails arrive"},
    "categories": {"contact": ""},
    "periods": {"mail": "30 days after the mail"},
}


@pytest.mark.parametrize(
    ("kind", "values", "material"),
    [
        ("recipients", {"stripe": "Stripe: the organisation's name; Ireland", "other": "Other: all"}, True),
        ("recipients", {"stripe": "Stripe: the organisation's name; India"}, True),
        ("recipients", {}, False),
        ("purposes", {"mail": "So that mails arrive", "fun": "So that we know"}, True),
        ("categories", {"contact": "", "health": ""}, True),
        ("periods", {"mail": "60 days after the mail"}, True),
        ("periods", {"mail": "30 days after the mail", "gossip": "1 hour after it"}, True),
        ("periods", {"mail": "30 days after the mail was asked for"}, False),
    ],
)
def test_what_the_code_does_counts_beside_the_text(kind, values, material):
    changes = compare_facts(FINGERPRINT, {**FINGERPRINT, kind: values})
    assert bool([reason for change in changes for reason in change.reasons]) == material
    assert compare_facts(FINGERPRINT, FINGERPRINT) == []
