"""Ockham: use no bigger model than the question needs, and prove it."""
