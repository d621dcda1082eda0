/* Own code: the same data path as swarm_lb.bpf.c as a plain user-space C loop (what a DPDK/VPP-style program would do
 * between its RX and TX burst), to show what the work itself costs without the kernel's return thunks and helper calls.
 * One cache line per connection direction, open addressing, optional batches of 32 with software prefetch.
 * usage: swarm_user [runs] [cpu] [most flows] */
#define NO_BPF
#include "frames.h"
#include <immintrin.h>
typedef struct { uint32_t saddr, daddr; uint16_t sport, dport; uint32_t proto; } key;
typedef struct {
	key k;                                  /* proto == 0: free */
	uint32_t n_saddr, n_daddr; uint16_t n_sport, n_dport, ip_delta, l4_delta;
	uint32_t o_daddr; uint16_t fwmark, o_sum; uint8_t i_dmac[6], o_dmac[6]; uint16_t o_sport; uint8_t state, dir; uint32_t seen, pad;
} ent;
_Static_assert(sizeof(ent) == 64, "one line");
static uint64_t smac_i, smac_o; static ent *tab; static uint32_t tmask; static uint32_t vipk[64], vipm[64]; static uint32_t portseq; static uint32_t clk = 1; static uint64_t n_new;
static inline uint32_t hsh(const key *k) { const uint64_t *p = (const void *)k; return _mm_crc32_u64(_mm_crc32_u64(0x9747b28c, p[0]), p[1]) * 2654435761u; }
static inline uint32_t idx(uint32_t h) { return (h ^ h >> 15) & tmask; }
static inline ent *find(const key *k, uint32_t i)
{
	__m128i a = _mm_loadu_si128((const void *)k);
	for (;; i = (i + 1) & tmask) {
		ent *e = tab + i;
		if (_mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_load_si128((void *)&e->k))) == 0xffff) return e;
		if (!e->k.proto) return NULL;
	}
}
static ent *slot(const key *k) { uint32_t i = idx(hsh(k)); while (tab[i].k.proto) i = (i + 1) & tmask; tab[i].k = *k; return tab + i; }
static inline uint32_t fold(uint32_t s) { return (s & 0xffff) + (s >> 16); }
static uint32_t d32(uint32_t o, uint32_t n) { o = ~o; return (o & 0xffff) + (o >> 16) + (n & 0xffff) + (n >> 16); }
static void deltas(ent *e)
{
	uint32_t a = d32(e->k.saddr, e->n_saddr) + d32(e->k.daddr, e->n_daddr);
	e->l4_delta = fold(fold(fold(a + (uint16_t)~e->k.sport + e->n_sport + (uint16_t)~e->k.dport + e->n_dport)));
	e->ip_delta = fold(fold(fold(a + 0xfffe)));
}
static inline uint16_t app(uint16_t c, uint16_t d) { return ~fold((uint32_t)(uint16_t)~c + d); }
static void outer(ent *e, const uint8_t *m, const uint8_t *nm)
{
	uint32_t me = htonl(NODE_LB), v = e->o_daddr;
	memcpy(e->i_dmac, m, 6); memcpy(e->o_dmac, nm, 6);
	e->o_sum = fold(fold(0x0045 + 0x0040 + 0x1140 + (me & 0xffff) + (me >> 16) + (v & 0xffff) + (v >> 16)));
}
#define U16(p) (*(uint16_t *)(p))
#define U32(p) (*(uint32_t *)(p))
#define U64(p) (*(uint64_t *)(p))
#include "whole.h"
#ifdef WHOLE
#define NAME "C whole work"
#define FIRST BURST
static void track(ent *f, ent *r, int b, const uint8_t *packet)
{
	struct conn *c = conns + n_new; f->pad = r->pad = n_new; memset(c, 0, sizeof *c);
	memcpy(c->source, M_CL, 6); memcpy(c->source + 1, M_B[b], 6); c->source[0] |= 8ull << 48; c->source[1] |= 8ull << 48;
	c->vtep[0] = htonl(NODE_CL); c->vtep[1] = htonl(NODE_B[b]); c->states = ESTABLISHED; c->decision = b;
	timer(n_new, now + 3 * SEC); c->ipvs_expires = now + 900 * SEC; c->ct_expires = now + 432000 * SEC;
	uint32_t seq = packet[73] == 6 ? 1011 : 0;
	for (int i = 0; i < 2; i++) c->seen[i] = (struct seen) { seq, seq + 64240, 64240, seq, 0, MAXACK_SET, 0 };
}
#else
static uint32_t rr;
#define NAME "C bursts"
#define FIRST ONE
#endif
static ent *newconn(const key *k, uint32_t mark, const uint8_t *packet)
{
#ifdef WHOLE
	if (!admitted(packet)) return NULL;
	int b = pick(); if (b < 0) return NULL;
	key rk = { .saddr = htonl(BACK[b]), .daddr = htonl(LBIP), .sport = k->dport, .dport = k->sport, .proto = k->proto };
	if (find(&rk, idx(hsh(&rk)))) {
		uint32_t from = draw();
		do rk.dport = htons(1024 + from++ % 64512); while (find(&rk, idx(hsh(&rk))));
	}
#else
	int b = rr++ & 1; key rk = { .saddr = htonl(BACK[b]), .daddr = htonl(LBIP), .sport = k->dport, .proto = k->proto };
	do rk.dport = htons(1024 + portseq++ % 64512); while (find(&rk, idx(hsh(&rk))));
#endif
	ent *f = slot(k), *r = slot(&rk);
	f->n_saddr = htonl(LBIP); f->n_daddr = rk.saddr; f->n_sport = rk.dport; f->n_dport = k->dport; f->o_daddr = htonl(NODE_B[b]);
	outer(f, M_B[b], M_B_O[b]); f->dir = 0; f->o_sport = htons(0xc000 | (ntohs(k->sport) & 0x3fff));
	r->n_saddr = k->daddr; r->n_daddr = k->saddr; r->n_sport = k->dport; r->n_dport = k->sport; r->o_daddr = htonl(NODE_CL);
	outer(r, M_CL, M_CL_O); r->dir = 1; r->o_sport = f->o_sport;
	f->fwmark = r->fwmark = mark; f->state = r->state = 2; deltas(f); deltas(r);
#ifdef WHOLE
	track(f, r, b, packet);
#endif
	n_new++;
	return f;
}
typedef struct { key k; uint32_t i; uint32_t ok; } pre;
static inline void parse(const uint8_t *f, pre *q, const struct desc *d)
{
	q->ok = U16(f + 12) == htons(0x800) && f[14] == 0x45 && f[23] == 17 && !(U16(f + 20) & htons(0x3fff)) && U32(f + 30) == htonl(NODE_LB) &&
		U16(f + 36) == htons(VXLAN_PORT) && (f[42] & 8) && (U32(f + 46) & htonl(0xffffff00)) == htonl(VNI << 8) && U16(f + 62) == htons(0x800) &&
		f[64] == 0x45 && !(U16(f + 70) & htons(0x3fff)) && (f[73] == 6 || f[73] == 17) && f[72] > 1;
#ifdef WHOLE
	q->ok = q->ok && whole(f, d);
#endif
	uint64_t a = U64(f + 76), b = U32(f + 84) | (uint64_t)f[73] << 32;
	_mm_storeu_si128((void *)&q->k, _mm_set_epi64x(b, a));
	q->i = idx(_mm_crc32_u64(_mm_crc32_u64(0x9747b28c, a), b) * 2654435761u);
}
static inline bool rewrite(uint8_t *f, const pre *q, struct desc *d)
{
	if (!q->ok) return false;
	uint32_t mark = 0, v = (q->k.daddr * 2654435761u) >> 26;
	for (; vipk[v]; v = (v + 1) & 63) if (vipk[v] == q->k.daddr) { mark = vipm[v]; break; }
	ent *e = find(&q->k, q->i);
	if (!e) { if (!mark) return false; e = newconn(&q->k, mark, f); if (!e) return false; }
	else if (!e->dir && e->fwmark != mark) return false;
#ifdef WHOLE
	else if (!step(conns + e->pad, e->dir, f, d)) return false;
	uint16_t sport = htons(entropy(*(uint64_t *)&e->n_saddr, (uint64_t)*(uint32_t *)&e->n_sport << 8 | f[73]));
#endif
	if (e->seen != clk) e->seen = clk;
	U32(f + 84) = *(uint32_t *)&e->n_sport;
	if (f[73] == 6) {
		uint8_t fl = f[97]; if (fl & 7) e->state = fl & 4 ? 4 : fl & 1 ? 3 : 1; else if (e->state == 1) e->state = 2;
		U16(f + 100) = app(U16(f + 100), e->l4_delta);
	} else if (U16(f + 90)) { uint16_t u = app(U16(f + 90), e->l4_delta); U16(f + 90) = u ? u : 0xffff; }
	uint32_t w = U32(f + 72); U32(f + 72) = ((w & 0xffff) - 1) | (uint32_t)app(w >> 16, e->ip_delta) << 16;
	U64(f + 76) = *(uint64_t *)&e->n_saddr;
	U64(f + 50) = (U64(e->i_dmac) & 0xffffffffffffull) | (uint64_t)smac_i << 48; U32(f + 58) = smac_i >> 16;
	U64(f) = (U64(e->o_dmac) & 0xffffffffffffull) | (uint64_t)smac_o << 48; U32(f + 8) = smac_o >> 16;
#ifdef WHOLE
	uint32_t tos = f[65] & 3; uint32_t id = htons(++ident); tos &= ~(tos >> 1); w = (uint32_t)htons(ntohs(U16(f + 66)) + 50) << 16 | tos << 8;
	U64(f + 14) = 0x0040000000000045ull | w | (uint64_t)id << 32;
	U32(f + 22) = 0x1140 | (uint32_t)(uint16_t)~fold(fold(e->o_sum + (w >> 16) + (w & 0xffff) + id)) << 16;
	U64(f + 26) = htonl(NODE_LB) | (uint64_t)e->o_daddr << 32;
	U16(f + 34) = sport; U16(f + 38) = htons(ntohs(U16(f + 66)) + 30); U16(f + 40) = 0; list(f, d, e->pad);
#else
	w = U32(f + 14) & 0xffff0000; U64(f + 14) = 0x0040000000000045ull | w;
	U32(f + 22) = 0x1140 | (uint32_t)(uint16_t)~fold(e->o_sum + (w >> 16)) << 16;
	U64(f + 26) = htonl(NODE_LB) | (uint64_t)e->o_daddr << 32;
	U16(f + 34) = e->o_sport; U16(f + 40) = 0;
#endif
	return true;
}
static uint32_t lcg; static uint8_t *ring, work[BATCH][SLOT_LEN] __attribute__((aligned(64)));
#ifdef WHOLE
/* addresses and ports of the template were patched: its sums too, since they are looked at */
static inline void patch(uint8_t *d)
{
	uint32_t change = d32(U32(ring + 76), U32(d + 76)), ports = (uint16_t)~U16(ring + 84) + U16(d + 84) + (uint16_t)~U16(ring + 86) + U16(d + 86);
	U16(d + 74) = app(U16(ring + 74), fold(fold(change))); U16(d + 100) = app(U16(ring + 100), fold(fold(change + ports)));
}
static inline void look(pre *q, int j)
{
	for (int k = j; k < j + 8 && k < BATCH; k++) { parse(work[k], q + k, in + k); __builtin_prefetch(tab + q[k].i, 1); }
}
static inline void ahead(pre *q, int j)
{
	for (int k = j; k < j + 4 && k < BATCH; k++) {
		ent *e = find(&q[k].k, q[k].i); if (!e) continue;
		__builtin_prefetch(conns + e->pad, 1); __builtin_prefetch((char *)(conns + e->pad) + 64, 1);
	}
}
#endif
enum { FLOOR, ONE, BURST };      /* generator only; one packet at a time; burst of 32 with prefetch */
enum { HOT, RING };              /* one template, patched; whole frames out of a ring */

/* n packets: lay a burst of frames in hot buffers, then do the work on it.  mask: ring slots or flows, less one */
static double pass(uint32_t mask, int n, int mode, int gen, bool seq, uint64_t *tx)
{
	pre q[BATCH]; uint64_t t0 = 0; double t = now_s(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < n; i += BATCH) {
		for (int j = 0; j < BATCH; j++) {
			uint32_t f = (seq ? lcg++ : (lcg = lcg * 1664525u + 1013904223u)) & mask; uint8_t *d = work[j];
			memcpy(d, ring + (gen == RING ? (size_t)f * SLOT_LEN : 0), FRAME_LEN);
			if (gen == HOT) { U32(d + 76) = htonl(f_client(f)); U16(d + 84) = htons(f_sport(f)); U16(d + 86) = htons(f_dport(f)); }
#ifdef WHOLE
			if (gen == HOT) patch(d);
			in[j] = (struct desc) { (int)(d - work[0]), FRAME_LEN, FRAME_LEN, 0, now + j, i + j, -1, 0, 0, 0 };
#endif
		}
		__asm__ volatile("" ::: "memory");
		if (mode == ONE) for (int j = 0; j < BATCH; j++) { parse(work[j], q, in + j); t0 += rewrite(work[j], q, in + j); }
#ifdef WHOLE
		/* three lines a frame: asked for a step or two ahead, eight frames a step, else processors drop prefetches */
		if (mode == BURST) {
			look(q, 0); look(q, 8); ahead(q, 0); ahead(q, 4);
			for (int j = 0; j < BATCH; j += 8) {
				ahead(q, j + 8); look(q, j + 16); ahead(q, j + 12);
				for (int k = j; k < j + 8; k++) t0 += rewrite(work[k], q + k, in + k);
			}
		}
#else
		if (mode == BURST) {
			for (int j = 0; j < BATCH; j++) { parse(work[j], q + j, in + j); __builtin_prefetch(tab + q[j].i, 1); }
			for (int j = 0; j < BATCH; j++) t0 += rewrite(work[j], q + j, in + j);
		}
#endif
		if (!(i & 4095)) clk++;
		__asm__ volatile("" ::: "memory");
	}
	if (tx) *tx += t0;
	return (now_s(CLOCK_THREAD_CPUTIME_ID) - t) * 1e9 / n;
}
static void *big(size_t n) { void *p = mmap(NULL, n + (2 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); if (p == MAP_FAILED) die("mmap");
	p = (void *)(((uintptr_t)p + (2 << 20) - 1) & ~(uintptr_t)((2 << 20) - 1)); madvise(p, n, MADV_HUGEPAGE); memset(p, 0, n); return p; }
static void addvip(uint32_t ip, uint32_t m) { uint32_t k = htonl(ip), v = (k * 2654435761u) >> 26; while (vipk[v]) v = (v + 1) & 63; vipk[v] = k; vipm[v] = m; }
static void row(const char *what, uint32_t flows, int gen, double *raw, double *fl, int runs)
{
	struct mm x = minmed(raw, runs), y = minmed(fl, runs);
	printf("%-34s %-5s %8u %-5s %8.1f %8.1f %9.1f %8.1f %8.1f %8.2f\n", what, "open", flows, gen == RING ? "ring" : "hot",
	       x.min, x.med, y.min, x.min - y.min, x.med - y.med, 1e3 / (x.min - y.min));
	fflush(stdout);
}
/* forward only from the template; forward, reverse and both from the ring, as the table has them */
static void fill_ring(uint32_t flows, bool fwd, bool rev)
{
	uint8_t *s = ring; uint8_t t[SLOT_LEN]; pre q;
	for (uint32_t i = 0; i < flows; i++) {
		if (fwd) { mkfwd(s, i, 6, ACK); s += SLOT_LEN; }
		if (rev) {
			mkfwd(t, i, 6, ACK); parse(t, &q, &alone); ent *e = find(&q.k, q.i); if (!e) { printf("!! flow %u not there\n", i); exit(1); }
			int b = e->n_daddr == htonl(BACK[1]);
			mkframe(s, M_B_O[b], NODE_B[b], M_B[b], BACK[b], LBIP, f_dport(i), ntohs(e->n_sport), 6, ACK); s += SLOT_LEN;
		}
	}
}
static void clear(void)
{
	memset(tab, 0, ((size_t)tmask + 1) * sizeof(ent)); lcg = 0; n_new = 0; portseq = 0;
#ifdef WHOLE
	restart();
#endif
}
static void established(const char *what, uint32_t flows, uint32_t slots, int gen, int runs)
{
	enum { N = 1 << 20 };
	for (int m = FIRST; m <= BURST; m++) {
		double a[64], fl[64]; uint64_t tx = 0; char name[64];
		pass(slots - 1, N, m, gen, false, NULL);
		for (int r = 0; r < runs; r++) { fl[r] = pass(slots - 1, N, FLOOR, gen, false, NULL); a[r] = pass(slots - 1, N, m, gen, false, &tx); }
		if (tx != (uint64_t)N * runs || n_new != flows) printf("!! tx %lu new %lu\n", (unsigned long)tx, (unsigned long)n_new);
		snprintf(name, sizeof name, "%s, %s", m == ONE ? "C one at a time" : NAME, what);
		row(name, flows, gen, a, fl, runs);
	}
}
/* the first packet of every flow, into an empty table whose memory was touched before */
static void opening(uint32_t flows, int runs)
{
	for (int m = FIRST; m <= BURST; m++) {
		double a[64], fl[64];
		for (int r = -1; r < runs; r++) {
			double f, w;
			clear(); f = pass(flows - 1, flows, FLOOR, HOT, true, NULL); lcg = 0; w = pass(flows - 1, flows, m, HOT, true, NULL);
			if (n_new != flows) printf("!! opened %lu\n", (unsigned long)n_new);
			if (r >= 0) { fl[r] = f; a[r] = w; }
		}
		row(m == ONE ? "C one at a time, new connections" : NAME ", new connections", flows, HOT, a, fl, runs);
	}
}
#define CK(c) do { if (!(c)) { fprintf(stderr, "VERIFY FAILED: %s\n", #c); exit(1); } } while (0)
int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 9; pin(argc > 2 ? atoi(argv[2]) : 1); uint32_t most = argc > 3 ? atoi(argv[3]) : 1 << 20;
	if (runs > 64) runs = 64;
	memcpy(&smac_i, M_LB, 6); memcpy(&smac_o, M_LB_O, 6);
	addvip(VIP1, 0x111); addvip(VIP2, 0x112);
	tab = big(sizeof(ent) << 22); ring = big((size_t)2 * RING_SLOTS * SLOT_LEN); tmask = 0xffff;
	uint8_t f[SLOT_LEN], b[SLOT_LEN]; pre q; alone.len = alone.wire = FRAME_LEN;
#ifdef WHOLE
	conns = big(sizeof(struct conn) * ((1u << 20) + 4096)); links = big(sizeof *links * ((1u << 20) + 4096));
	learn(M_CL, htonl(NODE_CL)); learn(M_B[0], htonl(NODE_B[0])); learn(M_B[1], htonl(NODE_B[1])); restart();
#endif
	for (int i = 0; i < 4000; i++) {
		int pr = i & 1 ? 6 : 17; mkfwd(f, (i / 2) * 523 & 0xfffff, pr, SYN); uint32_t cl = get32(f + 76); uint16_t sp = get16(f + 84), dp = get16(f + 86);
		parse(f, &q, &alone); CK(rewrite(f, &q, &alone) && !bad_frame(f)); int k = get32(f + 80) == BACK[1];
		CK(get32(f + 80) == BACK[k] && get32(f + 76) == LBIP && get16(f + 86) == dp && get32(f + 30) == NODE_B[k] && f[72] == 63 && k == (i & 1) && !memcmp(f, M_B_O[k], 6) && !memcmp(f + 50, M_B[k], 6));
		mkframe(b, M_B_O[k], NODE_B[k], M_B[k], BACK[k], LBIP, dp, get16(f + 84), pr, ACK);
		parse(b, &q, &alone); CK(rewrite(b, &q, &alone) && !bad_frame(b) && get32(b + 76) == VIP1 && get32(b + 80) == cl && get16(b + 84) == dp && get16(b + 86) == sp && get32(b + 30) == NODE_CL);
	}
	printf("verify user-space C ok: 4000 connections, TCP and UDP, both ways, all checksums\n");
	printf("%-34s %-5s %8s %-5s %8s %8s %9s %8s %8s %8s\n", "# what", "table", "flows", "gen", "raw.min", "raw.med", "floor.min", "net.min", "net.med", "Mpps");
	uint32_t flows[] = { 1, 1024, 65536, 1048576 };
	for (int k = 0; k < 4 && flows[k] <= most; k++) {
		uint32_t F = flows[k]; tmask = (F * 4 < 16384 ? 16384 : F * 4) - 1;
		mkfwd(ring, 0, 6, ACK);
		if (F > 1) opening(F, runs);
		clear(); for (uint32_t i = 0; i < F; i++) { mkfwd(f, i, 6, ACK); parse(f, &q, &alone); CK(rewrite(f, &q, &alone)); }
		established("forward", F, F, HOT, runs);
		fill_ring(F, true, false); established("forward", F, F, RING, runs);
		fill_ring(F, false, true); established("reverse", F, F, RING, runs);
		fill_ring(F, true, true); established("both ways", F, F * 2, RING, runs);
	}
	return 0;
}
