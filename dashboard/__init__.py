"""What people see: the pages, the filters in the URL, the charts, and the words and units on them."""
