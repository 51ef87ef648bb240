"""Commands about experiment files: check one, plan its trials, try one, run them all."""
