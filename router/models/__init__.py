"""Models: prices, the LiteLLM client, and the launcher of the embedded server."""
