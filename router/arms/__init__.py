"""Arms: what a policy can choose, and how one is run."""
