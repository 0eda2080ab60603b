// Writes the golden hashes from the host's reference: golden FILE. Not installed.
//
// Hashes that FILE has stay as they are: bits under one contract number never change, and a run that finds others
// writes nothing and fails. New cases are added. To change bits on purpose, raise the number in lib/reference.h, which
// makes a new file, and say so in NEWS.
#include "verify_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, LINE = 256 };
static char old[MOST][LINE];
static int old_count;

static const char *old_hash(const char *key)
{
    for (int i = 0; i < old_count; i++)
        if (strcmp(old[i] + 33, key) == 0)
            return old[i];
    return NULL;
}

static bool read_old(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return true; // a new one
    while (old_count < MOST && fgets(old[old_count], LINE, file)) {
        old[old_count][strcspn(old[old_count], "\n")] = 0;
        old_count += old[old_count][0] != '#';
    }
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    return whole;
}

int main(int argc, char **argv)
{
    if (argc != 2 || !read_old(argv[1])) {
        fprintf(stderr, argc == 2 ? "golden: %s: cannot be read\n" : "usage: golden FILE%s\n",
                argc == 2 ? argv[1] : "");
        return EXIT_FAILURE;
    }
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    int changed = 0, added = 0, kept = 0;
    fprintf(out,
            "# XXH3-128 of the results of every case of isogram verify, from the host's reference (tests/golden.c).\n");
    for (int variant = 0; variant < 8; variant++) {
        isg_dtype dtype = variant & 1 ? ISG_F64 : ISG_F32;
        bool fused = variant & 2, quick = !(variant & 4);
        for (int i = 0; i < isg_case_count(quick); i++) {
            isg_case c;
            char key[160], hash[33];
            void *results = isg_case_make(&c, i, dtype, fused, quick) ? isg_case_expected(&c) : NULL;
            if (!results) {
                fprintf(stderr, "golden: case %d cannot be computed\n", i);
                return EXIT_FAILURE;
            }
            isg_case_key(&c, quick, key, sizeof key);
            isg_case_hash(&c, results, hash);
            const char *before = old_hash(key);
            changed += before && strncmp(before, hash, 32) != 0;
            if (before && strncmp(before, hash, 32) != 0)
                fprintf(stderr, "golden: other bits: %s\n", key);
            kept += before != NULL;
            added += !before;
            fprintf(out, "%s %s\n", hash, key);
            free(results);
            isg_case_free(&c);
        }
    }
    fclose(out);
    if (changed || kept != old_count) {
        fprintf(stderr,
                "golden: %d hashes would change and %d would go; nothing written. Bits of a contract never change: "
                "raise its "
                "number (lib/reference.h) and begin a new file\n",
                changed, old_count - kept);
        return EXIT_FAILURE;
    }
    FILE *file = fopen(argv[1], "w");
    if (!file || fwrite(text, 1, bytes, file) != bytes || fclose(file) != 0) {
        fprintf(stderr, "golden: %s: cannot be written\n", argv[1]);
        return EXIT_FAILURE;
    }
    printf("%d hashes added, %d kept\n", added, kept);
    free(text);
    return EXIT_SUCCESS;
}
