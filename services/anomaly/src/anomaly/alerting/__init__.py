"""Alarms and drift, the alerts they open, and who is told."""
