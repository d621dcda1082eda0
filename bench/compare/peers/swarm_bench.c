/* Own code: verifies and times swarm_lb.bpf.c.  usage: swarm_bench [runs] [cpu] [fastest] [most flows]
 * fastest: only the variant that is fastest on established connections, with new connections */
#include "frames.h"
#include "swarm_lb.skel.h"

static struct swarm_lb *load(int lru, int ct_first, int clk, int genring, uint32_t table, uint32_t slots)
{
	struct swarm_lb *o = swarm_lb__open();
	if (!o) die("open");
	o->rodata->cfg_lru = lru; o->rodata->cfg_ct_first = ct_first; o->rodata->cfg_clock = clk; o->rodata->cfg_gen_ring = genring;
	*(uint32_t *)&o->rodata->my_vtep = htonl(NODE_LB); *(uint32_t *)&o->rodata->lb_ip = htonl(LBIP);
	memcpy((void *)&o->rodata->my_omac, M_LB_O, 6); memcpy((void *)&o->rodata->lb_mac, M_LB, 6);
	bpf_map__set_max_entries(lru ? o->maps.ct_hash : o->maps.ct_lru, 16);   /* the table not in use */
	bpf_map__set_max_entries(lru ? o->maps.ct_lru : o->maps.ct_hash, table);
	bpf_map__set_max_entries(o->maps.ring, slots);
	bpf_program__set_autoload(o->progs.tc_count_drop, false);
	bpf_program__set_autoload(o->progs.xdp_count_drop, false);
	bpf_program__set_autoload(o->progs.xdp_pass, false);
	if (swarm_lb__load(o)) die("load");
	uint32_t vip[2] = { htonl(VIP1), htonl(VIP2) }, mark[2] = { 0x111, 0x112 };
	for (int i = 0; i < 2; i++) {
		struct service s = { .fwmark = mark[i], .n = 2, .vip = vip[i] };
		for (int j = 0; j < 2; j++) {
			s.b[j].ip = htonl(BACK[j]); s.b[j].node_ip = htonl(NODE_B[j]);
			memcpy(s.b[j].mac, M_B[j], 6); memcpy(s.b[j].node_mac, M_B_O[j], 6);
		}
		if (bpf_map__update_elem(o->maps.vips, &vip[i], 4, &mark[i], 4, 0) ||
		    bpf_map__update_elem(o->maps.services, &mark[i], 4, &s, sizeof s, 0)) die("maps");
	}
	for (int i = 0; i < 4; i++) {
		uint32_t c = htonl(A(10,0,1,16) + i); struct node n = { .node_ip = htonl(NODE_CL) };
		memcpy(n.mac, M_CL, 6); memcpy(n.node_mac, M_CL_O, 6);
		if (bpf_map__update_elem(o->maps.clients, &c, 4, &n, sizeof n, 0)) die("clients");
	}
	return o;
}
static size_t ring_bytes(struct swarm_lb *o) { return ((size_t)bpf_map__max_entries(o->maps.ring) * SLOT_LEN + 4095) & ~4095ul; }
static uint8_t *map_ring(struct swarm_lb *o)
{
	uint8_t *r = mmap(NULL, ring_bytes(o), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(o->maps.ring), 0);
	if (r == MAP_FAILED) die("mmap ring");
	return r;
}
static void check(bool c, const char *what) { if (!c) { fprintf(stderr, "VERIFY FAILED: %s\n", what); exit(1); } }

/* push real frames through xdp_lb, both ways, and check every byte that must change and every checksum */
static void verify(int lru, int ct_first)
{
	struct swarm_lb *o = load(lru, ct_first, 0, 0, 1 << 16, 1);
	int fd = bpf_program__fd(o->progs.xdp_lb), n[2] = {0}, last = -1;
	uint8_t in[FRAME_LEN], out[2048], back[2048]; uint32_t r, len;
	for (int i = 0; i < 4000; i++) {
		int proto = i & 1 ? 6 : 17;
		mkfwd(in, (i / 2) * 523 & 0xfffff, proto, SYN);
		len = sizeof out; run_prog(fd, in, FRAME_LEN, 1, &r, out, &len, NULL);
		check(r == XDP_TX && len == FRAME_LEN, "forward verdict");
		const char *e = bad_frame(out); check(!e, e);
		int b = get32(out + 80) == BACK[0] ? 0 : 1; n[b]++;
		check(b != last, "round robin alternates"); last = b;
		check(get32(out + 80) == BACK[b] && get32(out + 76) == LBIP, "DNAT/SNAT addresses");
		check(get16(out + 86) == get16(in + 86) && get16(out + 84) >= 1024, "ports");
		check(out[72] == 63 && out[22] == 64, "TTLs");
		check(get32(out + 26) == NODE_LB && get32(out + 30) == NODE_B[b], "outer addresses");
		check(!memcmp(out, M_B_O[b], 6) && !memcmp(out + 6, M_LB_O, 6) && !memcmp(out + 50, M_B[b], 6) && !memcmp(out + 56, M_LB, 6), "MACs");
		check(!memcmp(out + 104, in + 104, 10), "payload");
		uint16_t nat = get16(out + 84);
		/* the same connection again: same choice; then the answer, which must be un-NATed */
		mkfwd(in, (i / 2) * 523 & 0xfffff, proto, ACK);
		len = sizeof out; run_prog(fd, in, FRAME_LEN, 1, &r, out, &len, NULL);
		check(r == XDP_TX && get32(out + 80) == BACK[b] && get16(out + 84) == nat && !bad_frame(out), "affinity");
		mkframe(back, M_B_O[b], NODE_B[b], M_B[b], BACK[b], LBIP, get16(out + 86), nat, proto, ACK);
		len = sizeof out; run_prog(fd, back, FRAME_LEN, 1, &r, out, &len, NULL);
		check(r == XDP_TX && !bad_frame(out), "reverse checksum");
		check(get32(out + 76) == VIP1 && get32(out + 80) == get32(in + 76) && get16(out + 84) == get16(in + 86) &&
		      get16(out + 86) == get16(in + 84), "reverse un-NAT");
		check(get32(out + 30) == NODE_CL && !memcmp(out, M_CL_O, 6) && !memcmp(out + 50, M_CL, 6), "reverse outer");
	}
	check(n[0] == 2000 && n[1] == 2000, "even split");
	printf("verify %-4s %-10s ok: 4000 connections, TCP and UDP, both ways, all checksums\n", lru ? "LRU" : "HASH", ct_first ? "ct-first" : "vip-first");
	swarm_lb__destroy(o);
}
static int quiet(enum libbpf_print_level l, const char *f, va_list a) { (void)l; (void)f; (void)a; return 0; }
static int runs = 11;
#define REP 1000000
static void row(const char *what, const char *tab, unsigned flows, const char *gen, struct mm m, struct mm floor)
{
	printf("%-34s %-5s %8u %-5s %8.1f %8.1f %9.1f %8.1f %8.1f %8.2f\n", what, tab, flows, gen, m.min, m.med, floor.min, m.min - floor.min, m.med - floor.med,
	       1e3 / (m.min - floor.min));
	fflush(stdout);
}
int main(int argc, char **argv)
{
	libbpf_set_print(quiet);
	uint8_t pkt[FRAME_LEN]; uint32_t flows[] = { 1, 1024, 65536, 1048576 };
	if (argc > 1) runs = atoi(argv[1]);
	pin(argc > 2 ? atoi(argv[2]) : 1);
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY }; setrlimit(RLIMIT_MEMLOCK, &rl);
	for (int l = 0; l < 2; l++) for (int c = 0; c < 2; c++) verify(l, c);
	mkfwd(pkt, 0, 6, ACK);
	printf("# CPU ns/packet. raw: generator + data path; floor: generator alone, measured in turn with raw; net = raw - floor; Mpps from net.min\n");
	printf("%-34s %-5s %8s %-5s %8s %8s %9s %8s %8s %8s\n", "# what", "table", "flows", "gen", "raw.min", "raw.med", "floor.min", "net.min", "net.med", "Mpps");
	struct mm zero = {0, 0};
	{ struct swarm_lb *o = load(1, 0, 0, 0, 16384, 1);
	  row("empty XDP_TX (test_run's own loop)", "-", 1, "-", time_prog(bpf_program__fd(o->progs.xdp_empty), pkt, FRAME_LEN, REP, runs, XDP_TX), zero);
	  struct mm e = time_prog(bpf_program__fd(o->progs.xdp_empty), pkt, FRAME_LEN, REP, runs, XDP_TX);
	  struct mm c = time_prog(bpf_program__fd(o->progs.xdp_call16), pkt, FRAME_LEN, REP, runs, XDP_TX);
	  printf("one BPF call + return in this kernel: %.2f ns (16 calls: %.1f - %.1f)\n", (c.min - e.min) / 16, c.min, e.min);
	  swarm_lb__destroy(o); }
	struct { const char *n; int lru, ctf, clk; bool ring; uint32_t table; } V[] = {
		{ "fwd", 1, 0, 0, true, 0 }, { "fwd", 0, 0, 0, true, 0 },
		{ "fwd, conntrack before VIP table", 0, 1, 0, false, 0 }, { "fwd, ct first, jiffies clock", 0, 1, 2, false, 0 },
		{ "fwd, ktime_get_ns clock", 0, 0, 1, false, 0 }, { "fwd, table sized for 2M flows", 0, 0, 0, false, 1 << 22 },
		{ "XDP fastest, forward", 0, 1, 2, true, 0 } };
	unsigned first = argc > 3 && !strcmp(argv[3], "fastest") ? sizeof V / sizeof *V - 1 : 0; uint32_t most = argc > 4 ? atoi(argv[4]) : 1 << 20;
	for (unsigned v = first; v < sizeof V / sizeof *V; v++) for (int g = 0; g <= V[v].ring; g++) for (int k = 0; k < 4 && flows[k] <= most; k++) {
		uint32_t F = flows[k], table = V[v].table ? V[v].table : F * 4 < 16384 ? 16384 : F * 4;
		const char *tab = V[v].lru ? "LRU" : "HASH", *gn = g ? "ring" : "hot";
		struct swarm_lb *o = load(V[v].lru, V[v].ctf, V[v].clk, g, table, g ? F : 1);
		uint8_t *ring = map_ring(o);
		int fd = bpf_program__fd(o->progs.xdp_bench), gfd = bpf_program__fd(o->progs.xdp_gen);
		for (unsigned i = 0; i < (g ? F : 1); i++) mkfwd(ring + (size_t)i * SLOT_LEN, i, 6, ACK);
		/* open the connections in order, then visit them in LCG order */
		o->bss->flow_mask = F - 1; o->bss->sequential = 1; o->bss->lcg = 0;
		double t = run_prog(fd, pkt, FRAME_LEN, F, NULL, NULL, NULL, NULL), t0;
		if (o->bss->n_new != F) printf("!! opened %lu of %u\n", (unsigned long)o->bss->n_new, F);
		if (first && k && !g) {       /* one pass, less the generator's */
			o->bss->lcg = 0; t0 = run_prog(gfd, pkt, FRAME_LEN, F, NULL, NULL, NULL, NULL);
			row("XDP fastest, new connections", tab, F, gn, (struct mm){ t, t }, (struct mm){ t0, t0 });
		} else if (k >= 2 && !g) printf("%-34s %-5s %8u %-5s %8.1f   (first packets: VIP, choice, port, 2 inserts; one pass)\n", "new connections", tab, F, gn, t);
		o->bss->sequential = 0;
		for (int dir = 0; dir <= (g && V[v].ring); dir++) {
			if (dir) {   /* answers: read the reverse tuples out of the table and lay their frames in the ring */
				struct bpf_map *m = V[v].lru ? o->maps.ct_lru : o->maps.ct_hash;
				uint32_t B = 1 << 16; struct ct_key *ks = malloc(sizeof *ks * B); struct ct_val *vs = malloc(sizeof *vs * B);
				uint32_t in = 0, out = 0; unsigned n = 0; int first = 1, e;
				do {
					uint32_t c = B;
					LIBBPF_OPTS(bpf_map_batch_opts, bo);
					e = bpf_map_lookup_batch(bpf_map__fd(m), first ? NULL : &in, &out, ks, vs, &c, &bo);
					if (e && errno != ENOENT) die("batch");
					for (uint32_t i = 0; i < c && n < F; i++) if (vs[i].dir == CT_REV) {
						int b = ntohl(ks[i].saddr) == BACK[1];
						mkframe(ring + (size_t)n++ * SLOT_LEN, M_B_O[b], NODE_B[b], M_B[b], BACK[b], LBIP, ntohs(ks[i].sport), ntohs(ks[i].dport), 6, ACK);
					}
					in = out; first = 0;
				} while (!e);
				if (n != F) printf("!! only %u reverse tuples\n", n);
				free(ks); free(vs);
			}
			double a[101], b[101]; uint32_t r; uint64_t n0 = o->bss->n_new, tx0 = o->bss->n_tx;
			run_prog(fd, pkt, FRAME_LEN, REP, &r, NULL, NULL, NULL);
			for (int i = 0; i < runs; i++) {
				b[i] = run_prog(gfd, pkt, FRAME_LEN, REP, NULL, NULL, NULL, NULL);
				a[i] = run_prog(fd, pkt, FRAME_LEN, REP, &r, NULL, NULL, NULL);
			}
			if (o->bss->n_new != n0 || o->bss->n_fail || o->bss->n_tx - tx0 != (uint64_t)REP * (runs + 1))
				printf("!! new %lu fail %lu tx %lu\n", (unsigned long)(o->bss->n_new - n0), (unsigned long)o->bss->n_fail, (unsigned long)(o->bss->n_tx - tx0));
			row(dir ? first ? "XDP fastest, reverse" : "rev (backend -> LB -> client)" : V[v].n, tab, F, gn, minmed(a, runs), minmed(b, runs));
		}
		munmap(ring, ring_bytes(o));
		swarm_lb__destroy(o);
	}
	return 0;
}
