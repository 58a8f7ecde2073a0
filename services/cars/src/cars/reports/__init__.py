"""What the archive looks like from outside: statistics, tables for spreadsheets and programs, and a report to keep."""
