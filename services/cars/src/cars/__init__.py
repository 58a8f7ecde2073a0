"""Names make, model and year of cars in photographs, and keeps them."""
