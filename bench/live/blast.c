// Own code. Sends UDP frames of many flows out of an interface as fast as packet sockets can, and tells how many came back.
//   blast IF SECONDS FLOWS plain DSTMAC            frames to the virtual address 10.0.1.2, from 10.0.1.16
//   blast IF SECONDS FLOWS vxlan OUTERDSTMAC       the same inside VXLAN 4097, from 192.168.100.1 to 192.168.100.2
//   blast IF -COUNT FLOWS ...                      so many frames, and then a pause until none comes back any more
// Prints: sent returned seconds, processor nanoseconds of its own (what the kernel does with a frame within the sending call is in them)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { BATCH = 64, ENVELOPE = 50, INNER = 64, SLOT = 128 };

static uint16_t sum(const void *data, int bytes) {
    const uint8_t *p = data;
    uint32_t s = 0;
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
    uint16_t c = sum(p, 20);
    memcpy(p + 10, &c, 2);
    put16(p + 20, sport);
    put16(p + 22, dport);
    put16(p + 24, 8 + payload);
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

int main(int argc, char **argv) {
    if (argc != 6) { fprintf(stderr, "usage: blast IF SECONDS FLOWS plain|vxlan DSTMAC\n"); return 2; }
    const char *name = argv[1];
    double seconds = atof(argv[2]);
    int flows = atoi(argv[3]), tunnel = !strcmp(argv[4], "vxlan"), length = INNER + (tunnel ? ENVELOPE : 0);
    uint8_t *frames = calloc((size_t)flows, SLOT);
    for (int i = 0; i < flows; i++) {
        uint8_t *p = frames + (size_t)i * SLOT;
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
        ipv4_udp(p + 14, "10.0.1.16", "10.0.1.2", 0x4000 + (unsigned)i, 8000, INNER - 42);
    }
    int s = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
    if (s < 0 || bind(s, (struct sockaddr *)&to, sizeof to)) { perror(name); return 1; }
    setsockopt(s, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    struct iovec slices[BATCH];
    struct mmsghdr messages[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) { messages[i].msg_hdr.msg_iov = slices + i; messages[i].msg_hdr.msg_iovlen = 1; }
    long sent = 0, most = seconds < 0 ? (long)-seconds : 0, before = counter(name, "rx_packets");
    int flow = 0;
    double start = now(), end = start + (most ? 60 : seconds);
    while (now() < end && (!most || sent < most)) {
        for (int i = 0; i < BATCH; i++) {
            slices[i].iov_base = frames + (size_t)flow * SLOT;
            slices[i].iov_len = (size_t)length;
            if (++flow == flows) flow = 0;
        }
        int n = sendmmsg(s, messages, BATCH, 0);
        sent += n > 0 ? n : 0;
    }
    double took = now() - start;
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    printf("%ld %ld %.3f %ld\n", sent, counter(name, "rx_packets") - before, took, used.tv_sec * 1000000000L + used.tv_nsec);
    return 0;
}
