"""Tables of sensor values as spreadsheets, loggers and NumPy write them."""
