"""Versions of models: trained, activated, recalibrated, adapted."""
