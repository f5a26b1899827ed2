"""What tables are: types of columns, declarations, the tables that exist, and the way from these to those."""
