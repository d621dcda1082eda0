// Own code. A bad line: passes frames between pairs of interfaces, both ways, and loses, doubles and overtakes some of them.
//   relay SEED LOSS DOUBLE REORDER IF IF [IF IF]...     rates in frames of a thousand; REORDER frames wait 1 to 4 ms, and others pass them
// On SIGTERM it says what it did. Without netem in the kernel there is no other way; with a seed the same frames have the same fate.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { ENDS_MAX = 16, FRAME = 9216, HELD = 4096, BURST = 64 };

static struct { int to, length; double due; uint8_t *bytes; } held[HELD];
static int held_count, ends;
static struct pollfd sockets[ENDS_MAX];
static uint64_t state;
static long passed, lost, doubled, delayed, refused;
static volatile sig_atomic_t stopping;

static void stop(int signal) { (void)signal; stopping = 1; }

static unsigned draw(unsigned below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 32) % below);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void put(int to, const uint8_t *frame, int length) {
    if (send(sockets[to].fd, frame, (size_t)length, 0) < 0) refused++;
}

// Frames whose time has come, in the order of their times.
static void release(double time) {
    for (;;) {
        int first = -1;
        for (int i = 0; i < held_count; i++)
            if (held[i].due <= time && (first < 0 || held[i].due < held[first].due)) first = i;
        if (first < 0) return;
        put(held[first].to, held[first].bytes, held[first].length);
        uint8_t *bytes = held[first].bytes;
        held[first] = held[--held_count];
        held[held_count].bytes = bytes;
    }
}

int main(int argc, char **argv) {
    if (argc < 7 || argc % 2 == 0 || argc - 5 > ENDS_MAX) { fprintf(stderr, "usage: relay SEED LOSS DOUBLE REORDER IF IF [IF IF]...\n"); return 2; }
    unsigned loss = (unsigned)atoi(argv[2]), twice = (unsigned)atoi(argv[3]), later = (unsigned)atoi(argv[4]);
    state = strtoull(argv[1], NULL, 10) * 0x9E3779B97F4A7C15u | 1;
    for (int i = 0; i < HELD; i++) held[i].bytes = malloc(FRAME);
    for (ends = 0; ends < argc - 5; ends++) {
        int one = 1, room = 16 << 20, s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
        struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(argv[5 + ends]) };
        struct packet_mreq all = { .mr_ifindex = a.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
        setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
        setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
        if (s < 0 || !a.sll_ifindex || bind(s, (struct sockaddr *)&a, sizeof a)) { perror(argv[5 + ends]); return 1; }
        sockets[ends] = (struct pollfd){ .fd = s, .events = POLLIN };
    }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    static uint8_t frame[FRAME];
    while (!stopping) {
        poll(sockets, (nfds_t)ends, held_count ? 1 : 100);
        for (int from = 0; from < ends; from++) {
            for (int n = 0; sockets[from].revents && n < BURST; n++) {
                int to = from ^ 1, length = (int)recv(sockets[from].fd, frame, sizeof frame, 0);
                if (length <= 0) break;
                if (draw(1000) < loss) { lost++; continue; }
                int copies = 1;
                if (draw(1000) < twice) { doubled++; copies = 2; }
                if (draw(1000) < later && held_count < HELD) {
                    delayed++;
                    held[held_count].to = to;
                    held[held_count].length = length;
                    held[held_count].due = now() + 1e-3 + 1e-6 * draw(3000);
                    memcpy(held[held_count++].bytes, frame, (size_t)length);
                    copies--;
                }
                for (; copies > 0; copies--) put(to, frame, length);
                passed++;
            }
        }
        if (held_count) release(now());
    }
    printf("line: %ld frames passed, %ld lost, %ld doubled, %ld late, %ld refused by the interface\n", passed, lost, doubled, delayed, refused);
    return 0;
}
