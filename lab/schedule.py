"""Which activity begins when. Benign ones go on from beginning to end; attacks are spread over the run and may overlap."""

from activities import floods, guesses, implants, office, scans, shells, upkeep, web

ALL_ALONG = (web.browsing, web.downloads, web.api_calls, web.visitors, shells.sessions, shells.commands, shells.copies, shells.backups,
             office.letters, office.queries, office.cache, upkeep.clocks, upkeep.logs, upkeep.messages, upkeep.checks, upkeep.pings,
             upkeep.idles, upkeep.lookups, implants.beacon)
# (activity, the share of the run it may take); the order and the beginnings come from the seed.
ATTACKS = ((scans.syn_scan, 0.2), (scans.connect_scan, 0.2), (scans.udp_scan, 0.25), (scans.ping_sweep, 0.1), (scans.port_sweep, 0.1),
           (guesses.ssh_guessing, 0.3), (guesses.ssh_guessing_slowly, 0.4), (guesses.login_guessing, 0.2), (guesses.cache_guessing, 0.15),
           (guesses.path_guessing, 0.2), (floods.slow_http, 0.3), (floods.udp_flood, 0.1), (floods.syn_flood, 0.1),
           (implants.theft, 0.5), (implants.tunnel, 0.25), (implants.random_names, 0.2))
# Activities of one machine that would be hard to tell apart if they ran at the same time run one after the other.
IN_TURN = ((scans.syn_scan, scans.udp_scan), (scans.connect_scan, scans.ping_sweep, scans.port_sweep), (implants.tunnel, implants.random_names))
TAIL = 0.04


def plan(site, run_s):
    """(begin, seconds, activity) for each activity, ordered by begin."""
    rng = site.rng("schedule")
    whole = run_s * (1 - TAIL)
    planned = [(rng.uniform(0, 5), whole - 6, activity) for activity in ALL_ALONG]
    for activity, share in ATTACKS:
        seconds = whole * share
        planned.append((rng.uniform(0.02 * whole, whole - seconds), seconds, activity))
    return sorted(_in_turn(planned, whole), key=lambda item: item[0])


def _in_turn(planned, whole):
    begins = {activity: (begin, seconds) for begin, seconds, activity in planned}
    for group in IN_TURN:
        slot = whole / len(group)
        for place, activity in enumerate(sorted(group, key=lambda a: begins[a][0])):
            seconds = min(begins[activity][1], slot * 0.8)
            room = slot - seconds
            begins[activity] = (place * slot + room * (begins[activity][0] / whole), seconds)
    return [(begin, seconds, activity) for activity, (begin, seconds) in begins.items()]
