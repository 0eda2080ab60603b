// Writes the golden hashes from the host's reference: golden [--new] FILE... Not installed.
//
// Hashes that a FILE has stay as they are: bits under one contract number never change, and a file with others is not
// written; the run fails then. New cases are added. All files are compared with one computation of all cases; --new
// computes only cases that a file lacks. To change bits on purpose, raise the number in lib/reference.h, which makes a
// new file, and say so in NEWS.
#include "verify_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, LINE = 256, HASH = 32, MOST_FILES = 8 };

// A file as it was read, and as it will be.
typedef struct golden_file {
    const char *path;
    char (*old)[LINE]; // hash, space, key
    int old_count, changed, added, kept;
    char *text;
    size_t bytes;
    FILE *out;
} golden_file;

static const char *old_line(const golden_file *f, const char *key)
{
    for (int i = 0; i < f->old_count; i++)
        if (strcmp(f->old[i] + HASH + 1, key) == 0)
            return f->old[i];
    return NULL;
}

static bool open_file(golden_file *f, const char *path)
{
    *f = (golden_file){.path = path, .old = calloc(MOST, sizeof *f->old)};
    f->out = open_memstream(&f->text, &f->bytes);
    if (!f->old || !f->out)
        return false;
    fprintf(f->out,
            "# XXH3-128 of the results of every case of isogram verify, from the host's reference (tests/golden.c).\n");
    FILE *file = fopen(path, "r");
    if (!file)
        return true; // a new one
    while (f->old_count < MOST && fgets(f->old[f->old_count], LINE, file)) {
        f->old[f->old_count][strcspn(f->old[f->old_count], "\n")] = 0;
        f->old_count += f->old[f->old_count][0] != '#';
    }
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    return whole;
}

// hash: NULL where the file's own, which it has, was not computed again.
static void put_case(golden_file *f, const char *key, const char *hash)
{
    const char *before = old_line(f, key);
    if (before && hash && strncmp(before, hash, HASH) != 0) {
        f->changed++;
        fprintf(stderr, "golden: %s: other bits: %s\n", f->path, key);
    }
    f->kept += before != NULL;
    f->added += !before;
    fprintf(f->out, "%.*s %s\n", HASH, hash ? hash : before, key);
}

// Writes the file if nothing in it changes.
static bool close_file(golden_file *f)
{
    fclose(f->out);
    bool good = !f->changed && f->kept == f->old_count;
    if (!good) {
        fprintf(stderr,
                "golden: %s: %d hashes would change and %d would go; nothing written. Bits of a contract never change: "
                "raise its number (lib/reference.h) and begin a new file\n",
                f->path, f->changed, f->old_count - f->kept);
    } else {
        FILE *file = fopen(f->path, "w");
        good = file && fwrite(f->text, 1, f->bytes, file) == f->bytes;
        good = file && fclose(file) == 0 && good;
        if (good)
            printf("%s: %d hashes added, %d kept\n", f->path, f->added, f->kept);
        else
            fprintf(stderr, "golden: %s: cannot be written\n", f->path);
    }
    free(f->text);
    free(f->old);
    return good;
}

int main(int argc, char **argv)
{
    static golden_file files[MOST_FILES];
    bool only_new = argc > 1 && strcmp(argv[1], "--new") == 0, good = true;
    int count = argc - 1 - only_new;
    if (count < 1 || count > MOST_FILES) {
        fprintf(stderr, "usage: golden [--new] FILE..., at most %d\n", MOST_FILES);
        return EXIT_FAILURE;
    }
    for (int f = 0; f < count; f++) {
        if (!open_file(&files[f], argv[argc - count + f])) {
            fprintf(stderr, "golden: %s: cannot be read\n", argv[argc - count + f]);
            return EXIT_FAILURE;
        }
    }
    for (int variant = 0; variant < 8; variant++) {
        isg_dtype dtype = variant & 1 ? ISG_F64 : ISG_F32;
        bool fused = variant & 2, quick = !(variant & 4);
        for (int i = 0; i < isg_case_count(quick); i++) {
            isg_case c;
            char key[160], hash[HASH + 1];
            void *results = NULL;
            bool made = isg_case_make(&c, i, dtype, fused, quick), needed = !only_new;
            if (made) {
                isg_case_key(&c, quick, key, sizeof key);
                for (int f = 0; f < count; f++)
                    needed = needed || !old_line(&files[f], key);
                results = needed ? isg_case_expected(&c) : NULL;
            }
            if (!made || (needed && !results)) {
                fprintf(stderr, "golden: case %d cannot be computed\n", i);
                return EXIT_FAILURE;
            }
            if (needed)
                isg_case_hash(&c, results, hash);
            for (int f = 0; f < count; f++)
                put_case(&files[f], key, needed ? hash : NULL);
            free(results);
            isg_case_free(&c);
        }
    }
    for (int f = 0; f < count; f++)
        good = close_file(&files[f]) && good;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
