"""What people see, a file for each place."""
