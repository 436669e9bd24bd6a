"""The places outside the databases, and for each how it is known in the code."""

from __future__ import annotations

from pigi.domain.privacy import Category, Disclosure, Erasure, Recipient, Role, Subject
from pigi.domain.retention import Basis, Retention
from pigi.privacy.places import Place, Store

IN, OUT = Disclosure.INCLUDED, Disclosure.WITHHELD
GONE, KEPT = Erasure.DELETED, Erasure.KEPT
OWN, THEIRS = Role.CONTROLLER, Role.PROCESSOR
NOBODY, MEMBER, ORGANISATION = Subject.NOBODY, Subject.MEMBER, Subject.ORGANISATION

DEVELOPMENT = frozenset({"standins", "demo.json"})
"""Entries of PIGI_HOME that only stand-ins and the demo make; production has none of them."""

OUTSIDE: tuple[Place, ...] = (
    Place(
        "files.organisations", Store.FILES, "configuration exports and uploads for imports", ORGANISATION,
        Category.CONTENT, THEIRS, "taking configuration along, and bringing it in", Basis.CONTRACT, Retention.EXPORT,
        (), IN, IN, GONE, "names of objects are read, and what small ones hold",
        names=("organisations/",), handling="Downloaded by owners and admins; removed with the organisation.",
    ),
    Place(
        "files.accounts", Store.FILES, "access exports", MEMBER, Category.CONTENT, OWN,
        "giving people a copy of their data (promise P28)", Basis.CONTRACT, Retention.EXPORT,
        (), OUT, OUT, GONE, "names of objects are read, and what small ones hold",
        names=("accounts/",), handling="Downloaded by the person alone; removed with the account.",
    ),
    Place(
        "files.erasures", Store.FILES, "hashes of identifiers that were deleted", NOBODY, Category.TECHNICAL, OWN,
        "no backup brings back what was deleted (promise P26)", Basis.LAW, Retention.ERASURE,
        (), OUT, OUT, KEPT, "names of objects are read: a hash leads to nobody",
        names=("erasures/",),
    ),
    Place(
        "backups.copies", Store.BACKUPS, "copies of both databases, encrypted for a key that Pigi does not hold",
        ORGANISATION, Category.CONTENT, THEIRS, "recovering from a loss", Basis.INTEREST, Retention.BACKUP,
        (), OUT, OUT, KEPT, "their dates are listed: what was deleted is in them until then",
        handling="Not opened for exports or erasures; what was deleted is deleted again when one is restored.",
    ),
    Place(
        "redis.queues", Store.REDIS, "a kind of job and a job's ID", NOBODY, Category.TECHNICAL, OWN,
        "waking a worker", Basis.CONTRACT, Retention.JOB,
        (), OUT, OUT, GONE, "every key and every value is read",
        kept="until a worker takes it", names=("pigi:",),
    ),
    Place(
        "logs.processes", Store.LOGS, "what processes say of themselves: times, identifiers, places in the code",
        ORGANISATION, Category.PSEUDONYM, OWN, "finding faults", Basis.INTEREST, Retention.REQUEST_LOG,
        (), OUT, OUT, GONE, "every byte is read",
        names=("logs",), handling="Files of `pigi up`; elsewhere the platform keeps what processes write to it.",
    ),
    Place(
        "home.keys", Store.HOME, "the installation's keys, in development", NOBODY, Category.SECRET, OWN,
        "opening the organisations' keys", Basis.CONTRACT, Retention.OPERATIONAL,
        (), OUT, OUT, KEPT, "every byte is read", names=("keys", "keys.lock"),
    ),
    Place(
        "home.database", Store.HOME, "SQLite's files: the databases, their write-ahead logs and shared indexes",
        ORGANISATION, Category.CONTENT, THEIRS, "keeping the databases", Basis.CONTRACT, Retention.ORGANISATION,
        (), IN, IN, GONE, "every byte of the control database's is read; an organisation's are no more",
        kept="as the rows in it; deleted bytes are overwritten, in the log with its next checkpoint",
        names=("control.db", "control.db-wal", "control.db-shm", "organisations"),
    ),
    Place(
        "home.copying", Store.HOME, "the copy of a database while a backup is made, all copies while one is restored",
        ORGANISATION, Category.CONTENT, THEIRS, "recovering from a loss", Basis.INTEREST, Retention.BACKUP,
        (), OUT, OUT, GONE, "every byte is read",
        kept="while the backup is made or restored; what one that died left, until the next",
        names=("copying", "restoring", "control.db_restoring"),
    ),
    Place(
        "home.others", Store.HOME, "empty databases to copy, sockets and locks", NOBODY, Category.TECHNICAL, OWN,
        "running", Basis.CONTRACT, Retention.OPERATIONAL,
        (), OUT, OUT, KEPT, "every byte is read", names=("templates", "run", "files", "backups"),
    ),
    Place(
        "mail.sent", Store.MAIL, "the addressee's name and address, what the mail is about, a link", MEMBER,
        Category.CONTACT, OWN, "transactional mail (promise P10)", Basis.CONTRACT, Retention.MAIL,
        (Recipient.MAIL,), OUT, OUT, KEPT, "not looked at: it is with the addressee",
        kept="by the mail servers on its way, and by the addressee", names=("smtp",),
        handling="Pigi keeps no copy. What was sent cannot be called back.",
    ),
    Place(
        "browser.cookies", Store.BROWSER, "the session's cookie, and a token against forgery", MEMBER,
        Category.SECRET, OWN, "staying signed in (promises P35 and P36)", Basis.CONTRACT, Retention.SESSION,
        (), OUT, OUT, GONE, "not looked at: the session that it opens is gone",
        kept="until log-out, or until the browser is closed",
    ),
    Place(
        "browser.theme", Store.BROWSER, "light or dark", MEMBER, Category.TECHNICAL, OWN,
        "showing pages as the person likes (promise P05)", Basis.CONTRACT, Retention.OPERATIONAL,
        (), OUT, OUT, KEPT, "not looked at: it never leaves the browser", kept="until the person clears it",
    ),
    Place(
        "stripe.customer", Store.STRIPE, "the organisation's name and ID, an owner's address, what was bought; what "
        "people enter on Stripe's own pages", ORGANISATION, Category.CONTACT, OWN,
        "payment (promises P02 and P09)", Basis.CONTRACT, Retention.ORGANISATION,
        (Recipient.STRIPE,), OUT, OUT, GONE, "not looked at: Stripe confirms the removal while the deletion is done",
        kept="by Stripe, for as long as the law makes it", names=("stripe",),
        handling="Pigi has Stripe delete the customer; what Stripe must keep of payments it keeps by itself.",
    ),
    Place(
        "anthropic.request", Store.ANTHROPIC, "a resource's name and the purpose, while a draft is written",
        ORGANISATION, Category.CONTENT, THEIRS, "Generate with AI (promises P13 and P14)", Basis.CONTRACT,
        Retention.PURPOSE, (Recipient.ANTHROPIC,), OUT, OUT, GONE, "not looked at: no identifier of Pigi's is in it",
        kept="by Anthropic, up to 30 days under its commercial terms", names=("anthropic",),
        handling="Whose request it was Anthropic is not told, so nothing there can be found again for anybody.",
    ),
    Place(
        "bunny.address", Store.BUNNY, "the visitor's network address, as with every request", MEMBER,
        Category.PSEUDONYM, OWN, "fonts of the pages (promise P24)", Basis.INTEREST, Retention.OPERATIONAL,
        (Recipient.BUNNY,), OUT, OUT, GONE, "not looked at: Pigi neither sends nor sees it",
        kept="not at all, as Bunny Fonts says",
        handling="The browser asks for fonts without cookies and referrer; PIGI_FONTS=self or none stops it.",
    ),
    Place(
        "development.standins", Store.DEVELOPMENT, "what stand-ins for providers and the demo remember", ORGANISATION,
        Category.PSEUDONYM, OWN, "trying Pigi without providers", Basis.CONTRACT, Retention.OPERATIONAL,
        (), OUT, OUT, KEPT, "every byte is read and told apart: a stand-in forgets when its provider would",
        kept="until the folder is removed; mail to the sink until it stops", names=("standins", "demo.json"),
    ),
)  # fmt: skip
"""Production has all of them but the last, and its databases are PostgreSQL's."""
