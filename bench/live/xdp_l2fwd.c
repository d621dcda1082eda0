// Own code. L2 forwarding on one AF_XDP socket, as xdpsock -l does it: receive, swap the MACs, send. Copy mode, need-wakeup.
//   xdp_l2fwd IF
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

enum { CHUNKS = 4096, CHUNK = 2048, RING = 2048, BATCH = 256 };

static struct xsk_ring_prod fill, tx;
static struct xsk_ring_cons completion, rx;
static uint64_t free_chunks[CHUNKS];
static uint32_t free_count;

static void complete(void) {
    uint32_t index, n = xsk_ring_cons__peek(&completion, RING, &index);
    for (uint32_t i = 0; i < n; i++)
        free_chunks[free_count++] = *xsk_ring_cons__comp_addr(&completion, index + i) & ~(uint64_t)(CHUNK - 1);
    if (n) xsk_ring_cons__release(&completion, n);
}

static uint32_t unsent(void) { return *tx.producer - __atomic_load_n(tx.consumer, __ATOMIC_ACQUIRE); }

int main(int argc, char **argv) {
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    struct xsk_umem_config memory_config = { .fill_size = RING, .comp_size = RING, .frame_size = CHUNK };
    struct xsk_socket_config config = { .rx_size = RING, .tx_size = RING, .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP };
    uint8_t *area = mmap(NULL, (size_t)CHUNKS * CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t index;
    if (argc != 2 || xsk_umem__create(&umem, area, (uint64_t)CHUNKS * CHUNK, &fill, &completion, &memory_config)
        || xsk_socket__create(&socket, argv[1], 0, umem, &rx, &tx, &config)) { perror("AF_XDP"); return 1; }
    int d = xsk_socket__fd(socket);
    for (uint32_t i = 0; i < CHUNKS; i++) free_chunks[free_count++] = (uint64_t)i * CHUNK;
    fprintf(stderr, "up\n");
    for (;;) {
        complete();
        uint32_t n = xsk_prod_nb_free(&fill, free_count);
        if (n > free_count) n = free_count;
        if (n && xsk_ring_prod__reserve(&fill, n, &index) == n) {
            for (uint32_t i = 0; i < n; i++) *xsk_ring_prod__fill_addr(&fill, index + i) = free_chunks[--free_count];
            xsk_ring_prod__submit(&fill, n);
        }
        uint32_t first, received = xsk_ring_cons__peek(&rx, BATCH, &first);
        if (!received) {
            struct pollfd p = { .fd = d, .events = POLLIN };
            poll(&p, 1, 50);
            continue;
        }
        while (xsk_ring_prod__reserve(&tx, received, &index) != received) { sendto(d, NULL, 0, MSG_DONTWAIT, NULL, 0); complete(); }
        for (uint32_t i = 0; i < received; i++) {
            const struct xdp_desc *in = xsk_ring_cons__rx_desc(&rx, first + i);
            struct xdp_desc *out = xsk_ring_prod__tx_desc(&tx, index + i);
            uint8_t *frame = area + in->addr, mac[6];
            memcpy(mac, frame, 6);
            memcpy(frame, frame + 6, 6);
            memcpy(frame + 6, mac, 6);
            out->addr = in->addr;
            out->len = in->len;
            out->options = 0;
        }
        xsk_ring_prod__submit(&tx, received);
        xsk_ring_cons__release(&rx, received);

        // Copy mode sends at most 32 frames a call. What is sent need not be given back yet.
        for (int i = 0; i < 2 * RING / 32 && unsent() && xsk_ring_prod__needs_wakeup(&tx); i++) {
            if (sendto(d, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) break;
        }
    }
}
