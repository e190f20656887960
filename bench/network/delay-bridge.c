/*
 * delay-bridge A B MICROSECONDS: hands Ethernet frames on between two interfaces, both ways, so much later. What netem
 * does, for kernels that have none. Segmentation and checksum offloading have to be off on whatever sends.
 */
#define _GNU_SOURCE
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 16384 /* a way; beyond, the kernel's buffer fills and drops */
#define FRAME_BYTES 2048
#define BATCH 256
#define BUFFER_BYTES (8 << 20)

struct frame { uint64_t due_ns; int length; unsigned char bytes[FRAME_BYTES]; };
struct queue { struct frame *frames; unsigned head, tail; };

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int open_interface(const char *name) {
  int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
  struct sockaddr_ll address = {
    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(name),
  };
  if (s < 0 || !address.sll_ifindex || bind(s, (void *)&address, sizeof address)) {
    perror(name);
    exit(1);
  }
  int bytes = BUFFER_BYTES, yes = 1;
  setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
  return s;
}

static void take(int s, struct queue *q, uint64_t delay_ns) {
  for (int i = 0; i < BATCH && q->tail - q->head < FRAMES; i++) {
    struct frame *f = &q->frames[q->tail % FRAMES];
    int length = recv(s, f->bytes, FRAME_BYTES, MSG_TRUNC);
    if (length <= 0) return;
    if (length > FRAME_BYTES) {
      fprintf(stderr, "a frame of %d bytes: offloading is on\n", length);
      continue;
    }
    f->length = length;
    f->due_ns = now_ns() + delay_ns;
    q->tail++;
  }
}

/* Sends what is due; returns when the next is, or 0. */
static uint64_t give(int s, struct queue *q) {
  uint64_t now = now_ns();
  while (q->head != q->tail) {
    struct frame *f = &q->frames[q->head % FRAMES];
    if (f->due_ns > now) return f->due_ns;
    send(s, f->bytes, f->length, 0);
    q->head++;
  }
  return 0;
}

int main(int count, char **words) {
  if (count != 4) return 64;
  int s[2] = {open_interface(words[1]), open_interface(words[2])};
  uint64_t delay_ns = strtoull(words[3], 0, 10) * 1000;
  struct queue q[2] = {{calloc(FRAMES, sizeof(struct frame))}, {calloc(FRAMES, sizeof(struct frame))}};
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct pollfd polled[3] = {{s[0], POLLIN}, {s[1], POLLIN}, {timer, POLLIN}};
  for (;;) {
    uint64_t next = 0, expired;
    for (int i = 0; i < 2; i++) {
      uint64_t due = give(s[!i], &q[i]);
      if (due && (!next || due < next)) next = due;
    }
    struct itimerspec at = {{0, 0}, {next / 1000000000ull, next % 1000000000ull}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, 0);
    poll(polled, 3, -1);
    if (read(timer, &expired, sizeof expired) < 0) { /* frames came first */ }
    for (int i = 0; i < 2; i++) take(s[i], &q[i], delay_ns);
  }
}
