"""What the record says as a whole, worked out for people. Pure, but for the plots' library."""
