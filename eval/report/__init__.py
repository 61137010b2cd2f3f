"""`ockham report`: the page and the pictures of replays."""
