"""The edge node's side: the monitor, the reporter that scripts use, and the client that reads."""
