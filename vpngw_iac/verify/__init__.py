"""Whether it is really so: what a compiled blueprint leads to expect, what was answered, and what that makes. Pure.

`expectation.py` reads the compiled resources, `questions.py` says what can be asked and what the replies are, and the
rest judges: one file for tunnels, one for BGP, one for security associations, one for circuits and clients. Whoever
answers (Azure, the simulator, a rehearsal), the expectations are the same.
"""
