"""What is learnt of answers once they were given: audits, shadow runs, the promise they test."""
