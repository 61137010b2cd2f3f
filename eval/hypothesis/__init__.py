"""The Compression-Coverage hypothesis, tested as `eval/preregistration.yaml` says."""
