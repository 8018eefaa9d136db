"""Folders and object stores behind one small protocol. obstore is known here alone."""
