"""Recovery: what finds again whatever was missed, one service a file. All recovery is here; none is in the broker."""
