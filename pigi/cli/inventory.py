"""`pigi inventory`: every place where data of an organisation or a person is."""

from __future__ import annotations

from itertools import groupby

import click

from pigi.cli.output import answer, bold, json_option, table
from pigi.privacy.inventory import Place, inventory, period_words


@click.command(name="inventory")
@json_option
def show(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show every place where data is, by table or folder, with its class of retention and how long it is kept.

    In JSON each place is told apart, columns one by one, with all that is known of it.
    """
    places = inventory()
    told = [{**vars(place), "kept": place.kept or period_words(place.retention)} for place in places]
    answer(as_json, {"places": told}, "\n\n".join(_of_store(store, list(of)) for store, of in _by_store(places)))


def _by_store(places: tuple[Place, ...]) -> groupby[str, Place]:
    return groupby(sorted(places, key=lambda place: place.store), lambda place: place.store.value)


def _of_store(store: str, places: list[Place]) -> str:
    of_tables = groupby(places, lambda place: place.name.split(".")[1])
    rows = [_row(name, list(of)) for name, of in of_tables]
    return f"{bold(store)}\n{table(rows)}"


def _row(name: str, places: list[Place]) -> tuple[str, ...]:
    classes = dict.fromkeys(place.retention for place in places)
    first = places[0]
    kept = first.kept or "; ".join(period_words(retention) for retention in classes)
    return f"  {name}", str(len(places)) if len(places) > 1 else "", kept
