"""python -m gatepost_client.cli"""

from gatepost_client.cli import main

main()
