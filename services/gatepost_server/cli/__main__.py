"""python -m gatepost_server.cli"""

from gatepost_server.cli import main

main()
