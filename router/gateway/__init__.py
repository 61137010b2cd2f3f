"""The HTTP face: OpenAI's chat completions in front of the router."""
