/* Own code: what FastPathLb does with each frame and the C loop takes on trust or leaves out, after nf_conntrack_proto_tcp.c
 * (tcp_in_window), ip_vs_core.c and vxlan_core.c. With -DWHOLE the loop does it too, so that the same work is compared: all lengths and
 * both IPv4 checksums, sums that an offload left unfinished, who sent the frame, conntrack's window of both ends, two expiry times, the
 * counters of what was decided, an identification and a hashed source port of the outer packet, descriptors of frames in and out. */
struct desc { int offset, len, wire, port; uint64_t ts, number; int conn; uint8_t verdict, reason; uint16_t turn; };
struct out { int offset, len, wire, port, input; uint64_t ts; };
#ifdef WHOLE
#define BATCH 256
#else
#define BATCH 32
#endif
static struct desc in[BATCH], alone;
#ifdef WHOLE
static struct out sent[BATCH]; static uint32_t n_sent, n_odd;
struct seen { uint32_t end, maxend, maxwin, maxack; uint8_t scale, flags; uint16_t lent; };
struct conn {
	uint64_t ipvs_expires, ct_expires, source[2]; uint32_t vtep[2], states; uint32_t lseq, lack, lend; uint8_t lkind, ldir, retrans, decision;
	struct seen seen[2]; uint16_t lwin, in_pkts;
} __attribute__((aligned(128)));
static struct conn *conns; static struct { uint64_t latest; uint32_t packets, bytes; } counts[4][4];
static uint64_t now = 1, due = ~0ull; static uint16_t ident; static uint32_t port_low = 32768, port_range = 28231;
enum { ESTABLISHED = 0x1230301, STATES = 0x7a3ffff, DATA_UNACKED = 16, MAXACK_SET = 32 };
#define SEC 1000000000ull
static inline bool right(uint64_t sum) { return !(sum * 0xfffefffefffeffffull >> 48); }
static inline bool whole(const uint8_t *f, const struct desc *d)
{
	uint32_t total = ntohs(U16(f + 66)), l4 = total - 20, sum = U16(f + (f[73] == 6 ? 100 : 90));
	uint64_t addresses = (uint64_t)U32(f + 76) + U32(f + 80);
	if (d->wire != d->len || d->len < 92 || ntohs(U16(f + 16)) != d->len - 14 || ntohs(U16(f + 38)) != d->len - 34) return false;
	if (!right(U64(f + 14) + U32(f + 22) + U32(f + 26) + U32(f + 30)) || U16(f + 40) || ((f[15] & 3) && (f[15] ^ f[65]) & 3)) return false;
	if (total > d->len - 64u || !right(U64(f + 64) + U32(f + 72) + addresses)) return false;
	if (f[73] == 6 ? total < 40 || (f[96] >> 2 & 0x3cu) - 20 > l4 - 20 : total < 28 || ntohs(U16(f + 88)) > l4) return false;
	/* looks like a sum that an offload left unfinished: one of 65,536 does by chance. FastPathLb looks closer, this loop lets it through */
	n_odd += right(addresses + U16(f + 66) + (f[73] << 8) + 0xffff - 0x1400 + (sum ^ 0xffff));
	return true;
}
static inline bool step(struct conn *c, int dir, const uint8_t *f, const struct desc *d)
{
	uint64_t t = d->ts > now ? d->ts : now, expires = t + 900 * SEC; uint32_t len = ntohs(U16(f + 66));
	if (t >= due || c->ipvs_expires <= t || c->ct_expires <= t || expires < c->ipvs_expires) return false;
	if (U64(f + 56) != c->source[dir] || U32(f + 26) != c->vtep[dir]) return false;
	if (f[73] == 6 && !(f[97] & 7)) {
		uint32_t seq = ntohl(U32(f + 88)), ack = ntohl(U32(f + 92)), end = seq + len - 20 - (f[96] >> 2 & 0x3c); uint16_t raw = ntohs(U16(f + 98));
		struct seen *s = c->seen + dir, *r = c->seen + !dir; uint32_t aw = s->maxwin > 66000 ? s->maxwin : 66000, win = (uint32_t)raw << s->scale;
		uint64_t full = 432000 * SEC;
		if ((c->states & STATES) != ESTABLISHED || !s->maxwin || (f[96] & 0xf0) != 0x50) return false;
		if ((int)(seq - (s->maxend + 1)) >= 0 || (int)(ack - (r->end + 1)) >= 0 || (r->maxwin && (int)(s->end - r->maxwin - 1 - end) >= 0) ||
		    (int)(r->end - aw - 1 - ack) >= 0) return false;
		if (s->maxwin < win) s->maxwin = win;
		if ((int)(s->end - end) < 0) { s->end = end; s->flags |= DATA_UNACKED; }
		if (!(s->flags & MAXACK_SET)) { s->maxack = ack; s->flags |= MAXACK_SET; } else if ((int)(s->maxack - ack) < 0) s->maxack = ack;
		if (r->maxwin && (int)(s->maxend - end) < 0) r->maxwin += end - s->maxend;
		if ((int)(r->maxend - 1 - (ack + win)) < 0) { r->maxend = ack + win; if (!win) r->maxend++; }
		if (ack == r->end) r->flags &= ~DATA_UNACKED;
		if (c->ldir == dir && c->lseq == seq && c->lack == ack && c->lend == end && c->lwin == raw) c->retrans++;
		else { c->ldir = dir; c->lseq = seq; c->lack = ack; c->lend = end; c->lwin = raw; c->retrans = 0; }
		c->lkind = 3;
		if (c->retrans >= 3 || ((s->flags | r->flags) & DATA_UNACKED) || !raw) full = 300 * SEC;
		c->ct_expires = t + full;
	} else c->ct_expires = t + 120 * SEC;
	if (!dir && c->in_pkts < 0xffff) c->in_pkts++;
	c->ipvs_expires = expires; now = t;
	counts[c->decision][dir].packets++; counts[c->decision][dir].bytes += len; counts[c->decision][dir].latest = t;
	return true;
}
/* opening: who may, whose turn, which port, and when to look again */
enum { SLOTS = 256, TICK = 22, LOCALS = 64 };
static struct { uint64_t mac; uint32_t vtep; } fdb[256]; static uint32_t locals[LOCALS];
static struct server { uint32_t addr, weight, total, active; uint64_t opened, latest; } servers[2]; static struct server *last = servers + 1;
static struct { int next, prev; } *links; static int heads[4 * SLOTS]; static uint64_t occupied[4 * SLOTS / 64], tick, draws = 0x9e3779b97f4a7c15ull;
static inline uint32_t slot_of(uint64_t v) { return (v * 0x9e3779b97f4a7c15ull) >> 56; }
static void learn(const uint8_t *mac, uint32_t vtep) { uint64_t m = 0; memcpy(&m, mac, 6); fdb[slot_of(m)].mac = m; fdb[slot_of(m)].vtep = vtep; }
static void restart(void) { memset(heads, 0xff, sizeof heads); memset(occupied, 0, sizeof occupied); tick = now >> TICK; servers[0].weight = servers[1].weight = 1; }
static inline bool admitted(const uint8_t *f)
{
	uint64_t mac = U64(f + 56) & 0xffffffffffffull; uint32_t source = ntohl(U32(f + 76)), i = slot_of(mac);
	if (fdb[i].mac != mac || fdb[i].vtep != U32(f + 26) || source >> 28 >= 0xe || source >> 24 == 127 || !source) return false;
	for (i = (source * 2654435761u) >> 26; locals[i]; i = (i + 1) % LOCALS) if (locals[i] == source) return false;
	return true;
}
static inline int pick(void)
{
	struct server *s = last;
	do { s = s == servers ? servers + 1 : servers; if (s->weight) { last = s; s->total++; s->opened++; s->latest = now; return s - servers; } } while (s != last);
	return -1;
}
static inline uint32_t draw(void) { draws ^= draws << 13; draws ^= draws >> 7; draws ^= draws << 17; return draws & 0xffff; }
static inline void timer(int n, uint64_t expires)
{
	uint64_t due = expires >> TICK, far = due - tick; int level = far < SLOTS ? 0 : far < 1 << 16 ? 1 : far < 1 << 24 ? 2 : 3;
	int s = level * SLOTS + (due >> level * 8 & (SLOTS - 1)), head = heads[s];
	links[n].next = head; links[n].prev = -(s + 1); if (head >= 0) links[head].prev = n;
	heads[s] = n; occupied[s >> 6] |= 1ull << (s & 63);
}
static inline uint16_t entropy(uint64_t addresses, uint64_t ports)
{
	unsigned __int128 p = (unsigned __int128)(addresses ^ 0x9e3779b97f4a7c15ull) * (ports ^ 0xd6e8feb86659fd93ull);
	return port_low + (((uint64_t)(p >> 64 ^ p) >> 32) * port_range >> 32);
}
static inline void list(const uint8_t *f, struct desc *d, int number)
{
	struct out *o = sent + (n_sent++ & (BATCH - 1)); o->offset = d->offset; o->len = o->wire = ntohs(U16(f + 66)) + 64; o->port = 0; o->input = d - in; o->ts = d->ts;
	d->conn = number; d->verdict = 1;
}
#endif
