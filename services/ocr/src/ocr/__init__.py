"""Reads text in images and PDFs, on a CPU or an AMD GPU."""
