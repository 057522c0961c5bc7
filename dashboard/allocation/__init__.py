"""Who pays for what is shared: rules by date, divided to the last digit, in the currency of the reader."""
