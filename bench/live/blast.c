// Own code. Both ends of many UDP flows through a load balancer: sends out of an interface as fast as packet sockets can, and tells how many
// frames came back.
//   blast IF learn FLOWS plain DSTMAC FILE         opens the flows: a frame of each from 10.0.1.16 to the virtual address 10.0.1.2, and the
//                                                  server's answer to what came back; both are kept in FILE
//   blast IF learn FLOWS vxlan OUTERDSTMAC FILE    the same inside VXLAN 4097, from 192.168.100.1 to 192.168.100.2
//   blast IF oneway FLOWS plain|vxlan MAC FILE     nobody answers: only the client's frames are kept
//   blast IF SECONDS FLOWS plain|vxlan MAC FILE    client's and server's frames in turn, of all flows
//   blast IF -COUNT FLOWS ...                      so many frames
// A program that sends frames back as they are gets the client's frames only, which are as long.
// learn prints how many flows have an answer. Else: sent returned seconds, processor nanoseconds of sending (what the kernel does with a
// frame within the sending call is in them).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { BATCH = 64, ENVELOPE = 50, INNER = 64, SLOT = 128, FLOWS_MAX = 32768, PORT = 0x4000 };

static uint16_t sum(const void *data, int bytes, uint32_t s) {
    const uint8_t *p = data;
    for (int i = 0; i + 1 < bytes; i += 2) s += (uint32_t)p[i] << 8 | p[i + 1];
    while (s >> 16) s = (s & 0xffff) + (s >> 16);
    return htons((uint16_t)~s);
}

static void put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }

static void ipv4_udp(uint8_t *p, const char *from, const char *to, unsigned sport, unsigned dport, unsigned payload) {
    memset(p, 0, 28);
    p[0] = 0x45;
    put16(p + 2, 28 + payload);
    p[8] = 64;
    p[9] = 17;
    inet_pton(AF_INET, from, p + 12);
    inet_pton(AF_INET, to, p + 16);
    uint16_t c = sum(p, 20, 0);
    memcpy(p + 10, &c, 2);
    put16(p + 20, sport);
    put16(p + 22, dport);
    put16(p + 24, 8 + payload);
}

// The checksum of an inner datagram, as every stack makes it.
static void finish(uint8_t *ip) {
    unsigned bytes = (unsigned)ip[24] << 8 | ip[25];
    memset(ip + 26, 0, 2);
    uint32_t pseudo = 17 + bytes;
    for (int i = 12; i < 20; i += 2) pseudo += (uint32_t)ip[i] << 8 | ip[i + 1];
    uint16_t c = sum(ip + 20, (int)bytes, pseudo);
    if (!c) c = 0xffff;
    memcpy(ip + 26, &c, 2);
}

static void ethernet(uint8_t *p, const char *to, const char *from) {
    unsigned m[6];
    sscanf(to, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5);
    for (int i = 0; i < 6; i++) p[i] = (uint8_t)m[i];
    sscanf(from, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5);
    for (int i = 0; i < 6; i++) p[6 + i] = (uint8_t)m[i];
    put16(p + 12, 0x0800);
}

static long counter(const char *ifname, const char *what) {
    char path[256];
    long value = -1;
    snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", ifname, what);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%ld", &value) != 1) { perror(path); exit(1); }
    fclose(f);
    return value;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long used(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void exchange(uint8_t *a, uint8_t *b, int bytes) {
    uint8_t kept[16];
    memcpy(kept, a, (size_t)bytes);
    memcpy(a, b, (size_t)bytes);
    memcpy(b, kept, (size_t)bytes);
}

// The answer of whom a frame reached: addresses, ports and MACs the other way round, in both headers.
static void answer(uint8_t *frame, int tunnel) {
    uint8_t *p = frame;
    if (tunnel) {
        exchange(p, p + 6, 6);
        exchange(p + 26, p + 30, 4);
        memset(p + 40, 0, 2);           // on a veth the kernel leaves the envelope's checksum to a card that is not there
        p += ENVELOPE;
    }
    exchange(p, p + 6, 6);
    exchange(p + 26, p + 30, 4);
    exchange(p + 34, p + 36, 2);
    finish(p + 14);
}

// Sends one frame of each flow that has no answer yet, a few at a time, and makes answers of what comes back.
static int learn(int s, int receiver, uint8_t *frames, int flows, int tunnel) {
    int length = INNER + (tunnel ? ENVELOPE : 0), known = 0;
    uint8_t *answered = calloc((size_t)flows, 1), frame[2048];
    for (int round = 0; round < 8 && known < flows; round++) {
        for (int flow = 0; flow < flows; flow++) {
            if (!answered[flow] && send(s, frames + (size_t)2 * flow * SLOT, (size_t)length, 0) < 0) perror("send");
            if (flow % 16 != 15 && flow != flows - 1) continue;
            struct pollfd p = { .fd = receiver, .events = POLLIN };
            while (poll(&p, 1, 5) > 0) {
                if (recv(receiver, frame, sizeof frame, 0) != length) continue;
                const uint8_t *inner = frame + (tunnel ? ENVELOPE : 0), *ip = inner + 14;
                uint32_t number;
                if (ip[9] != 17 || ip[22] != 8000 >> 8 || ip[23] != (8000 & 255)) continue;
                memcpy(&number, ip + 28, 4);    // the payload: a load balancer leaves it alone
                if (number >= (uint32_t)flows || answered[number]) continue;
                uint8_t *back = frames + (2 * (size_t)number + 1) * SLOT;
                if (ip[19] != 2) {              // not the virtual address any more: somebody translated it
                    memcpy(back, frame, (size_t)length);
                    answer(back, tunnel);
                }
                answered[number] = 1;
                known++;
            }
        }
    }
    free(answered);
    return known;
}

int main(int argc, char **argv) {
    int isOneWay = argc == 7 && !strcmp(argv[2], "oneway"), isLearning = argc == 7 && (isOneWay || !strcmp(argv[2], "learn"));
    int flows = argc == 7 ? atoi(argv[3]) : 0;
    if (flows < 1 || flows > FLOWS_MAX) { fprintf(stderr, "usage: blast IF learn|oneway|SECONDS|-COUNT FLOWS plain|vxlan DSTMAC FILE\n"); return 2; }
    const char *name = argv[1];
    double seconds = atof(argv[2]);
    int tunnel = !strcmp(argv[4], "vxlan"), length = INNER + (tunnel ? ENVELOPE : 0), one = 1;
    uint8_t *frames = calloc((size_t)flows * 2, SLOT);
    for (int i = 0; i < flows; i++) {
        uint8_t *p = frames + (size_t)2 * i * SLOT, *frame = p;
        if (tunnel) {
            ethernet(p, argv[5], "02:00:00:00:00:01");
            ipv4_udp(p + 14, "192.168.100.1", "192.168.100.2", 40000 + (unsigned)i % 1000, 4789, 8 + INNER);
            p[42] = 8;
            p[46] = (4097 >> 16) & 255;
            p[47] = (4097 >> 8) & 255;
            p[48] = 4097 & 255;
            p += ENVELOPE;
        }
        ethernet(p, tunnel ? "02:42:0a:00:01:05" : argv[5], "02:42:0a:00:01:10");
        ipv4_udp(p + 14, "10.0.1.16", "10.0.1.2", PORT + (unsigned)i, 8000, INNER - 42);
        uint32_t number = (uint32_t)i;
        memcpy(p + 42, &number, 4);
        finish(p + 14);
        memcpy(frame + SLOT, frame, SLOT);
    }
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
    int s = socket(AF_PACKET, SOCK_RAW, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&to, sizeof to)) { perror(name); return 1; }
    setsockopt(s, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    if (isLearning && !isOneWay) {
        int receiver = socket(AF_PACKET, SOCK_RAW, 0), room = 4 << 20;
        to.sll_protocol = htons(ETH_P_ALL);
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        setsockopt(receiver, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
        if (receiver < 0 || bind(receiver, (struct sockaddr *)&to, sizeof to)) { perror(name); return 1; }
        printf("%d\n", learn(s, receiver, frames, flows, tunnel));
    }
    FILE *file = fopen(argv[6], isLearning ? "w" : "r");
    size_t slots = (size_t)flows * 2;
    if (!file || (isLearning ? fwrite(frames, SLOT, slots, file) : fread(frames, SLOT, slots, file)) != slots || fclose(file)) {
        perror(argv[6]);
        return 1;
    }
    if (isLearning) return 0;
    struct iovec slices[BATCH];
    struct mmsghdr messages[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) { messages[i].msg_hdr.msg_iov = slices + i; messages[i].msg_hdr.msg_iovlen = 1; }
    long sent = 0, most = seconds < 0 ? (long)-seconds : 0, before = counter(name, "rx_packets"), spent = used();
    size_t next = 0;
    double start = now(), end = start + (most ? 60 : seconds);
    while (now() < end && (!most || sent < most)) {
        for (int i = 0; i < BATCH; i++) {
            slices[i].iov_base = frames + next * SLOT;
            slices[i].iov_len = (size_t)length;
            if (++next == slots) next = 0;
        }
        int n = sendmmsg(s, messages, BATCH, 0);
        sent += n > 0 ? n : 0;
    }
    double took = now() - start;
    spent = used() - spent;
    printf("%ld %ld %.3f %ld\n", sent, counter(name, "rx_packets") - before, took, spent);
    return 0;
}
