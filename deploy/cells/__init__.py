"""Several whole platforms, the cells, behind one address: which cell a request belongs to, and the way there."""
