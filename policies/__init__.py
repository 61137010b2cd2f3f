"""The vocabulary of deciding."""
