// Own code. The least a program on a TAP device can do: read a frame, write it back.
//   tap_echo NAME
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct ifreq request;
    uint8_t frame[2048];
    int d = open("/dev/net/tun", O_RDWR);
    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, IFNAMSIZ, "%s", argc > 1 ? argv[1] : "tap0");
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
    if (d < 0 || ioctl(d, TUNSETIFF, &request)) { perror("/dev/net/tun"); return 1; }
    fprintf(stderr, "up\n");
    for (;;) {
        ssize_t n = read(d, frame, sizeof frame);
        if (n <= 0) { perror("read"); return 1; }
        if (write(d, frame, (size_t)n) < 0) perror("write");
    }
}
