"""What visitors may send, how much and how often, and whose question is answered first when many ask at once.

Gradio limits neither the size of a JSON body nor the number of requests, and runs the questions of its components in
the threads that files and events need too. So a guard stands in front of it, as plain ASGI (`guard.py`), with a limit
of rates (`rate_limit.py`) and a queue (`fair_queue.py`). Everything here runs in the server's event loop.
"""
