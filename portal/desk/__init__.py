"""What people at their desks look at and decide, as values for the pages and the command line: no Flask here either."""
