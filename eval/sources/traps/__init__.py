"""The traps of outcome tables, one small function each; `eval/sources/check.py` runs them."""
