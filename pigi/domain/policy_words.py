"""What words of a policy mean for the question whether a change is material: synonyms, and words that count.

All in the form that `lemma` gives. A word that is in none of these tables may mean anything, and none may be another.
"""

from __future__ import annotations


def _groups(*groups: str) -> dict[str, str]:
    """Each word of a group to its first."""
    return {word: group.split()[0] for group in groups for word in group.split()}


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


SAME = _groups(
    "pigi we us",
    "pigis our ours",
    "keep kept keeps keeping store stored stores storing retain retained retains hold held holds holding",
    "delete deleted deletes deleting deletion remove removed removes removal erase erased erases erasure",
    "sell sold sells selling sale",
    "rent rented rents renting",
    "share shared shares sharing",
    "send sent sends sending",
    "transfer transferred transfers transferring",
    "disclose disclosed discloses disclosure reveal revealed",
    "receive received receives receiving",
    "get gets got",
    "track tracked tracks tracking tracker trackers",
    "monitor monitored monitors monitoring",
    "profile profiled profiles profiling",
    "train trained trains training",
    "combine combined combines combining",
    "process processed processes processing",
    "analyse analysed analyses analysing analyze analyzed analysis",
    "analytics analytic",
    "collect collected collects collecting gather gathered gathers",
    "encrypt encrypted encrypts encryption",
    "hash hashed hashes",
    "seal sealed seals",
    "anonymous anonymised anonymized anonymise anonymously",
    "pseudonym pseudonyms pseudonymous",
    "aggregate aggregated aggregates",
    "isolate isolated isolates isolation",
    "protect protected protects protection",
    "sign signed signs",
    "advertise advertising advertisement advertisements advert adverts ads",
    "market marketing",
    "research researched",
    "personalise personalised personalisation personalize personalized personalization",
    "recommend recommendation recommendations",
    "necessary needed need needs required require requires",
    "email e-mail emails e-mails",
    "all each every everything everybody everyone whole entire",
    "nobody no-one",
    "only alone solely merely exclusively",
    "must shall",
    "may might could",
    "usually normally generally typically often mostly",
    "try tries aim aims strive endeavour endeavor attempt attempts intend intends effort efforts",
    "reasonable reasonably",
    "possible possibly practicable feasible",
    "partner partners affiliate affiliates subsidiary subsidiaries",
    "party parties",
    "contractor contractors subcontractor subcontractors vendor vendors supplier suppliers",
    "processor processors subprocessor subprocessors sub-processor sub-processors",
    "advertiser advertisers",
    "authority authorities",
    "police investigators",
    "country countries",
    "abroad overseas elsewhere",
    "long longer",
    "late later",
    "more additional",
    "person people user users somebody someone",
    "see seen sees",
    "take taken takes",
    "make made makes",
    "write written writes",
    "organisation organisations organization organizations",
    "phone telephone mobile",
    "photo photos picture pictures",
    "recording recordings record",
    "ip ips",
    "go goes gone going went",
    "say says said saying",
    "read reads reading",
    "find finds found finding",
    "answer answers answered answering reply replies replied",
    "help helps helping assist assists assistance",
    "serve serves served serving deliver delivers delivered",
    "website site websites sites",
    "choose chooses chose chosen choosing pick picks picked",
    "begin begins began begun start starts started starting",
    "end ends ended ending finish finishes finished",
    "buy buys bought purchase purchases purchased",
    "show shows showed shown showing display displays displayed",
    "change changes changed changing",
    "work works worked working",
    "color colour colors colours",
    "favor favour",
    "single one",
)
"""Words that say the same, or are the same verb."""

NUMBERS = {
    word: value
    for value, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100, "thousand": 1000}

MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60, "week": 7 * 24 * 60}
UNITS = frozenset({*MINUTES, "second", "month", "quarter", "year", "decade", "percent", "%", "byte", "kilobyte"})

FUNCTION = _listed(
    """
    a an the of to in on at by for from with into onto about and or so as than then that this these those it its he she
    they them their theirs you your yours is are was were be been being am do does did has have had will would can which
    who whom whose whoever what whatever when where while how there here also too any please just simply if per such
    pigi pigis i me my
    """
)
"""Words that a sentence is put together with; they say nothing by themselves."""

MODALITY = _listed(
    """
    never always not no none nothing nobody without neither nor only all must may should usually try reasonable
    possible sometimes occasionally rarely exactly unless except most some few many several at_most at_least up within
    before after until under over less more long late best sole optional automatic automatically manually on_request own
    any off out
    """
)
"""How far a sentence goes: what denies, limits, strengthens or weakens it. Each use counts."""

RECIPIENTS = _listed(
    """
    partner party contractor processor advertiser authority police investor broker insurer bank reseller customer
    sponsor group company court government google facebook meta amazon aws microsoft azure openai cloudflare hubspot
    salesforce sendgrid mailchimp mailgun twilio intercom zendesk mixpanel datadog sentry slack adyen paypal apple
    oracle stripe anthropic bunny recipient provider
    """
)
PURPOSES = _listed(
    """
    advertise market profile train analytics analyse research personalise recommend score scoring resale commercial
    improve improvement statistic statistics payment survey newsletter experiment benchmark security fraud
    """
)
CATEGORIES = _listed(
    """
    name address email phone location ip birth gender photo picture health religion card bank password device contact
    biometric fingerprint voice video recording behaviour behavior habit habits history salary age nationality ethnic
    political criminal passport identity cookie cookies pixel pixels log logs prompt draft face genetic income browsing
    """
)
ACTS = _listed(
    """
    sell rent share disclose transfer send receive get track monitor combine process keep delete collect encrypt hash
    seal anonymous pseudonym aggregate isolate protect sign access copy
    """
)
HARMLESS = _listed(
    """
    page website read say see find here follow follows below above summary overview detail description describe
    explain explanation word wording sentence paragraph chapter heading example instance note that
    easy pleasant clear plain clean simple short brief quick nice happy glad please pleased welcome thank thankful
    help question matter care serious respect appreciate right made hope like label link list mention refer
    learn look point state mean
    """
)
"""Words that say nothing of data, whichever of them stand there."""
TERMS = _listed(
    """
    consent free fee cost charge price pay paying assume assumed indefinite indefinitely forever permanent permanently
    visitor visitors across same equal otherwise differently different law legal liable obliged voluntary minor
    child children object complain restrict any_time
    """
)
"""On which terms: what is asked of people and what they can ask."""
PLACES = _listed(
    """
    country abroad union european europe germany ireland france slovenia india china japan canada brazil australia
    switzerland kingdom states america asia africa region worldwide outside
    """
)
"""Where data is, or goes."""
