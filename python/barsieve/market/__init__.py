"""A market folder: what must be right in it, what is doubtful, and a simulated one."""
