"""Around `eval/live.py`: the journal, who answers, what is written, the command line."""
