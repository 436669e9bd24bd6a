"""A mail server that delivers nothing, for development and tests without a real one: ``python -m standins.mail``.

It speaks real SMTP, so that all of Pigi's own code runs, and shows what it took on a page. The last 200 mails
are in memory and never on a disk or a terminal.
"""
