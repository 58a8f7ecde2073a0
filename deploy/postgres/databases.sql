-- Run once, when the volume is empty: a database for each service that keeps something.
CREATE DATABASE anomaly;
CREATE DATABASE cars;
