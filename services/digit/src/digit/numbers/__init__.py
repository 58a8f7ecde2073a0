"""Written numbers of several digits: lines, slant, cuts, and the best reading of the pieces."""
