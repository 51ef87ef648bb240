/*
 * testbed-delaybox: delay, jitter and loss for the packets that a kernel routes into a TUN device.
 *
 *      TUN device --read--> look up (source, destination) --> lost? --> held until due --write--> TUN device
 *
 * One thread, one device. A packet pays the source host's `up` impairment and the destination host's `down`
 * impairment, and never leaves before its time; how late it may have left is counted. Packets are passed on
 * as they came, with their virtio_net_hdr, so unfinished checksums and super-packets stay as they are.
 *
 *      cc -O2 -Wall -Wextra -o testbed-delaybox delaybox.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <malloc.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum exit_code { EXIT_ENDED = 0, EXIT_USAGE = 2, EXIT_TABLE = 3, EXIT_SYSTEM = 4 };

static const char HELP[] =
    "usage: testbed-delaybox --tun FD [--parent PIDFD] [--seed N] [--memory BYTES] < TABLE\n"
    "\n"
    "Delays and loses the packets of a TUN device, opened with IFF_NO_PI | IFF_VNET_HDR and inherited as FD.\n"
    "\n"
    "  --tun FD        the TUN device\n"
    "  --parent PIDFD  end when the process behind this pidfd ends\n"
    "  --seed N        where the random draws begin (default 0)\n"
    "  --memory BYTES  hold at most this much, drop and count the rest (default 268435456)\n"
    "\n"
    "TABLE has one line a host; times are whole microseconds, losses are probabilities from 0 to 1:\n"
    "  ADDRESS  UP_DELAY UP_JITTER UP_LOSS  DOWN_DELAY DOWN_JITTER DOWN_LOSS\n"
    "Empty lines, and lines that begin with #, are skipped.\n"
    "\n"
    "Prints `ready` once it reads packets, and its counters as a line of JSON on SIGUSR1 and on SIGTERM.\n"
    "\n"
    "exit status: 0 ended by SIGTERM or with its parent, 2 bad usage, 3 bad table, 4 refused by the system\n";

#define NS_PER_US 1000u
#define NS_PER_S 1000000000u
#define LONGEST_US 60000000u
#define CERTAIN (UINT64_C(1) << 32)

/* Between two looks at the clock, the signals and the other direction. */
#define BATCH 64

#define LARGEST_READ (sizeof(struct virtio_net_hdr) + IP_MAXPACKET)

static void __attribute__((noreturn, format(printf, 2, 3))) fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("testbed-delaybox: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(code);
}

static void *need(void *memory)
{
    if (!memory)
        fail(EXIT_SYSTEM, "out of memory");
    return memory;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- random draws: PCG32, a stream of its own for every decision of every direction, so that the n-th
 * packet of a link meets the same fate whatever the other links carry ---- */

struct draws {
    uint64_t state;
    uint64_t increment; /* odd */
};

static uint64_t mixed(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static struct draws draws_for(uint64_t seed, uint32_t address, unsigned purpose)
{
    uint64_t state = mixed(seed ^ mixed((uint64_t)address << 8 | purpose));

    return (struct draws){.state = state, .increment = mixed(state) | 1};
}

static uint32_t draw(struct draws *draws)
{
    uint64_t state = draws->state;
    uint32_t folded = (uint32_t)(((state >> 18) ^ state) >> 27);
    unsigned turn = (unsigned)(state >> 59);

    draws->state = state * UINT64_C(6364136223846793005) + draws->increment;
    return folded >> turn | folded << (-turn & 31);
}

/* ---- impairments ---- */

struct direction {
    uint64_t delay_ns;
    uint64_t jitter_ns;
    uint64_t loss; /* out of CERTAIN */
    struct draws loss_draws;
    struct draws jitter_draws;
};

struct host {
    uint32_t address; /* network order; 0 marks a free slot */
    struct direction up;
    struct direction down;
};

static bool loses(struct direction *direction)
{
    return direction->loss && draw(&direction->loss_draws) < direction->loss;
}

/* Uniform in delay +- jitter, and never negative: what netem does without a distribution table. */
static uint64_t hold_ns(struct direction *direction)
{
    uint64_t span = 2 * direction->jitter_ns;
    uint64_t latest;

    if (!span)
        return direction->delay_ns;
    latest = direction->delay_ns + (uint64_t)(((unsigned __int128)span * draw(&direction->jitter_draws)) >> 32);
    return latest > direction->jitter_ns ? latest - direction->jitter_ns : 0;
}

/* ---- hosts: a hash table with open addressing, at most half full ---- */

struct hosts {
    struct host *slots;
    size_t capacity; /* a power of two */
    size_t count;
};

static struct host *slot_of(const struct hosts *hosts, uint32_t address)
{
    size_t slot = (ntohl(address) * UINT64_C(0x9e3779b97f4a7c15)) >> 32;

    for (;; slot++) {
        struct host *host = &hosts->slots[slot & (hosts->capacity - 1)];

        if (host->address == address || !host->address)
            return host;
    }
}

static struct host *find_host(const struct hosts *hosts, uint32_t address)
{
    struct host *host = slot_of(hosts, address);

    return host->address ? host : NULL;
}

static void grow(struct hosts *hosts)
{
    struct hosts larger = {.capacity = hosts->capacity ? 2 * hosts->capacity : 64, .count = hosts->count};

    larger.slots = need(calloc(larger.capacity, sizeof *larger.slots));
    for (size_t i = 0; i < hosts->capacity; i++)
        if (hosts->slots[i].address)
            *slot_of(&larger, hosts->slots[i].address) = hosts->slots[i];
    free(hosts->slots);
    *hosts = larger;
}

static bool add_host(struct hosts *hosts, const struct host *host)
{
    struct host *slot;

    if (2 * (hosts->count + 1) > hosts->capacity)
        grow(hosts);
    slot = slot_of(hosts, host->address);
    if (slot->address)
        return false;
    *slot = *host;
    hosts->count++;
    return true;
}

/* ---- the table on standard input ---- */

struct reader {
    unsigned line;
    char *rest;
};

static const char *next_word(struct reader *reader, const char *meaning)
{
    const char *word = strtok_r(NULL, " \t\n", &reader->rest);

    if (!word)
        fail(EXIT_TABLE, "line %u: %s is missing; a line has an address and six numbers", reader->line, meaning);
    return word;
}

static uint64_t read_time(struct reader *reader, const char *meaning)
{
    const char *word = next_word(reader, meaning);
    size_t digits = strspn(word, "0123456789");

    if (word[digits] || digits > 9 || strtoul(word, NULL, 10) > LONGEST_US)
        fail(EXIT_TABLE, "line %u: %s \"%s\" is not a whole number of microseconds from 0 to %u", reader->line,
             meaning, word, LONGEST_US);
    return strtoul(word, NULL, 10) * (uint64_t)NS_PER_US;
}

static uint64_t read_loss(struct reader *reader, const char *meaning)
{
    const char *word = next_word(reader, meaning);
    char *end;
    double loss = strtod(word, &end);

    if (*end || !(loss >= 0 && loss <= 1))
        fail(EXIT_TABLE, "line %u: %s \"%s\" is not a probability from 0 to 1", reader->line, meaning, word);
    return (uint64_t)(loss * (double)CERTAIN + 0.5);
}

static void read_directions(struct reader *reader, struct host *host)
{
    host->up.delay_ns = read_time(reader, "up delay");
    host->up.jitter_ns = read_time(reader, "up jitter");
    host->up.loss = read_loss(reader, "up loss");
    host->down.delay_ns = read_time(reader, "down delay");
    host->down.jitter_ns = read_time(reader, "down jitter");
    host->down.loss = read_loss(reader, "down loss");
    if (strtok_r(NULL, " \t\n", &reader->rest))
        fail(EXIT_TABLE, "line %u: more than an address and six numbers", reader->line);
}

static void seed_draws(struct host *host, uint64_t seed)
{
    host->up.loss_draws = draws_for(seed, ntohl(host->address), 0);
    host->up.jitter_draws = draws_for(seed, ntohl(host->address), 1);
    host->down.loss_draws = draws_for(seed, ntohl(host->address), 2);
    host->down.jitter_draws = draws_for(seed, ntohl(host->address), 3);
}

static void read_line(struct hosts *hosts, struct reader *reader, char *text, uint64_t seed)
{
    struct host host = {0};
    const char *address = strtok_r(text, " \t\n", &reader->rest);

    if (!address || *address == '#')
        return;
    if (inet_pton(AF_INET, address, &host.address) != 1 || !host.address)
        fail(EXIT_TABLE, "line %u: \"%s\" is not the IPv4 address of a host", reader->line, address);
    read_directions(reader, &host);
    seed_draws(&host, seed);
    if (!add_host(hosts, &host))
        fail(EXIT_TABLE, "line %u: %s is already in the table", reader->line, address);
}

static struct hosts read_table(FILE *file, uint64_t seed)
{
    struct hosts hosts = {0};
    struct reader reader = {0};
    char *text = NULL;
    size_t size = 0;

    grow(&hosts);
    while (getline(&text, &size, file) >= 0) {
        reader.line++;
        read_line(&hosts, &reader, text, seed);
    }
    free(text);
    return hosts;
}

/* ---- the packets that wait: a binary heap, first due first, first come first among equals ---- */

struct packet {
    uint64_t unseen_ns; /* how long it may have waited in the device before it was read */
    uint32_t length;
    unsigned char bytes[];
};

struct waiting {
    uint64_t due_ns;
    uint64_t order;
    struct packet *packet;
};

struct queue {
    struct waiting *entries;
    size_t count;
    size_t capacity;
    uint64_t arrivals;
};

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void push(struct queue *queue, uint64_t due_ns, struct packet *packet)
{
    struct waiting entry = {due_ns, queue->arrivals++, packet};
    size_t at = queue->count++;

    if (queue->count > queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 1024;
        queue->entries = need(realloc(queue->entries, queue->capacity * sizeof *queue->entries));
    }
    for (; at && before(&entry, &queue->entries[(at - 1) / 2]); at = (at - 1) / 2)
        queue->entries[at] = queue->entries[(at - 1) / 2];
    queue->entries[at] = entry;
}

static struct waiting pop(struct queue *queue)
{
    struct waiting *entries = queue->entries;
    struct waiting first = entries[0];
    struct waiting last = entries[--queue->count];
    size_t at = 0;

    for (size_t child = 1; child < queue->count; child = 2 * at + 1) {
        if (child + 1 < queue->count && before(&entries[child + 1], &entries[child]))
            child++;
        if (!before(&entries[child], &last))
            break;
        entries[at] = entries[child];
        at = child;
    }
    entries[at] = last;
    return first;
}

/* ---- lateness: a histogram with four buckets an octave ---- */

#define BUCKETS 256

struct lateness {
    uint64_t counts[BUCKETS];
    uint64_t max_ns;
};

static unsigned bucket_of(uint64_t ns)
{
    unsigned octave;

    if (ns < 4)
        return (unsigned)ns;
    octave = 63 - (unsigned)__builtin_clzll(ns);
    return 4 * (octave - 1) + (unsigned)(ns >> (octave - 2) & 3);
}

static uint64_t upper_edge_ns(unsigned bucket)
{
    return bucket < 4 ? bucket + 1 : (uint64_t)(bucket % 4 + 5) << (bucket / 4 - 1);
}

static void record(struct lateness *lateness, uint64_t ns)
{
    lateness->counts[bucket_of(ns)]++;
    if (ns > lateness->max_ns)
        lateness->max_ns = ns;
}

/* ---- the box ---- */

struct counters {
    uint64_t forwarded; /* handed back to the kernel */
    uint64_t unknown;   /* of these: neither address is in the table */
    uint64_t lost;      /* as the table asks */
    uint64_t no_memory; /* dropped: the memory limit was reached */
    uint64_t ignored;   /* dropped: not IPv4 */
    uint64_t refused;   /* dropped: the kernel did not take it back; the device counts it too */
};

struct box {
    int tun;
    int parent; /* -1: none */
    int signals;
    int netlink;
    int interface;
    const char *priority;
    uint64_t seed;
    uint64_t memory_limit;
    uint64_t memory_held;
    uint64_t memory_peak;
    uint64_t drained_ns; /* when the device was last seen empty, moved on by the time slept since then */
    struct hosts hosts;
    struct queue queue;
    struct counters counters;
    struct lateness lateness;
    unsigned char arrival[LARGEST_READ];
};

static uint64_t cost_of(const struct packet *packet)
{
    return sizeof *packet + packet->length + sizeof(struct waiting);
}

static void emit(struct box *box, const void *bytes, size_t length, uint64_t late_ns)
{
    if (write(box->tun, bytes, length) != (ssize_t)length) {
        box->counters.refused++;
        return;
    }
    box->counters.forwarded++;
    record(&box->lateness, late_ns);
}

static void hold(struct box *box, size_t length, uint64_t due_ns, uint64_t unseen_ns)
{
    struct packet *packet = NULL;
    uint64_t cost = sizeof *packet + length + sizeof(struct waiting);

    if (box->memory_held + cost <= box->memory_limit)
        packet = malloc(sizeof *packet + length);
    if (!packet) {
        box->counters.no_memory++;
        return;
    }
    packet->unseen_ns = unseen_ns;
    packet->length = (uint32_t)length;
    memcpy(packet->bytes, box->arrival, length);
    push(&box->queue, due_ns, packet);
    box->memory_held += cost;
    if (box->memory_held > box->memory_peak)
        box->memory_peak = box->memory_held;
}

static bool read_addresses(const struct box *box, size_t length, uint32_t *source, uint32_t *destination)
{
    struct iphdr header;

    if (length < sizeof(struct virtio_net_hdr) + sizeof header)
        return false;
    memcpy(&header, box->arrival + sizeof(struct virtio_net_hdr), sizeof header);
    *source = header.saddr;
    *destination = header.daddr;
    return header.version == IPVERSION;
}

static void accept_packet(struct box *box, size_t length, uint64_t now)
{
    uint64_t unseen_ns = now - box->drained_ns;
    uint32_t source, destination;
    struct host *from, *to;
    uint64_t wait_ns;

    if (!read_addresses(box, length, &source, &destination)) {
        box->counters.ignored++;
        return;
    }
    from = find_host(&box->hosts, source);
    to = find_host(&box->hosts, destination);
    if ((from && loses(&from->up)) || (to && loses(&to->down))) {
        box->counters.lost++;
        return;
    }
    box->counters.unknown += !from && !to;
    wait_ns = (from ? hold_ns(&from->up) : 0) + (to ? hold_ns(&to->down) : 0);
    if (wait_ns)
        hold(box, length, now + wait_ns, unseen_ns);
    else
        emit(box, box->arrival, length, unseen_ns);
}

static void take_arrivals(struct box *box)
{
    for (int i = 0; i < BATCH; i++) {
        ssize_t length = read(box->tun, box->arrival, sizeof box->arrival);

        if (length < 0 && errno == EAGAIN) {
            box->drained_ns = now_ns();
            return;
        }
        if (length < 0)
            fail(EXIT_SYSTEM, "the TUN device cannot be read: %s", strerror(errno));
        accept_packet(box, (size_t)length, now_ns());
    }
}

static void release_due(struct box *box)
{
    for (int i = 0; i < BATCH && box->queue.count; i++) {
        uint64_t now = now_ns();
        struct waiting first;

        if (box->queue.entries[0].due_ns > now)
            return;
        first = pop(&box->queue);
        emit(box, first.packet->bytes, first.packet->length, now - first.due_ns + first.packet->unseen_ns);
        box->memory_held -= cost_of(first.packet);
        free(first.packet);
    }
}

/* ---- what is told about it ---- */

static uint64_t dropped_in(const struct nlmsghdr *answer)
{
    struct rtnl_link_stats64 statistics = {0};
    unsigned left = (unsigned)IFLA_PAYLOAD(answer);

    for (struct rtattr *at = IFLA_RTA(NLMSG_DATA(answer)); RTA_OK(at, left); at = RTA_NEXT(at, left))
        if (at->rta_type == IFLA_STATS64)
            memcpy(&statistics, RTA_DATA(at), offsetof(struct rtnl_link_stats64, multicast));
    return statistics.tx_dropped + statistics.rx_dropped;
}

/* Packets that the kernel dropped on their way to the box (its ring was full: the box did not keep up), or on
 * their way back (it refused them, or its backlog was full). */
static uint64_t device_dropped(const struct box *box)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
        .link = {.ifi_index = box->interface},
    };
    _Alignas(struct nlmsghdr) char bytes[16384];
    const struct nlmsghdr *answer = (const struct nlmsghdr *)bytes;
    ssize_t length = -1;

    if (send(box->netlink, &request, sizeof request, 0) >= 0)
        length = recv(box->netlink, bytes, sizeof bytes, 0);
    if (length < 0 || !NLMSG_OK(answer, (size_t)length) || answer->nlmsg_type != RTM_NEWLINK)
        fail(EXIT_SYSTEM, "the kernel does not tell the TUN device's counters");
    return dropped_in(answer);
}

static uint64_t cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void print_histogram(const struct lateness *lateness)
{
    const char *separator = "";

    printf("\"late_ns\": [");
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        if (!lateness->counts[bucket])
            continue;
        printf("%s[%llu, %llu]", separator, (unsigned long long)upper_edge_ns(bucket),
               (unsigned long long)lateness->counts[bucket]);
        separator = ", ";
    }
    printf("]");
}

static void print_number(const char *name, uint64_t value)
{
    printf("\"%s\": %llu, ", name, (unsigned long long)value);
}

static void report(const struct box *box)
{
    printf("{");
    print_number("forwarded", box->counters.forwarded);
    print_number("unknown", box->counters.unknown);
    print_number("lost", box->counters.lost);
    print_number("no_memory", box->counters.no_memory);
    print_number("ignored", box->counters.ignored);
    print_number("refused", box->counters.refused);
    print_number("device_dropped", device_dropped(box));
    print_number("held", box->queue.count);
    print_number("memory_peak", box->memory_peak);
    print_number("cpu_us", cpu_us());
    printf("\"priority\": \"%s\", ", box->priority);
    print_number("late_max_ns", box->lateness.max_ns);
    print_histogram(&box->lateness);
    printf("}\n");
    fflush(stdout);
}

/* ---- the loop ---- */

enum { TUN, SIGNALS, PARENT, WATCHED };

static void wait_for_work(struct box *box, struct pollfd *watched)
{
    uint64_t began = now_ns();
    uint64_t due = box->queue.count ? box->queue.entries[0].due_ns : 0;
    uint64_t left = due > began ? due - began : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S)};

    if (ppoll(watched, WATCHED, box->queue.count ? &timeout : NULL, NULL) < 0 && errno != EINTR)
        fail(EXIT_SYSTEM, "ppoll: %s", strerror(errno));
    /* The device was empty for as long as this slept. */
    box->drained_ns += now_ns() - began;
}

static bool told_to_end(const struct box *box)
{
    struct signalfd_siginfo signal;

    if (read(box->signals, &signal, sizeof signal) != sizeof signal)
        return false;
    report(box);
    return signal.ssi_signo == SIGTERM;
}

static void run(struct box *box)
{
    struct pollfd watched[WATCHED] = {
        [TUN] = {.fd = box->tun, .events = POLLIN},
        [SIGNALS] = {.fd = box->signals, .events = POLLIN},
        [PARENT] = {.fd = box->parent, .events = POLLIN},
    };

    box->drained_ns = now_ns();
    for (;;) {
        wait_for_work(box, watched);
        if (watched[PARENT].revents)
            return;
        if (watched[SIGNALS].revents && told_to_end(box))
            return;
        release_due(box);
        take_arrivals(box);
    }
}

/* ---- start-up ---- */

/* A user namespace grants neither; then the box runs as any other process, and its lateness shows it. */
static const char *raise_priority(void)
{
    struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

    prctl(PR_SET_TIMERSLACK, 1);
    if (sched_setscheduler(0, SCHED_FIFO, &lowest) == 0)
        return "fifo";
    return setpriority(PRIO_PROCESS, 0, -20) == 0 ? "nice" : "normal";
}

/* SIGINT is the parent's business: a terminal sends it to the whole process group. */
static int watch_signals(void)
{
    sigset_t set;
    int watch;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (watch = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        fail(EXIT_SYSTEM, "signalfd: %s", strerror(errno));
    return watch;
}

static void attach(struct box *box)
{
    struct ifreq request = {0};

    if (ioctl(box->tun, TUNGETIFF, &request) < 0 || !(request.ifr_flags & IFF_VNET_HDR))
        fail(EXIT_USAGE, "--tun %d is not a TUN device with IFF_VNET_HDR", box->tun);
    if (fcntl(box->tun, F_SETFL, O_NONBLOCK) < 0)
        fail(EXIT_SYSTEM, "the TUN device cannot be made non-blocking: %s", strerror(errno));
    box->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (box->netlink < 0 || ioctl(box->netlink, SIOCGIFINDEX, &request) < 0)
        fail(EXIT_SYSTEM, "the TUN device is not in this network namespace: %s", strerror(errno));
    box->interface = request.ifr_ifindex;
}

static uint64_t read_option(const char *name, uint64_t largest)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(optarg, &end, 10);
    if (*optarg < '0' || *optarg > '9' || *end || errno || value > largest)
        fail(EXIT_USAGE, "--%s \"%s\" is not a whole number from 0 to %llu; see --help", name, optarg,
             (unsigned long long)largest);
    return value;
}

static void read_options(struct box *box, int count, char **words)
{
    static const struct option OPTIONS[] = {
        {"help", no_argument, NULL, 'h'},         {"tun", required_argument, NULL, 't'},
        {"parent", required_argument, NULL, 'p'}, {"seed", required_argument, NULL, 's'},
        {"memory", required_argument, NULL, 'm'}, {0},
    };
    int option;

    while ((option = getopt_long(count, words, "", OPTIONS, NULL)) != -1) {
        switch (option) {
        case 'h': fputs(HELP, stdout); exit(EXIT_ENDED);
        case 't': box->tun = (int)read_option("tun", INT32_MAX); break;
        case 'p': box->parent = (int)read_option("parent", INT32_MAX); break;
        case 's': box->seed = read_option("seed", UINT64_MAX); break;
        case 'm': box->memory_limit = read_option("memory", UINT64_MAX); break;
        default: exit(EXIT_USAGE);
        }
    }
    if (optind < count || box->tun < 0)
        fail(EXIT_USAGE, "--tun FD, and no words but options, are needed; see --help");
}

/* A held packet's memory comes from the heap and goes back to it: no system call a packet. */
static void keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

int main(int count, char **words)
{
    static struct box box = {.tun = -1, .parent = -1, .memory_limit = 256u << 20};

    read_options(&box, count, words);
    box.hosts = read_table(stdin, box.seed);
    attach(&box);
    keep_freed_memory();
    box.signals = watch_signals();
    box.priority = raise_priority();
    puts("ready");
    fflush(stdout);
    run(&box);
    return EXIT_ENDED;
}
