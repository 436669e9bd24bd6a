"""Violations of the controls of where an installation is, and of how data travels."""

from __future__ import annotations

from contextlib import contextmanager

from pigi import production


def without(code):
    @contextmanager
    def plant(_world):
        kept = production.RULES
        production.RULES = tuple(rule for rule in kept if rule.code != code)
        try:
            yield
        finally:
            production.RULES = kept

    return plant


def set_to(name, value):
    @contextmanager
    def plant(world):
        settings = world.application.settings
        before = getattr(settings, name)
        object.__setattr__(settings, name, value)  # they are frozen
        try:
            yield
        finally:
            object.__setattr__(settings, name, before)

    return plant


PLANTED = {
    "outside-is-refused": without("region_outside"),
    "data-is-within": set_to("region", "eu-west-2"),
    "plain-is-refused": without("redis_plain"),
    "ways-are-encrypted": set_to("anthropic_base_url", "http://model.example"),
}
