"""The columns of the task `find`; docs/find/tables.md says the same."""

from collections.abc import Mapping
from typing import Final

from testbed.tasks.columns import FIDELITY, IDENTITY, SUMMARY, Column, TableColumns, TheoryCurve, words
from testbed.tasks.find.words import NAMES, key_label

_TRIAL: Final = words("the trial's id")

TRIALS: Final[Mapping[str, Column]] = {
    **IDENTITY,
    "system": words("the name of the overlay, without its parameters", "system"),
    "time_scale": Column("", "the divisor of the protocol's periods", "time scale"),
    "N": Column("", "nodes, without a directory", "number of nodes"),
    "items": Column("", "different items", "number of items"),
    "copies": Column("", "copies of items that nodes have", "copies of items"),
    "searches": Column("", "searches that were planned", "searches"),
    "unanswerable": Column(
        "", "searches for what no other node had that was there: nobody can succeed with them", "searches for nothing"
    ),
    "never_began": Column("", "searches that their node never began; they count as failures", "searches not begun"),
    "never_ended": Column(
        "", "searches that began, and of whose end no trace tells; they keep their answers", "searches not ended"
    ),
    "never_joined": Column("", "nodes that were to join and never said that they did", "nodes that never joined"),
    "killed": Column("", "hosts that were killed as planned", "hosts killed"),
    "success_rate": Column(
        "",
        "the share of the searches with a right answer, among those for what another node had",
        "successful searches",
        is_share=True,
    ),
    "recall": Column(
        "", "the share of the holders that a search found, the mean over the same searches", "recall", is_share=True
    ),
    "stale_answers": Column("", "answers that name a host that was not there", "stale answers"),
    "wrong_answers": Column(
        "", "answers with an item that was not meant, or with a host that does not have it", "wrong answers"
    ),
    "latency_median_s": Column(
        "s",
        "the median time to the first right answer; a search without one took forever, so this is empty if half of them"
        " have none",
        "median time to the first answer",
    ),
    "latency_p95_s": Column("s", "the 95th percentile of the same", "95th percentile of times to the first answer"),
    "hops_mean": Column("", "mean `hops` of the searches where they are known", "hops of a search"),
    "hops_law": Column("", "what the law says of them, with the nodes that were there", "law of hops"),
    "messages_mean": Column(
        "", "messages that a search caused anywhere, the mean over all that began", "messages of a search"
    ),
    "messages_law": Column("", "what the law says of them", "law of messages"),
    "bytes_mean": Column("B", "the bytes of these messages", "bytes of a search"),
    "timeouts_mean": Column("", "questions of a search that were never answered", "time-outs of a search"),
    "upkeep_rate": Column("/s", "messages that a node sends for no search, a second of its life", "upkeep of a node"),
    "busiest_messages": Column("", "messages that the busiest host sent and received", "messages at the busiest host"),
    "busiest_bytes": Column("B", "bytes that the busiest host sent and received", "bytes at the busiest host"),
    "busiest_share": Column(
        "", "the part of all messages that the busiest host sent or received", "part of the busiest host", is_share=True
    ),
    "entries_mean": Column("", "mean `entries_mean` of the nodes, without a directory", "entries of a node"),
    "entries_law": Column("", "what the law says of them", "law of entries"),
    "entries_most": Column("", "the most entries that any host had", "entries of the fullest host"),
    "degree_mean": Column("", "neighbours of a node, the mean over seconds", "neighbours"),
    "partitions_most": Column(
        "", "the most parts that the overlay fell into, from `queries.from` on", "parts of the overlay"
    ),
    "largest_part_least": Column(
        "",
        "the least part of the nodes that were connected with each other, from then on",
        "largest part",
        is_share=True,
    ),
    "downloads": Column("", "downloads that nodes asked for", "downloads"),
    "not_completed": Column(
        "", "downloads that were not completed; they count as longer than all others", "not completed"
    ),
    "completed_share": Column(
        "", "the share of the downloads that were completed", "completed downloads", is_share=True
    ),
    "download_median_s": Column(
        "s",
        "the median time from asking a holder to having the file; empty if half of the downloads were not completed",
        "median time of a download",
    ),
    "download_p95_s": Column("s", "the 95th percentile of the same", "95th percentile of times of downloads"),
    "waiting_mean_s": Column("s", "mean `waited_s` of the downloads", "mean wait in queues"),
    "download_rate": Column(
        "bit/s", "what all nodes downloaded, a second from the first request to the last end", "rate of all downloads"
    ),
    "wire_bytes": Column("B", "bytes of frames on the uplinks of all hosts", "bytes on the wire"),
    "drops": Column("", "packets dropped at the shapers of all hosts, both directions", "packets dropped"),
    **FIDELITY,
}

QUERIES: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "search": words("its name, in all traces"),
    "node": words("who asked", "node"),
    "group": words("the group of that node", "group"),
    "at": Column("s", "when it was to begin, in seconds after t = 0", "time"),
    "meant": words("what was meant: a whole name, or words"),
    "rank": Column(
        "", "how popular the item is that was meant, by a whole name: 1 is the most popular", "rank of the item"
    ),
    "wanted": words("what was asked: the same, with the typing errors of `queries.typos`"),
    "exact": Column("", "1 for a whole name, 0 for words", "exact name"),
    "outcome": words(
        "`found`, `not_found`, `failed` or `left`, as the node says; `never ended` or `never began` if it says nothing",
        "outcome",
    ),
    "existing": Column("", "other nodes that had what was meant and were there when it was asked", "holders"),
    "answers": Column("", "answers that came, with repetitions", "answers"),
    "right": Column("", "different holders in right answers: those that had it and were there", "holders found"),
    "stale": Column("", "answers with what was meant from a host that had it, and was not there", "stale answers"),
    "wrong": Column("", "all other answers", "wrong answers"),
    "success": Column("", "1 with a right answer, 0 without; empty if there was nothing to find", "success"),
    "recall": Column("", "`right` / `existing`; empty if there was nothing to find", "recall", is_share=True),
    "latency_s": Column("s", "from its begin to the first right answer; empty without one", "time to the first answer"),
    "took_s": Column("s", "from its begin to its end; empty if it never ended", "duration of a search"),
    "hops": Column("", "of its longest way before the first answer, where the overlay tells", "hops"),
    "hops_law": Column(
        "", "what the law of the overlay says of the hops; docs/find/README.md says which", "law of hops"
    ),
    "messages": Column("", "messages that it caused anywhere", "messages"),
    "messages_law": Column(
        "", "what the law says of them; for a flood, with the mean neighbours of nodes then", "law of messages"
    ),
    "bytes": Column("B", "the bytes of these messages, without headers of UDP and TCP", "bytes"),
    "timeouts": Column("", "questions that were never answered", "time-outs"),
    "download_s": Column(
        "s", "from asking the holder to having the file; empty if it was not completed", "time of a download"
    ),
}

DOWNLOADS: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "search": words("the search that found it"),
    "node": words("who wants it", "node"),
    "group": words("the group of that node", "group"),
    "holder": words("from whom", "holder"),
    "item": words("what"),
    "claimed": Column("", "the participation level that the node claimed when it asked", "claimed level"),
    "asked_s": Column("s", "when the node called the holder", "time of the request"),
    "queued_s": Column(
        "s", "when its request came to the holder; empty if it never did", "time of arrival in the queue"
    ),
    "began_s": Column("s", "when the holder's answer came, and the file after it", "begin of the download"),
    "ended_s": Column("s", "when the node had it, or got no more", "end of the download"),
    "waited_s": Column(
        "s",
        "from `queued_s` to `began_s`; of what never began to its end, or to that of the trial: it waited longer",
        "wait in the queue",
    ),
    "download_s": Column("s", "from `asked_s` to `ended_s`; empty if it was not completed", "time of a download"),
    "content_bytes": Column("B", "of the file, that came", "bytes of content"),
    "result": words(
        "`done`, `refused` by the holder, `failed`, `left`: the node left or the trial ended, or `never ended`",
        "result",
    ),
    "why": words("what the holder said, or what was wrong"),
}

NODES: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "node": words("its name", "host"),
    "group": words("its name in the experiment; `directory` for such a host", "group"),
    "role": words("what it is in the overlay", "role"),
    "up": Column("bit/s", "the rate of its uplink, as planned", "upload rate"),
    "down": Column("bit/s", "the rate of its downlink, as planned; empty if unlimited", "download rate"),
    "items": Column("", "what it shares", "items"),
    "answers_given": Column("", "answers that named it, right or wrong, as askers got them", "answers of a host"),
    "joined_s": Column("s", "when it first took part; empty if never", "time of joining"),
    "lives": Column("", "how often it joined", "number of lives"),
    "planned_lives": Column("", "how often it was to join", "planned lives"),
    "present_s": Column("s", "how long it took part", "time in the overlay"),
    "killed_s": Column("s", "when it was killed, as planned; empty if it was not", "time of failure"),
    "messages_sent": Column("", "messages that it sent", "messages sent"),
    "messages_received": Column("", "messages that it received", "messages received"),
    "bytes_sent": Column("B", "their bytes, without headers of UDP and TCP", "bytes sent"),
    "bytes_received": Column("B", "the same of those received", "bytes received"),
    "upkeep_messages": Column(
        "",
        "messages that it sent without a search, as far as it knew: answers may not carry the name of theirs",
        "messages of upkeep",
    ),
    "upkeep_bytes": Column("B", "the bytes of these", "bytes of upkeep"),
    "load": Column("/s", "messages sent and received, a second of its time in the overlay", "messages of a host"),
    "entries_max": Column("", "the most that it kept of others", "entries"),
    "entries_mean": Column("", "the mean over its states, of which it writes one every few seconds", "entries"),
    "entries_law": Column("", "what the law of the overlay says of its entries", "law of entries"),
    "neighbours_mean": Column("", "nodes that it would send to, the mean over its states", "neighbours"),
    "uploaded": Column("B", "content of files that it sent", "uploaded"),
    "errors": Column("", "messages against the protocol, and neighbours lost", "errors"),
    "wire_sent": Column("B", "bytes of frames on its uplink", "sent on the wire"),
    "wire_received": Column("B", "the same on its downlink", "received on the wire"),
    "cpu_s": Column("s", "processor time of its program from its start to its end", "processor time"),
    "why_ended": words("why its program ended, if not as it should; else why it left"),
}

GROUPS: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "group": words("its name in the experiment; `directory` for such hosts", "group"),
    "role": words("what its hosts are in the overlay", "role"),
    "nodes": Column("", "hosts of the group", "number of nodes"),
    "searches": Column("", "searches that were planned for its nodes", "searches"),
    "success_rate": Column("", "of its searches, as in trials.csv", "successful searches", is_share=True),
    "recall": Column("", "of its searches, as in trials.csv", "recall", is_share=True),
    "latency_median_s": Column("s", "of its searches, as in trials.csv", "median time to the first answer"),
    "load_mean": Column("/s", "mean `load` of its hosts", "messages of a host"),
    "host_bytes_mean": Column("B", "mean bytes that a host of the group sent and received", "bytes of a host"),
    "entries_mean": Column("", "mean `entries_mean` of its hosts", "entries of a node"),
    "cpu_mean_s": Column("s", "mean of their `cpu_s`", "mean processor time"),
    "downloads": Column("", "that its nodes asked for", "downloads"),
    "completed_share": Column("", "of its downloads, as in trials.csv", "completed downloads", is_share=True),
    "download_median_s": Column("s", "of its downloads, as in trials.csv", "median time of a download"),
    "download_p95_s": Column("s", "of its downloads, as in trials.csv", "95th percentile of times of downloads"),
    "waiting_mean_s": Column("s", "of its downloads, as in trials.csv", "mean wait in queues"),
}

OVERLAY: Final[Mapping[str, Column]] = {
    "trial": _TRIAL,
    "t": Column("s", "1, 2, ...; all values are at that time", "time"),
    "planned": Column("", "nodes that were to be there", "nodes planned"),
    "alive": Column("", "nodes that had joined and not left", "nodes"),
    "degree_mean": Column("", "neighbours of a node that were there too, the mean", "neighbours"),
    "dead_neighbours": Column(
        "", "the part of all neighbours that were not there", "neighbours that are gone", is_share=True
    ),
    "partitions": Column(
        "",
        "parts that have no edge between them, of the nodes and the directory that were there",
        "parts of the overlay",
    ),
    "largest_part": Column("", "the part of the nodes that is in the largest of them", "largest part", is_share=True),
    "ring": Column(
        "",
        "the part of the nodes whose first neighbour is the next node on the ring; of Chord only",
        "right successors",
        is_share=True,
    ),
    "searching": Column("", "searches that had begun and not ended", "searches under way"),
    "success_lately": Column(
        "",
        "the share with a right answer, of the searches that were to begin in the 10 s before and had something to"
        " find; empty without any",
        "successful searches",
        is_share=True,
    ),
    "upload_rate": Column(
        "bit/s", "frames that all hosts sent, the mean over the second that ends then", "rate of all hosts"
    ),
}

TRIAL_MEASURES: Final = (
    "success_rate",
    "recall",
    "latency_median_s",
    "latency_p95_s",
    "hops_mean",
    "messages_mean",
    "bytes_mean",
    "timeouts_mean",
    "upkeep_rate",
    "busiest_messages",
    "busiest_bytes",
    "busiest_share",
    "entries_mean",
    "entries_most",
    "degree_mean",
    "partitions_most",
    "largest_part_least",
    "completed_share",
    "download_median_s",
    "download_p95_s",
    "waiting_mean_s",
    "download_rate",
)
GROUP_MEASURES: Final = (
    "success_rate",
    "recall",
    "latency_median_s",
    "load_mean",
    "host_bytes_mean",
    "entries_mean",
    "cpu_mean_s",
    "completed_share",
    "download_median_s",
    "download_p95_s",
    "waiting_mean_s",
)

TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "trials": TRIALS,
    "groups": GROUPS,
    "queries": QUERIES,
    "nodes": NODES,
    "overlay": OVERLAY,
    "downloads": DOWNLOADS,
    "summary": SUMMARY,
}

COLUMNS: Final = TableColumns(
    tables=TABLES,
    coarsest_first=("trials", "groups", "nodes", "overlay", "queries", "downloads"),
    row_names={
        "trials": (),
        "groups": ("group",),
        "queries": ("search",),
        "nodes": ("node",),
        "overlay": ("t",),
        "downloads": ("search",),
    },
    table_of={"cdf": "queries", "timeline": "overlay"},
    cdf_of="searches",
    can_be_captured=False,
    trial_measures=TRIAL_MEASURES,
    group_measures=GROUP_MEASURES,
    group_table="groups",
    shortened=("overlay",),
    headline=("success_rate", "recall", "messages_mean", "latency_median_s", "busiest_share"),
    paired=("latency_median_s", "latency_median_s"),
    defaults={
        "curve": "success_rate",
        "heatmap": "success_rate",
        "cdf": "latency_s",
        "timeline": "largest_part",
    },
    curves={"law": TheoryCurve("", "law", is_bound=False)},
    law_of={
        "hops_mean": "hops_law",
        "messages_mean": "messages_law",
        "entries_mean": "entries_law",
        "hops": "hops_law",
        "messages": "messages_law",
    },
    key_label=key_label,
    names=NAMES,
)
