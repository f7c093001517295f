"""Mail: an SMTP server inside and one outside that take letters and drop them."""


def start(lab):
    for machine in ("mail", "relay"):
        lab.start(machine, ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"{lab.v4(machine)}:25", "-c", "aiosmtpd.handlers.Sink"])
