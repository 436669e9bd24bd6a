"""Imports: uploads that become configuration once somebody accepts them."""
