// A cache gives back what was put into it, or nothing; whatever happens to its files.
#include "suite.h"

#include "cache.h"
#include "folder.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int warnings;
static bool frozen; // the clock of dates stands still

// In the place of the C library's.
int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (frozen && clock == CLOCK_REALTIME) {
        *now = (struct timespec){1, 1000};
        return 0;
    }
    return timespec_get(now, TIME_UTC) == TIME_UTC ? 0 : -1;
}

static void count_warnings(void *user, isg_log_level level, const char *message)
{
    (void)user;
    ck_assert_int_gt((int)strlen(message), 0);
    warnings += level == ISG_LOG_WARN;
}

// A new folder under the system's temporary one, with a cache in it; path: of the only file that `key` will have.
typedef struct place {
    char folder[64], path[200];
    isg_cache cache;
    isg_cache_key key;
} place;

static void open_place(place *p)
{
    strcpy(p->folder, "/tmp/isogram-cache-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->folder));
    isg_cache_open(&p->cache, p->folder, count_warnings, NULL);
    ck_assert_ptr_nonnull(p->cache.folder);
    p->key = isg_cache_key_of((const char *const[]){"a", "bc", NULL});
    int at = snprintf(p->path, sizeof p->path, "%s/", p->folder);
    for (int i = 0; i < 16; i++)
        at += sprintf(p->path + at, "%02x", p->key.bytes[i]);
    warnings = 0;
}

static void close_place(place *p)
{
    isg_cache_close(&p->cache);
    unlink(p->path);
    ck_assert_int_eq(rmdir(p->folder), 0); // nothing else was left in it
}

static void write_file(const char *path, const void *data, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, bytes, f), bytes);
    fclose(f);
}

static size_t read_file(const char *path, unsigned char *data, size_t most)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t bytes = fread(data, 1, most, f);
    fclose(f);
    return bytes;
}

static bool has(const place *p, const char *text, size_t bytes)
{
    void *blob;
    size_t got;
    isg_cache_get(&p->cache, p->key, &blob, &got);
    bool same = blob && got == bytes && memcmp(blob, text, bytes) == 0;
    free(blob);
    return same;
}

START_TEST(round_trip)
{
    place p;
    open_place(&p);
    ck_assert(!has(&p, "x", 1));
    isg_cache_put(&p.cache, p.key, "x", 1);
    ck_assert(has(&p, "x", 1));
    isg_cache_put(&p.cache, p.key, "longer", 6);
    ck_assert(has(&p, "longer", 6));
    isg_cache_put(&p.cache, p.key, "", 0);
    ck_assert(has(&p, "", 0));
    ck_assert_int_eq(warnings, 0);
    struct stat info;
    ck_assert_int_eq(stat(p.path, &info), 0);
    ck_assert_int_eq(info.st_mode & 077, 0);
    close_place(&p);
}
END_TEST

// Texts and their borders make the key.
START_TEST(keys)
{
    isg_cache_key a = isg_cache_key_of((const char *const[]){"a", "bc", NULL});
    isg_cache_key b = isg_cache_key_of((const char *const[]){"ab", "c", NULL});
    isg_cache_key c = isg_cache_key_of((const char *const[]){"a", "bc", "", NULL});
    ck_assert_int_ne(memcmp(&a, &b, sizeof a), 0);
    ck_assert_int_ne(memcmp(&a, &c, sizeof a), 0);
}
END_TEST

// Every cut, every flipped bit and any junk is seen, and costs a warning.
START_TEST(damage)
{
    place p;
    open_place(&p);
    const char blob[] = "something a driver would choke on";
    unsigned char whole[400], broken[400];
    isg_cache_put(&p.cache, p.key, blob, sizeof blob);
    size_t bytes = read_file(p.path, whole, sizeof whole);
    ck_assert_uint_eq(bytes, 64 + sizeof blob);
    int damages = 0;
    for (size_t cut = 0; cut < bytes; cut++, damages++) {
        write_file(p.path, whole, cut);
        ck_assert(!has(&p, blob, sizeof blob));
        ck_assert_int_ne(access(p.path, F_OK), 0); // removed, so that it is looked at once
    }
    for (size_t bit = 0; bit < bytes * 8; bit++, damages++) {
        memcpy(broken, whole, bytes);
        broken[bit / 8] ^= (unsigned char)(1u << bit % 8);
        write_file(p.path, broken, bytes);
        ck_assert_msg(!has(&p, blob, sizeof blob), "flipped bit %d was not seen", (int)bit);
    }
    memcpy(broken, whole, bytes);
    broken[bytes] = 0;
    write_file(p.path, broken, bytes + 1);
    ck_assert(!has(&p, blob, sizeof blob));
    suite_random random = suite_stream(1);
    for (int i = 0; i < 200; i++, damages++) {
        for (size_t b = 0; b < sizeof broken; b++)
            broken[b] = (unsigned char)random_bits(&random);
        write_file(p.path, broken, (size_t)random_below(&random, sizeof broken));
        ck_assert(!has(&p, blob, sizeof blob));
    }
    ck_assert_int_eq(warnings, damages + 1);
    write_file(p.path, whole, bytes);
    ck_assert(has(&p, blob, sizeof blob));
    close_place(&p);
}
END_TEST

// A file under another key's name, and a link, are not believed.
START_TEST(foreign)
{
    place p;
    open_place(&p);
    isg_cache_put(&p.cache, p.key, "x", 1);
    isg_cache_key other = isg_cache_key_of((const char *const[]){"other", NULL});
    char path[200], kept[200];
    snprintf(kept, sizeof kept, "%s/kept", p.folder);
    int at = snprintf(path, sizeof path, "%s/", p.folder);
    for (int i = 0; i < 16; i++)
        at += sprintf(path + at, "%02x", other.bytes[i]);
    ck_assert_int_eq(link(p.path, path), 0);
    void *blob;
    size_t bytes;
    isg_cache_get(&p.cache, other, &blob, &bytes);
    ck_assert_ptr_null(blob);
    ck_assert_int_eq(rename(p.path, kept), 0);
    ck_assert_int_eq(symlink(kept, p.path), 0);
    ck_assert(!has(&p, "x", 1));
    ck_assert_int_eq(warnings, 2);
    unlink(kept);
    close_place(&p);
}
END_TEST

// Folders that cannot be used, or that others may write to, are no cache; that is not an error.
START_TEST(unusable_folders)
{
    place p;
    open_place(&p);
    isg_cache c;
    write_file(p.path, "", 0);
    isg_cache_open(&c, p.path, count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    isg_cache_open(&c, "/proc/nowhere/cache", count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    ck_assert_int_eq(chmod(p.folder, 0777), 0);
    isg_cache_open(&c, p.folder, count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    ck_assert_int_eq(warnings, 3);
    isg_cache_open(&c, "off", count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    ck_assert_int_eq(warnings, 3);
    void *blob;
    size_t bytes;
    isg_cache_put(&c, p.key, "x", 1);
    isg_cache_get(&c, p.key, &blob, &bytes);
    ck_assert_ptr_null(blob);
    close_place(&p);
}
END_TEST

// Another user's folder, a link that leads nowhere, and one that cannot be made.
START_TEST(foreign_folders)
{
    place p;
    open_place(&p);
    char folder[100] = "/"; // who is not root cannot write there anyway
    isg_cache c;
    if (geteuid() == 0) {
        snprintf(folder, sizeof folder, "%s/theirs", p.folder);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        ck_assert_int_eq(chown(folder, 1, 1), 0);
    }
    isg_cache_open(&c, folder, count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    if (geteuid() == 0)
        rmdir(folder);
    ck_assert_int_eq(symlink("/dev/null/at/all", p.path), 0);
    isg_cache_open(&c, p.path, count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    isg_cache_open(&c, "/proc/nowhere", count_warnings, NULL);
    ck_assert_ptr_null(c.folder);
    ck_assert_int_eq(warnings, 3);
    close_place(&p);
}
END_TEST

// Where a cache lies, by what the caller and the environment say; NULL: not set.
START_TEST(choice_of_folder)
{
    static const char *const names[] = {"ISOGRAM_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
    place p;
    open_place(&p);
    const struct {
        const char *folder, *values[3], *chosen; // % stands for the place's folder
    } cases[] = {
        {"%/a", {"off", NULL, "%"}, "%/a"},
        {NULL, {"%/b", "%/c", "%"}, "%/b"},
        {"", {"%/b", "%/c", "%"}, "%/b"},
        {"off", {"%/b", "%/c", "%"}, NULL},
        {NULL, {"off", "%/c", "%"}, NULL},
        {NULL, {NULL, "%/c/d/e", "%"}, "%/c/d/e/isogram"},
        {NULL, {"", "%/c", "%"}, "%/c/isogram"},
        {NULL, {NULL, "relative", "%"}, "%/.cache/isogram"}, // as the specification wants it
        {NULL, {NULL, NULL, "%"}, "%/.cache/isogram"},
        {NULL, {NULL, NULL, ""}, NULL},
        {NULL, {NULL, NULL, NULL}, NULL},
    };
    char *kept[3];
    for (int v = 0; v < 3; v++)
        kept[v] = getenv(names[v]) ? strdup(getenv(names[v])) : NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char texts[5][200];
        const char *const from[] = {cases[i].values[0], cases[i].values[1], cases[i].values[2], cases[i].folder,
                                    cases[i].chosen};
        for (int t = 0; t < 5; t++) {
            const char *rest = from[t] && from[t][0] == '%' ? from[t] + 1 : from[t];
            snprintf(texts[t], sizeof texts[t], "%s%s", rest != from[t] ? p.folder : "", rest ? rest : "");
            if (t < 3 && from[t])
                setenv(names[t], texts[t], 1);
            else if (t < 3)
                unsetenv(names[t]);
        }
        isg_cache c;
        isg_cache_open(&c, from[3] ? texts[3] : NULL, NULL, NULL);
        if (from[4])
            ck_assert_str_eq(c.folder, texts[4]);
        else
            ck_assert_ptr_null(c.folder);
        isg_cache_close(&c);
    }
    for (int v = 0; v < 3; v++) {
        if (kept[v])
            setenv(names[v], kept[v], 1);
        else
            unsetenv(names[v]);
        free(kept[v]);
    }
    static const char *const made[] = {"a",         "b", "c/d/e/isogram",  "c/d/e", "c/d",
                                       "c/isogram", "c", ".cache/isogram", ".cache"};
    for (size_t i = 0; i < COUNT(made); i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", p.folder, made[i]);
        ck_assert_msg(rmdir(path) == 0, "%s", path);
    }
    close_place(&p);
}
END_TEST

// What stands in a file's place and is none, or is another user's, is not read; without a log it is passed over
// silently.
START_TEST(no_file_of_ours)
{
    place p;
    open_place(&p);
    ck_assert_int_eq(mkfifo(p.path, 0600), 0);
    ck_assert(!has(&p, "x", 1));
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_ne(access(p.path, F_OK), 0);
    if (geteuid() == 0) {
        isg_cache_put(&p.cache, p.key, "x", 1);
        ck_assert_int_eq(chown(p.path, 1, 1), 0);
        ck_assert(!has(&p, "x", 1));
        ck_assert_int_eq(warnings, 2);
    }
    p.cache.log = NULL;
    write_file(p.path, "junk", 4);
    ck_assert(!has(&p, "x", 1));
    close_place(&p);
}
END_TEST

// A put that fails leaves nothing behind, and what was there as it was: too large a blob, a folder that is gone, a
// disk that takes no more (here: a limit of files' sizes), a file that cannot come into its place.
START_TEST(puts_that_fail)
{
    place p;
    open_place(&p);
    isg_cache_put(&p.cache, p.key, "old", 3);
    isg_cache_put(&p.cache, p.key, "", ((size_t)1 << 28) + 1);
    ck_assert_int_eq(warnings, 0);
    ck_assert(has(&p, "old", 3));

    struct rlimit kept, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &kept), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        small = (struct rlimit){i ? 66 : 32, kept.rlim_max}; // within the header, and behind it
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        isg_cache_put(&p.cache, p.key, "new", 3);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &kept), 0);
        ck_assert_int_eq(warnings, i + 1);
        ck_assert(has(&p, "old", 3));
    }
    signal(SIGXFSZ, handler);

    unlink(p.path);
    ck_assert_int_eq(mkdir(p.path, 0700), 0);
    isg_cache_put(&p.cache, p.key, "new", 3);
    ck_assert_int_eq(warnings, 3);
    ck_assert_int_eq(rmdir(p.path), 0);

    ck_assert_int_eq(rmdir(p.folder), 0); // empty: no hidden file was left
    isg_cache_put(&p.cache, p.key, "new", 3);
    ck_assert_int_eq(warnings, 4);
    ck_assert_int_eq(mkdir(p.folder, 0700), 0);
    close_place(&p);
}
END_TEST

// Hidden names that are taken are passed over, and left as they are; when all are, nothing is put.
START_TEST(names_that_are_taken)
{
    enum { TRIES = 100 };
    place p;
    open_place(&p);
    char hidden[TRIES][300];
    for (int i = 0; i < TRIES; i++)
        snprintf(hidden[i], sizeof hidden[i], "%s.%lx-%lx", p.path, (long)getpid(), 1000L + i);
    frozen = true;
    for (int i = 0; i < 3; i++)
        write_file(hidden[i], "theirs", 6);
    isg_cache_put(&p.cache, p.key, "x", 1);
    ck_assert(has(&p, "x", 1));
    ck_assert_int_eq(warnings, 0);
    for (int i = 3; i < TRIES; i++)
        write_file(hidden[i], "theirs", 6);
    isg_cache_put(&p.cache, p.key, "new", 3);
    frozen = false;
    ck_assert(has(&p, "x", 1));
    ck_assert_int_eq(warnings, 1);
    for (int i = 0; i < TRIES; i++) {
        unsigned char bytes[10];
        ck_assert_uint_eq(read_file(hidden[i], bytes, sizeof bytes), 6);
        unlink(hidden[i]);
    }
    close_place(&p);
}
END_TEST

// ---- The way to a folder ----

static bool reached(const char *path, const char *why_not)
{
    const char *why = NULL;
    int folder = isg_folder_open(path, false, &why);
    if (folder < 0)
        ck_assert_str_eq(why, why_not);
    else
        close(folder);
    return folder >= 0;
}

// Links of any length, in sum, until there is no room for the way; and no way at all.
START_TEST(long_ways)
{
    place p;
    open_place(&p);
    char link[100], text[PATH_MAX];
    ck_assert(!reached("", strerror(ENOENT)));
    ck_assert(reached("/", NULL));
    ck_assert(reached(p.folder, NULL));
    for (int i = 0; i < 3; i++) {
        snprintf(link, sizeof link, "%s/%d", p.folder, i);
        int at = i < 2 ? snprintf(text, sizeof text, "%d", i + 1) : snprintf(text, sizeof text, ".");
        for (; at < PATH_MAX - 50; at += 2)
            strcpy(text + at, "/.");
        ck_assert_int_eq(symlink(text, link), 0);
    }
    snprintf(link, sizeof link, "%s/2", p.folder);
    ck_assert(reached(link, NULL));
    snprintf(link, sizeof link, "%s/1", p.folder);
    ck_assert(reached(link, NULL));
    snprintf(link, sizeof link, "%s/0", p.folder);
    ck_assert(!reached(link, strerror(ENAMETOOLONG)));
    for (int i = 0; i < 3; i++) {
        snprintf(link, sizeof link, "%s/%d", p.folder, i);
        ck_assert_int_eq(unlink(link), 0);
    }
    close_place(&p);
}
END_TEST

// Whose links are followed: this user's, root's, and those of whom the folder belongs to that they lie in, unless
// everybody may write there.
START_TEST(whose_links)
{
    if (geteuid() != 0) {
        printf("skipped: only root can make other users' links\n");
        return;
    }
    static const struct {
        uid_t user, link, folder;
        mode_t mode;
        bool followed;
    } cases[] = {{0, 0, 0, 0755, true},   {0, 5, 0, 0755, false}, {0, 5, 5, 0755, true},   {0, 5, 5, 0757, false},
                 {7, 0, 0, 0755, true},   {7, 7, 0, 01777, true}, {7, 5, 0, 01777, false}, {7, 5, 5, 0755, true},
                 {7, 5, 5, 01777, false}, {7, 0, 5, 01777, true}};
    place p;
    open_place(&p);
    char folder[100], link[100];
    snprintf(folder, sizeof folder, "%s/folder", p.folder);
    snprintf(link, sizeof link, "%s/folder/link", p.folder);
    ck_assert_int_eq(chmod(p.folder, 0755), 0);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ck_assert_int_eq(symlink("..", link), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_int_eq(lchown(link, cases[i].link, cases[i].link), 0);
        ck_assert_int_eq(chown(folder, cases[i].folder, cases[i].folder), 0);
        ck_assert_int_eq(chmod(folder, cases[i].mode), 0);
        ck_assert_int_eq(seteuid(cases[i].user), 0);
        const bool followed = reached(link, "a symbolic link on the way is another user's");
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_msg(followed == cases[i].followed, "case %d", (int)i);
    }
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    close_place(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {round_trip,       keys,
                                  damage,           foreign,
                                  unusable_folders, foreign_folders,
                                  choice_of_folder, no_file_of_ours,
                                  puts_that_fail,   names_that_are_taken,
                                  long_ways,        whose_links};
    return suite_run(suite_of("cache", tests, COUNT(tests)));
}
