/* Own code: shared harness helpers. */
#pragma once
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <stdbool.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <arpa/inet.h>
#include <linux/types.h>
#ifndef NO_BPF                   /* the C loop alone needs no libbpf */
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#endif
#define die(...) do { fprintf(stderr, __VA_ARGS__); fprintf(stderr, " (%s)\n", strerror(errno)); exit(1); } while (0)
static inline double now_s(clockid_t c) { struct timespec t; clock_gettime(c, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static inline int cmpd(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return x < y ? -1 : x > y; }
static inline void pin(int cpu) { cpu_set_t s; CPU_ZERO(&s); CPU_SET(cpu, &s); if (sched_setaffinity(0, sizeof s, &s)) die("affinity"); }
struct mm { double min, med; };
static inline struct mm minmed(double *v, int n) { qsort(v, n, sizeof *v, cmpd); return (struct mm){ v[0], v[n / 2] }; }
static inline uint32_t sum16(const void *p, int len, uint32_t s)
{
	const uint8_t *b = p; int i;
	for (i = 0; i + 1 < len; i += 2) s += b[i] << 8 | b[i + 1];
	if (i < len) s += b[i] << 8;
	while (s >> 16) s = (s & 0xffff) + (s >> 16);
	return s;
}
static inline void put16(uint8_t *p, uint16_t v) { p[0] = v >> 8; p[1] = v; }
static inline void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16); put16(p + 2, v); }
static inline uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

#ifndef NO_BPF
/* One prog run of `repeat` packets; returns the calling thread's CPU ns/packet.  Not wall time: with repeat > 1 the
 * kernel re-patches the XDP dispatcher and waits for RCU grace periods inside the syscall (some 20-40 ms asleep), and
 * the machine is shared.  The kernel's own o.duration agrees but is a truncated whole number of ns. */
static inline double run_prog(int fd, void *pkt, int len, int repeat, uint32_t *ret, void *out, uint32_t *outlen, uint32_t *dur)
{
	static char tmp[4096];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = pkt, .data_size_in = len, .data_out = out ? out : tmp,
		    .data_size_out = out ? *outlen : sizeof tmp, .repeat = repeat);
	double t = now_s(CLOCK_THREAD_CPUTIME_ID);
	if (bpf_prog_test_run_opts(fd, &o)) die("test_run");
	t = now_s(CLOCK_THREAD_CPUTIME_ID) - t;
	if (ret) *ret = o.retval;
	if (outlen) *outlen = o.data_size_out;
	if (dur) *dur = o.duration;
	return t * 1e9 / repeat;
}
static inline struct mm time_prog(int fd, void *pkt, int len, int repeat, int runs, uint32_t want)
{
	double v[101]; uint32_t r;
	run_prog(fd, pkt, len, repeat, &r, NULL, NULL, NULL);            /* warm */
	for (int i = 0; i < runs; i++) {
		v[i] = run_prog(fd, pkt, len, repeat, &r, NULL, NULL, NULL);
		if (r != want) die("verdict %u, wanted %u", r, want);
	}
	return minmed(v, runs);
}
#endif
