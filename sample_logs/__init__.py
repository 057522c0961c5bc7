"""An invented company, the logs its services write, and the incidents hidden in them."""
