// A folder of named blobs that survive the process: compiled programs and probe verdicts. A blob comes back exactly as
// it was put, or not at all. Nothing here can fail a caller: a cache that is missing, damaged, foreign or read-only is
// an empty one, and says why through the log. Knows nothing of OpenCL.
#ifndef ISG_LIB_CACHE_H
#define ISG_LIB_CACHE_H

#include "base.h"

typedef struct isg_cache {
    char *folder; // NULL: no cache
    int at;       // its descriptor
    isg_log_fn log;
    void *log_user;
} isg_cache;

typedef struct isg_cache_key {
    uint8_t bytes[16];
    bool known; // false: of no text, as there was no memory to make it; nothing is found or put under it
} isg_cache_key;

// folder: as isg_context_params.cache_dir. Creates it with mode 0700; refuses one that others may write to, or that a
// stranger's symbolic link leads to, for its contents are handed to drivers as code.
void isg_cache_open(isg_cache *cache, const char *folder, isg_log_fn log, void *log_user);
void isg_cache_close(isg_cache *cache);

// The key of a list of texts (NULL-terminated list; their order and borders count).
isg_cache_key isg_cache_key_of(const char *const *texts);

// *blob: to be freed by the caller; NULL when there is none. Every byte has been checked against the checksum.
void isg_cache_get(const isg_cache *cache, isg_cache_key key, void **blob, size_t *bytes);
void isg_cache_put(const isg_cache *cache, isg_cache_key key, const void *blob, size_t bytes);

#endif
