"""Gateways: adapters of the providers (Anthropic, Stripe, a mail server) to the Protocols of `pigi.ports`."""
