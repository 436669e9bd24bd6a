"""A stand-in for Stripe, for development and tests without a key: ``python -m standins.stripe``. Its scope is frozen.

It speaks the real protocol to the real SDK, has pages to pay and to change a subscription on, and posts signed events.
No money moves and nothing leaves this machine. What it is sent stays in memory, and in a file only if it is given one.

It plays the part of Stripe's API that Pigi's billing uses, in one version (`standins.stripe.account.VERSION`): card
payments for subscriptions of one item.

- Objects: customers, with search; products and prices; checkout sessions on hosted pages; subscriptions, with prorated
  changes; invoices and their payments; charges, payment intents and payment methods; refunds and disputes; the customer
  portal's configurations and sessions; webhook endpoints and events, also thin events and event destinations of version
  2 of the API; the account itself.
- Conventions: secret keys and the rights of restricted ones, strict parameters, idempotency keys, pages of lists,
  expansion, errors in Stripe's form, signatures.
- Beside the API: a clock that can be moved, Stripe's retries of late payments, and faults that can be planned.

There are no coupons, computed taxes, metered prices, one-off payments, embedded checkouts or connected accounts, and no
endpoints but those of `standins.stripe.routes.ROUTES`. It stays so: a feature of Stripe's is added only when Pigi's own
code begins to use it, and the commit says which code that is.
"""
