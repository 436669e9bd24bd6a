"""Recovery: one service a file, all run by the pump once a second."""
