"""Sockets and what surrounds them: addresses, listening, dialling, polling, timers, rate limits, HTTP heads."""
