"""What clients share, by network: a bound in all and one for each, so that no network can take everything.

Over a bound somebody makes way, and it is never somebody else's affair: the network that holds most of what is short
loses what it has held longest, of that which can be given up. Used in the event loop alone, so nothing is locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Holding:
    """So much of a share, held by a network until it is released; how often it is released does not matter.

    ``give_up`` ends what it is held for; None while that cannot be ended.
    """

    __slots__ = ("_share", "amount", "give_up", "network")

    def __init__(self, share: Share, network: str, amount: int, give_up: Callable[[], None] | None) -> None:
        self._share: Share | None = share
        self.network, self.amount, self.give_up = network, amount, give_up

    def release(self) -> None:
        """Give it back."""
        share, self._share = self._share, None
        if share is not None:
            share.put_back(self)


class Share:
    """At most ``most`` in all, and ``of_one`` of one network."""

    def __init__(self, most: int, of_one: int) -> None:
        self.most, self.of_one, self.total = most, of_one, 0
        self._amounts: dict[str, int] = {}
        self._held: dict[str, dict[Holding, None]] = {}

    def take(self, network: str, amount: int = 1, give_up: Callable[[], None] | None = None) -> Holding | None:
        """Hold so much; None if there is no room and nothing of the network's (or of a greater one's) makes way."""
        while self._amounts.get(network, 0) + amount > self.of_one:
            if not self._make_way(network):
                return None
        while self.total + amount > self.most:
            heaviest = max(self._amounts, key=self._amounts.__getitem__, default=network)
            if self._amounts.get(heaviest, 0) < self._amounts.get(network, 0) + amount:
                heaviest = network
            if not self._make_way(heaviest):
                return None
        holding = Holding(self, network, amount, give_up)
        self._held.setdefault(network, {})[holding] = None
        self._amounts[network] = self._amounts.get(network, 0) + amount
        self.total += amount
        return holding

    def held_by(self, network: str) -> int:
        """How much a network holds."""
        return self._amounts.get(network, 0)

    def put_back(self, holding: Holding) -> None:
        """`Holding.release`."""
        network = holding.network
        del self._held[network][holding]
        self._amounts[network] -= holding.amount
        self.total -= holding.amount
        if not self._held[network]:
            del self._held[network], self._amounts[network]

    def _make_way(self, network: str) -> bool:
        for holding in self._held.get(network, ()):
            if holding.give_up is not None:
                give_up = holding.give_up
                holding.release()
                give_up()
                return True
        return False
