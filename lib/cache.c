#include "cache.h"
#include "file.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

// A file is this header and the blob. The checksum covers everything but itself.
typedef struct header {
    char magic[16];
    uint8_t key[16];
    uint64_t blob_bytes;
    uint64_t reserved;
    XXH128_canonical_t checksum;
} header;
_Static_assert(sizeof(header) == 64, "the header has no padding");

static const char magic[16] = "isogram cache 1";
enum { MAX_BLOB_BYTES = 1 << 28 };

static void say(const isg_cache *cache, isg_log_level level, const char *format, ...) ISG_PRINTF(3, 4);
static void say(const isg_cache *cache, isg_log_level level, const char *format, ...)
{
    if (!cache->log)
        return;
    char line[600];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    isg_one_line(line);
    cache->log(cache->log_user, level, line);
}

static char *joined(const char *a, const char *b)
{
    size_t bytes = strlen(a) + strlen(b) + 1;
    char *text = malloc(bytes);
    if (text)
        snprintf(text, bytes, "%s%s", a, b);
    return text;
}

// Where the cache is to be, or NULL for nowhere.
static char *choose_folder(const char *folder)
{
    if (!folder || !*folder)
        folder = getenv("ISOGRAM_CACHE_DIR");
    if (folder && *folder)
        return strcmp(folder, "off") == 0 ? NULL : joined(folder, "");
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/') // the specification asks to ignore relative ones
        return joined(xdg, "/isogram");
    if (home && *home)
        return joined(home, "/.cache/isogram");
    return NULL;
}

void isg_cache_open(isg_cache *cache, const char *folder, isg_log_fn log, void *log_user)
{
    *cache = (isg_cache){.folder = choose_folder(folder), .at = -1, .log = log, .log_user = log_user};
    if (!cache->folder)
        return;
    struct stat info;
    const char *why = NULL;
    cache->at = isg_folder_open(cache->folder, true, &why);
    if (cache->at >= 0 && fstat(cache->at, &info) != 0)
        why = strerror(errno);
    else if (cache->at >= 0 && (info.st_uid != geteuid() || (info.st_mode & 022) != 0))
        why = "others may write to it";
    if (why) {
        say(cache, ISG_LOG_WARN, "no program cache in %s: %s", cache->folder, why);
        isg_cache_close(cache);
    }
}

void isg_cache_close(isg_cache *cache)
{
    if (cache->folder && cache->at >= 0)
        close(cache->at);
    free(cache->folder);
    cache->folder = NULL;
    cache->at = -1;
}

isg_cache_key isg_cache_key_of(const char *const *texts)
{
    isg_cache_key key = {.known = false};
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return key;
    XXH3_128bits_reset(state);
    for (; *texts; texts++)
        XXH3_128bits_update(state, *texts, strlen(*texts) + 1);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    memcpy(key.bytes, canonical.digest, sizeof key.bytes);
    key.known = true;
    return key;
}

static XXH128_canonical_t checksum_of(const header *head, const void *blob, size_t bytes)
{
    XXH128_canonical_t sum;
    XXH128_hash_t of_head = XXH3_128bits(head, offsetof(header, checksum));
    XXH128_canonicalFromHash(&sum, XXH3_128bits_withSeed(blob, bytes, of_head.low64 ^ of_head.high64));
    return sum;
}

enum { NAME_BYTES = 2 * sizeof(((isg_cache_key *)0)->bytes) + 1, HIDDEN_BYTES = NAME_BYTES + 2 * 17, NAME_TRIES = 100 };

static void name_of(isg_cache_key key, char name[NAME_BYTES])
{
    for (size_t i = 0; i < sizeof key.bytes; i++)
        snprintf(name + 2 * i, 3, "%02x", key.bytes[i]);
}

// A new file that nobody else may read; `hidden` is its name. -1: errno.
static int new_file(const isg_cache *cache, const char *name, char hidden[HIDDEN_BYTES])
{
    int file = -1;
    for (int i = 0; i < NAME_TRIES && file < 0 && (i == 0 || errno == EEXIST); i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(hidden, HIDDEN_BYTES, "%s.%lx-%lx", name, (unsigned long)getpid(), (unsigned long)now.tv_nsec + i);
        file = openat(cache->at, hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    return file;
}

// An end before the last byte is a failure, too.
static bool read_all(int file, void *to, size_t bytes)
{
    int64_t have = 0;
    return isg_file_read(file, to, (int64_t)bytes, &have) && have == (int64_t)bytes;
}

// The blob of an open file, or NULL with the reason.
static void *checked_blob(int file, isg_cache_key key, size_t *bytes, const char **why)
{
    struct stat info;
    header head;
    *why = "damaged";
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
        *why = "not a file of this user alone";
        return NULL;
    }
    if (!read_all(file, &head, sizeof head) || memcmp(head.magic, magic, sizeof magic) != 0 ||
        memcmp(head.key, key.bytes, sizeof head.key) != 0 || head.blob_bytes > MAX_BLOB_BYTES ||
        info.st_size != (off_t)(sizeof head + head.blob_bytes))
        return NULL;
    *bytes = (size_t)head.blob_bytes;
    void *blob = malloc(*bytes ? *bytes : 1);
    if (blob && read_all(file, blob, *bytes)) {
        XXH128_canonical_t sum = checksum_of(&head, blob, *bytes);
        if (memcmp(&sum, &head.checksum, sizeof sum) == 0)
            return blob;
    }
    free(blob);
    return NULL;
}

void isg_cache_get(const isg_cache *cache, isg_cache_key key, void **blob, size_t *bytes)
{
    *blob = NULL;
    *bytes = 0;
    if (!cache->folder || !key.known)
        return;
    char name[NAME_BYTES];
    name_of(key, name);
    // O_NONBLOCK: a pipe in the file's place must not hold us up.
    int file = openat(cache->at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) {
        if (errno != ENOENT)
            say(cache, ISG_LOG_WARN, "cache file %s/%s: %s; building anew", cache->folder, name, strerror(errno));
        return;
    }
    const char *why;
    *blob = checked_blob(file, key, bytes, &why);
    close(file);
    if (!*blob) {
        say(cache, ISG_LOG_WARN, "cache file %s/%s is %s; building anew", cache->folder, name, why);
        unlinkat(cache->at, name, 0);
    }
}

void isg_cache_put(const isg_cache *cache, isg_cache_key key, const void *blob, size_t bytes)
{
    if (!cache->folder || !key.known || bytes > MAX_BLOB_BYTES)
        return;
    char name[NAME_BYTES], hidden[HIDDEN_BYTES];
    name_of(key, name);
    header head = {.blob_bytes = bytes};
    memcpy(head.magic, magic, sizeof magic);
    memcpy(head.key, key.bytes, sizeof head.key);
    head.checksum = checksum_of(&head, blob, bytes);

    int file = new_file(cache, name, hidden);
    if (file < 0) {
        say(cache, ISG_LOG_WARN, "cannot write to the cache %s: %s", cache->folder, strerror(errno));
        return;
    }
    bool written = isg_file_write(file, &head, sizeof head) && isg_file_write(file, blob, (int64_t)bytes);
    written = close(file) == 0 && written;
    if (!written || renameat(cache->at, hidden, cache->at, name) != 0) {
        say(cache, ISG_LOG_WARN, "cannot write cache file %s/%s: %s", cache->folder, name, strerror(errno));
        unlinkat(cache->at, hidden, 0);
    }
}
