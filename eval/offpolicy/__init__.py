"""Yesterday's traffic against tomorrow's policy: values from logged probabilities."""
