// The journal of a store: its headers and records, their places, and what a store is of, without a device.
#include "suite.h"

#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const some_lines[ISG_LINE_COUNT] = {"rbf(sigma=2)", "", "isogram-2/f32/fused", "/x.npy", "", "", ""};

static isg_journal journal_of(isg_store_layout layout, isg_dtype dtype, int64_t n, int64_t m, int64_t side,
                              bool symmetric)
{
    isg_journal j = {.layout = layout, .dtype = dtype, .n = n, .m = m, .d = 3, .side = side, .symmetric = symmetric};
    const char *wrong = isg_journal_derive(&j);
    ck_assert_msg(!wrong, "%s", wrong);
    return j;
}

// The beginning of a journal: both headers. To be freed.
static uint8_t *both_headers(isg_journal *j)
{
    uint8_t *one = isg_journal_write(j, some_lines);
    ck_assert_ptr_nonnull(one);
    uint8_t *both = malloc(2 * (size_t)j->header_bytes);
    memcpy(both, one, (size_t)j->header_bytes);
    memcpy(both + j->header_bytes, one, (size_t)j->header_bytes);
    free(one);
    return both;
}

static void check_same_journal(const isg_journal *a, const isg_journal *b)
{
    ck_assert_int_eq(a->layout, b->layout);
    ck_assert_int_eq(a->dtype, b->dtype);
    ck_assert_int_eq(a->n, b->n);
    ck_assert_int_eq(a->m, b->m);
    ck_assert_int_eq(a->d, b->d);
    ck_assert_int_eq(a->side, b->side);
    ck_assert_int_eq(a->tiles, b->tiles);
    ck_assert_int_eq(a->file_bytes, b->file_bytes);
    ck_assert_int_eq(a->symmetric, b->symmetric);
    ck_assert(a->seed == b->seed && isg_hash_same(&a->x, &b->x));
    for (int i = 0; i < ISG_LINE_COUNT; i++)
        ck_assert_str_eq(a->lines[i], b->lines[i]);
}

// A header comes back as it was written; any byte of it that changes is noticed, and the other header serves.
START_TEST(headers)
{
    isg_journal j = journal_of(ISG_STORE_FULL, ISG_F32, 700, 700, 64, true), back;
    j.x.bytes[5] = 77;
    uint8_t *both = both_headers(&j);
    const int64_t bytes = 2 * j.header_bytes;
    int damaged;
    ck_assert_ptr_null(isg_journal_find(&back, both, bytes, &damaged));
    ck_assert_int_eq(damaged, 0);
    check_same_journal(&j, &back);
    isg_journal_free(&back);
    for (int64_t at = 0; at < bytes; at++) {
        both[at] ^= (uint8_t)(1 << at % 8);
        if (at < j.header_bytes)
            ck_assert_msg(isg_journal_parse(&back, both, bytes) != NULL, "byte %d", (int)at);
        const char *wrong = isg_journal_find(&back, both, bytes, &damaged);
        ck_assert_msg(!wrong && damaged == 1, "byte %d: %s", (int)at, wrong ? wrong : "not noticed");
        check_same_journal(&j, &back);
        isg_journal_free(&back);
        both[at] ^= (uint8_t)(1 << at % 8);
    }
    for (int64_t count = 0; count < bytes; count++) { // its own memory, so that a sanitizer sees each byte too many
        uint8_t *cut = malloc((size_t)count + 1);
        memcpy(cut, both, (size_t)count);
        const char *wrong = isg_journal_find(&back, cut, count, &damaged);
        ck_assert_int_eq(wrong == NULL, count >= j.header_bytes);
        ck_assert_int_eq(damaged, wrong ? 2 : 1);
        if (!wrong)
            isg_journal_free(&back);
        free(cut);
    }
    free(both);
    isg_journal_free(&j);
}
END_TEST

// A header whose checksum is right can still say anything: what is taken hangs together.
START_TEST(crafted_headers)
{
    enum { CHECKSUM = 192, FIRST = 20, LAST = 192 };
    isg_journal j = journal_of(ISG_STORE_TILES, ISG_F16, 5000, 5000, 1024, true), back;
    uint8_t *h = isg_journal_write(&j, some_lines);
    const size_t bytes = (size_t)j.header_bytes;
    uint8_t *copy = malloc(bytes);
    suite_random random = suite_stream(1);
    int taken = 0;
    for (int i = 0; i < 50000; i++) {
        memcpy(copy, h, bytes);
        for (int64_t k = random_below(&random, 3); k >= 0; k--) {
            int64_t at = FIRST + 4 * random_below(&random, (LAST - FIRST) / 4), kind = random_below(&random, 4);
            uint64_t value = kind == 0   ? random_bits(&random)
                             : kind == 1 ? (uint64_t)random_below(&random, 5)
                             : kind == 2 ? 0x7fffffffffffffff
                                         : 1ull << random_below(&random, 64);
            memcpy(copy + at, &value, (size_t)isg_min(8, LAST - at));
        }
        memset(copy + CHECKSUM, 0, ISG_HASH_BYTES);
        XXH128_canonicalFromHash((XXH128_canonical_t *)(copy + CHECKSUM), XXH3_128bits(copy, bytes));
        if (isg_journal_parse(&back, copy, (int64_t)bytes))
            continue;
        taken++;
        ck_assert(back.n > 0 && back.m > 0 && back.tiles > 0 && back.side >= ISG_LEAST_SIDE);
        ck_assert(back.file_bytes > back.data_offset && isg_journal_bytes(&back) > 2 * back.header_bytes);
        isg_tile last = isg_journal_tile(&back, back.tiles - 1);
        ck_assert(last.row < back.n && last.col < back.m && last.rows > 0 && last.cols > 0);
        isg_journal_free(&back);
    }
    ck_assert_int_gt(taken, 0); // hashes, which may be anything
    free(copy);
    free(h);
    isg_journal_free(&j);
}
END_TEST

// The second header is looked for behind the first's every possible size, and believed only where it says that size.
START_TEST(second_headers)
{
    isg_journal j = journal_of(ISG_STORE_FULL, ISG_F32, 70, 70, 64, true), back;
    char *line = malloc(ISG_JOURNAL_MOST_HEADER + 1);
    const char *lines[ISG_LINE_COUNT] = {line};
    memset(line, 'x', ISG_JOURNAL_MOST_HEADER);
    line[ISG_JOURNAL_MOST_HEADER] = 0;
    ck_assert_ptr_null(isg_journal_write(&j, lines)); // a text that no header holds
    ck_assert_ptr_null(j.text);
    for (int pages = 256; pages >= 2; pages -= 127) {
        line[ISG_JOURNAL_PAGE * (pages - 1)] = 0;
        uint8_t *one = isg_journal_write(&j, lines);
        ck_assert_ptr_nonnull(one);
        ck_assert_int_eq(j.header_bytes, pages * ISG_JOURNAL_PAGE);
        const int64_t room = 3 * ISG_JOURNAL_MOST_HEADER;
        uint8_t *bytes = calloc((size_t)room, 1);
        for (int64_t at = 1; at <= pages + 1; at++) {
            int damaged = -1;
            memset(bytes, 0, (size_t)room);
            memcpy(bytes + at * ISG_JOURNAL_PAGE, one, (size_t)j.header_bytes);
            const char *wrong = isg_journal_find(&back, bytes, room, &damaged);
            ck_assert_msg((wrong == NULL) == (at == pages), "page %d of %d: %s", (int)at, pages,
                          wrong ? wrong : "taken");
            ck_assert_int_eq(damaged, wrong ? 2 : 1);
            if (!wrong)
                isg_journal_free(&back);
        }
        free(bytes);
        free(one);
        isg_journal_free(&j);
    }
    free(line);
}
END_TEST

// A record is its own tile's, of its own journal, and whole; zeros are none.
START_TEST(records)
{
    isg_journal j = journal_of(ISG_STORE_FULL, ISG_F64, 300, 200, 64, false), other = j;
    free(both_headers(&j));
    other.n = 299;
    ck_assert_ptr_null(isg_journal_derive(&other));
    free(both_headers(&other));
    uint8_t bytes[ISG_RECORD_BYTES] = {0};
    ck_assert_int_eq(isg_record_parse(&j, 3, bytes).state, ISG_RECORD_EMPTY);
    for (isg_record_state state = ISG_RECORD_WRITTEN; state <= ISG_RECORD_SYNCED; state++) {
        const isg_record record = {state, {{1, 2, 3}}};
        isg_record_write(&j, 3, &record, bytes);
        isg_record back = isg_record_parse(&j, 3, bytes);
        ck_assert_int_eq(back.state, state);
        ck_assert(isg_hash_same(&back.checksum, &record.checksum));
        ck_assert_int_eq(isg_record_parse(&j, 4, bytes).state, ISG_RECORD_DAMAGED);
        ck_assert_int_eq(isg_record_parse(&other, 3, bytes).state, ISG_RECORD_DAMAGED);
        for (int bit = 0; bit < 8 * ISG_RECORD_BYTES; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ck_assert_int_eq(isg_record_parse(&j, 3, bytes).state, ISG_RECORD_DAMAGED);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (int cut = 1; cut < ISG_RECORD_BYTES; cut++) { // over zeros, as a write that is torn leaves it
            uint8_t torn[ISG_RECORD_BYTES] = {0};
            memcpy(torn, bytes, (size_t)cut);
            ck_assert_int_eq(isg_record_parse(&j, 3, torn).state, ISG_RECORD_DAMAGED);
        }
    }
    isg_journal_free(&j);
    isg_journal_free(&other);
}
END_TEST

// Tiles and their mirrors cover the file, each element once.
START_TEST(places)
{
    const isg_journal all[] = {journal_of(ISG_STORE_FULL, ISG_F32, 200, 200, 64, true),
                               journal_of(ISG_STORE_FULL, ISG_F16, 64, 64, 64, true),
                               journal_of(ISG_STORE_FULL, ISG_F64, 130, 300, 128, false),
                               journal_of(ISG_STORE_FULL, ISG_F64, 200, 200, 64, false),
                               journal_of(ISG_STORE_TILES, ISG_F32, 200, 200, 64, true)};
    for (size_t c = 0; c < COUNT(all); c++) {
        const isg_journal *j = &all[c];
        int64_t element = (int64_t)isg_dtype_bytes(j->dtype), total = (j->file_bytes - j->data_offset) / element;
        uint8_t *seen = calloc((size_t)total, 1);
        for (int64_t index = 0; index < j->tiles; index++) {
            isg_tile t = isg_journal_tile(j, index);
            ck_assert_int_eq(isg_journal_index(j, t.i, t.j), index);
            for (int mirror = 0; mirror <= t.mirrored; mirror++) {
                int64_t i = mirror ? t.j : t.i, k = mirror ? t.i : t.j, stride;
                ck_assert_int_eq(isg_journal_index(j, i, k), index);
                bool whole = j->layout == ISG_STORE_TILES;
                for (int64_t a = 0; a < (whole ? j->side : mirror ? t.cols : t.rows); a++)
                    for (int64_t b = 0; b < (whole ? j->side : mirror ? t.rows : t.cols); b++) {
                        int64_t at = (isg_journal_place(j, i, k, a, b, &stride) - j->data_offset) / element;
                        ck_assert(at >= 0 && at < total && !seen[at]);
                        seen[at] = 1;
                    }
            }
        }
        for (int64_t at = 0; at < total; at++)
            ck_assert(seen[at]);
        free(seen);
    }
    suite_random random = suite_stream(2);
    isg_journal j = journal_of(ISG_STORE_TILES, ISG_F16, 1000000000, 1000000000, 64, true);
    for (int i = 0; i < 20000; i++) {
        int64_t index = i < 100 ? j.tiles - 1 - i : random_below(&random, j.tiles);
        isg_tile t = isg_journal_tile(&j, index);
        ck_assert(t.j >= 0 && t.j <= t.i && t.row < j.n);
        ck_assert_int_eq(isg_journal_index(&j, t.i, t.j), index);
        if (t.i > 0) { // the last of the row above, and the first of this one
            isg_tile above = isg_journal_tile(&j, index - t.j - 1), first = isg_journal_tile(&j, index - t.j);
            ck_assert(above.i == t.i - 1 && above.j == above.i && first.i == t.i && first.j == 0);
        }
    }
}
END_TEST

START_TEST(impossible)
{
    const isg_journal good = {.dtype = ISG_F32, .n = 100, .m = 100, .d = 1, .side = 64, .symmetric = true};
    isg_journal bad[] = {good, good, good, good, good, good, good, good, good, good, good, good, good};
    bad[0].side = 100;
    bad[1].side = 0;
    bad[2].side = 1 << 20;
    bad[3].n = 0;
    bad[4].m = 101;
    bad[5].dtype = ISG_I32;
    bad[6].layout = 2;
    bad[7].n = bad[7].m = INT64_MAX / 2;
    bad[8].n = bad[8].m = (int64_t)1 << 31;
    bad[9].layout = ISG_STORE_TILES;
    bad[9].symmetric = false;
    bad[10].d = -1;
    bad[11].n = bad[11].m = (int64_t)1 << 40; // whose tiles can be counted
    bad[11].side = ISG_MOST_SIDE;
    bad[12].n = bad[12].m = (int64_t)1 << 30; // 2^62 bytes
    isg_journal one = good;
    ck_assert_ptr_null(isg_journal_derive(&one));
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(isg_journal_derive(&bad[i]) != NULL, "%d", (int)i);
}
END_TEST

// What a store is of is compared field by field, and a header can say anything: the first difference is told.
START_TEST(differences)
{
    isg_store_file file = {.label = "k.npy"};
    char own[ISG_LINE_COUNT][40], text[] = "a text";
    file.journal = journal_of(ISG_STORE_FULL, ISG_F32, 300, 300, 64, true);
    for (int i = 0; i < ISG_LINE_COUNT; i++)
        file.journal.lines[i] = strcpy(own[i], some_lines[i]);
    const isg_journal same = file.journal;
    isg_journal others[11];
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = same;
    others[0].layout = ISG_STORE_TILES;
    others[1].dtype = ISG_F16;
    others[2].n = 299;
    others[3].m = 301;
    others[4].d = 4;
    others[5].include.bytes[0] = 0xab;
    others[6].factors.bytes[0] = 0xcd;
    others[7].x.bytes[15] = 1;
    others[8].y.bytes[15] = 1;
    others[9].symmetric = false;
    others[10].side = 128;
    static const char *const words[COUNT(others)][2] = {
        {"its layout is full, and asked for is tiles", "its layout is tiles, and asked for is full"},
        {"its element type is float32, and asked for is float16", "its element type is float16"},
        {"its number of rows is 300, and asked for is 299", "rows is 299, and asked for is 300"},
        {"its number of columns is 300, and asked for is 301", "columns is 301"},
        {"its dimension is 3, and asked for is 4", "its dimension is 4"},
        {"include), as a hash, is none, and asked for is ab00", "as a hash, is ab00"},
        {"factors, as a hash, is none, and asked for is cd00", "factors, as a hash, is cd00"},
        {"content of X, as a hash, is none, and", "content of X, as a hash, is 0000"},
        {"content of Y, as a hash, is none, and", "content of Y, as a hash, is 0000"},
        {"its symmetry is K(X, X), and asked for is K(X, Y)", "its symmetry is K(X, Y), and asked for is K(X, X)"},
        {"its side of tiles is 64, and asked for is 128", "its side of tiles is 128, and asked for is 64"},
    };
    isg_error error = {ISG_OK, ""};
    ck_assert_int_eq(isg_store_compare(&file, &same, some_lines, &error), ISG_OK);
    for (size_t i = 0; i < COUNT(others); i++)
        for (int turned = 0; turned < 2; turned++) {
            isg_error_clear(&error);
            file.journal = turned ? others[i] : same;
            ck_assert_int_eq(isg_store_compare(&file, turned ? &same : &others[i], some_lines, &error),
                             ISG_ERR_ARGUMENT);
            ck_assert_msg(strstr(error.message, words[i][turned]) != NULL, "%s", error.message);
        }
    file.journal = same;
    isg_journal any_side = same;
    any_side.side = 0;
    ck_assert_int_eq(isg_store_compare(&file, &any_side, some_lines, &error), ISG_OK);
    // Of the lines those are compared that say what the numbers are, not where the inputs lie.
    static const char *const line_words[][2] = {
        {"is rbf(sigma=2), and asked for is a text", "is a text, and asked for is rbf(sigma=2)"},
        {"is none, and asked for is a text", "is a text, and asked for is none"},
        {"is isogram-2/f32/fused, and asked for is a text", "is a text, and asked for is isogram-2/f32/fused"},
    };
    for (int line = 0; line < ISG_LINE_COUNT; line++)
        for (int turned = 0; turned < 2; turned++) {
            const char *lines[ISG_LINE_COUNT];
            memcpy(lines, some_lines, sizeof lines);
            if (turned)
                file.journal.lines[line] = text;
            else
                lines[line] = text;
            const bool compared = line <= ISG_LINE_CONTRACT;
            isg_error_clear(&error);
            ck_assert_int_eq(isg_store_compare(&file, &same, lines, &error), compared ? ISG_ERR_ARGUMENT : ISG_OK);
            ck_assert_msg(!compared || strstr(error.message, line_words[line][turned]), "%s", error.message);
            file.journal.lines[line] = own[line];
        }
}
END_TEST

// Two that begin at once: the second finds the first one's journal, and nothing of it is overwritten.
START_TEST(two_begin_at_once)
{
    isg_store_file first, second;
    isg_error error = {ISG_OK, ""};
    bool found;
    isg_journal a = journal_of(ISG_STORE_FULL, ISG_F32, 300, 300, 64, true), b = a;
    b.x.bytes[0] = 1;
    ck_assert_int_eq(isg_store_file_find(&first, "k.npy", true, &found, &error), ISG_OK);
    ck_assert(!found);
    ck_assert_int_eq(isg_store_file_find(&second, "k.npy", true, &found, &error), ISG_OK);
    ck_assert(!found);
    ck_assert_int_eq(isg_store_file_make(&first, &a, some_lines, &found, &error), ISG_OK);
    ck_assert(!found);
    ck_assert_msg(isg_store_file_make(&second, &b, some_lines, &found, &error) == ISG_OK, "%s", error.message);
    ck_assert(found);
    check_same_journal(&first.journal, &second.journal);
    isg_store_file_close(&first);
    isg_store_file_close(&second);
    unlink("k.npy");
    unlink("k.npy.journal");
}
END_TEST

int main(void)
{
    char folder[] = "/tmp/isogram-journal-XXXXXX";
    const TTest *const tests[] = {headers, crafted_headers, second_headers, records,
                                  places,  impossible,      differences,    two_begin_at_once};
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return EXIT_FAILURE;
    int code = suite_run(suite_of("journal", tests, COUNT(tests)));
    return chdir("/") != 0 || rmdir(folder) != 0 ? EXIT_FAILURE : code;
}
