"""The process that works: composition root, wiring of gateways, lifecycle signals."""
