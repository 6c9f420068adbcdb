"""One file per ARM type; the folder is the register of what is simulated."""
