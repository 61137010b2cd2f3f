"""What an operator sees: metrics, traces, logs, alarms. Never a prompt, an answer or a key."""
