"""The ledger: tenants, keys, budgets, and one row a request whatever happened to it."""
