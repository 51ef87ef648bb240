"""The columns of the task `distribute`; docs/results.md says the same."""

from collections.abc import Mapping
from typing import Final

from contract.events import Level
from testbed.tasks.columns import FIDELITY, IDENTITY, SUMMARY, Column, TableColumns, TheoryCurve, words
from testbed.tasks.distribute.words import NAMES, key_label

_TRIAL: Final = words("the trial's id")

TRIALS: Final[Mapping[str, Column]] = {
    **IDENTITY,
    "distribution": words("`client-server`, `bittorrent` or `fluid`", "scheme"),
    "profile": words("the constants of the clients; those of a group can differ, see peers.csv", "profile"),
    "time_scale": Column("", "the divisor of the protocol's periods", "time scale"),
    "N": Column("", "peers", "number of peers"),
    "F": Column("B", "the file's size", "file size"),
    "u_s": Column("bit/s", "the sum of the servers' upload rates", "upload rate of the server"),
    "u_sum": Column("bit/s", "the sum of the peers' upload rates", "sum of the peers' upload rates"),
    "d_min": Column("bit/s", "the lowest download rate of a peer; empty if none is limited", "lowest download rate"),
    "bound_s": Column("s", "the textbook's lower bound for this scheme", "bound"),
    "payload_bound_s": Column("s", "the same for payload: rates times 1448/1514", "bound for payload"),
    "limited_by": words("the bound's largest term: `server`, `download` or `uploads`", "bound is limited by"),
    "client_server_bound_s": Column("s", "the bound for payload of client-server, whatever the scheme", "bound"),
    "p2p_bound_s": Column("s", "the bound for payload of any scheme in which peers help", "bound"),
    "pieces_bound_s": Column(
        "s",
        "F/u (1 + floor(log2 N)/M) for payload, with M pieces; empty unless the server and all peers have the same"
        " upload u and no other limit, and all peers join at t = 0 with no data",
        "bound of pieces",
    ),
    "killed": Column("", "hosts that were killed as planned", "hosts killed"),
    "completed": Column("", "peers that downloaded the whole file", "peers that completed"),
    "distribution_s": Column(
        "s",
        "from t = 0 to the last completion; empty if a peer did not complete, unless it left `after` a time or was"
        " killed as planned",
        "distribution time",
    ),
    "ratio": Column("", "`distribution_s` / `bound_s`", "distribution time / bound"),
    "payload_ratio": Column("", "`distribution_s` / `payload_bound_s`", "distribution time / bound for payload"),
    "completion_mean_s": Column("s", "mean of `download_s` of the peers that completed", "mean download time"),
    "completion_median_s": Column("s", "their median", "median download time"),
    "completion_p95_s": Column("s", "their 95th percentile", "95th percentile of download times"),
    "first_neighbour_mean_s": Column("s", "mean of `first_neighbour_s` of the peers", "mean time to a first neighbour"),
    "first_neighbour_median_s": Column("s", "their median", "median time to a first neighbour"),
    "first_neighbour_max_s": Column("s", "the longest", "longest time to a first neighbour"),
    "isolated": Column(
        "",
        "peers that joined and never had a neighbour, without those of other clients, which do not tell; empty for"
        " other schemes than BitTorrent",
        "peers without a neighbour",
    ),
    "jain": Column("", "Jain's index of fairness over the peers' `normalised_rate`", "Jain's index"),
    "server_utilisation": Column(
        "",
        "bytes of frames that the servers sent until the last completion (or the end), as a share of their links'"
        " capacity",
        "utilisation of the server's uplink",
        is_share=True,
    ),
    "peer_utilisation": Column(
        "",
        "the same for all peers together, each while it was in the swarm",
        "utilisation of the peers' uplinks",
        is_share=True,
    ),
    "seed_copies": Column("", "payload that the servers passed to their kernels / F", "copies sent by the server"),
    "payload_bytes": Column("B", "payload received, as the applications counted it", "payload"),
    "unattributed_bytes": Column(
        "B",
        "the part of `payload_bytes` of which neither end tells who sent it to whom, so that transfers.csv lacks it",
        "payload between unknown ends",
    ),
    "duplicate_bytes": Column("B", "payload that peers received and did not need, or that was corrupt", "duplicates"),
    "control_bytes": Column(
        "B",
        "bytes that TCP carried on the uplinks besides payload: messages, retransmissions, unfinished blocks; with a"
        " DHT its datagrams too",
        "control bytes",
    ),
    "dht_bytes": Column(
        "B",
        "messages of the DHT that servers and peers sent, without headers; empty if none has a node that tells it",
        "bytes of the DHT",
    ),
    "wire_bytes": Column("B", "bytes of frames on the uplinks of servers and peers", "bytes on the wire"),
    "drops": Column("", "packets dropped at the shapers of servers and peers, both directions", "packets dropped"),
    "payload_difference": Column(
        "", "the share by which TCP on the uplinks carried more than `payload_bytes`", "difference"
    ),
    "payload_audit": words(
        "whether the links carried the payload that the applications counted: `ok`, or what does not agree; empty where"
        " there was no payload"
    ),
    **FIDELITY,
}

PEERS: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "peer": words("its name", "peer"),
    "group": words("its name in the experiment", "group"),
    "strategy": words("its name, without parameters", "strategy"),
    "profile": words("the constants of its client", "profile"),
    "application": words("the program: `ours`, or another client", "client"),
    "source": words(
        "what its times and bytes are from: its `trace`; without one the `wire`, its host's capture; else `counters`"
    ),
    "up": Column("bit/s", "the rate of its uplink, as planned", "upload rate"),
    "down": Column("bit/s", "the rate of its downlink, as planned; empty if unlimited", "download rate"),
    "up_measured": Column(
        "bit/s", "the mean rate of the uplink while it was busy; empty if it never was", "measured upload rate"
    ),
    "down_measured": Column("bit/s", "the same for the downlink", "measured download rate"),
    "arrival_s": Column("s", "its planned arrival", "arrival"),
    "held": Column(
        "", "the share of the file that it had at the start", "part of the file at the start", is_share=True
    ),
    "joined_s": Column("s", "when it joined", "time of joining"),
    "first_neighbour_s": Column(
        "s",
        "from `joined_s` until it had exchanged handshakes with another peer or a server; empty if it never did, and"
        " for other clients, which do not tell",
        "time to a first neighbour",
    ),
    "completed_s": Column("s", "when it had the whole file; empty if never", "time"),
    "left_s": Column("s", "when it left; empty if it stayed to the end", "time of leaving"),
    "killed_s": Column("s", "when it was killed, as planned; empty if it was not", "time of failure"),
    "download_s": Column("s", "`completed_s` - `joined_s`", "download time"),
    "lives": Column("", "how often it joined: 2 if it left midway and returned", "number of lives"),
    "payload_received": Column("B", "", "payload received"),
    "payload_sent": Column("B", "", "payload sent"),
    "wasted_bytes": Column("B", "payload that it received and did not need, or that was corrupt", "duplicates"),
    "wire_received": Column(
        "B", "bytes of frames on its downlink, without pure acknowledgements if it is shaped", "received on the wire"
    ),
    "wire_sent": Column("B", "the same for its uplink", "sent on the wire"),
    "dht_bytes": Column(
        "B", "messages that its node of the DHT sent, without headers; empty without one", "bytes of the DHT"
    ),
    "drops": Column("", "packets dropped at its shapers, both directions", "packets dropped"),
    "share_ratio": Column("", "`payload_sent` / `payload_received`", "share ratio"),
    "rate": Column(
        "bit/s",
        "of the payload that it kept, over the time in the swarm until it had the file",
        "download rate attained",
    ),
    "normalised_rate": Column(
        "",
        "`rate` / the most that it could get from all others together: min(d_i, u_s + the others' uploads); with"
        " client-server, min(d_i, u_s)",
        "normalised rate",
    ),
    "failed_pieces": Column("", "pieces received with a wrong hash", "corrupt pieces"),
    "bans": Column("", "hosts that it banned", "banned hosts"),
    "errors": Column("", "errors from which it recovered", "errors"),
    "cpu_s": Column(
        "s", "processor time of its program from its start to its end, with all that it started", "processor time"
    ),
    "untold": words(
        "what its client does not tell of `bytes`, `neighbours`, `chokes`, `pieces`, `waste` and `faults`: such cells"
        " are empty, and bytes are those of its host's interface"
    ),
    "why_ended": words("why its application ended, if not as it should; else why it left"),
}

GROUPS: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "group": words("its name in the experiment", "group"),
    "strategy": words("the strategy of its peers", "strategy"),
    "application": words("the program of its peers", "client"),
    "peers": Column("", "number of its peers", "number of peers"),
    "share": Column("", "its share of the peers of the trial", "share of the peers", is_share=True),
    "completed": Column("", "peers of the group that downloaded the whole file", "peers that completed"),
    "download_mean_s": Column("s", "mean of their `download_s`", "mean download time"),
    "download_median_s": Column("s", "its median", "median download time"),
    "gain": Column(
        "",
        "mean `download_s` of all other peers / that of this group: above 1 the group is faster",
        "gain over the other peers",
        is_gain=True,
    ),
    "cpu_mean_s": Column("s", "mean of their `cpu_s`", "mean processor time"),
    "group_share_ratio": Column("", "payload that they sent / payload that they received", "share ratio"),
    "clustering": Column(
        "",
        "the share of their uploads to peers that went to their own group, divided by the share if they uploaded to all"
        " peers alike: above 1 they prefer each other",
        "clustering",
        is_gain=True,
    ),
    "from_leeches": Column(
        "",
        "payload that a peer of the group received from peers without the whole file, divided by the mean over all"
        " peers: 1 means as much as others",
        "received from leeches, over the mean",
        is_gain=True,
    ),
}

TRANSFERS: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "giver": words("the sending host; its address if it is not part of the experiment", "giver"),
    "receiver": words("the receiving host", "receiver"),
    "bytes_sent": Column("B", "payload, as the giver counted it", "payload"),
    "bytes_received": Column("B", "payload, as the receiver counted it", "payload"),
    "bytes_as_leech": Column(
        "B", "the part of `bytes_sent` that was sent before the giver had the whole file", "payload"
    ),
    "unchoked_s": Column(
        "s", "how long the giver had unchoked the receiver; empty for schemes without choking", "unchoked"
    ),
    "source": words("what this is from: `trace`, `wire`, or both, such as `wire/trace` for giver and receiver"),
}

TIMELINE: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "t": Column(
        "s",
        "1, 2, ...: rates are means over the second that ends then (the last may be shorter); other values are at"
        " that time",
        "time",
    ),
    "server_up_rate": Column("bit/s", "frames that the servers sent", "server's rate"),
    "peers_up_rate": Column("bit/s", "frames that the peers sent", "peers' rate"),
    "payload_rate": Column("bit/s", "payload that the peers received, as they logged it once a second", "payload rate"),
    "server_utilisation": Column(
        "",
        "as a share of the capacity of the servers' uplinks",
        "utilisation of the server's uplink",
        is_share=True,
    ),
    "peer_utilisation": Column(
        "",
        "as a share of the uplink capacity of the peers in the swarm",
        "utilisation of the peers' uplinks",
        is_share=True,
    ),
    "copies_rarest": Column(
        "",
        "copies of the rarest piece among all hosts in the swarm, including servers",
        "copies of the rarest piece",
        trace_level=Level.PIECES,
    ),
    "copies_mean": Column("", "mean number of copies of a piece", "mean copies of a piece", trace_level=Level.PIECES),
    "peers_present": Column("", "peers in the swarm, the mean over the second", "peers in the swarm"),
    "peers_completed": Column("", "peers that had completed the file by then", "peers that completed"),
    "completion": Column(
        "", "the share of the file that a peer had received, the mean over peers", "completion", is_share=True
    ),
}

TRIAL_MEASURES: Final = (
    "distribution_s",
    "ratio",
    "payload_ratio",
    "completion_mean_s",
    "completion_median_s",
    "completion_p95_s",
    "jain",
    "server_utilisation",
    "peer_utilisation",
    "seed_copies",
    "duplicate_bytes",
    "control_bytes",
)
GROUP_MEASURES: Final = (
    "download_mean_s",
    "download_median_s",
    "gain",
    "cpu_mean_s",
    "group_share_ratio",
    "clustering",
    "from_leeches",
)

TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "trials": TRIALS,
    "groups": GROUPS,
    "peers": PEERS,
    "transfers": TRANSFERS,
    "timeline": TIMELINE,
    "summary": SUMMARY,
}

COLUMNS: Final = TableColumns(
    tables=TABLES,
    coarsest_first=("trials", "groups", "peers", "timeline", "transfers"),
    row_names={
        "trials": (),
        "groups": ("group",),
        "peers": ("peer",),
        "timeline": ("t",),
        "transfers": ("giver", "receiver"),
    },
    table_of={"cdf": "peers", "timeline": "timeline", "flows": "transfers"},
    trial_measures=TRIAL_MEASURES,
    group_measures=GROUP_MEASURES,
    group_table="groups",
    headline=("distribution_s", "payload_ratio", "jain", "peer_utilisation", "seed_copies"),
    paired=("download_mean_s", "distribution_s"),
    defaults={
        "curve": "distribution_s",
        "heatmap": "distribution_s",
        "cdf": "completed_s",
        "timeline": "peer_utilisation",
    },
    curves={
        "client-server": TheoryCurve("client_server_bound_s", "bound, client-server"),
        "p2p": TheoryCurve("p2p_bound_s", "bound, peer-to-peer"),
        "pieces": TheoryCurve("pieces_bound_s", "F/u (1 + ⌊log₂ N⌋/M)", is_bound=False),
    },
    bound_of_ratio={"ratio": "bound_s", "payload_ratio": "payload_bound_s"},
    key_label=key_label,
    names=NAMES,
)
