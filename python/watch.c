// See watch.h.
#include "watch.h"

#include <time.h>

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void isg_watch_start(isg_watch *watch, isg_watch_fn ask)
{
    watch->ask = ask;
    watch->next_s = watch->period_s > 0 ? now_s() + watch->period_s : 0;
}

int isg_watch_tell(void *user, double done, double total)
{
    isg_watch *watch = user;
    if (!(watch->period_s > 0))
        return 0;
    if (now_s() < watch->next_s)
        return 0;
    int stop = watch->ask(watch->user, done, total);
    watch->next_s = now_s() + watch->period_s;
    return stop;
}

int isg_watch_tell_store(void *user, const isg_store_progress *progress)
{
    return isg_watch_tell(user, progress->recorded_bytes, progress->bytes);
}
