/* Loaded before the C library by shifted_clock.py: the time of day is SHIFTED_CLOCK_SECONDS ahead, or behind where that is
   negative. Monotonic clocks, and so sleeps and timeouts, stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *told) {
  static int (*true_clock)(clockid_t, struct timespec *);
  static long ahead;
  if (!true_clock) {
    const char *seconds = getenv("SHIFTED_CLOCK_SECONDS");
    ahead = seconds ? atol(seconds) : 0;
    true_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  }
  int failed = true_clock(clock, told);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) told->tv_sec += ahead;
  return failed;
}

int gettimeofday(struct timeval *restrict told, void *restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  told->tv_sec = now.tv_sec;
  told->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *told) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  if (told) *told = now.tv_sec;
  return now.tv_sec;
}
