"""Tables of the pages: `data_table` is the element, with data_table.js."""
