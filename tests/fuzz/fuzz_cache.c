// Files of the cache: a blob comes back exactly as it was put, or not at all. The input's first byte says whether the
// rest is a file as a stranger left it, or a blob that is put, of whose file one bit is then turned.
#include "cache.h"
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static isg_cache cache;
static isg_cache_key key;
static char path[4200];

static void begin(void)
{
    static char folder[64] = "/dev/shm/isogram-fuzz-XXXXXX";
    static const char *const texts[] = {"fuzz", NULL};
    MUST(mkdtemp(folder));
    isg_cache_open(&cache, folder, NULL, NULL);
    MUST(cache.folder);
    key = isg_cache_key_of(texts);
    int at = snprintf(path, sizeof path, "%s/", cache.folder);
    for (size_t i = 0; i < sizeof key.bytes; i++)
        at += snprintf(path + at, sizeof path - (size_t)at, "%02x", key.bytes[i]);
}

static void end(void)
{
    unlink(path);
    rmdir(cache.folder);
    isg_cache_close(&cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!cache.folder) {
        begin();
        atexit(end);
    }
    if (size < 3)
        return 0;
    void *blob;
    size_t bytes;
    if (data[0] & 1) {
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        MUST(file >= 0 && write(file, data + 1, size - 1) == (ssize_t)(size - 1));
        close(file);
        isg_cache_get(&cache, key, &blob, &bytes);
        free(blob); // a stranger who knows the checksum may have made one
        return 0;
    }
    isg_cache_put(&cache, key, data + 3, size - 3);
    isg_cache_get(&cache, key, &blob, &bytes);
    MUST(blob && bytes == size - 3 && memcmp(blob, data + 3, bytes) == 0);
    free(blob);
    int file = open(path, O_RDWR);
    struct stat info;
    MUST(file >= 0 && fstat(file, &info) == 0);
    off_t at = (data[1] << 8 | data[2]) % info.st_size;
    uint8_t byte;
    MUST(pread(file, &byte, 1, at) == 1);
    byte ^= (uint8_t)(1 << (data[0] >> 1 & 7));
    MUST(pwrite(file, &byte, 1, at) == 1);
    close(file);
    isg_cache_get(&cache, key, &blob, &bytes);
    MUST(!blob);
    return 0;
}
