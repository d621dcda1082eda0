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
