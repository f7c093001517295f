"""The servers: real programs, started on their machines before the capture begins."""

from servers import access, databases, mail, naming, operations, web

ALL = (naming.start, web.start, access.start, mail.start, databases.start, operations.start)
