// What goes on in a call that takes long: asks Python now and then whether to stop. The library calls its progress
// function between launches, hundreds of times a second where launches are short; Python's lock is taken for a few of
// these only. Knows nothing of Python but the function that it asks.
#ifndef ISOGRAM_PYTHON_WATCH_H
#define ISOGRAM_PYTHON_WATCH_H

#include <isogram/store.h>

typedef int (*isg_watch_fn)(void *user, double done, double total);

// One for the call of one thread.
typedef struct isg_watch {
    double period_s; // seconds between two questions; 0: none are asked
    double next_s;   // on the monotonic clock: when the next one is due
    void *user;      // handed to `ask`
    isg_watch_fn ask;
} isg_watch;

// Before a call.
void isg_watch_start(isg_watch *watch, isg_watch_fn ask);

// An isg_progress_fn; watch: an isg_watch. Non-zero where `ask` said so.
int isg_watch_tell(void *watch, double done, double total);

// Likewise an isg_store_progress_fn: the work done counts in bytes of the file.
int isg_watch_tell_store(void *watch, const isg_store_progress *progress);

#endif
